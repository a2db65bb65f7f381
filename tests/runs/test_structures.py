"""The ladder in a study: partials are as without it; further rungs have units, rows and words of their own."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tonotopy.core.errors import InputError
from tonotopy.encoders import load_encoder
from tonotopy.runs import study
from tonotopy.runs.asked import Asked, folder_name, make_plan
from tonotopy.runs.calibrate import calibrate, share, structures_of
from tonotopy.runs.graph import build
from tonotopy.runs.plan import Plan
from tonotopy.runs.site_summary import SHARE_KEYS
from tonotopy.sound.sources import open_music

CHEAP: dict[str, Any] = {"music": "scores", "preset": "quick", "frequencies": 3, "pieces": 4, "brief": True}


@pytest.fixture(scope="module")
def plan() -> Plan:
    """A plan of partials alone."""
    encoder = load_encoder("phantom:raw-window")
    return make_plan(Asked("phantom:raw-window", "scores", preset="quick"), encoder, open_music("scores"))


@pytest.fixture(scope="module")
def ladder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A cheap study of all three rungs."""
    out = tmp_path_factory.mktemp("ladder") / "run"
    structures = ["chord", "partial", "pitch"]
    return study("phantom:raw-window", out=out, structures=structures, workers=1, **CHEAP)


def test_a_plan_of_partials_says_nothing_of_structures(plan: Plan) -> None:
    """Plans on disk were written without the key: they open, hash as they did, and are written as they were."""
    assert plan.structures == ("partial",)
    assert "structures" not in tomllib.loads(plan.to_toml())
    assert Plan.from_toml(plan.to_toml()) == plan
    more = replace(plan, structures=("partial", "pitch"))
    assert Plan.from_toml(more.to_toml()) == more
    assert more.digest != plan.digest
    assert folder_name(more) == folder_name(plan) + "_pitch"


def test_units_of_partials_do_not_depend_on_other_rungs(plan: Plan) -> None:
    """The same addresses with and without the ladder; no unit of two rungs is shared but the music."""
    encoder = load_encoder("phantom:raw-window")
    alone = build(plan, encoder, 8)
    graph = build(replace(plan, structures=("partial", "pitch", "chord")), encoder, 8)
    assert [u.address for u in graph.targets[: len(alone.targets)]] == [u.address for u in alone.targets]
    assert len(graph.targets) == len(alone.targets) + 2
    of = [{u.address for u in g.records[None]} for g in (alone, *graph.rungs.values())]
    assert sum(map(len, of)) == len(set.union(*of))
    assert graph.rungs["chord"].records[None][0].needs == (graph.music,)


def test_partials_read_the_same_within_a_ladder(ladder: Any, tmp_path: Path) -> None:
    """Every number of partials is that of a study of partials alone."""
    alone = study("phantom:raw-window", out=tmp_path / "run", workers=1, **CHEAP)
    for name in ("verdicts", "sites", "ladder"):
        same = alone.table(name)
        pd.testing.assert_frame_equal(same, ladder.table(name)[list(same.columns)], check_exact=True)
    assert ladder.verdict["sites"] == alone.verdict["sites"]
    assert ladder.verdict["sentence"].startswith(alone.verdict["sentence"])
    assert "structures" not in alone.verdict


@pytest.mark.parametrize("structure", ["pitch", "chord"])
def test_every_rung_has_rows_and_shares(ladder: Any, structure: str) -> None:
    """Verdicts by item and site, shares that sum to 1, in tables and in verdict.json; chords have no frequency."""
    verdicts = ladder.verdicts(structure)
    assert set(verdicts["structure"]) == {structure}
    assert len(verdicts) == 3
    assert verdicts["item"].is_unique
    assert verdicts["frequency_hz"].isna().all() == (structure == "chord")
    (entry,) = ladder.verdict["structures"][structure]
    assert sum(entry["shares"].values()) == pytest.approx(1)
    row = ladder.sites(structure).iloc[0]
    assert [row[f"share_{key}"] for key in SHARE_KEYS] == [entry["shares"][key] for key in SHARE_KEYS]
    assert len(ladder.table("ladder", structure)) == 3 * 3 * 8
    assert np.isfinite(verdicts["line_detection"]).all()
    assert f"of {structure}" in ladder.verdict["sentence"] or "pitches" in ladder.verdict["sentence"]


def test_a_structure_that_was_not_asked_about(ladder: Any) -> None:
    """A misspelt rung is refused, in a study and in a table, with the legal names."""
    with pytest.raises(
        InputError, match=r"^expected a structure of this run; got 'pich'; .*partial, pitch, chord"
    ):
        ladder.verdicts("pich")
    with pytest.raises(InputError, match=r"^expected a known structure; got 'pich'; .*did you mean 'pitch'"):
        study("phantom:raw-window", structures=["partial", "pich"], **CHEAP)


def test_calibration_asks_what_its_rules_are_about() -> None:
    """Partials always, pitches and chords where a rule names them; a rule counts its own structure's rows."""
    from tonotopy.encoders.phantoms import cochlea, harmonic
    from tonotopy.encoders.phantoms._base import Expectation

    assert structures_of(cochlea.EXPECTED, ("cochlea",)) == ("partial",)
    assert structures_of(harmonic.EXPECTED, harmonic.NAMES) == ("chord", "partial", "pitch")
    rule = Expectation("site", "stable", least=0.5, structure="pitch")
    assert rule.sentence == "stable ≥ 50% as pitch"
    table = pd.DataFrame(
        {"verdict": ["stable", "absent"], "resolvable": [True, True], "frequency_hz": [1.0, 2.0]}
    )
    assert share(table, rule) == 0.5


@pytest.mark.prove
def test_templates_read_as_what_they_are_tuned_to() -> None:
    """Every rule of the three phantoms through the calibration of the quick preset, on 24 targets of each rung.

    On eight targets the pitch template is stable for three: the fit has then met too few foils.
    """
    rows = calibrate(phantoms=("two-partial", "pitch-template", "chord-template"), preset="quick", workers=1)
    assert {row["structure"] for row in rows} == {"partial", "pitch", "chord"}
    assert all(row["pass"] for row in rows), [(row["expected"], row["observed"]) for row in rows]
