"""Tables of the documentation say what the code says."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from pathlib import Path

from tonotopy.core.registry import plugins
from tonotopy.judgement import VERDICTS, Thresholds
from tonotopy.runs import PRESETS
from tonotopy.sound.contexts import FAMILIES

ROOT = Path(__file__).resolve().parents[2]


def rows(page: str) -> list[list[str]]:
    """Cells of every table row of a page, markup left out."""
    text = (ROOT / page).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [
        [re.sub(r"[`*]|\]\([^)]*\)|\[", "", cell).strip() for cell in line[1:-1].split("|")] for line in lines
    ]


def test_thresholds() -> None:
    """The conditions of a passing readout are the defaults of the judgement."""
    table = {
        row[0].split(" κ")[0].replace(" ", "_"): row[1] for row in rows("docs/verdicts.md") if len(row) == 2
    }
    for field in fields(Thresholds):
        assert str(field.default) in table[field.name], field.name


def test_verdicts() -> None:
    """The rules are listed in the order in which they are asked; the README lists the same words."""
    page = [row[0] for row in rows("docs/verdicts.md") if row[0] in VERDICTS]
    assert tuple(page) == VERDICTS
    assert tuple(row[0] for row in rows("README.md") if row[0] in VERDICTS) == VERDICTS


def test_presets() -> None:
    """Each preset is described by its own numbers."""
    table = {row[0]: row[1:] for row in rows("docs/runs.md") if row[0] in PRESETS}
    assert list(table) == list(PRESETS)
    for name, preset in PRESETS.items():
        families = ", ".join(preset.families) if preset.families != FAMILIES else f"all {len(FAMILIES)}"
        contexts = f"{preset.n_train} + {preset.n_test}"
        numbers = [
            preset.n_frequencies,
            families,
            contexts,
            preset.n_pieces,
            preset.n_frames,
            preset.floor_seeds,
        ]
        assert table[name] == [str(value) for value in numbers]


def test_phantoms() -> None:
    """Every phantom has its row, and no row is without a phantom."""
    listed = {row[0] for row in rows("docs/phantoms.md")} - {"Phantom", "---"}
    assert listed == set(plugins("tonotopy.encoders.phantoms"))


def test_families() -> None:
    """Every family of contexts has its row."""
    assert set(FAMILIES) <= {row[0] for row in rows("docs/trials.md")}


def test_calibrate_has_one_default() -> None:
    """Command line, function and page calibrate with the preset that the phantoms' lines are set for."""
    from tonotopy.cli.calibrate import command
    from tonotopy.runs import calibrate

    (spelled,) = (option.default for option in command.params if option.name == "preset")
    assert spelled == inspect.signature(calibrate).parameters["preset"].default == "standard"
    page = (ROOT / "docs" / "phantoms.md").read_text(encoding="utf-8")
    assert f"By default the preset is `{spelled}`" in page


def test_options_of_a_study() -> None:
    """Every option on the page of the command line is one of `study`, and the other way round, but a module's own."""
    from tonotopy.cli.study import command

    page = {row[0].split()[0] for row in rows("docs/cli.md") if row[0].startswith("--") and row[0].strip("-")}
    options = {option.opts[0] for option in command.params if option.opts[0].startswith("--")}
    assert page == options - {"--sample-rate", "--window"}


def test_pages_name_no_folder_of_a_developer() -> None:
    """What lies beside somebody's copy of the repository is no part of the documentation."""
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        assert "../shared" not in page.read_text(encoding="utf-8"), page.name
