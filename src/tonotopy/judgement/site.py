"""Everything that is measured at one site, from its recording to its verdicts.

Folds (SPEC § 4): *default* is fitted on every family but music, training contexts only, and tried on all
pieces of music, none of which it has met; *sparse* is fitted on silence and tone and tried on their held-out
contexts; *pooled* and *in_family* may meet music's training pieces and are tried on its other pieces;
*shuffled* is the default fold with the labels of targets permuted within each context: the null of all of
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonotopy.judgement.verdict import (
    LEAST_FRAMES,
    Evidence,
    Judgement,
    Thresholds,
    judge,
    passes,
)
from tonotopy.measures.evoked import evoked_shares, parallelism, rank
from tonotopy.measures.measures import Measures, measure
from tonotopy.measures.power import STRENGTHS, plant, threshold
from tonotopy.measures.sparsity import Law, sparsity_law
from tonotopy.measures.tally import Tally, tally
from tonotopy.readouts.readout import Readout, fit_many
from tonotopy.recording.recording import Recording
from tonotopy.sound.structures import Structure, partial
from tonotopy.statistics.bootstrap import LEAST_PIECES, piece_weights

#: The family that verdicts hold out, and those of the sparse line.
HELD_OUT = "music"
SPARSE = ("silence", "tone")
#: A site is dead where its spread or its responses fall below this share of its RMS over music.
DEAD = 1e-6
#: Frequencies at which power is measured, and directions planted at each.
POWER_FREQUENCIES = 6
POWER_DIRECTIONS = 2


@dataclass(frozen=True)
class SiteResult:
    """What one site reads. Measures of a fold that was not asked for are absent from ``measures``."""

    judgement: Judgement
    measures: dict[str, Measures] = field(repr=False)  # line, plane, raw, sparse, pooled, in_family, shuffled
    line: Readout = field(repr=False)
    plane: Readout = field(repr=False)
    reported: dict[str, NDArray[Any]] = field(
        repr=False
    )  # ev1, ev2, parallelism, parallelism_far, separability
    rank: float
    shuffled_stable: float
    law: Law | None = field(repr=False)
    power: dict[str, float] | None
    n_pieces: int


@dataclass(frozen=True)
class Question:
    """What is asked of a site, beside the recording."""

    frequency_hz: NDArray[np.float64]
    sample_rate_hz: int
    n_resamples: int
    seed: int
    normalises_frames: bool = False
    full: bool = True  # False: the verdict alone (floor)
    out_of_band: NDArray[np.bool_] | None = None  # [frequency] the music has no power there
    structure: Structure = partial.STRUCTURE  # what frequency_hz are coordinates of


def study_site(families: dict[str, Recording], raw: Measures, question: Question) -> SiteResult:
    """Measure one site.

    Parameters
    ----------
    families : family -> Recording; music carries the extra sounds
    raw : the plane on raw samples, under the same resamples of pieces
    """
    music = families[HELD_OUT]
    synthetic = [name for name in families if name != HELD_OUT]
    plain = {name: Recording(r.trials, r.core) for name, r in families.items()}
    everything = Recording.concatenate(list(plain.values()))
    training = everything.take(~everything.trials.test)
    fits = _fit(training, synthetic, question)
    weights = piece_weights(len(np.unique(music.trials.piece)), question.n_resamples, seed=question.seed)
    sums = {kind: _try(fits["default"][kind], music, question) for kind in ("line", "plane")}
    found = {"line": measure(sums["line"], weights), "plane": measure(sums["plane"], weights), "raw": raw}
    found |= _beside(fits, families, plain, question)
    undefined = undefined_reasons(music, found["line"], question)
    sparse = None if question.normalises_frames else found.get("sparse")
    judgement = judge(Evidence(found["line"], found["plane"], raw, sparse, undefined, weights.shape[1]))
    line_ok = judgement.line == "passes"
    reported, law, power, null_share = {}, None, None, float("nan")
    if question.full:
        synthetic_training = training.take(training.trials.family != HELD_OUT)
        reported = _reported(synthetic_training, music, sums["line"], question)
        held_out = everything.take(everything.trials.test | (everything.trials.family == HELD_OUT))
        line, null = fits["default"]["line"], fits["shuffled"]["line"]
        law = sparsity_law(
            line,
            held_out,
            question.frequency_hz,
            question.sample_rate_hz,
            seed=question.seed,
            shuffled=null,
            structure=question.structure,
        )
        # Where nothing is defined (a dead site) there is nothing to plant into.
        power = None if all(undefined) else _power(synthetic_training, music, question)
        null_share = float(np.mean(passes(found["shuffled"], Thresholds())[0]))
    return SiteResult(
        judgement=judgement,
        measures=found,
        line=fits["default"]["line"],
        plane=fits["default"]["plane"],
        reported=reported,
        rank=rank(fits["default"]["line"].weights[:, 0], line_ok),
        shuffled_stable=null_share,
        law=law,
        power=power,
        n_pieces=weights.shape[1],
    )


def _fit(training: Recording, synthetic: Sequence[str], question: Question) -> dict[str, dict[str, Readout]]:
    """All folds of one site: fold -> kind -> Readout."""
    sparse = [name for name in SPARSE if name in synthetic]
    folds = {"default": synthetic, "sparse": sparse}
    kinds = {"default": ["line", "plane"], "sparse": ["line"]}
    if question.full:
        folds |= {"pooled": [*synthetic, HELD_OUT], "in_family": [HELD_OUT]}
        kinds |= {"pooled": ["line"], "in_family": ["line"]}
    kind = question.structure
    fits = fit_many(training, question.frequency_hz, folds, kinds=kinds, structure=kind)
    if question.full:
        shuffled = shuffle_labels(training.take(training.trials.family != HELD_OUT), seed=question.seed)
        null = {"shuffled": synthetic}, {"shuffled": ["line"]}
        fits |= fit_many(shuffled, question.frequency_hz, null[0], kinds=null[1], structure=kind)
    return fits


def shuffle_labels(recording: Recording, *, seed: int) -> Recording:
    """Permute which target is said to have sounded, within each context of each family."""
    trials, rng = recording.trials, np.random.default_rng([seed, 31])
    order = np.arange(len(trials))
    for family in np.unique(trials.family):
        for context in np.unique(trials.context[trials.family == family]):
            rows = np.flatnonzero((trials.family == family) & (trials.context == context))
            order[rows] = rng.permutation(rows)
    labels = replace(
        trials, frequency_index=trials.frequency_index[order], frequency_hz=trials.frequency_hz[order]
    )
    return Recording(labels, recording.core, recording.extra)


def _try(readout: Readout, held_out: Recording, question: Question) -> Tally:
    return tally(readout, held_out, question.frequency_hz, question.sample_rate_hz, question.structure)


def _beside(
    fits: dict[str, dict[str, Readout]],
    families: dict[str, Recording],
    plain: dict[str, Recording],
    question: Question,
) -> dict[str, Measures]:
    """Measures of the folds beside the default one, on the data itself."""
    sparse = Recording.concatenate([plain[name] for name in SPARSE if name in plain])
    music = families[HELD_OUT]
    test_music = music.take(music.trials.test)
    targets = {"sparse": sparse.take(sparse.trials.test)}
    if question.full:
        targets |= {"pooled": test_music, "in_family": test_music, "shuffled": music}
    found = {}
    for name, held_out in targets.items():
        sums = _try(fits[name]["line"], held_out, question)
        found[name] = measure(sums, np.ones((1, sums.n_pieces)))
    return found


def undefined_reasons(music: Recording, line: Measures, question: Question) -> tuple[str, ...]:
    """Why each frequency is undefined, or an empty string."""
    n_frequencies = len(question.frequency_hz)
    silent = question.out_of_band if question.out_of_band is not None else np.zeros(n_frequencies, dtype=bool)
    pieces = len(np.unique(music.trials.piece))
    if pieces < LEAST_PIECES:
        return (f"{pieces} pieces, fewer than {LEAST_PIECES}",) * n_frequencies
    absent = music.absent.astype(np.float64)
    finite = np.isfinite(absent).all(axis=(1, 2))
    if not finite.any():
        return ("no finite activations",) * n_frequencies
    absent = absent[finite]
    size = float(np.sqrt(np.mean(absent**2)))
    spread = float(np.sqrt(np.mean(np.var(absent.reshape(-1, absent.shape[-1]), axis=0))))
    if not spread > DEAD * size:
        return ("dead site: its units do not vary over music",) * n_frequencies
    reasons = []
    for f in range(n_frequencies):
        delta = music.take(music.trials.frequency_index == f).delta("present")
        response = float(np.sqrt(np.nanmean(np.square(delta, dtype=np.float64)))) if delta.size else 0.0
        if silent[f]:
            reasons.append("out of band: at its natural level here it would drown in the dither")
        elif line.frames[f] < LEAST_FRAMES:
            reasons.append(f"{int(line.frames[f])} valid frames a side, fewer than {LEAST_FRAMES}")
        elif not response > DEAD * size:
            reasons.append("dead site: it does not respond")
        elif not np.isfinite(line.detection[0, f]):
            reasons.append("the readout could not be fitted")
        else:
            reasons.append("")
    return tuple(reasons)


def _reported(
    training: Recording, music: Recording, sums: Tally, question: Question
) -> dict[str, NDArray[Any]]:
    """What is reported and not judged."""
    n = len(question.frequency_hz)
    ev1, ev2 = evoked_shares(training, music, n)
    near, far = parallelism(training, question.frequency_hz, question.structure)
    separability = sums.separability if sums.separability is not None else np.full(n, np.nan)
    return {"ev1": ev1, "ev2": ev2, "parallelism": near, "parallelism_far": far, "separability": separability}


def _power(training: Recording, music: Recording, question: Question) -> dict[str, float]:
    """Least planted strength that is detected, and that is called stable, 95 % of the time."""
    n = len(question.frequency_hz)
    indices = np.unique(np.linspace(0, n - 1, POWER_FREQUENCIES + 2).round().astype(int)[1:-1])
    detected: dict[float, list[bool]] = {strength: [] for strength in STRENGTHS}
    stable: dict[float, list[bool]] = {strength: [] for strength in STRENGTHS}
    limits = Thresholds()
    for index in indices:
        for direction in range(POWER_DIRECTIONS):
            planted = plant(
                training,
                music,
                question.frequency_hz,
                int(index),
                question.sample_rate_hz,
                seed=question.seed * POWER_DIRECTIONS + direction,
                structure=question.structure,
            )
            for one in planted:
                detected[one.strength].append(bool(one.measures.detection[0, index] >= limits.detection))
                stable[one.strength].append(bool(passes(one.measures, limits)[0, index]))
    return {"detected": threshold(detected), "stable": threshold(stable)}
