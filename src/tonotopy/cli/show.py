"""``tonotopy show``: a finished run, read again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tonotopy.cli import _options as options

if TYPE_CHECKING:
    from tonotopy.runs import Run
    from tonotopy.runs.series import Series


@click.command(
    "show",
    epilog=options.examples(
        "tonotopy show runs/encodec",
        "tonotopy show runs/encodec --json",
        "tonotopy show runs/emergence",
    ),
)
@options.run_folder
@options.as_json
def command(run: Path, as_json: bool) -> None:
    """What did a study find?

    One row a site: shares of the frequency axis by verdict, with their intervals. Of a series: one row a
    member, and what emerges or scales.
    """
    from tonotopy.runs.series import open_folder
    from tonotopy.runs.study_files import is_study

    if is_study(run):
        from tonotopy.cli._several import show_study

        show_study(run, as_json=as_json)
        return
    show(open_folder(run), as_json=as_json)


def show(run: Run | Series, *, as_json: bool) -> None:
    """Print a run's verdict, a table and its sentence, or ``verdict.json`` as it is; of a series its tables."""
    from tonotopy.cli._output import results, say, write_json
    from tonotopy.runs.series import Series

    if isinstance(run, Series):
        show_series(run, as_json=as_json)
        return
    if as_json:
        write_json(run.verdict | {"path": str(run.path)})
        return
    from tonotopy.views import render_show

    render_show(run, results())
    say(f"run        {run.path}")


def show_series(series: Series, *, as_json: bool) -> None:
    """Print a series: a table with one row a member, or all its tables as JSON."""
    from tonotopy.cli._output import results, say, write_json
    from tonotopy.views import SeriesTables, render_series

    tables = SeriesTables.read(series.path)
    if as_json:
        head = {"path": str(series.path), "kind": series.kind, "coordinate": series.coordinate, **series.told}
        rows = {
            name: getattr(tables, name).to_dict(orient="records")
            for name in ("shares", "anywhere", "dimension")
        }
        write_json(head | {"members": [vars(member) for member in series.members]} | rows)
        return
    render_series(tables, results())
    say(f"series     {series.path}")
