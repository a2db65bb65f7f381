"""A finished run: what its files say, what they must not say, and what opening it refuses."""

from __future__ import annotations

import getpass
import json
import re
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tonotopy.core.errors import InputError, RunError
from tonotopy.encoders import load_encoder
from tonotopy.judgement import VERDICTS
from tonotopy.runs import open_run
from tonotopy.runs.run import TABLES
from tonotopy.runs.store import Store

KEYS = {name.replace("-", "_") for name in VERDICTS}
ENTRY = {
    "site",
    "role",
    "view",
    "hop",
    "units",
    "shares",
    "intervals",
    "readouts",
    "against_floor",
    "floor_shares",
    "shuffled_stable",
    "inherited_from_window",
    "borderline",
    "shares_resolvable",
    "n_resolvable",
    "stable_at_kappa",
    "power",
}


def test_the_verdict_has_its_keys_and_shares_sum_to_one(finished: Any) -> None:
    """verdict.json is the schema: each site's verdicts, readouts and floor states have a share each, in all 1."""
    verdict = json.loads((finished.path / "verdict.json").read_text())
    assert {"encoder", "weights", "music", "preset", "seed", "n_pieces", "question", "sentence"} < set(
        verdict
    )
    assert [entry["site"] for entry in verdict["sites"]] == list(finished.plan.sites)
    for entry in verdict["sites"]:
        assert set(entry) >= ENTRY
        for shares in (entry["shares"], entry["floor_shares"], entry["shares_resolvable"]):
            assert set(shares) == KEYS
            assert sum(shares.values()) == pytest.approx(1)
        assert set(entry["intervals"]) == KEYS
        for low, high in entry["intervals"].values():
            assert 0 <= low <= high <= 1
        assert set(entry["readouts"]["line"]) == {
            "passes",
            "coincidental",
            "entangled",
            "absent",
            "undefined",
        }
        assert set(entry["readouts"]["plane"]) == {"passes", "entangled", "absent", "undefined"}
        assert set(entry["against_floor"]) == {"inherited", "learned", "lost", "never", "undefined"}
        for shares in (*entry["readouts"].values(), entry["against_floor"]):
            assert sum(shares.values()) == pytest.approx(1)
        assert set(entry["stable_at_kappa"]) == {"0.75", "0.80", "0.85"}
        assert entry["stable_at_kappa"]["0.80"] == pytest.approx(entry["shares"]["stable"])
        assert set(entry["power"]) == {"detected", "stable"}


def test_tables_agree_with_the_verdict(finished: Any) -> None:
    """Every table is there; counting verdicts by hand gives the shares; states follow from the floor."""
    assert all(isinstance(finished.table(name), pd.DataFrame) for name in TABLES)
    table, floor = finished.verdicts(), finished.table("floor")
    assert len(table) == 2 * 5
    assert len(floor) == 2 * 5
    for entry in finished.verdict["sites"]:
        rows = table[table["site"] == entry["site"]]
        for verdict in VERDICTS:
            share = (rows["verdict"] == verdict).mean()
            assert entry["shares"][verdict.replace("-", "_")] == pytest.approx(share)
    for _, row in table.iterrows():
        random = floor[(floor["site"] == row["site"]) & (floor["frequency_hz"] == row["frequency_hz"])]
        unasked, trained = (random["line"] == "passes").mean() >= 0.5, row["line"] == "passes"
        expected = {(1, 1): "inherited", (1, 0): "learned", (0, 1): "lost", (0, 0): "never"}
        assert row["against_floor"] == expected[int(trained), int(unasked)]
    assert set(finished.table("view_curve")["readout"]) == {"line", "plane", "raw_plane"}
    assert len(finished.table("ladder")) == 2 * 3 * 8 * 5
    assert len(finished.table("pieces")) == 8


def test_against_floor_by_hand() -> None:
    """Half the seeds or more pass: inherited or lost; fewer: learned or never; undefined stays undefined."""
    from tonotopy.runs.other_weights import against_floor

    hz = [100.0, 200.0, 300.0, 400.0, 500.0]
    line = ["passes", "passes", "absent", "absent", "undefined"]
    verdict = ["stable", "stable", "absent", "absent", "undefined"]
    table = pd.DataFrame({"frequency_hz": hz, "line": line, "verdict": verdict})
    passing = {100.0: 2, 200.0: 1, 300.0: 4, 400.0: 0, 500.0: 4}
    floor = pd.DataFrame(
        [
            {"frequency_hz": f, "line": "passes" if seed < n else "absent", "seed": seed}
            for f, n in passing.items()
            for seed in range(4)
        ]
    )
    state, share = against_floor(table, floor, 4)
    assert list(state) == ["inherited", "learned", "lost", "never", "undefined"]
    np.testing.assert_allclose(share, [0.5, 0.25, 1.0, 0.0, 1.0])
    assert against_floor(table, floor, 0)[0] == [None] * 5


def test_nothing_private_is_written(finished: Any) -> None:
    """Plan, manifest, verdict and anatomy name no path of this machine, no user, no host."""
    for name in ("plan.toml", "manifest.json", "verdict.json", "anatomy.json"):
        text = (finished.path / name).read_text()
        assert str(finished.path) not in text
        assert str(Path.home()) not in text
        assert socket.gethostname() not in text
        assert not re.search(rf"\b{re.escape(getpass.getuser())}\b", text), name
        assert not re.search(r'"/(?!\*)[\w.-]+/', text), name
    manifest = json.loads((finished.path / "manifest.json").read_text())
    assert manifest["complete"] is True
    assert manifest["versions"]["tonotopy"]
    assert manifest["weights_id"] == finished.plan.weights_id


def test_activations_are_lazy_and_aligned(finished: Any) -> None:
    """A dask array of every core sound; its coordinates name the very trial that each row is."""
    import dask.array

    found = finished.activations("2")
    assert isinstance(found.data, dask.array.Array)
    assert found.dims == ("trial", "sound", "frame", "unit")
    assert found.shape == (4 * 8 * 5, 3, 2, 24)
    assert found.sound.values.tolist() == ["absent", "present", "foil"]
    store, first = Store(finished.path / "units"), 0
    for address in finished.manifest["addresses"]["records"]:
        with store.arrays(address) as opened:
            arrays = opened.load()
        rows = found.isel(trial=slice(first, first + arrays.sizes["trial"]))
        first += arrays.sizes["trial"]
        np.testing.assert_array_equal(rows.values, arrays["core_1"].values)
        for column in ("frequency_hz", "foil_hz", "context", "piece", "test"):
            np.testing.assert_array_equal(rows[column].values, arrays[column].values)
        assert set(rows.family.values) == {arrays.attrs["family"]}
    assert first == found.sizes["trial"]


def test_directions_answer_the_activations(finished: Any) -> None:
    """The stored line of a frequency answers with one sign to the change that it was fitted on."""
    directions, found = finished.directions("2"), finished.activations("2").load()
    assert directions["line"].dims == ("unit", "frequency")
    rows = found.where(
        (found.family != "music") & ~found.test & (found.frequency_hz == found.frequency_hz.max()), drop=True
    )
    delta = (rows.sel(sound="present") - rows.sel(sound="absent")).mean("frame")
    answers = delta.values @ directions["line"].values[:, -1]
    assert answers.mean() > 0.1 * answers.std() > 0
    assert directions["plane"].shape == (24, 2, 5)


def test_unknown_names_are_errors(finished: Any) -> None:
    """A site or table that is not there: the legal names, in one line."""
    with pytest.raises(InputError, match=r"^expected a site of this run; got '3'; .*legal values: 0, 2$"):
        finished.activations("3")
    with pytest.raises(
        InputError, match=r"^expected a table of a run; got 'verdict'; .*legal values: verdicts"
    ):
        finished.table("verdict")


def test_a_run_reads_the_same_from_its_folder(finished: Any, copied: Path) -> None:
    """Moved elsewhere, a run is the same run; without its units it still has tables and says what it lacks."""
    again = open_run(copied)
    assert again.plan == finished.plan
    assert again.verdict == finished.verdict
    pd.testing.assert_frame_equal(again.verdicts(), finished.verdicts())
    with pytest.raises(RunError, match=r"^expected the recorded activations; got a run without them; "):
        again.activations("2")
    assert "Do partials become stable features here" in again._repr_html_()


def test_what_is_no_finished_run_is_refused(copied: Path, tmp_path: Path) -> None:
    """Absent, unfinished, damaged in each of its files: one line each, never a traceback."""
    with pytest.raises(RunError, match=r"^expected a run folder; got no plan\.toml in 'nowhere'; "):
        open_run(tmp_path / "nowhere")
    verdict, manifest = copied / "verdict.json", copied / "manifest.json"
    whole = verdict.read_text()
    for damage in (whole[:100], "[1, 2]", "\x00"):
        verdict.write_text(damage)
        with pytest.raises(RunError, match=r"verdict\.json; got \w+; likely cause: a damaged run folder"):
            open_run(copied)
    verdict.unlink()
    with pytest.raises(RunError, match=r"^expected a readable verdict\.json; got FileNotFoundError; "):
        open_run(copied)
    verdict.write_text(whole)
    (copied / "tables" / "verdicts.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(RunError, match=r"^expected a readable table 'verdicts'; got \w+; "):
        open_run(copied).verdicts()
    manifest.unlink()
    with pytest.raises(RunError, match=r"^expected a finished run; got an unfinished one in 'copy'; "):
        open_run(copied)


def test_a_hostile_plan_runs_nothing(copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan that names a file of code is opened as data; naming that file as an encoder needs trust."""
    mark, code = tmp_path / "ran", tmp_path / "evil.py"
    code.write_text(f"import pathlib\npathlib.Path({str(mark)!r}).write_text('x')\nclass Net: pass\n")
    plan = (copied / "plan.toml").read_text()
    plan = re.sub(r"^encoder = .*$", f'encoder = "{code}:Net"', plan, flags=re.MULTILINE)
    (copied / "plan.toml").write_text(plan.replace("names_code = false", "names_code = true"))
    monkeypatch.chdir(tmp_path)
    opened = open_run(copied)
    assert opened.plan.names_code
    opened.verdicts()
    opened._repr_html_()
    assert not mark.exists()
    with pytest.raises(InputError, match=r"^expected leave to run a file; got .*evil\.py:Net.*--trust"):
        load_encoder(opened.plan.encoder)
    assert not mark.exists()
