"""The six verdicts, from measures made by hand: which rule applies, in which order, and what never passes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tonotopy.judgement import VERDICTS, Evidence, Judgement, Thresholds, judge, passes
from tonotopy.measures import JUDGED, Measures

RESAMPLES = 11
GOOD = {
    "detection": 0.99,
    "identification": 0.98,
    "consistency": 0.9,
    "specificity": 0.9,
    "largest_lobe": 0.2,
    "gradedness": 0.99,
}
DEAF = GOOD | {"detection": 0.55, "identification": 0.5, "consistency": 0.3, "specificity": 0.55}
#: One step on the wrong side of each threshold of SPEC § 4.
JUST_FAILS = {
    "detection": 0.899,
    "identification": 0.899,
    "consistency": 0.499,
    "specificity": 0.799,
    "largest_lobe": 0.501,
    "gradedness": 0.899,
}
EXACTLY = {name: round(value, 1) for name, value in JUST_FAILS.items()}


def made(base: dict[str, Any], **changed: Any) -> Measures:
    """Measures of one frequency; a value is a number, or one for each resample."""
    values = base | changed
    columns = {
        name: np.broadcast_to(np.asarray(v, dtype=float), (RESAMPLES,))[:, None] for name, v in values.items()
    }
    nothing = np.full((RESAMPLES, 1), np.nan)
    return Measures(
        **columns,
        tonality=nothing,
        audiogram_db=nothing,
        ladder=np.full((RESAMPLES, 8, 1), np.nan),
        frames=np.array([32]),
    )


def judged(
    line: Measures,
    plane: Measures | None = None,
    *,
    raw: Measures | None = None,
    sparse: Measures | None = None,
    undefined: str = "",
    pieces: int = 12,
) -> Judgement:
    """The judgement of one frequency; plane, raw and sparse hear nothing where they are not given."""
    return judge(Evidence(line, plane or made(DEAF), raw or made(DEAF), sparse, (undefined,), pieces))


def resampled(data: float, good: int, value: float, bad: float) -> list[float]:
    """One value for the data, then ``good`` resamples of one value and the rest of another."""
    return [data] + [value] * good + [bad] * (RESAMPLES - 1 - good)


def test_stable() -> None:
    """The line passes: stable, whatever the plane does."""
    found = judged(made(GOOD))
    assert found.names == ["stable"]
    assert found.line.tolist() == ["passes"]
    assert found.plane.tolist() == ["absent"]
    assert found.failing == ("",)


def test_thresholds_are_those_of_the_specification() -> None:
    """Every condition holds on its threshold and fails just beyond it, and the failing one is named."""
    assert judged(made(EXACTLY)).names == ["stable"]
    for name in JUDGED:
        found = judged(made(GOOD, **{name: JUST_FAILS[name]}))
        assert found.failing == (name,)
        assert found.names == ["absent" if name == "detection" else "entangled"], name


def test_every_condition_is_judged_and_undefined_never_passes() -> None:
    """NaN in any one condition of a line is a failure of that condition."""
    for name in JUDGED:
        found = judged(made(GOOD, **{name: np.nan}))
        assert not passes(made(GOOD, **{name: np.nan}), Thresholds()).any()
        assert found.names != ["stable"]
        assert found.failing == (name,)


def test_a_plane_is_not_judged_for_consistency() -> None:
    """A length is never negative: consistency of a plane decides nothing, every other condition does."""
    assert judged(made(DEAF), made(GOOD, consistency=np.nan)).names == ["phase-locked"]
    for name in set(JUDGED) - {"consistency"}:
        found = judged(made(DEAF), made(GOOD, **{name: JUST_FAILS[name]}))
        assert found.names == ["absent" if name == "detection" else "entangled"], name


def test_phase_locked_beats_the_raw_window() -> None:
    """The plane passes and raw samples of the same view do not."""
    found = judged(made(DEAF), made(GOOD))
    assert found.names == ["phase-locked"]
    assert found.plane.tolist() == ["passes"]
    assert not found.inherited[0]


def test_inherited_from_the_window_is_entangled_and_marked() -> None:
    """Where raw samples pass too, a passing plane is what the layer keeps, not what it makes."""
    found = judged(made(DEAF), made(GOOD), raw=made(GOOD))
    assert found.names == ["entangled"]
    assert found.inherited[0]
    assert found.plane.tolist() == ["passes"]


def test_phase_locked_in_nine_bootstraps_of_ten() -> None:
    """In 9 of 10 resamples, the same for both, the plane passes while raw samples fail; 8 are too few."""
    for raw_fails, verdict in ((10, "phase-locked"), (9, "phase-locked"), (8, "entangled")):
        raw = made(GOOD, specificity=resampled(0.5, raw_fails, 0.5, 0.9))
        assert judged(made(DEAF), made(GOOD), raw=raw).names == [verdict], raw_fails
        plane = made(GOOD, specificity=resampled(0.9, raw_fails, 0.9, 0.5))
        assert judged(made(DEAF), plane).names == [verdict], raw_fails
    # Eight failures of each on different resamples: 6 of 10 remain in which the plane beats the window.
    plane = made(GOOD, specificity=[0.9, *[0.9] * 8, 0.5, 0.5])
    raw = made(GOOD, specificity=[0.5, 0.9, 0.9, *[0.5] * 8])
    found = judged(made(DEAF), plane, raw=raw)
    assert found.beats_raw[0] == pytest.approx(0.6)
    assert found.names == ["entangled"]


@pytest.mark.parametrize("broken", [{"detection": 0.74}, {"consistency": 0.24}, {"specificity": 0.49}])
def test_coincidental(broken: dict[str, float]) -> None:
    """A line of silence and tone holds there, gradedness aside, and the default line breaks in music."""
    sparse = made(GOOD, gradedness=np.nan)
    assert judged(made(GOOD, **broken), sparse=sparse).names == ["coincidental"]
    assert judged(made(GOOD, **broken), sparse=sparse).line.tolist() == ["coincidental"]
    assert judged(made(GOOD, **broken), sparse=None).names != ["coincidental"]  # not asked: scaled frames
    for name in set(JUDGED) - {"gradedness"}:
        assert judged(made(GOOD, **broken), sparse=made(sparse_failing(name))).names != ["coincidental"], name


def sparse_failing(name: str) -> dict[str, float]:
    """Good in all but one."""
    return GOOD | {name: JUST_FAILS[name]}


def test_a_weak_line_is_not_a_broken_one() -> None:
    """At detection .75, consistency .25 and specificity .5 the line has not broken: not coincidental."""
    line = made(GOOD, detection=0.75, consistency=0.25, specificity=0.5)
    assert judged(line, sparse=made(GOOD)).names == ["absent"]


def test_entangled_by_either_readout() -> None:
    """Detection of .9 by line or plane, and no rule above applies; the line's failures are listed in order."""
    line = made(GOOD, consistency=0.4, largest_lobe=0.9)
    assert judged(line).names == ["entangled"]
    assert judged(line).failing == ("consistency, largest_lobe",)
    found = judged(made(DEAF), made(DEAF, detection=0.95))
    assert found.names == ["entangled"]
    assert found.line.tolist() == ["absent"]
    assert found.plane.tolist() == ["entangled"]


def test_absent() -> None:
    """None of these."""
    found = judged(made(DEAF))
    assert found.names == ["absent"]
    assert found.line.tolist() == found.plane.tolist() == ["absent"]


def test_undefined_comes_first() -> None:
    """A reason for undefined overrides everything, in every resample, and has no probability."""
    found = judged(made(GOOD), made(GOOD), sparse=made(GOOD), undefined="2 pieces, fewer than 3")
    assert found.names == ["undefined"]
    assert (found.verdict == VERDICTS.index("undefined")).all()
    assert found.line.tolist() == found.plane.tolist() == ["undefined"]
    assert np.isnan(found.probability[0])
    assert not found.inherited[0]
    assert found.reason == ("2 pieces, fewer than 3",)


def test_order_of_the_rules() -> None:
    """Taking away what a rule needs lets the next one apply: stable, phase-locked, coincidental, entangled."""
    sparse, broken = made(GOOD), made(GOOD, specificity=0.4)
    assert judged(made(GOOD), made(GOOD), sparse=sparse).names == ["stable"]
    assert judged(broken, made(GOOD), sparse=sparse).names == ["phase-locked"]
    assert judged(broken, made(GOOD), raw=made(GOOD), sparse=sparse).names == ["coincidental"]
    assert judged(broken, made(GOOD), raw=made(GOOD), sparse=made(DEAF)).names == ["entangled"]
    assert judged(made(DEAF), made(DEAF)).names == ["absent"]


def test_probability_and_borderline() -> None:
    """The share of resamples that agree with the data; under .9 is borderline."""
    for agree, borderline in ((10, False), (9, False), (8, True)):
        found = judged(made(GOOD, specificity=resampled(0.9, agree, 0.9, 0.7)))
        assert found.names == ["stable"]
        assert found.probability[0] == pytest.approx(agree / 10)
        assert bool(found.borderline[0]) is borderline


def test_probability_is_undefined_under_eight_pieces() -> None:
    """With seven pieces a verdict stands, but has no probability, and is not called borderline."""
    wavering = made(GOOD, specificity=resampled(0.9, 5, 0.9, 0.7))
    for pieces, defined in ((8, True), (7, False)):
        found = judged(wavering, pieces=pieces)
        assert found.names == ["stable"]
        assert np.isfinite(found.probability[0]) == defined
        assert bool(found.borderline[0]) is defined


def test_a_detected_line_may_still_be_an_undetected_resample() -> None:
    """Each resample has its own verdict."""
    found = judged(made(GOOD, detection=resampled(0.95, 4, 0.95, 0.6)))
    names = [VERDICTS[k] for k in found.verdict[:, 0]]
    assert names == ["stable"] * 5 + ["absent"] * 6


def test_other_thresholds_move_the_verdict() -> None:
    """Thresholds are parameters: a line at κ .77 is stable at .75 and entangled at .8."""
    line = made(GOOD, specificity=0.77)
    evidence = Evidence(line, made(DEAF), made(DEAF), None, ("",), 12)
    assert judge(evidence).names == ["entangled"]
    assert judge(evidence, Thresholds(specificity=0.75)).names == ["stable"]
