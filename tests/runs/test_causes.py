"""Causes in a study: verdicts are as without them, a cochlea is steered at f, random directions are not, it resumes."""

from __future__ import annotations

import io
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile

from tonotopy.core.errors import InputError
from tonotopy.encoders import load_encoder
from tonotopy.interventions.sound_change import analysed, gain_db
from tonotopy.runs import cause_graph, study
from tonotopy.runs.asked import Asked, folder_name, make_plan
from tonotopy.runs.cause_graph import CauseUnits, chosen, steered
from tonotopy.runs.graph import build
from tonotopy.runs.plan import Plan
from tonotopy.runs.run import CAUSE_TABLES
from tonotopy.runs.study import Session, estimate
from tonotopy.signal.loudness import loudness_lkfs
from tonotopy.sound.sources import open_music
from tonotopy.views._cause_schema import CAUSE_TABLES as SHOWN
from tonotopy.views.tables import RunTables

CHEAP: dict[str, Any] = {"music": "scores", "preset": "quick", "pieces": 3, "workers": 1, "brief": True}


@pytest.fixture(scope="module", autouse=True)
def _few_directions() -> Iterator[None]:
    """As in any study, with fewer controls, doses and less sound."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cause_graph, "PUSHED_RANDOM", 3)
        patch.setattr(cause_graph, "REMOVED_RANDOM", 3)
        patch.setattr(cause_graph, "OTHER", 1)
        patch.setattr(cause_graph, "STRENGTHS", (-1.0, 1.0))
        patch.setattr(cause_graph, "SECONDS", 0.6)
        yield


def net() -> Any:
    """Three convolutions of known random weights; behind a rectifier a partial of any phase moves something."""
    import torch

    torch.manual_seed(0)
    first, second, third = (
        torch.nn.Conv1d(*shape) for shape in ((1, 16, 64, 16), (16, 12, 8, 4), (12, 12, 2, 1))
    )
    return torch.nn.Sequential(first, torch.nn.ReLU(), second, torch.nn.ReLU(), third)


@pytest.fixture(scope="module")
def cochlea(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A cheap study of an encoder that decodes and has one site."""
    out = tmp_path_factory.mktemp("steered") / "run"
    return study("phantom:cochlea", frequencies=4, causes=True, out=out, **CHEAP)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A cheap study of two sites of a random net, and of an untrained copy."""
    out = tmp_path_factory.mktemp("reused") / "run"
    return study(net(), sample_rate=16000, sites=("2", "4"), frequencies=3, causes=True, out=out, **CHEAP)


def plan_of(encoder: str = "phantom:cochlea", **words: Any) -> tuple[Plan, Any]:
    """A plan and its encoder."""
    opened = load_encoder(encoder)
    return make_plan(Asked(encoder, "scores", preset="quick", **words), opened, open_music("scores")), opened


def test_a_plan_without_causes_says_nothing_of_them() -> None:
    """Plans on disk were written without the key: they open and are written as they were."""
    plain, encoder = plan_of()
    more, _ = plan_of(causes=True)
    assert "causes" not in tomllib.loads(plain.to_toml())
    assert Plan.from_toml(more.to_toml()) == more
    assert more.digest != plain.digest
    assert folder_name(more) == folder_name(plain) + "_causes"
    assert build(plain, encoder, 8).causes == CauseUnits()


def test_units_of_verdicts_do_not_depend_on_causes() -> None:
    """The same addresses first, with and without them."""
    plain, encoder = plan_of()
    alone, more = build(plain, encoder, 8), build(plan_of(causes=True)[0], encoder, 8)
    many = len(alone.targets)
    assert [u.address for u in more.targets[:many]] == [u.address for u in alone.targets]
    assert more.targets[many:] == more.causes.targets
    assert len(more.targets) > many


def test_nothing_to_be_seen_is_an_error_that_says_what_can_be_done() -> None:
    """One site, neither decoder nor head."""
    message = r"got phantom:loudness at loudness; .*study several sites .* an encoder that decodes"
    with pytest.raises(InputError, match=message):
        plan_of("phantom:loudness", causes=True)


def test_what_is_pushed_and_where_it_is_read() -> None:
    """The end of the stack of a codec and what leads there; the head's inputs of a classifier; nothing at a bank."""
    codec = load_encoder("encodec-toy")
    sites = [codec.site(name) for name in ("down3", "down4", "stack_end", "codes")]
    found = {heard: [site.name for site in places] for heard, places in steered(codec, sites).items()}
    assert found == {"sound": ["down3", "stack_end", "codes"], "outputs": []}
    classifier = load_encoder("samplecnn-3-7", weights="random:0")
    pushed = [site.name for site in steered(classifier, classifier.sites)["outputs"]]
    assert pushed[-2:] == ["stack_end", "head"]
    assert len(pushed) == cause_graph.STEERED_SITES
    bank = load_encoder("phantom:loudness")
    assert not any(steered(bank, bank.sites).values())


@pytest.mark.parametrize(("n", "most"), [(1, 8), (8, 8), (24, 12), (48, 8), (7, 3)])
def test_targets_are_spread_evenly(n: int, most: int) -> None:
    """So many at most, each once, in order, the same distance apart up to rounding."""
    found = chosen(n, most)
    assert len(found) == min(n, most) == len(set(found))
    assert found == sorted(found)
    assert 0 <= found[0] <= n / len(found)
    assert found[0] + found[-1] == pytest.approx(n - 1, abs=1)
    assert np.ptp(np.diff(found)) <= 1 if len(found) > 1 else True


def test_an_estimate_counts_them() -> None:
    """Asked what directions do, a study costs more, and says how much."""
    words: dict[str, Any] = {
        "music": "scores",
        "preset": "quick",
        "frequencies": 4,
        "pieces": 3,
        "workers": 1,
    }
    alone, more = (estimate("phantom:cochlea", causes=asked, **words) for asked in (False, True))
    assert more.minutes > 1.2 * alone.minutes
    assert more.units > alone.units
    assert more.passes == alone.passes


def test_every_table_is_there_and_can_be_shown(cochlea: Any, stack: Any) -> None:
    """The tables are those that views know, with all their columns, and pass at their door."""
    assert set(CAUSE_TABLES) == set(SHOWN)
    for run in (cochlea, stack):
        for name in CAUSE_TABLES:
            assert not set(SHOWN[name]) - set(run.table(name).columns), name
        assert RunTables.read(run.path).has_causes
    assert cochlea.table("reuse").empty
    assert stack.table("steering").empty
    assert stack.table("steered_sounds").empty


def test_the_cochlea_is_steered_at_f_and_random_directions_are_not(cochlea: Any) -> None:
    """Within the range of hearing of the bank: .9 of the change lies at f, at random all but none."""
    table = cochlea.table("steering")
    assert table["frequency_hz"].nunique() == 4
    assert (table["n_pieces"] == 3).all()
    inside = table[(table["strength"] == 1) & table["frequency_hz"].between(100, 7000)]
    own, random = (inside[inside["kind"] == kind] for kind in ("own", "random"))
    assert len(own) == 2
    assert len(random) == 6
    assert own["specificity"].mean() >= 0.9
    assert own["specificity_level"].mean() >= 0.9
    assert random["specificity"].mean() < 0.1
    assert random["specificity_level"].mean() < 0.35
    assert (own["gain_db"] - own["present_gain_db"]).abs().max() < 3
    assert own["p_level"].tolist() == [0.25, 0.25]
    assert own["specificity_low"].isna().all()  # three pieces have no intervals


def test_the_wrong_sign_is_the_other_dose(cochlea: Any) -> None:
    """A push by -1 along the wrong sign is a push by 1."""
    table = cochlea.table("steering").sort_values("frequency_hz")
    one = table[(table["kind"] == "own") & (table["strength"] == 1)]
    other = table[(table["kind"] == "wrong sign") & (table["strength"] == -1)]
    for name in ("gain_db", "leakage", "specificity"):
        assert np.allclose(one[name], other[name], rtol=1e-5), name


def test_sounds_are_equally_loud_credited_and_do_as_the_table_says(cochlea: Any) -> None:
    """FLAC of one loudness; the gain at f of the sounds themselves is that of their row."""
    sounds = cochlea.table("steered_sounds")
    assert sounds.groupby("frequency_hz").size().tolist() == [5, 5, 5, 5]
    assert sounds["title"].notna().all()
    for hz, own in sounds.groupby("frequency_hz"):
        heard = {row["sound"]: soundfile.read(io.BytesIO(row["audio"])) for _, row in own.iterrows()}
        rate = cochlea.manifest["sample_rate_hz"]
        assert {found[1] for found in heard.values()} == {rate}
        loudness = loudness_lkfs(np.stack([sound for sound, _ in heard.values()]), rate)
        assert np.ptp(loudness) < 0.05
        at_level = {
            row["sound"]: heard[row["sound"]][0] / 10 ** (row["turned_up_db"] / 20)
            for _, row in own.iterrows()
        }
        whole = analysed(np.stack(list(at_level.values())), rate, hz, tracked=False)
        gains = gain_db(whole.spectrum[:1], whole.spectrum, whole.near)
        told = own["near_gain_db"].to_numpy()
        if hz < 7000:  # at the end of the bank all but nothing sounds, less than 16 bits hold
            assert np.allclose(gains, told, atol=0.5)


def test_reuse_is_of_both_weights_and_lost_where_it_is_taken(stack: Any) -> None:
    """A row a set of weights, site, later site and frequency; at the site itself the whole answer goes."""
    table = stack.table("reuse")
    assert set(table["weights"]) == {"trained", "floor"}
    assert set(zip(table["site"], table["later_site"], strict=True)) == {("2", "2"), ("2", "4")}
    key = ["weights", "seed", "site", "later_site", "frequency_hz"]
    assert not table.duplicated(key).any()
    itself = table[(table["later_site"] == "2") & (table["reason"] == "")]
    assert len(itself)
    # So small a net's answer in music may be nothing, and then no share of it is lost; of the energy there is some.
    assert np.allclose(itself["lost"].dropna(), 1.0, atol=1e-3)
    assert (itself["lost_energy"] > 0).all()
    undefined = table[table["reason"] != ""]
    assert undefined["lost"].isna().all()


def test_composition_is_reuse_of_another_structure(tmp_path: Path) -> None:
    """Asked for pitches too, a plan has units that project out partials below them, after all others."""
    plan, encoder = plan_of(
        "encodec-toy", causes=True, structures=("partial", "pitch"), sites=("down4", "stack_end")
    )
    causes = build(plan, encoder, 8).causes
    assert set(causes.composition) == set(causes.reuse)
    shards = causes.composition[None, "down4"]
    assert all(unit.values["structure"] == "pitch" for unit in shards)
    assert {unit.address for unit in shards}.isdisjoint(u.address for u in causes.reuse[None, "down4"])


def test_interrupted_and_gone_on_with_the_tables_are_the_same(stack: Any, tmp_path: Path) -> None:
    """A study that lost a unit of reuse and all its tables gives equal tables when it is run again."""
    out = tmp_path / "run"
    shutil.copytree(stack.path, out, ignore=shutil.ignore_patterns("tables", "manifest.json"))
    words = {key: value for key, value in CHEAP.items() if key != "music"} | {
        "sample_rate": 16000,
        "out": out,
    }
    words |= {"sites": ("2", "4"), "frequencies": 3, "causes": True}
    session = Session.open(Asked(net(), "scores", **words))
    lost = session.graph().causes.reuse[None, "2"][0]
    session.bench.store.remove(lost.address)
    again = study(net(), music="scores", **words)
    assert session.bench.store.has(lost.address)
    pd.testing.assert_frame_equal(again.table("reuse"), stack.table("reuse"), check_exact=True)


def test_tables_of_causes_are_refused_where_none_were_asked(finished: Any) -> None:
    """The error says what was not asked."""
    with pytest.raises(InputError, match=r"got 'reuse'; .*did not ask for causes; legal values: verdicts"):
        finished.table("reuse")
