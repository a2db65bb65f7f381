"""The index of what a study file made: its studies and series with links to their pages, and the comparison.

Written like the page of a run: static, escaped, asks nothing of the network, and nothing is written through a link.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
from markupsafe import Markup

from tonotopy.core.errors import TonotopyError
from tonotopy.runs.study_files.record import read_record
from tonotopy.views._writing import write_inside
from tonotopy.views.compare import compare_table, differences
from tonotopy.views.export import csv_text
from tonotopy.views.grids import Column, Grid
from tonotopy.views.report import ASSETS, environment, policy, write_report
from tonotopy.views.series import SeriesTables
from tonotopy.views.series_report import sentence, write_series_report
from tonotopy.views.tables import RunTables
from tonotopy.views.words import count, percent, share_with_interval

UNREADABLE = "not finished, or damaged: give the command of the study again"


def write_study_report(folder: Path | str) -> Path:
    """Write the index of a study's folder, and the pages of its studies and series.

    Parameters
    ----------
    folder : path
        Where a study file ran.

    Returns
    -------
    pathlib.Path
        ``report/index.html`` in that folder.

    Raises
    ------
    RunError
        For a folder that cannot be read, or in which a link stands where the report would be written.
    """
    root = Path(folder)
    told = read_record(root)
    runs = [_entry(root, name, write_report, _run_words) for name in told["runs"]]
    series = [_entry(root, name, write_series_report, _series_words) for name in told["series"]]
    compared = [run for name in told["compare"] if (run := _readable(root / name)) is not None]
    table = compare_table(compared) if len(compared) > 1 else pd.DataFrame()
    files = {} if table.empty else {"data/comparison.csv": csv_text(table).encode("utf-8")}
    style = (ASSETS / "report.css").read_text(encoding="utf-8")
    page = (
        environment()
        .get_template("study.html")
        .render(
            policy=policy(style),
            style=Markup(style),  # noqa: S704 (our own file)
            heading=str(told.get("title") or told.get("name") or "A study"),
            about=str(told.get("about") or ""),
            facts=_facts(told),
            runs=runs,
            series=series,
            differences=differences(compared) if compared else [],
            compared=comparison_grid(table),
            trained=[(str(name), _training_words(held)) for name, held in told["trained"].items()],
        )
    )
    files["index.html"] = page.encode("utf-8")
    write_inside(root, {f"report/{name}": content for name, content in files.items()})
    return root / "report" / "index.html"


def comparison_grid(table: pd.DataFrame) -> Grid:
    """The comparison in words: one row a run and site."""
    heads = ("run", "site", "stable", "κ .75", "κ .85", "entangled", "absent", "floor", "shuffled")
    rows = tuple(
        (
            str(row["run"]),
            str(row["site"]),
            share_with_interval(row["share_stable"], row["low_stable"], row["high_stable"]),
            *(
                percent(row[name])
                for name in (
                    "stable_kappa_75",
                    "stable_kappa_85",
                    "share_entangled",
                    "share_absent",
                    "floor_stable_mean",
                    "shuffled_stable",
                )
            ),
        )
        for _, row in table.iterrows()
    )
    return Grid(tuple(Column(head, index > 1) for index, head in enumerate(heads)), rows)


def _entry(
    root: Path, name: str, write: Callable[[Path], Path], words: Callable[[Path], str]
) -> tuple[str, str, str]:
    """A study or series by name: link to its page, written anew, and what it says in a sentence."""
    try:
        write(root / name)
        return name, f"../{quote(name)}/report/index.html", words(root / name)
    except TonotopyError:
        return name, "", UNREADABLE


def _run_words(folder: Path) -> str:
    return str(RunTables.read(folder).verdict.get("sentence") or "")


def _series_words(folder: Path) -> str:
    return sentence(SeriesTables.read(folder))


def _readable(folder: Path) -> RunTables | None:
    try:
        return RunTables.read(folder)
    except TonotopyError:
        return None


def _facts(told: dict[str, Any]) -> list[tuple[str, str]]:
    facts = [
        ("music", str(told.get("music") or "undefined")),
        ("preset", str(told.get("preset") or "undefined")),
    ]
    for key, one, more in (("runs", "study", "studies"), ("series", "series", "series")):
        if told[key]:
            facts.append((key.replace("runs", "studies"), count(len(told[key]), one, more)))
    return facts


def _training_words(held: Any) -> str:
    """What was asked of a training, as words."""
    asked = held.get("asked") if isinstance(held, dict) else None
    if not isinstance(asked, dict):
        return "undefined"
    told = {key: asked.get(key) for key in ("kind", "minutes", "steps", "seed")}
    words = asked.get("words")
    told |= words if isinstance(words, dict) else {}
    return ", ".join(f"{key} {value}" for key, value in told.items() if value is not None)
