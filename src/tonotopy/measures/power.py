"""Power: how strong must a partial's direction be before the instrument sees it?

A direction of known strength, tuned as the structure says (to partials, a Gaussian of .5 ERB around a
frequency), is planted into recorded activations; the line is fitted again and judged. Strength is the length
of the planted change at the reference level, over the RMS distance of music frames from their mean. It grows
in proportion to amplitude, so that the ladder of levels is graded.

The planting is a rank-one change, so nothing is recorded again: with a = a0 + s g u (g the gain of each
sound, u the direction), the sums of the fit follow from the old ones, and the answers of the new line are
those of the old activations plus s g (w . u).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from tonotopy.measures.measures import Measures, measure
from tonotopy.measures.tally import tally
from tonotopy.readouts.readout import RHO, Readout, gram
from tonotopy.recording.recording import Recording
from tonotopy.sound.structures import LADDER_DB, REFERENCE_DB, Structure, partial
from tonotopy.sound.trials import CORE, EXTRA

#: Strengths tried, and the share of plants that must be seen.
STRENGTHS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
SHARE = 0.95


@dataclass(frozen=True)
class Plant:
    """One planted direction at one strength, and how its line reads in music."""

    frequency_index: int
    strength: float
    measures: Measures


def gains(
    recording: Recording, frequency_hz: float, structure: Structure = partial.STRUCTURE
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Gain of the planted unit for every core and extra sound: ``[trial, sound]`` each.

    Amplitudes of what sounds together add.
    """
    trials, tuning = recording.trials, structure.tuning
    target, foil = tuning(trials.frequency_hz, frequency_hz), tuning(trials.foil_hz, frequency_hz)
    core = np.stack([{"absent": 0 * target, "present": target, "foil": foil}[name] for name in CORE], axis=1)
    if recording.extra is None:
        return core, None
    neighbour = np.nan_to_num(tuning(trials.neighbour_hz, frequency_hz))
    probe = np.nan_to_num(tuning(trials.probe_hz, frequency_hz))
    levels = {f"level{db:+d}": target * 10 ** ((db - REFERENCE_DB) / 20) for db in LADDER_DB}
    by_name = {
        **levels,
        "noise": target,
        "neighbour": neighbour,
        "neighbour_present": neighbour + target,
        "probe_absent": 0 * target,
        "probe_present": probe,
    }
    return core, np.stack([by_name[name] for name in EXTRA], axis=1)


def plant(
    training: Recording,
    music: Recording,
    frequency_hz: NDArray[np.float64],
    index: int,
    sample_rate_hz: int,
    *,
    strengths: tuple[float, ...] = STRENGTHS,
    seed: int,
    structure: Structure = partial.STRUCTURE,
) -> list[Plant]:
    """Plant one random direction at one target at several strengths and read it in music."""
    rng = np.random.default_rng([seed, index])
    units = training.core.shape[-1]
    drawn = rng.standard_normal(units)
    u = np.asarray(drawn / np.linalg.norm(drawn))
    absent = music.absent.reshape(-1, units).astype(np.float64)
    absent = absent[np.isfinite(absent).all(axis=1)]
    spread = float(np.sqrt(np.sum(np.var(absent, axis=0))))
    sums = [
        _Sums(training.take(training.trials.family == family), frequency_hz[index], index, structure)
        for family in np.unique(training.trials.family)
    ]
    found = []
    for strength in strengths:
        w = _refit(sums, np.asarray(u * strength * spread))
        n = len(frequency_hz)
        readout = Readout("line", np.ones((1, 1, n)), np.zeros((1, n)), np.ones(n, dtype=bool))
        projected = _project(music, w, strength * spread * float(w @ u), frequency_hz[index], structure)
        sums_of = tally(readout, projected, frequency_hz, sample_rate_hz, structure)
        values = measure(sums_of, np.ones((1, _n_pieces(music))))
        found.append(Plant(index, strength, values))
    return found


def _n_pieces(recording: Recording) -> int:
    return len(np.unique(recording.trials.piece))


class _Sums:
    """What the fit of one target needs from one family, with the planted gain kept apart."""

    def __init__(self, recording: Recording, frequency_hz: float, index: int, structure: Structure) -> None:
        trials, units = recording.trials, recording.core.shape[-1]
        core_gain, _ = gains(recording, frequency_hz, structure)
        delta = np.concatenate([recording.delta("present"), recording.delta("foil")])
        gain = np.concatenate([core_gain[:, 1], core_gain[:, 2]])
        presented = np.concatenate([trials.frequency_hz, trials.foil_hz])
        finite = np.isfinite(delta).all(axis=(1, 2))
        delta, gain, presented = delta[finite], gain[finite], presented[finite]
        own = np.concatenate([trials.frequency_index, np.full(len(trials), -1)])[finite] == index
        far = ~structure.is_near(presented, frequency_hz)
        frames = delta.shape[1]
        self.mean, self.mean_gain = delta[own].mean(axis=(0, 1), dtype=np.float64), float(gain[own].mean())
        self.far = gram(delta[far].reshape(-1, units))
        self.far_cross = np.einsum("tku,t->u", delta[far].astype(np.float64), gain[far])
        self.far_gain = float(np.sum(gain[far] ** 2) * frames)
        self.square = float(np.sum(np.square(delta, dtype=np.float64)))
        self.cross = np.einsum("tku,t->u", delta.astype(np.float64), gain)
        self.gain = float(np.sum(gain**2) * frames)
        self.size = delta.size
        flat = recording.absent.reshape(-1, units)
        flat = flat[np.isfinite(flat).all(axis=1)]
        self.absent_covariance = gram(flat - flat.mean(axis=0, dtype=np.float64).astype(np.float32)) / len(
            flat
        )


def _refit(sums: list[_Sums], planted: NDArray[np.float64]) -> NDArray[np.float64]:
    """The line after planting ``planted`` (strength times direction), ``[unit]``."""
    n_f = np.mean([s.absent_covariance for s in sums], axis=0)
    n_f = n_f / np.trace(n_f)
    far, mu = np.zeros_like(n_f), np.zeros(len(planted))
    for s in sums:
        # Unit mean square of the family's changes, planted part included, as in the default fit.
        square = s.square + 2 * float(s.cross @ planted) + s.gain * float(planted @ planted)
        scale2 = square / s.size
        if not scale2 > 0:
            continue
        cross = np.outer(s.far_cross, planted)
        far += (s.far + cross + cross.T + s.far_gain * np.outer(planted, planted)) / scale2
        mu += (s.mean + s.mean_gain * planted) / np.sqrt(scale2) / len(sums)
    n_f = n_f + far / np.trace(far)
    n_f[np.diag_indices(len(planted))] += RHO * np.trace(n_f) / len(planted)
    w = scipy.linalg.solve(n_f, mu, assume_a="pos", check_finite=False)
    return np.asarray(w / (mu @ w))


def _project(
    music: Recording, w: NDArray[np.float64], gain: float, frequency_hz: float, structure: Structure
) -> Recording:
    """Answers of the new line to the planted activations, as a recording of one unit."""
    core_gain, extra_gain = gains(music, frequency_hz, structure)
    w32 = w.astype(np.float32)
    core = music.core @ w32 + (gain * core_gain)[:, :, None]
    assert music.extra is not None and extra_gain is not None
    extra = music.extra @ w32 + (gain * extra_gain)[:, :, None]
    return Recording(music.trials, core[..., None].astype(np.float32), extra[..., None].astype(np.float32))


def threshold(seen: dict[float, list[bool]]) -> float:
    """Least strength from which on at least 95 % of plants are seen; NaN where none is."""
    found = float("nan")
    for strength in sorted(seen, reverse=True):
        if np.mean(seen[strength]) < SHARE:
            break
        found = strength
    return found
