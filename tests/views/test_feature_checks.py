"""Tables of features are read as they are, empty where absent, or refused with the reason."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.views.feature_tables import KNOWN, STABILISED, UNDEFINED

from tonotopy.core.errors import RunError
from tonotopy.views import RunTables
from tonotopy.views import _feature_checks as checks
from tonotopy.views._feature_rows import RANDOM, CopiedKinds, copies, few_sites, random_share, trained
from tonotopy.views._schema import FEATURE_TABLES


@pytest.fixture
def folder(feature_runs: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of a run with features, to be spoiled."""
    return shutil.copytree(feature_runs["plain"], tmp_path / "run")


def rewrite(folder: Path, table: str, **columns: object) -> None:
    path = folder / "tables" / f"{table}.parquet"
    pd.read_parquet(path).assign(**columns).to_parquet(path, index=False)


def test_absent_tables_are_empty(run_folders: dict[str, Path]) -> None:
    """A study that did not ask has eight empty tables with their columns, and says that it has no features."""
    run = RunTables.read(run_folders["plain"])
    assert not run.has_features
    for name, columns in FEATURE_TABLES.items():
        assert getattr(run, name).empty
        assert list(getattr(run, name).columns) == list(columns)


def test_what_is_there_is_read(feature_runs: dict[str, Path]) -> None:
    """Known counts come through, trained and untrained apart, and the sounds of players are left in their file."""
    run = RunTables.read(feature_runs["plain"])
    assert run.has_features
    own = trained(run.feature_sites)
    row = own[(own["site"] == KNOWN) & (own["source"] == "channels")].iloc[0]
    assert (row["n"], row["n_stabilised"], row["share_stabilised"]) == (32, STABILISED[KNOWN], 12 / 32)
    assert row["spectral_given_stabilised"] == 0.25
    floor = copies(run, KNOWN, "channels", "share_stabilised")
    assert (floor.mean, floor.seeds) == (1 / 32, 2)
    assert random_share(run, KNOWN, "share_stabilised") == 1 / 40
    assert "audio" not in run.players


def test_any_one_table_may_be_missing(feature_runs: dict[str, Path], tmp_path: Path) -> None:
    """Each table is optional by itself."""
    for name in FEATURE_TABLES:
        folder = shutil.copytree(feature_runs["plain"], tmp_path / name)
        (folder / "tables" / f"{name}.parquet").unlink()
        run = RunTables.read(folder)
        assert getattr(run, name).empty
        assert run.has_features


def test_unmeasured_numbers_have_no_column(folder: Path) -> None:
    """A study that did not ask what features answer to leaves the counts out: undefined, not zero."""
    path = folder / "tables" / "feature_sites.parquet"
    table = pd.read_parquet(path)
    table.drop(columns=["n_partial", "order_rho"]).to_parquet(path, index=False)
    run = RunTables.read(folder)
    assert run.feature_sites[["n_partial", "order_rho"]].isna().all(axis=None)


def test_runs_that_do_not_say_of_how_many_count_all(folder: Path) -> None:
    """Without its column, every feature counts as defined."""
    path = folder / "tables" / "feature_sites.parquet"
    pd.read_parquet(path).drop(columns="n_defined").to_parquet(path, index=False)
    sites = RunTables.read(folder).feature_sites
    assert (sites["n_defined"] == sites["n"]).all()


def test_a_share_of_nothing_is_undefined(folder: Path) -> None:
    """Where nothing is stabilised nobody knows how much of it would be spectrally stable, whatever a file says."""
    rewrite(folder, "feature_sites", spectral_given_stabilised=0.0, low_spectral_given=0.0)
    run = RunTables.read(folder)
    none = run.feature_sites["n_stabilised"] == 0
    assert none.any()
    assert run.feature_sites.loc[none, "spectral_given_stabilised"].isna().all()
    assert (run.feature_sites.loc[~none, "spectral_given_stabilised"] == 0.0).all()
    undefined = (run.feature_sites["site"] == UNDEFINED) & (run.feature_sites["source"] == "channels")
    assert run.feature_sites.loc[undefined, checks.LABELLED].isna().all(axis=None)
    rewrite(folder, "feature_sites", n=0, n_defined=0, n_stabilised=0, share_stabilised=0.0)
    assert RunTables.read(folder).feature_sites["share_stabilised"].isna().all()


@pytest.mark.parametrize(
    ("table", "columns", "message"),
    [
        (
            "features",
            {"weights": "best"},
            "known words in column 'weights' of features; got 'best'.*trained, floor",
        ),
        ("features", {"stabilised": "maybe"}, "known words in column 'stabilised' of features; got 'maybe'"),
        ("features", {"label": "melody"}, "known words in column 'label' of features; got 'melody'"),
        ("features", {"site": "elsewhere"}, "sites of the run in features; got 'elsewhere'"),
        ("feature_sites", {"n_defined": 1e6}, "n_defined of at most n in feature_sites"),
        ("features", {"waveform": 1.5}, "waveform between 0 and 1 in features; got 1.5"),
        ("features", {"p_spectral": -0.1}, "p_spectral between 0 and 1 in features; got -0.1"),
        ("features", {"best_hz": 0.0}, "best_hz above 0 in features"),
        ("features", {"r2": 1.01}, "r2 of at most 1 in features; got 1.01"),
        ("features", {"null_waveform": np.inf}, "finite numbers in column 'null_waveform' of features"),
        (
            "features",
            {"number": 3},
            "one row of features for each weights, seed, site, source, number; got two",
        ),
        ("features", {"waveform": "high"}, "numbers in column 'waveform' of tables/features.parquet"),
        ("features", {"source": None}, "a source in every row of features; got a gap"),
        (
            "feature_sites",
            {"share_stabilised": 7.0},
            "share_stabilised between 0 and 1 in feature_sites; got 7",
        ),
        ("feature_sites", {"n_partial": -1.0}, "n_partial of 0 or more in feature_sites; got -1"),
        ("kinds", {"among": "some"}, "known words in column 'among' of kinds; got 'some'"),
        ("kinds", {"share": -0.2}, "share between 0 and 1 in kinds; got -0.2"),
        ("kinds", {"sentence": "x" * 30_000}, "strings of at most 20,000 bytes in 'sentence'"),
        ("readability", {"band_hz": -5.0}, "band_hz above 0 in readability"),
        ("readability", {"r2_all": 2.0}, "r2_all of at most 1 in readability; got 2"),
        ("transitions", {"sound": "speech"}, "known words in column 'sound' of transitions; got 'speech'"),
        ("transitions", {"sparsity": np.inf}, "finite numbers in column 'sparsity' of transitions"),
        ("ambiguity", {"direction": "up"}, "known words in column 'direction' of ambiguity; got 'up'"),
        ("ambiguity", {"ratio": 3.0}, "ratio between 0 and 2 in ambiguity; got 3"),
        ("ambiguity", {"view_s": 0.0}, "view_s above 0 in ambiguity"),
        ("players", {"piece": 99}, "pieces of the run in players; got 99; likely cause: a sound that nobody"),
        ("players", {"seconds": 3600.0}, "sounds of at most 60 s in players; got 3600 s"),
    ],
)
def test_impossible_tables_are_refused(
    folder: Path, table: str, columns: dict[str, object], message: str
) -> None:
    """Values that cannot be true are refused with what was found."""
    rewrite(folder, table, **columns)
    with pytest.raises(RunError, match=message):
        RunTables.read(folder)


def test_floods_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sources, kinds and players are as many as can be shown; a file with more is refused by number."""
    for name, most, message in (
        ("SOURCES", 2, "at most 2 different values of source in features; got 3"),
        ("KINDS", 3, "at most 3 different values of kind in features; got 6"),
        ("PLAYERS", 5, "at most 5 rows in players; got 52"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(checks, name, most)
            limits = {"source": checks.SOURCES, "kind": checks.KINDS, "clusters": checks.CLUSTERS}
            patch.setattr(checks, "AT_MOST", limits)
            with pytest.raises(RunError, match=message):
                RunTables.read(folder)


def test_a_kind_that_no_copy_has_is_zero_and_not_undefined(feature_runs: dict[str, Path]) -> None:
    """Copies that have features, but none of a kind, read 0 %; where no copy has any the share is undefined."""
    copied = CopiedKinds.of(RunTables.read(feature_runs["plain"]))
    assert copied.share(KNOWN, "channels", "partials", "stabilised").mean == 0.0
    assert copied.share(KNOWN, "channels", "shape", "stabilised").mean == 1.0
    assert np.isnan(copied.share(UNDEFINED, "channels", "shape", "stabilised").mean)


def test_many_rows_are_a_few_sites(feature_runs: dict[str, Path]) -> None:
    """A figure with more rows than a page has room for singles sites out; one that is asked for is drawn."""
    run = RunTables.read(feature_runs["plain"])
    rows = trained(run.features[run.features["source"] != RANDOM])
    assert few_sites(run, rows, None, 2) == run.site_names
    assert len(few_sites(run, rows, None, 20)) == 4
    assert few_sites(run, rows, KNOWN, 20) == (KNOWN,)
