"""Line and plane: the two readouts of SPEC § 4, fitted in raw activations.

Training families weigh alike: the evoked changes of each (targets and foils together) are divided by one
number per family, to unit mean square. For a target f

- mu_f = mean of its changes; S_a = mean over families of the covariance of raw absent frames; S_d = mean of
  change changeᵀ over all training targets and foils that are not near f (partials: farther than 1.5 ERB);
- N_f = S_a / tr S_a + S_d / tr S_d + rho (tr / D) I, the trace taken of the sum, rho = 1e-3;
- line: w_f = N_f⁻¹ mu_f / (mu_fᵀ N_f⁻¹ mu_f), which answers 1 to the mean change;
- plane: the two leading generalised eigenvectors of (E[change_f change_fᵀ], N_f), N_f-orthonormal. It
  answers with a length: an amplitude, never an energy.

Both subtract the mean of the training frames without the target. A *rotated* code gives rotated readouts
and the same answers: nothing here looks at single units.

Sources: SPEC of tonotopy § 4; for filters against patterns, Haufe et al. 2014.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from tonotopy.recording.recording import Recording
from tonotopy.sound.structures import Structure, partial

#: Ridge, as a share of the mean eigenvalue of the summed, trace-normalised matrices.
RHO = 1e-3
#: Rows of a partial sum, kept in float32; the sums of these sums are float64.
CHUNK = 2048


@dataclass(frozen=True)
class Readout:
    """One direction (line) or two (plane) for each target.

    ``weights`` is ``[unit, component, frequency]`` float64, ``centre`` ``[unit, frequency]``; ``valid`` is
    False for a frequency that could not be fitted.
    """

    kind: str  # line, plane
    weights: NDArray[np.float64] = field(repr=False)
    centre: NDArray[np.float64] = field(repr=False)
    valid: NDArray[np.bool_] = field(repr=False)

    def change(self, delta: NDArray[np.floating]) -> NDArray[np.float64]:
        """Answers to changes, by every target's readout: ``[..., unit]`` to ``[..., frequency]``."""
        return self._answer(np.asarray(delta, dtype=np.float32), self.weights.astype(np.float32))

    def own(self, activations: NDArray[np.floating], index: NDArray[np.int64]) -> NDArray[np.float64]:
        """Answers to sounds, each by one target's readout: ``[trial, frame, unit]`` to ``[trial, frame]``.

        ``index`` is the target of each trial.
        """
        out = np.empty(activations.shape[:2])
        for f in np.unique(index):
            rows = index == f
            centred = activations[rows].astype(np.float64) - self.centre[:, f]
            out[rows] = self._answer(centred, self.weights[:, :, f : f + 1])[..., 0]
        return out

    def _answer(self, values: NDArray[Any], weights: NDArray[Any]) -> NDArray[np.float64]:
        unit, component, frequency = weights.shape
        answers = (values @ weights.reshape(unit, -1)).reshape(*values.shape[:-1], component, frequency)
        if self.kind == "line":
            return np.asarray(answers[..., 0, :], dtype=np.float64)
        return np.sqrt(np.sum(np.square(answers, dtype=np.float64), axis=-2))


def fit(
    recording: Recording,
    frequency_hz: NDArray[np.float64],
    *,
    kinds: Sequence[str] = ("line", "plane"),
    structure: Structure = partial.STRUCTURE,
) -> dict[str, Readout]:
    """Fit readouts on all trials of a recording: kind -> Readout."""
    families = tuple(np.unique(recording.trials.family))
    folds = {"all": families}
    return fit_many(recording, frequency_hz, folds, kinds={"all": kinds}, structure=structure)["all"]


def fit_many(
    recording: Recording,
    frequency_hz: NDArray[np.float64],
    folds: Mapping[str, Sequence[str]],
    *,
    kinds: Mapping[str, Sequence[str]],
    structure: Structure = partial.STRUCTURE,
) -> dict[str, dict[str, Readout]]:
    """Fit several folds at once, each on its own families, sharing the sums between folds.

    Parameters
    ----------
    recording : training trials only
    frequency_hz : the grid of targets as coordinates of the structure, ``[frequency]``
    folds : fold -> families
    kinds : fold -> "line" and/or "plane"

    Returns
    -------
    fold -> kind -> Readout
    """
    moments = {
        f: _Moments(recording.take(recording.trials.family == f), structure)
        for fam in folds.values()
        for f in fam
    }
    fitted: dict[str, dict[str, list[Any]]] = {fold: {kind: [] for kind in kinds[fold]} for fold in folds}
    for index, frequency in enumerate(frequency_hz):
        near = {family: m.near(float(frequency)) for family, m in moments.items()}
        for fold, families in folds.items():
            solved = _solve([moments[f] for f in families], [near[f] for f in families], index, kinds[fold])
            for kind in kinds[fold]:
                fitted[fold][kind].append(solved[kind])
    return {
        fold: {kind: _stack(kind, columns) for kind, columns in by_kind.items()}
        for fold, by_kind in fitted.items()
    }


class _Moments:
    """Sums over the training trials of one family, changes scaled to unit mean square."""

    def __init__(self, recording: Recording, structure: Structure) -> None:
        trials = recording.trials
        units = recording.core.shape[-1]
        deltas = np.concatenate([recording.delta("present"), recording.delta("foil")])
        presented = np.concatenate([trials.frequency_hz, trials.foil_hz])
        finite = np.isfinite(deltas).all(axis=(1, 2))
        self.presented, self.structure = presented[finite], structure
        self.target = np.concatenate([trials.frequency_index, np.full(len(trials), -1)])[finite]
        deltas = deltas[finite]
        scale = float(np.sqrt(np.mean(np.square(deltas, dtype=np.float64)))) if deltas.size else 0.0
        self.deltas = (deltas / scale).astype(np.float32) if scale > 0 else deltas
        self.frames = deltas.shape[1]
        self.gram = gram(self.deltas.reshape(-1, units))
        absent_ok = np.isfinite(recording.absent).all(axis=(1, 2))
        self.absent, self.absent_target = recording.absent[absent_ok], trials.frequency_index[absent_ok]
        flat = self.absent.reshape(-1, units)
        mean = flat.mean(axis=0, dtype=np.float64)
        self.absent_covariance = gram(flat - mean.astype(np.float32)) / max(len(flat), 1)

    def near(self, frequency_hz: float) -> tuple[NDArray[np.float64], int]:
        """Sum of change changeᵀ over trials near a target, and their number of frames."""
        rows = self.structure.is_near(self.presented, frequency_hz)
        flat = self.deltas[rows].reshape(-1, self.deltas.shape[-1])
        return gram(flat), len(flat)

    def of_target(self, index: int) -> NDArray[np.float32]:
        """Changes evoked by one target, ``[row, unit]``."""
        return self.deltas[self.target == index].reshape(-1, self.deltas.shape[-1])


def gram(rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """``rowsᵀ rows`` with float64 sums of float32 products over chunks, ``[unit, unit]``."""
    total = np.zeros((rows.shape[1], rows.shape[1]))
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        total += chunk.T @ chunk
    return total


def _solve(
    moments: Sequence[_Moments],
    near: Sequence[tuple[NDArray[np.float64], int]],
    index: int,
    kinds: Sequence[str],
) -> dict[str, tuple[NDArray[Any], NDArray[Any], bool]]:
    """Line and plane of one target from the sums of the fold's families: kind -> (weights, centre, valid)."""
    units = moments[0].gram.shape[0]
    # Means weigh families alike, whatever number of trials each of them has left.
    own = [m.of_target(index) for m in moments]
    own = [rows for rows in own if len(rows)]
    absent = [m.absent[m.absent_target == index] for m in moments]
    centre = [a.mean(axis=(0, 1), dtype=np.float64) for a in absent if len(a)]
    s_a = np.mean([m.absent_covariance for m in moments], axis=0)
    far_sum = np.sum([m.gram - n[0] for m, n in zip(moments, near, strict=True)], axis=0)
    traces = np.trace(s_a), np.trace(far_sum)
    zero = np.zeros(units)
    if not own or not centre or not (np.isfinite(traces).all() and min(traces) > 0):
        count = {"line": 1, "plane": 2}
        return {kind: (np.full((units, count[kind]), np.nan), zero, False) for kind in kinds}
    n_f = s_a / traces[0] + far_sum / traces[1]
    n_f[np.diag_indices(units)] += RHO * np.trace(n_f) / units
    factor = scipy.linalg.cholesky(n_f, lower=True, check_finite=False, overwrite_a=True)
    mean_centre = np.mean(centre, axis=0)
    solvers = {"line": _line, "plane": _plane}
    return {kind: (solvers[kind](factor, own), mean_centre, True) for kind in kinds}


def _line(factor: NDArray[np.float64], own: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
    """N⁻¹ mu / (muᵀ N⁻¹ mu), ``[unit, 1]``."""
    mu = np.mean([rows.mean(axis=0, dtype=np.float64) for rows in own], axis=0)
    w = scipy.linalg.cho_solve((factor, True), mu, check_finite=False)
    strength = float(mu @ w)
    if not strength > 0:
        return np.full((len(mu), 1), np.nan)
    return np.asarray(w / strength)[:, None]


def _plane(factor: NDArray[np.float64], own: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
    """Two leading generalised eigenvectors of (E[change changeᵀ], N), N-orthonormal, ``[unit, 2]``."""
    rows = np.concatenate([r / np.sqrt(len(r)) for r in own]).astype(np.float64)
    whitened = scipy.linalg.solve_triangular(factor, rows.T, lower=True, check_finite=False)  # [unit, row]
    if whitened.shape[0] > whitened.shape[1]:
        values, vectors = scipy.linalg.eigh(whitened.T @ whitened, check_finite=False)
        leading = whitened @ (vectors[:, -2:] / np.sqrt(np.maximum(values[-2:], 1e-300)))
    else:
        _, leading = scipy.linalg.eigh(whitened @ whitened.T, check_finite=False)
        leading = leading[:, -2:]
    plane = scipy.linalg.solve_triangular(factor, leading, lower=True, trans="T", check_finite=False)
    if plane.shape[1] < 2:  # a site of one unit has no plane; its line is its plane
        plane = np.concatenate([plane, np.zeros_like(plane)], axis=1)
    return np.asarray(plane[:, ::-1])


def _stack(kind: str, columns: Sequence[tuple[NDArray[Any], NDArray[Any], bool]]) -> Readout:
    """One Readout from the columns of all targets."""
    weights = np.stack([column[0] for column in columns], axis=-1)
    valid = np.array([column[2] for column in columns]) & np.isfinite(weights).all(axis=(0, 1))
    return Readout(kind, np.nan_to_num(weights), np.stack([c[1] for c in columns], axis=-1), valid)
