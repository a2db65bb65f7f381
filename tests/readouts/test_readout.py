"""Line and plane, against a dense implementation written from the formulas of SPEC § 4, in loops and float64."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.linalg

from tonotopy.readouts import fit, fit_many
from tonotopy.recording import Recording
from tonotopy.signal import erb


def uneven(planted: Any, *, units: int = 12, seed: int = 0) -> tuple[np.ndarray, dict[str, Recording]]:
    """Random recordings of families that differ in number of trials and in level."""
    made = planted(code="noise", n_frequencies=5, contexts=8, units=units, seed=seed, background=0.7)
    rng = np.random.default_rng(seed)
    pattern = rng.standard_normal((5, units))
    families = {}
    for k, (family, keep) in enumerate((("silence", 8), ("tone", 4), ("chord", 6))):
        whole = made.families[family].take(made.families[family].trials.context < keep)
        core = whole.core.copy()
        core[:, 1] += pattern[whole.trials.frequency_index][:, None, :]
        families[family] = Recording(whole.trials, core * 10.0**k)
    return made.frequency_hz, families


def by_hand(families: list[Recording], grid: np.ndarray, f: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(w_f, P_f, ā_f), each family in turn, each trial in turn, each frame in turn."""
    units = families[0].core.shape[-1]
    covariances, means, seconds, centres = [], [], [], []
    s_d, n_far = np.zeros((units, units)), 0
    for recording in families:
        trials = recording.trials
        changes = [
            (float(trials.frequency_hz[t]), t, core[1] - core[0]) for t, core in enumerate(recording.core)
        ]
        changes += [
            (float(trials.foil_hz[t]), -1, core[2] - core[0]) for t, core in enumerate(recording.core)
        ]
        size = np.sqrt(np.mean([np.asarray(d, dtype=np.float64) ** 2 for _, _, d in changes]))
        own = []
        for hz, t, change in changes:
            for frame in np.asarray(change, dtype=np.float64) / size:
                if abs(erb.rate(hz) - erb.rate(grid[f])) > 1.5:
                    s_d, n_far = s_d + np.outer(frame, frame), n_far + 1
                if t >= 0 and trials.frequency_index[t] == f:
                    own.append(frame)
        means.append(np.mean(own, axis=0))
        seconds.append(np.mean([np.outer(x, x) for x in own], axis=0))
        absent = recording.core[:, 0].astype(np.float64)
        covariances.append(np.cov(absent.reshape(-1, units).T, bias=True))
        centres.append(absent[trials.frequency_index == f].mean(axis=(0, 1)))
    s_a, s_d, mu = np.mean(covariances, axis=0), s_d / n_far, np.mean(means, axis=0)
    both = s_a / np.trace(s_a) + s_d / np.trace(s_d)
    noise = both + 1e-3 * np.trace(both) / units * np.eye(units)
    w = np.linalg.inv(noise) @ mu
    plane = scipy.linalg.eigh(np.mean(seconds, axis=0), noise)[1][:, -2:]
    return w / (mu @ w), plane, np.mean(centres, axis=0)


@pytest.mark.parametrize("units", [6, 12, 70])
def test_line_and_plane_are_the_formulas(planted: Any, units: int) -> None:
    """Few, some, and more units than changes of a target: both ways to the plane agree with eigh(E, N)."""
    grid, families = uneven(planted, units=units)
    fits = fit(Recording.concatenate(list(families.values())), grid)
    for f in range(len(grid)):
        w, plane, centre = by_hand(list(families.values()), grid, f)
        np.testing.assert_allclose(fits["line"].weights[:, 0, f], w, rtol=1e-4, atol=1e-5 * np.abs(w).max())
        np.testing.assert_allclose(fits["line"].centre[:, f], centre, rtol=1e-6, atol=1e-6)
        projector = fits["plane"].weights[..., f] @ fits["plane"].weights[..., f].T
        np.testing.assert_allclose(projector, plane @ plane.T, rtol=1e-3, atol=1e-4 * np.abs(projector).max())
    assert fits["line"].valid.all()
    assert fits["plane"].valid.all()


def test_answers(planted: Any) -> None:
    """A line answers w·(a − ā) and a plane the length of Pᵀ(a − ā); to a change, without ā."""
    grid, families = uneven(planted)
    tone = families["tone"]
    fits = fit(tone, grid)
    index = tone.trials.frequency_index
    for kind in ("line", "plane"):
        own = fits[kind].own(tone.sound("present"), index)
        changes = fits[kind].change(tone.delta("foil"))
        for t in (0, 7, 19):
            f = index[t]
            _, _, centre = by_hand([tone], grid, f)
            weights = fits[kind].weights[:, :, f]
            for frame in range(2):
                a = tone.core[t, 1, frame].astype(np.float64) - centre
                d = (tone.core[t, 2, frame] - tone.core[t, 0, frame]).astype(np.float64)
                answer, change = a @ weights, d @ weights
                if kind == "plane":
                    answer, change = np.linalg.norm(answer), np.linalg.norm(change)
                assert own[t, frame] == pytest.approx(float(np.squeeze(answer)), rel=1e-3, abs=1e-4)
                assert changes[t, frame, f] == pytest.approx(float(np.squeeze(change)), rel=1e-3, abs=1e-4)


def test_a_line_answers_one_to_the_mean_change(planted: Any) -> None:
    """w·μ = 1, μ the mean over families of changes scaled to unit mean square."""
    grid, families = uneven(planted)
    one = families["chord"]
    line = fit(one, grid)["line"]
    size = np.sqrt(np.mean(np.concatenate([one.delta("present"), one.delta("foil")]).astype(np.float64) ** 2))
    answers = line.change(one.delta("present"))
    for f in range(len(grid)):
        assert answers[one.trials.frequency_index == f, :, f].mean() / size == pytest.approx(1.0, abs=1e-4)


def test_families_weigh_alike(planted: Any) -> None:
    """A family twice as loud or with every trial twice says the same; a fold reads its own families only."""
    grid, families = uneven(planted)
    parts = list(families.values())
    reference = fit(Recording.concatenate(parts), grid)["line"].weights
    louder = [Recording(r.trials, r.core * (7.0 if k == 1 else 1.0)) for k, r in enumerate(parts)]
    # The covariance of absent frames is not scaled by family: only the changes are.
    louder[1] = Recording(parts[1].trials, parts[1].core[:, :1] + 7 * (parts[1].core - parts[1].core[:, :1]))
    np.testing.assert_allclose(
        fit(Recording.concatenate(louder), grid)["line"].weights, reference, rtol=1e-3, atol=1e-4
    )
    folds = fit_many(
        Recording.concatenate(parts),
        grid,
        {"two": ["silence", "tone"], "one": ["chord"]},
        kinds={"two": ["line"], "one": ["plane"]},
    )
    alone = fit(families["chord"], grid)["plane"].weights
    np.testing.assert_allclose(np.abs(folds["one"]["plane"].weights), np.abs(alone), rtol=1e-6)
    both = fit(Recording.concatenate(parts[:2]), grid)["line"].weights
    np.testing.assert_allclose(folds["two"]["line"].weights, both, rtol=1e-6)


def test_means_weigh_families_alike(planted: Any) -> None:
    """Two families that answer in two directions: the mean change has both alike, however many trials each."""
    grid, families = uneven(planted, units=8)
    base = families["tone"]
    cores = []
    for unit, keep in ((0, 4), (1, 1)):
        rows = base.trials.context < keep
        core = np.repeat(base.core[rows][:, :1], 3, axis=1)
        core[:, 1, :, unit] += 1.0
        core[:, 2, :, 2 + unit] += 1.0
        cores.append(Recording(replace(base.trials.take(rows), family=np.full(rows.sum(), f"f{unit}")), core))
    line = fit(Recording.concatenate(cores), grid)["line"]
    f = 2
    answers = [line.change(np.eye(8, dtype=np.float32)[k])[f] for k in (0, 1)]
    w, _, _ = by_hand(cores, grid, f)
    np.testing.assert_allclose(answers, w[:2], rtol=1e-3)


def test_what_cannot_be_fitted_is_marked(planted: Any) -> None:
    """A target without trials, and a site that never moves, are not valid; the others stay as they are."""
    grid, families = uneven(planted)
    tone = families["tone"]
    some = fit(tone.take(tone.trials.frequency_index != 3), grid)
    np.testing.assert_array_equal(some["line"].valid, np.arange(len(grid)) != 3)
    np.testing.assert_array_equal(some["plane"].valid, np.arange(len(grid)) != 3)
    still = Recording(tone.trials, np.repeat(tone.core[:, :1], 3, axis=1))
    assert not fit(still, grid)["line"].valid.any()


def test_a_trial_that_is_not_finite_is_left_out(planted: Any) -> None:
    """One NaN in one trial changes nothing but that trial."""
    grid, families = uneven(planted)
    tone = families["tone"]
    core = tone.core.copy()
    core[6, :, 0, 3] = np.nan
    rest = np.arange(len(core)) != 6
    broken, without = fit(Recording(tone.trials, core), grid), fit(tone.take(rest), grid)
    np.testing.assert_allclose(broken["line"].weights, without["line"].weights, rtol=1e-5)
    np.testing.assert_allclose(broken["line"].centre, without["line"].centre, rtol=1e-5)


def test_one_unit_has_a_line_and_a_plane(planted: Any) -> None:
    """A site of one unit is fitted: its plane is its line without the sign."""
    grid, families = uneven(planted, units=1)
    fits = fit(families["tone"], grid)
    delta = families["tone"].delta("present")
    line, plane = fits["line"].change(delta), fits["plane"].change(delta)
    ratio = plane / np.abs(line)
    np.testing.assert_allclose(ratio, np.broadcast_to(ratio[:1, :1], ratio.shape), rtol=1e-4)
