"""``tonotopy show``: a finished run, read again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tonotopy.cli import _options as options

if TYPE_CHECKING:
    from tonotopy.runs import Run


@click.command(
    "show",
    epilog=options.examples(
        "tonotopy show runs/encodec",
        "tonotopy show runs/encodec --json",
    ),
)
@options.run_folder
@options.as_json
def command(run: Path, as_json: bool) -> None:
    """What did a study find?

    One row a site: shares of the frequency axis by verdict, with their intervals.
    """
    from tonotopy.runs import open_run

    show(open_run(run), as_json=as_json)


def show(run: Run, *, as_json: bool) -> None:
    """Print a run's verdict: a table and its sentence, or ``verdict.json`` as it is."""
    from tonotopy.cli._output import results, say, write_json

    if as_json:
        write_json(run.verdict | {"path": str(run.path)})
        return
    from tonotopy.views import render_show

    render_show(run, results())
    say(f"run        {run.path}")
