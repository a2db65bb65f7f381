"""``tonotopy report``: one page that holds a run's verdicts, figures and provenance."""

from __future__ import annotations

from pathlib import Path

import click

from tonotopy.cli import _options as options


@click.command(
    "report",
    epilog=options.examples(
        "tonotopy report runs/encodec --open",
        "tonotopy report runs/emergence",
    ),
)
@options.run_folder
@click.option("--open", "open_it", is_flag=True, help="Open it in a browser.")
def command(run: Path, open_it: bool) -> None:
    """Where can I read it all?

    Writes one page with verdicts, figures and provenance, which needs no network to be read. Of a series: its
    figure and tables, and links to the pages of its members.
    """
    from tonotopy.cli._output import say
    from tonotopy.runs.series import open_folder
    from tonotopy.runs.study_files import is_study
    from tonotopy.views import write_study_report

    page = write_study_report(run) if is_study(run) else open_folder(run).report()
    say(page)
    if open_it:
        click.launch(str(page))
