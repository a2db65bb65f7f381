"""Codes and heads in a study: the quantised cochlea reads high, random codes at null; verdicts are as without them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tonotopy.core.errors import InputError
from tonotopy.encoders import load_encoder
from tonotopy.runs import code_graph, estimate, study
from tonotopy.runs.asked import Asked, folder_name, make_plan
from tonotopy.runs.code_graph import FLOORS, WITH_CODES, WITH_HEAD, CodeUnits, code_site, head_site
from tonotopy.runs.graph import build
from tonotopy.runs.plan import Plan
from tonotopy.runs.run import CODE_TABLES
from tonotopy.runs.study import Session
from tonotopy.sound.sources import open_music
from tonotopy.views._code_rows import isolated
from tonotopy.views._code_schema import CODE_TABLES as SHOWN
from tonotopy.views.tables import RunTables

COCHLEA, RANDOM = "phantom:quantised-cochlea", "phantom:random-codes-sticky"
CHEAP: dict[str, Any] = {"music": "scores", "preset": "quick", "workers": 1, "brief": True, "codes": True}
OF_CODES: dict[str, Any] = CHEAP | {"frequencies": 4, "pieces": 8, "sites": ("codes",)}


@pytest.fixture(scope="module", autouse=True)
def _few_swaps() -> Any:
    """Two swaps that are decoded."""
    patch = pytest.MonkeyPatch()
    for name, value in (("SWAP_STAGES", 2), ("SWAPS", 1), ("SWAP_PIECES", 1), ("SWAP_S", 1.0)):
        patch.setattr(code_graph, name, value)
    yield
    patch.undo()


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A cheap study of codes that know partials."""
    return study(COCHLEA, out=tmp_path_factory.mktemp("codes") / "run", **OF_CODES)


@pytest.fixture(scope="module")
def unknowing(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The same of codes that hold for a segment and know nothing."""
    return study(RANDOM, out=tmp_path_factory.mktemp("codes") / "run", **OF_CODES)


@pytest.fixture(scope="module")
def headed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A cheap study of a classifier's head, with an untrained copy."""
    encoder = load_encoder("samplecnn-3-7", weights="random:0", tags=5, narrow=16)
    words = CHEAP | {"frequencies": 3, "pieces": 4, "sites": ("head",)}
    return study(encoder, out=tmp_path_factory.mktemp("head") / "run", **words)


def plan_of(spelling: str, **words: Any) -> tuple[Plan, Any]:
    """A plan and its encoder."""
    encoder = load_encoder(spelling)
    return make_plan(
        Asked(spelling, "scores", preset="quick", **words), encoder, open_music("scores")
    ), encoder


def test_a_plan_without_codes_says_nothing_of_them() -> None:
    """Plans on disk were written without the key: they open and are written as they were."""
    plain, encoder = plan_of(COCHLEA)
    asked, _ = plan_of(COCHLEA, codes=True)
    assert "codes" not in tomllib.loads(plain.to_toml())
    assert Plan.from_toml(plain.to_toml()) == plain
    assert Plan.from_toml(asked.to_toml()) == asked
    assert plain.digest != asked.digest
    assert folder_name(asked) == folder_name(plain) + "_codes"
    assert build(plain, encoder, 8).codes == CodeUnits()


def test_units_of_verdicts_do_not_depend_on_codes() -> None:
    """The same addresses first, with and without."""
    (plain, encoder), (asked, _) = plan_of(COCHLEA), plan_of(COCHLEA, codes=True)
    alone, more = (build(plan, encoder, 8).targets for plan in (plain, asked))
    assert [unit.address for unit in more[: len(alone)]] == [unit.address for unit in alone]
    assert [unit.stage for unit in more[len(alone) :]] == ["codes_trials", "codes_stages", "codes_swaps"]


def test_copies_are_asked_the_same() -> None:
    """As many untrained copies as there are, two at most, each with its own units; only trained codes are swapped."""
    plan, encoder = plan_of("encodec-toy", codes=True, floor_seeds=3, sites=("codes",))
    units = build(plan, encoder, 8).codes
    assert list(units.trials) == list(units.stages) == [None, *plan.floor_seeds[:FLOORS]]
    assert list(units.swaps) == [None]
    assert len({unit.address for unit in units.targets}) == len(units.targets)
    assert units.heads == {}


def test_an_encoder_without_either_is_refused() -> None:
    """Before anything is measured, with the encoders that have codes or a head; or with the sites to name."""
    with pytest.raises(
        InputError, match=r"codes or a head; got phantom:cochlea; .*legal values: encodec-24khz"
    ):
        plan_of("phantom:cochlea", codes=True)
    with pytest.raises(
        InputError, match=r"a site with codes or a head; got stack_end; .*legal values: codes"
    ):
        plan_of(COCHLEA, codes=True, sites=("stack_end",))


def test_the_encoders_that_are_named_have_them() -> None:
    """What the error lists is true of those that open without a download."""
    assert all(code_site(load_encoder(name)) for name in WITH_CODES if "toy" in name or "phantom" in name)
    assert head_site(load_encoder(next(name for name in WITH_HEAD if "toy" in name))) is not None
    assert code_site(load_encoder("phantom:cochlea")) is None
    assert head_site(load_encoder("encodec-toy")) is None


def test_the_quantised_cochlea_reads_high(known: Any) -> None:
    """Codes isolate most frequencies, a perfect stage would tell little more, and its codes hear what sounds."""
    codes = known.table("codes")
    joint, each = codes[codes["stage"] == -1], codes[codes["stage"] >= 0]
    assert joint["auc"].mean() > 0.9
    assert joint["foil_auc"].mean() > 0.85
    assert (joint["auc_p"] <= 0.05).all()
    assert joint["chosen_excess_bits"].mean() > 0.25
    best = each.loc[each.groupby("frequency_hz")["excess_bits"].idxmax()]
    assert best["excess_bits"].mean() > 0.6 * best["attainable_bits"].mean()
    assert (best["excess_low"] <= best["excess_bits"]).all()
    assert (best["p"] <= 0.05).sum() >= 2
    assert best["specific"].mean() > 0.5
    assert np.isfinite(best["flip_level_db"]).all()
    assert isolated(codes).share >= 0.5


def test_codes_that_know_nothing_read_at_null(unknowing: Any, known: Any) -> None:
    """What holds for a segment has raw information, and no excess of it; no frequency is isolated."""
    codes = unknowing.table("codes")
    joint, each = codes[codes["stage"] == -1], codes[codes["stage"] >= 0]
    assert each["information_bits"].mean() > 0.3
    assert abs(each["excess_bits"].mean()) < 0.06
    assert abs(joint["chosen_excess_bits"].mean()) < 0.15
    assert abs(joint["auc"].mean() - 0.5) < 0.1
    assert isolated(codes).share == 0.0
    assert (each["p"] <= 0.05).mean() < 0.2
    assert abs(each["specific"].mean()) < 0.1
    peaks, of_cochlea = (run.table("code_peaks")["excess_bits"] for run in (unknowing, known))
    assert abs(peaks.mean()) < 0.3 * of_cochlea.mean()


def test_the_ledger_is_answered_from_the_tables(known: Any, unknowing: Any) -> None:
    """Claim 3: codes isolate partials, or nothing does; views count isolated frequencies as it does."""
    row, other = (
        run.table("claims").query("number == 3 and site == 'codes'").iloc[0] for run in (known, unknowing)
    )
    assert row["answer"] == "not supported"
    counted = isolated(known.table("codes"))
    assert (row["effect"], row["low"], row["high"]) == (counted.share, counted.low, counted.high)
    # Whether a line could have been found is not asked of a brief study.
    assert other["answer"] != "not supported"
    assert other["effect"] == 0.0


def test_every_table_is_there_and_can_be_shown(known: Any, headed: Any) -> None:
    """The tables are those that views know, with all their columns, one row a key, and pass at their door."""
    assert set(CODE_TABLES) == set(SHOWN)
    for run, names in ((known, CODE_TABLES[:4]), (headed, CODE_TABLES[4:])):
        there = sorted(
            file.stem for file in (run.path / "tables").glob("*.parquet") if file.stem in CODE_TABLES
        )
        assert there == sorted(names)
        shown = RunTables.read(run.path)
        assert shown.has_codes
        for name in names:
            table = run.table(name)
            assert set(table.columns) == set(SHOWN[name])
            assert len(getattr(shown, name)) == len(table) > 0


def test_rows_are_one_a_stage_and_frequency(known: Any) -> None:
    """Eight stages and all of them jointly, at each frequency; what is undefined jointly is no number."""
    codes, stages = known.table("codes"), known.table("code_stages")
    assert len(codes) == 9 * 4
    assert sorted(stages["stage"]) == list(range(-1, 8))
    joint = codes[codes["stage"] == -1]
    assert joint[["excess_bits", "p", "agreement", "flip_level_db"]].isna().all(axis=None)
    assert codes.loc[codes["stage"] >= 0, "chosen_excess_bits"].isna().all()
    row = stages[stages["stage"] == -1].iloc[0]
    assert row[["perplexity", "rsa", "explained"]].isna().all()
    assert row["entropy_bound_bits"] > stages["entropy_bits"].max()
    assert (stages["n_pieces"] == 8).all()
    bands = known.table("code_peaks")
    assert len(bands) == 8 * bands["band_hz"].nunique()
    assert len(known.table("code_swaps")) == 2


def test_a_head_is_measured_with_its_untrained_copy(headed: Any) -> None:
    """One row a class, frequency and set of weights, and one a set of weights; random weights are at the null."""
    rows, sites = headed.table("head"), headed.table("head_sites")
    assert set(rows["weights"]) == {"trained", "floor"}
    assert not rows.duplicated(["weights", "seed", "class", "frequency_hz"]).any()
    n = int(sites["n_classes"].iloc[0])
    assert len(rows) == 2 * 3 * n
    assert len(sites) == 2
    assert (sites["n_contexts"] == 3 * 8 + 4).all()  # of three families, and pieces of music
    assert (sites["share_consistent"] < 0.3).all()


def test_interrupted_and_gone_on_with_the_tables_are_the_same(known: Any) -> None:
    """A study that lost some units of its codes gives equal tables when it is run again."""
    before = {name: known.table(name) for name in CODE_TABLES[:4]}
    session = Session.open(Asked(COCHLEA, **OF_CODES, out=known.path))
    units = session.graph().codes
    lost = [units.trials[None], units.stages[None], units.trials[None].needs[1], units.swaps[None]]
    for unit in lost:
        session.bench.store.remove(unit.address)
    (known.path / "manifest.json").unlink()
    again = study(COCHLEA, out=known.path, **OF_CODES)
    for name, table in before.items():
        pd.testing.assert_frame_equal(again.table(name), table, check_exact=True)


def test_an_estimate_counts_codes() -> None:
    """More sounds and more bytes than without."""
    plain, asked = (estimate(COCHLEA, **(OF_CODES | {"codes": codes})) for codes in (False, True))
    assert asked.passes > plain.passes
    assert asked.bytes > plain.bytes


def test_tables_of_codes_are_refused_where_none_were_asked(finished: Any) -> None:
    """The error says which tables there are."""
    with pytest.raises(InputError, match=r"got 'codes'; .*legal values: verdicts"):
        finished.table("codes")


def test_no_path_is_in_a_run(known: Any) -> None:
    """What is written of codes names no place of this machine."""
    told = (Path(known.path) / "plan.toml").read_text() + (Path(known.path) / "manifest.json").read_text()
    assert str(Path(known.path).parent) not in told
