"""Speed beside deviation, side by side in one run; writes ``docs/benchmarks.md``.

Each comparison runs both sides alternately in one process on one thread, so that a busy machine slows both.
Ratios are what to trust. Usage: ``OMP_NUM_THREADS=1 python benchmarks/run.py``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from tonotopy.encoders import load_encoder
from tonotopy.encoders._contract import Encoder
from tonotopy.measures.measures import measure
from tonotopy.measures.tally import tally
from tonotopy.readouts.readout import fit, fit_many
from tonotopy.recording import Recording, TrialTable, plan_segment, record
from tonotopy.sound.contexts import FAMILIES
from tonotopy.sound.trials import EXTRA, Design, trials
from tonotopy.statistics.auc import auc, wins
from tonotopy.statistics.bootstrap import piece_weights

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
ROUNDS = 5
HEAD = """# Benchmarks

Written by `benchmarks/run.py`. Each row runs both sides alternately in one process, on one thread; the times
are medians of CPU seconds, and the ratio is the number to trust.

| what | ours | against | ratio | largest deviation |
|---|---|---|---|---|
"""


def compare(ours: Callable[[], object], other: Callable[[], object]) -> tuple[float, float]:
    """Median CPU seconds of two functions that take turns."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS + 1):
        for function, taken in zip((ours, other), times, strict=True):
            start = time.process_time()
            function()
            taken.append(time.process_time() - start)
    return float(np.median(times[0][1:])), float(np.median(times[1][1:]))  # the first round warms up


def row(what: str, against: str, seconds: tuple[float, float], deviation: float) -> str:
    """One line of the table."""
    ours, other = seconds
    return f"| {what} | {ours:.3g} s | {against}: {other:.3g} s | {other / ours:.1f} × | {deviation:.1e} |\n"


def encodec() -> str:
    """Our plain layers against transformers' EncodecModel: same weights, the batch a study uses."""
    from tempfile import TemporaryDirectory

    from transformers import EncodecConfig, EncodecModel

    torch.manual_seed(0)
    reference = EncodecModel(EncodecConfig()).eval()
    with TemporaryDirectory() as folder:
        reference.save_pretrained(folder)
        ours = load_encoder("encodec-24khz", weights=folder)
    audio = torch.randn(16, 4635) * 0.05
    with torch.inference_mode():
        theirs = reference.encoder(audio[:, None]).transpose(1, 2)
        mine = ours.activations(audio, ["stack_end"])["stack_end"]
        frames = min(theirs.shape[1], mine.shape[1])
        deviation = float((theirs[:, :frames] - mine[:, :frames]).abs().max() / theirs.abs().max())
        seconds = compare(
            lambda: ours.activations(audio, ["stack_end"]), lambda: reference.encoder(audio[:, None])
        )
    return row("EnCodec encoder, 16 × .19 s", "transformers", seconds, deviation)


def one_pass(encoder: Encoder) -> str:
    """All sites in one pass against a pass a site."""
    sites = list(encoder.sites)
    segment = plan_segment(encoder, sites, 4)
    rng = np.random.default_rng(0)
    audio = rng.standard_normal((16, segment.n_samples)).astype(np.float32) * 0.05
    ends = np.tile(np.linspace(*segment.end_range, 4, endpoint=False).astype(np.int64), (16, 1))
    together, _ = record(encoder, sites, audio, ends)
    apart = {site.name: record(encoder, [site], audio, ends)[0][site.name] for site in sites}
    deviation = max(float(np.abs(together[k] - apart[k]).max()) for k in together)
    seconds = compare(
        lambda: record(encoder, sites, audio, ends),
        lambda: [record(encoder, [site], audio, ends) for site in sites],
    )
    return row(f"{encoder.name}, {len(sites)} sites in one pass", "a pass a site", seconds, deviation)


def recordings(units: int) -> tuple[Design, dict[str, Recording]]:
    """Noise in the shape of a standard study."""
    design, rng = Design(16000, 4000, (3000, 4000)), np.random.default_rng(0)
    found = {}
    for family in FAMILIES:
        listed = list(trials(design, family))
        core = rng.standard_normal((len(listed), 3, 4, units), dtype=np.float32)
        extra = None
        if family == "music":
            extra = rng.standard_normal((len(listed), len(EXTRA), 4, units), dtype=np.float32)
        found[family] = Recording(TrialTable.of(listed, [1.0] * len(listed)), core, extra)
    return design, found


def folds() -> str:
    """Four folds that share their sums against four fits of their own."""
    design, found = recordings(128)
    plain = Recording.concatenate([Recording(r.trials, r.core) for r in found.values()])
    training = plain.take(~plain.trials.test)
    synthetic = [family for family in FAMILIES if family != "music"]
    wanted = {"default": synthetic, "sparse": ["silence", "tone"], "pooled": list(FAMILIES), "in": ["music"]}
    kinds = {fold: ["line"] for fold in wanted}

    def apart() -> dict[str, np.ndarray]:
        return {
            fold: fit(
                training.take(np.isin(training.trials.family, families)), design.frequency_hz, kinds=["line"]
            )["line"].weights
            for fold, families in wanted.items()
        }

    shared = fit_many(training, design.frequency_hz, wanted, kinds=kinds)
    separate = apart()
    deviation = max(
        float(np.abs(shared[f]["line"].weights - separate[f]).max() / np.abs(separate[f]).max())
        for f in wanted
    )
    seconds = compare(lambda: fit_many(training, design.frequency_hz, wanted, kinds=kinds), apart)
    return row("four folds, 128 units, 48 targets", "a fit a fold", seconds, deviation)


def bootstrap() -> str:
    """200 bootstraps of a whole tally against one AUC resampled frame by frame."""
    design, found = recordings(16)
    music = found["music"]
    line = fit(Recording(music.trials, music.core), design.frequency_hz, kinds=["line"])["line"]
    sums = tally(line, music, design.frequency_hz, 16000)
    weights = piece_weights(12, 200, seed=0)
    rows = music.trials.frequency_index == 0
    present = line.own(music.sound("present"), music.trials.frequency_index)[rows]
    absent = line.own(music.sound("absent"), music.trials.frequency_index)[rows]
    piece = music.trials.piece[rows]

    def naive() -> np.ndarray:
        areas = []
        for w in weights:
            repeat = np.concatenate([np.flatnonzero(piece == p).repeat(int(w[p])) for p in range(12)])
            zero = np.zeros(repeat.size * present.shape[1], dtype=np.int64)
            areas.append(
                auc(*wins(present[repeat].ravel(), absent[repeat].ravel(), zero, zero, 1), np.ones((1, 1)))[0]
            )
        return np.array(areas)

    deviation = float(np.abs(measure(sums, weights).detection[:, 0] - naive()).max())
    seconds = compare(lambda: measure(sums, weights), naive)
    return row(
        "all measures, 48 targets, 200 resamples", "one AUC, one target, resampled", seconds, deviation
    )


def main() -> None:
    """Run everything and write the page."""
    torch.set_num_threads(1)
    rows = [encodec(), one_pass(load_encoder("encodec-24khz", weights="random:0"))]
    rows += [one_pass(load_encoder("crepe-tiny", weights="random:0")), folds(), bootstrap()]
    PAGE.write_text(HEAD + "".join(rows), encoding="utf-8")
    print(HEAD + "".join(rows))


if __name__ == "__main__":
    main()
