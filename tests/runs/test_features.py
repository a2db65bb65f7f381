"""Features in a study: verdicts are as without them, tables say what was asked, an interrupted study goes on."""

from __future__ import annotations

import shutil
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tonotopy.core.errors import InputError
from tonotopy.runs import study
from tonotopy.runs.asked import Asked, folder_name, make_plan
from tonotopy.runs.feature_graph import FLOORS, FeatureUnits
from tonotopy.runs.graph import build
from tonotopy.runs.plan import PRESETS, Plan
from tonotopy.runs.run import FEATURE_TABLES
from tonotopy.runs.study import Session
from tonotopy.sound.sources import open_music
from tonotopy.views._schema import FEATURE_TABLES as SHOWN
from tonotopy.views.tables import RunTables

SOURCES = ("channels", "ica")
CHEAP: dict[str, Any] = {"music": "scores", "preset": "quick", "frequencies": 3, "pieces": 4, "workers": 1}


@pytest.fixture(scope="module", autouse=True)
def _few_frames() -> Any:
    """As a quick preset, with fewer frames of natural sound."""
    before = PRESETS["quick"]
    PRESETS["quick"] = replace(before, frames_a_piece=300)
    yield
    PRESETS["quick"] = before


def net() -> Any:
    """Two convolutions with a rectifier between them, of known random weights."""
    import torch

    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Conv1d(1, 8, 64, 32), torch.nn.ReLU(), torch.nn.Conv1d(8, 12, 8, 4))


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A cheap study that asks for channels and independent components."""
    out = tmp_path_factory.mktemp("features") / "run"
    return study(net(), sample_rate=16000, sites=("0", "2"), features=SOURCES, out=out, **CHEAP)


def plan_of(**words: Any) -> tuple[Plan, Any]:
    """A plan and its encoder."""
    from tonotopy.encoders import load_encoder

    encoder = load_encoder("phantom:waveform-codebook")
    asked = Asked("phantom:waveform-codebook", "scores", preset="quick", **words)
    return make_plan(asked, encoder, open_music("scores")), encoder


def test_a_plan_without_features_says_nothing_of_them() -> None:
    """Plans on disk were written without the keys: they open and are written as they were."""
    plain, encoder = plan_of()
    more, _ = plan_of(features=["channels"])
    assert not {"features", "frames_a_piece", "dictionary_seeds"} & set(tomllib.loads(plain.to_toml()))
    assert Plan.from_toml(more.to_toml()) == more
    assert more.digest != plain.digest
    assert folder_name(more) == folder_name(plain) + "_channels"
    assert build(plain, encoder, 8).features == FeatureUnits()


def test_units_of_verdicts_do_not_depend_on_features() -> None:
    """The same addresses first, with and without features; a source more changes the units of features alone."""
    plain, encoder = plan_of()
    alone = build(plain, encoder, 8)
    one, two = (build(plan_of(features=names)[0], encoder, 8) for names in (["pca"], ["pca", "channels"]))
    many = len(alone.targets)
    for graph in (one, two):
        assert [u.address for u in graph.targets[:many]] == [u.address for u in alone.targets]
    first, second = one.features, two.features
    assert {u.address for u in first.features.values()}.isdisjoint(
        u.address for u in second.features.values()
    )
    assert [u.address for u in first.readability.values()] == [u.address for u in second.readability.values()]


def test_sources_that_a_site_does_not_have_are_left_out() -> None:
    """Classes live at the head: a study of other sites has no unit that asks for them."""
    plan, encoder = plan_of(features=["classes"])
    assert not build(plan, encoder, 8).features.features
    assert len(build(plan, encoder, 8).features.readability) == len(encoder.sites)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["chanels"], r"^expected a known feature source; got 'chanels'; .*did you mean 'channels'"),
        (["pca", "pca"], r"^expected each feature source once; got pca,pca"),
    ],
)
def test_unknown_sources_are_named(names: list[str], message: str) -> None:
    """A misspelt or doubled source stops before anything is measured."""
    with pytest.raises(InputError, match=message):
        plan_of(features=names)


def test_every_table_is_there_and_can_be_shown(asked: Any) -> None:
    """The tables are those that views know, with all their columns, and pass at their door."""
    assert set(FEATURE_TABLES) == set(SHOWN)
    for name in FEATURE_TABLES:
        table = asked.table(name)
        missing = set(SHOWN[name]) - set(table.columns)
        assert not missing, (name, missing)
        assert len(table), name
    shown = RunTables.read(asked.path)
    assert shown.has_features
    assert len(shown.features) == len(asked.table("features"))


def test_rows_are_one_a_feature_and_their_counts_add_up(asked: Any) -> None:
    """Features of the weights and of one untrained copy; the summary counts the rows."""
    features, sites = asked.table("features"), asked.table("feature_sites")
    assert set(features["weights"]) == {"trained", "floor"}
    assert features["seed"].nunique() == 1 + min(FLOORS, len(asked.plan.floor_seeds))
    key = ["weights", "seed", "site", "source", "number"]
    assert not features.duplicated(key).any()
    for _, row in sites.iterrows():
        own = features[(features[key[:4]] == row[key[:4]]).all(axis=1)]
        assert len(own) == row["n"]
        assert (own["stabilised"] == "yes").sum() == row["n_stabilised"]
        assert (own["stabilised"] != "undefined").sum() == row["n_defined"]
        expected = row["n_stabilised"] / row["n_defined"] if row["n_defined"] else np.nan
        np.testing.assert_equal(row["share_stabilised"], expected)
        assert (own["label"] == "mixture").sum() == row["n_mixture"]
    channels = features[(features["weights"] == "trained") & (features["source"] == "channels")]
    assert channels.groupby("site", sort=False).size().to_dict() == {"0": 8, "2": 12}
    assert channels["recurrence"].isna().all()
    assert features.loc[features["source"] == "ica", "recurrence"].notna().any()


def test_kinds_count_every_feature_once(asked: Any) -> None:
    """Among all, the kinds of a source at a site sum to its features; shares to one where any is defined."""
    kinds, sites = asked.table("kinds"), asked.table("feature_sites")
    every = kinds[kinds["among"] == "all"]
    counted = every.groupby(["weights", "site", "source"])["count"].sum()
    for _, row in sites.iterrows():
        assert counted[row["weights"], row["site"], row["source"]] == row["n"]
    share = every.groupby(["weights", "site", "source"])["share"].sum()
    assert ((np.abs(share - 1) < 1e-9) | (share == 0)).all()


def test_pitch_is_decoded_beside_its_nulls(asked: Any) -> None:
    """Truth comes from the score; differences are differences; the spectrum alone reads what random weights do not."""
    table = asked.table("pitch_decoding")
    assert set(table["truth"]) == {"score"}
    key = ["weights", "seed", "site", "source", "window_s", "task", "probe"]
    assert not table.duplicated(key).any()
    trained = table[(table["weights"] == "trained") & (table["probe"] == "all")]
    for name, null in (("above_floor", "floor"), ("selectivity", "control"), ("above_levels", "levels")):
        assert np.allclose(trained[name], trained["score"] - trained[null]), name
    assert table.loc[table["weights"] == "floor", "above_floor"].isna().all()
    assert (trained["best_floor"] >= trained["floor"]).all()
    assert np.allclose(trained["above_best_floor"], trained["score"] - trained["best_floor"])
    assert trained["score_low"].isna().all()  # four pieces have no intervals, and leave the claim open
    assert set(trained.loc[trained["task"] != "height", "above_baselines"]) == {"undetermined"}
    classes = trained[trained["task"] == "class"]
    assert (classes["levels"] > classes["score"] + 0.05).all()
    height = trained[trained["task"] == "height"]
    assert (height["levels"] > 0.3).all()
    assert (height["score"] < 0.1).all()


def test_what_can_be_heard_is_of_the_music(asked: Any) -> None:
    """A player's sound is the stretch of the piece that its row names, and no path is in it."""
    import io

    import soundfile

    players = asked.table("players")
    pool = Session.open(Asked(net(), "scores", **_words(asked))).bench
    music = Session.open(Asked(net(), "scores", **_words(asked))).music
    pieces = pool.pool(music).pieces
    row = players.iloc[0]
    sound, rate = soundfile.read(io.BytesIO(row["audio"]))
    assert rate == 16000
    first = round(row["start_s"] * rate)
    wanted = pieces[int(row["piece"])].audio[first : first + len(sound)]
    assert np.abs(sound - wanted).max() < 1e-4
    assert str(asked.path.parent).encode() not in row["audio"]


def _words(asked: Any) -> dict[str, Any]:
    rest = {key: value for key, value in CHEAP.items() if key != "music"}
    return rest | {"sample_rate": 16000, "sites": ("0", "2"), "features": SOURCES, "out": asked.path}


def test_interrupted_and_gone_on_with_the_tables_are_the_same(asked: Any, tmp_path: Path) -> None:
    """A study that lost some units of its features and all its tables gives equal tables when it is run again."""
    out = tmp_path / "run"
    shutil.copytree(asked.path, out, ignore=shutil.ignore_patterns("tables", "manifest.json"))
    session = Session.open(Asked(net(), "scores", **(_words(asked) | {"out": out})))
    units = session.graph().features
    lost = [units.lanes[0], units.natural[None][0], units.features[None, "0"], units.readability[None, "2"]]
    for unit in lost:
        session.bench.store.remove(unit.address)
    again = study(net(), features=SOURCES, sample_rate=16000, sites=("0", "2"), out=out, **CHEAP)
    assert all(session.bench.store.has(unit.address) for unit in lost)
    for name in FEATURE_TABLES:
        pd.testing.assert_frame_equal(again.table(name), asked.table(name), check_exact=True)


def test_tables_of_features_are_refused_where_none_were_asked(finished: Any) -> None:
    """The error says which tables there are."""
    with pytest.raises(InputError, match=r"got 'kinds'; .*did not ask for features; legal values: verdicts"):
        finished.table("kinds")
