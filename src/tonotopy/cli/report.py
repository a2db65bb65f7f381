"""``tonotopy report``: one page that holds a run's verdicts, figures and provenance."""

from __future__ import annotations

from pathlib import Path

import click

from tonotopy.cli import _options as options


@click.command(
    "report",
    epilog=options.examples(
        "tonotopy report runs/encodec --open",
        "tonotopy report runs/encodec --no-audio",
        "tonotopy report runs/emergence",
    ),
)
@options.run_folder
@click.option("--open", "open_it", is_flag=True, help="Open it in a browser.")
@click.option("--no-audio", "silent", is_flag=True, help="Leave out the sounds: of features, of steering.")
def command(run: Path, open_it: bool, silent: bool) -> None:
    """Where can I read it all?

    Writes one page with verdicts, figures and provenance, which needs no network to be read. Of a series: its
    figure and tables, and links to the pages of its members.
    """
    from tonotopy.cli._output import say
    from tonotopy.runs.study_files import is_study
    from tonotopy.views import write_study_report

    written = _silent if silent else write_study_report if is_study(run) else _whole
    page = written(run)
    say(page)
    if open_it:
        click.launch(str(page))


def _whole(run: Path) -> Path:
    """The pages of a run or a series."""
    from tonotopy.runs.series import open_folder

    return open_folder(run).report()


def _silent(run: Path) -> Path:
    """The page of one run without sound."""
    from tonotopy.core.errors import InputError
    from tonotopy.runs.series import is_series
    from tonotopy.runs.study_files import is_study
    from tonotopy.views import write_report

    if is_study(run) or is_series(run):
        raise InputError("the folder of one run", repr(run.name), "--no-audio is of one run: name a member")
    return write_report(run, audio=False)
