"""``tonotopy compare``: several runs side by side."""

from __future__ import annotations

from pathlib import Path

import click

from tonotopy.cli import _options as options


@click.command(
    "compare",
    epilog=options.examples(
        "tonotopy compare runs/encodec runs/encodec-random",
        "tonotopy compare runs/* --json",
    ),
)
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@options.as_json
def command(runs: tuple[Path, ...], as_json: bool) -> None:
    """How do studies differ, site by site?

    Trained against random, one model against another, one kind of music against another.
    """
    from tonotopy.cli._output import results, write_json
    from tonotopy.runs import open_run
    from tonotopy.views import compare_table, render_compare

    opened = [open_run(path) for path in runs]
    if as_json:
        write_json(compare_table(opened).to_dict(orient="records"))
    else:
        render_compare(opened, results())
