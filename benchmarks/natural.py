"""The whole pass over natural sound against the bare encoder on the same audio, in one run, on one thread.

Bare: EnCodec's encoder, random weights, on all the audio, cut into rows of the shape that costs it least (tried
first). Whole: decode, encode at all convolutional sites, lanes, types of sound, moments, readability and receptive
fields of every site. Both take turns; seconds are CPU time, and the ratio is the number to trust.
Usage: ``OMP_NUM_THREADS=1 python benchmarks/natural.py [MUSIC] [PIECES]``, where MUSIC is a source of music such as
``folder:PATH``; by default the scores that come along are rendered, which takes the place of decoding and is not
counted.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch

from tonotopy.encoders import load_encoder
from tonotopy.encoders._contract import Encoder
from tonotopy.measures.natural.partial_targets import targets_of
from tonotopy.measures.natural.readability import readability
from tonotopy.measures.natural.receptive_field import receptive_fields
from tonotopy.recording.lanes import lanes_of
from tonotopy.recording.natural import FRAMES_WITH_LANES, NaturalSound, natural_frames
from tonotopy.sound.music import MusicPool
from tonotopy.sound.pool import choose
from tonotopy.sound.sources import open_music

ROUNDS = 3
SHAPES = ((1, 1.0), (4, 1.0), (6, 1.0), (8, 0.5), (16, 0.25), (1, 4.0))  # rows, seconds each

Spent = defaultdict[str, float]


@contextmanager
def timed(spent: Spent, what: str) -> Iterator[None]:
    """Add the CPU seconds of a block."""
    start = time.process_time()
    yield
    spent[what] += time.process_time() - start


def bare(encoder: Encoder, audio: np.ndarray, shape: tuple[int, float]) -> float:
    """CPU seconds of the encoder alone on all of ``audio [time]``."""
    rows, length = shape[0], round(shape[1] * encoder.sample_rate_hz)
    cut = torch.from_numpy(audio[: len(audio) // length * length].reshape(-1, length))
    start = time.process_time()
    with torch.inference_mode():
        for i in range(0, len(cut), rows):
            encoder.activations(cut[i : i + rows], ["stack_end"])
    return (time.process_time() - start) * len(audio) / cut.numel()


def whole(encoder: Encoder, read: Callable[[], MusicPool], decodes: bool) -> Spent:
    """CPU seconds of everything, by part."""
    spent: Spent = defaultdict(float)
    if decodes:
        with timed(spent, "decode"):
            music = read()
    else:
        music = read()
    sites = [site.name for site in encoder.sites if site.role in ("first_conv", "conv", "stack_end")]
    with timed(spent, "encode, all sites"):
        frames = natural_frames(encoder, sites, music, per_piece=FRAMES_WITH_LANES)
    with timed(spent, "lanes"):
        lanes = tuple(lanes_of(piece.audio, music.sample_rate_hz) for piece in music.pieces)
    sound = NaturalSound(frames, lanes)
    with timed(spent, "types of sound"):
        targets = targets_of(lanes)
    with timed(spent, "readability"):
        for site in sites:
            readability(sound, site, targets=targets)
    with timed(spent, "receptive fields"):
        receptive_fields(sound, sites)
    return spent


def main() -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    encoder = load_encoder("encodec-24khz", weights="random:0")
    n_pieces = int(sys.argv[2]) if len(sys.argv) > 2 else 12
    name = sys.argv[1] if len(sys.argv) > 1 else "scores"
    source = open_music(name)

    def read() -> MusicPool:
        return choose(source, n_pieces, 5.0, encoder.sample_rate_hz, seed=0)[1]

    pool = read()
    audio = np.concatenate([piece.audio for piece in pool.pieces])
    seconds = len(audio) / encoder.sample_rate_hz
    few = audio[: 16 * encoder.sample_rate_hz]
    shape = min(SHAPES, key=lambda shape: min(bare(encoder, few, shape) for _ in range(2)))
    print(f"{len(pool.pieces)} pieces, {seconds:.0f} s; bare encoder: {shape[0]} rows of {shape[1]:g} s")
    alone, parts = [], []
    for _ in range(ROUNDS):
        alone.append(bare(encoder, audio, shape))
        parts.append(whole(encoder, read, name != "scores"))
        total = sum(parts[-1].values())
        print(f"  bare {alone[-1]:.2f} s, whole {total:.2f} s: {total / alone[-1]:.2f}")
    base = float(np.median(alone))
    for what in parts[0]:
        taken = float(np.median([spent[what] for spent in parts]))
        print(f"{what:>20} {taken:7.2f} s {seconds / taken:7.0f} × real time {taken / base:6.2f}")
    ratio = float(np.median([sum(spent.values()) / one for spent, one in zip(parts, alone, strict=True)]))
    print(f"{'bare encoder':>20} {base:7.2f} s {seconds / base:7.0f} × real time   1.00")
    print(f"whole pass over bare encoder: {ratio:.2f}")


if __name__ == "__main__":
    main()
