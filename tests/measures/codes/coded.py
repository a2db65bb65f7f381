"""Codes of phantoms through real recordings: trials and natural sound, small."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from tonotopy.encoders import Encoder, load_encoder
from tonotopy.measures.codes.peaks import PeakCounts, PeakInformation
from tonotopy.measures.codes.spectra import CodeSpectra, SpectrumSums
from tonotopy.measures.codes.usage import Usage, UsageCounts
from tonotopy.recording import plan_segment, record_family
from tonotopy.recording.codes import CodesAsFrames, TrialCodes, peaks_at
from tonotopy.recording.lanes import Lanes, lanes_of
from tonotopy.recording.natural import NaturalFrames, natural_frames
from tonotopy.sound.music import MusicPool, Piece
from tonotopy.sound.trials import Design, trials

RATE = 16000
PIECES = 8
PHANTOMS = ("quantised-cochlea", "random-codes-iid", "random-codes-sticky", "random-codes-piece")
RANDOM = PHANTOMS[1:]


@cache
def music() -> MusicPool:
    """Pieces of falling noise with notes of .2 s, each piece with a scale of its own."""
    made = []
    for number in range(PIECES):
        rng = np.random.default_rng(number)
        n = int(2.4 * RATE)
        spectrum = np.fft.rfft(rng.standard_normal(n)) / np.sqrt(np.arange(1, n // 2 + 2))
        sound = 0.1 * np.fft.irfft(spectrum) / np.std(np.fft.irfft(spectrum))
        scale = rng.uniform(100, 2500, 5)
        time = np.arange(n) / RATE
        for start in np.arange(0, 2.4, 0.2):
            inside = (time >= start) & (time < start + 0.2)
            for hz in rng.choice(scale, 2, replace=False):
                sound += inside * np.sin(2 * np.pi * hz * time) / np.sqrt(1 + hz / 500)
        made.append(Piece(f"p{number}", None, None, None, None, (0.05 * sound).astype(np.float32)))
    return MusicPool(RATE, tuple(made))


@cache
def lanes() -> tuple[Lanes, ...]:
    """What sounds in each piece."""
    return tuple(lanes_of(piece.audio, RATE) for piece in music().pieces)


@cache
def phantom(name: str) -> Encoder:
    return load_encoder(f"phantom:{name}")


@cache
def trial_codes(name: str) -> TrialCodes:
    """Codes of trials in music, 6 targets."""
    encoder = CodesAsFrames(phantom(name))
    segment = plan_segment(encoder, encoder.sites, 4)
    design = Design(
        RATE,
        segment.n_samples,
        segment.end_range,
        n_frequencies=6,
        families=("music",),
        n_train=2,
        n_test=2,
        n_frames=4,
        n_pieces=PIECES,
    )
    made, _ = record_family(
        encoder, encoder.sites, design, list(trials(design, "music")), music(), music().level_function()
    )
    return TrialCodes.of(made["codes"])


@dataclass(frozen=True)
class Natural:
    """Measures of one phantom's codes on natural sound."""

    frames: NaturalFrames
    usage: Usage
    peaks: PeakInformation
    spectra: CodeSpectra


@cache
def natural(name: str) -> Natural:
    """One pass over the pieces."""
    encoder = CodesAsFrames(phantom(name))
    frames = natural_frames(encoder, ["codes"], music())["codes"]
    codes = frames.frames.astype(np.int64)
    carried = peaks_at(frames, lanes(), before_end=512)
    stages, bands = codes.shape[1], carried.shape[1]
    usage, peaks = UsageCounts(stages, encoder.n_codes), PeakCounts(stages, encoder.n_codes, bands)
    sums = SpectrumSums(stages, encoder.n_codes, bands)
    for piece in range(PIECES):
        own = frames.piece == piece
        rows = lanes()[piece].rows(frames.end[own] - 512, RATE)
        usage.update(codes[own], piece=piece)
        peaks.update(codes[own], carried[own], piece=piece)
        sums.update(codes[own], lanes()[piece].erb_db[rows], piece=piece)
    return Natural(frames, usage.result(), peaks.result(resamples=40), sums.result())


def share(values: Any, condition: Any) -> float:
    """Share of the finite values that meet a condition."""
    known = np.isfinite(values)
    return float(np.mean(condition[known]))
