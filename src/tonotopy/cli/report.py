"""``tonotopy report``: one page that holds a run's verdicts, figures and provenance."""

from __future__ import annotations

from pathlib import Path

import click

from tonotopy.cli import _options as options


@click.command(
    "report",
    epilog=options.examples(
        "tonotopy report runs/encodec --open",
    ),
)
@options.run_folder
@click.option("--open", "open_it", is_flag=True, help="Open it in a browser.")
def command(run: Path, open_it: bool) -> None:
    """Where can I read it all?

    Writes one page with verdicts, figures and provenance, which needs no network to be read.
    """
    from tonotopy.cli._output import say
    from tonotopy.runs import open_run

    page = open_run(run).report()
    say(page)
    if open_it:
        click.launch(str(page))
