"""Verbs: results on stdout, one JSON document where it is asked for, files where they are named."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from tonotopy.cli import demo as demo_verb

SMALL = ("--preset", "quick", "--frequencies", "4", "--pieces", "4", "--workers", "1", "--no-floor")


def test_study_prints_the_verdict(call, small_run: Path) -> None:
    """A study in a finished folder computes nothing again, and prints what it found."""
    result = call("study", "phantom:loudness", *SMALL, "--out", small_run)
    assert result.exit_code == 0
    assert "loudness" in result.stdout
    assert str(small_run) in result.stdout.replace("\n", "")


def test_frequencies(call, small_run: Path) -> None:
    """`--frequencies` takes the place of the preset's number."""
    plan = tomllib.loads((small_run / "plan.toml").read_text(encoding="utf-8"))
    assert (plan["preset"], plan["n_frequencies"]) == ("quick", 4)


def test_all_sites_are_taken(call) -> None:
    """Without `--sites` a study takes every site, as its help says."""
    from tonotopy.encoders import load_encoder

    words = ("study", "crepe-tiny", "--weights", "random:0", *SMALL, "--dry-run", "--json")
    sites = [site.name for site in load_encoder("crepe-tiny", weights="random:0").sites]
    assert json.loads(call(*words).stdout)["sites"] == sites
    assert len(sites) > 3


def test_show(call, small_run: Path) -> None:
    """A table for people, `verdict.json` for programs."""
    assert "loudness" in call("show", small_run).stdout
    shown = json.loads(call("show", small_run, "--json").stdout)
    stored = json.loads((small_run / "verdict.json").read_text(encoding="utf-8"))
    assert shown == stored | {"path": str(small_run)}


def test_compare(call, small_run: Path) -> None:
    """Two runs side by side."""
    assert call("compare", small_run, small_run).exit_code == 0
    rows = json.loads(call("compare", small_run, small_run, "--json").stdout)
    assert len(rows) == 2


def test_report(call, small_run: Path) -> None:
    """The path of the page is what is printed, on one line."""
    result = call("report", small_run)
    assert result.exit_code == 0
    assert Path(result.stdout.strip()).is_file()


def test_report_opens(call, small_run: Path, monkeypatch) -> None:
    """`--open` hands the page to the browser."""
    opened = []
    monkeypatch.setattr("click.launch", opened.append)
    call("report", small_run, "--open")
    assert [Path(page).is_file() for page in opened] == [True]


@pytest.mark.parametrize("ending", ["svg", "pdf", "png", "csv"])
def test_figure(ending: str, call, small_run: Path, tmp_path: Path) -> None:
    """The ending of the file says the format."""
    target = tmp_path / f"map.{ending}"
    result = call("figure", "verdict-map", small_run, "--out", target)
    assert (result.exit_code, result.stdout.strip()) == (0, str(target))
    assert target.stat().st_size > 100


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nonesuch",), "verdict-map"),
        (("verdict-map", "--site", "nonesuch"), "loudness"),
        (("verdict-map", "--out", "map.tiff"), ".svg"),
    ],
)
def test_a_figure_that_is_not(words: tuple[str, ...], said: str, call, small_run: Path) -> None:
    """An unknown figure, site or format is one line that lists the known ones."""
    result = call("figure", words[0], small_run, *words[1:])
    assert result.exit_code == 2
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_encoders(call) -> None:
    """Bundled encoders and phantoms, for people and for programs."""
    assert "phantom:cochlea" in call("encoders").stdout
    names = [row["name"] for row in json.loads(call("encoders", "--json").stdout)]
    assert {"crepe-tiny", "phantom:linear-stack", "reference:spectrogram"} <= set(names)


def test_music(call, tmp_path: Path) -> None:
    """Sources without an argument; pieces, licences and ledger with one."""
    assert "scores" in call("music").stdout
    assert "folder" in {row["name"] for row in json.loads(call("music", "--json").stdout)}
    found = json.loads(call("music", "scores", "--json").stdout)
    assert found["pieces"] == len(found["clips"]) >= 8
    assert "clips" in call("music", "scores").stdout


def test_music_keeps_a_ledger(call, tmp_path: Path) -> None:
    """A file that cannot be used is named with its reason, and its name is only shown."""
    import numpy as np
    import soundfile

    noise = np.random.default_rng(0).standard_normal(32_000) * 0.1
    soundfile.write(tmp_path / "[red]good[bold].wav", noise, 16_000)
    (tmp_path / "bad.wav").write_text("no sound at all")
    result = call("music", f"folder:{tmp_path}")
    assert result.exit_code == 0
    assert "[red]good[bold].wav" in result.stdout
    assert "bad.wav" in result.stdout.split("left out")[1]


def test_anatomy(call, tmp_path: Path) -> None:
    """A table for people, the whole record for programs."""
    assert "resolution" in call("anatomy", "phantom:loudness").stdout
    assert json.loads(call("anatomy", "phantom:loudness", "--json").stdout)["encoder"] == "phantom:loudness"


def test_the_figure_of_an_anatomy_names_no_run(call, tmp_path: Path) -> None:
    """Drawn without a study, it is headed by encoder and weights: there was no preset and there were no pieces."""
    target = tmp_path / "anatomy.svg"
    assert call("anatomy", "phantom:loudness", "--figure", target).exit_code == 0
    drawn = target.read_text(encoding="utf-8")
    assert "phantom:loudness" in drawn
    assert "undefined" not in drawn
    assert "preset" not in drawn
    assert "pieces" not in drawn


def test_a_dry_run(call) -> None:
    """What a study would cost, as a record."""
    found = json.loads(call("study", "phantom:loudness", "--preset", "quick", "--dry-run", "--json").stdout)
    assert found["sites"] == ["loudness"]
    assert found["passes"] > 0


def test_a_dry_run_counts_what_features_cost(call) -> None:
    """A study that asks what its features are takes longer and stores more; a dictionary takes longest."""
    words = ("study", "phantom:cochlea", "--preset", "quick", "--dry-run", "--json")
    plain, channels, topk = (
        json.loads(call(*words, *more).stdout)
        for more in ((), ("--features", "channels"), ("--features", "channels,topk"))
    )
    assert plain["minutes"] + 0.2 < channels["minutes"] < topk["minutes"] - 0.05
    assert plain["bytes"] < channels["bytes"] == topk["bytes"]


# ---- calibrate and demo, with the measurement replaced


def rows(*passed: bool) -> list[dict]:
    """What calibrate returns."""
    common = {"site": "s", "readout": "line", "expected": "stable", "observed": "stable 90%", "seed": 0}
    return [{"phantom": f"p{number}", "pass": ok, **common} for number, ok in enumerate(passed)]


@pytest.mark.parametrize(("passed", "code"), [((True, True), 0), ((True, False), 1)])
def test_calibrate_says_no(passed: tuple[bool, ...], code: int, call, monkeypatch) -> None:
    """Exit code 1 when one phantom reads otherwise, in the table and as JSON."""
    asked = {}
    monkeypatch.setattr("tonotopy.runs.calibrate", lambda **words: asked.update(words) or rows(*passed))
    shown = call("calibrate", "--seeds", "0,2", "--phantom", "cochlea")
    assert shown.exit_code == code
    assert ("FAILS" in shown.stdout) == (code == 1)
    assert asked["seeds"] == (0, 2)
    assert asked["preset"] == "standard"  # what the bands of the phantoms are set for
    assert asked["phantoms"] == ("cochlea",)
    written = call("calibrate", "--json")
    assert written.exit_code == code
    assert json.loads(written.stdout) == {"phantoms": rows(*passed)}


def test_demo(call, tmp_path: Path, monkeypatch, small_run: Path) -> None:
    """Verdicts beside what is known, a comparison, and reports that exist."""
    from tonotopy.runs import open_run

    monkeypatch.setattr("tonotopy.runs.study", lambda *_, **__: open_run(small_run))
    result = call("demo", "--out", tmp_path)
    assert result.exit_code == 0
    for entry in demo_verb.ENCODERS:
        assert entry.known in result.stdout
    reports = [line.split(maxsplit=1)[1] for line in result.stdout.splitlines() if line.startswith("report")]
    assert len(reports) == len(demo_verb.ENCODERS)
    assert all(Path(path).is_file() for path in reports)
