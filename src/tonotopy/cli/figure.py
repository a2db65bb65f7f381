"""``tonotopy figure``: one picture of a run, by name."""

from __future__ import annotations

from pathlib import Path

import click

from tonotopy.cli import _options as options


@click.command(
    "figure",
    epilog=options.examples(
        "tonotopy figure verdict-map runs/encodec --out map.svg",
        "tonotopy figure audiograms runs/encodec --site stack_end --out audiograms.csv",
        "tonotopy figure emergence runs/emergence --out emergence.pdf",
    ),
)
@click.argument("name")
@options.run_folder
@click.option("--site", metavar="NAME", help="Of this site, where a figure shows one.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to; the ending says the format: svg, pdf, png, or csv for its data.",
)
def command(name: str, run: Path, site: str | None, out: Path | None) -> None:
    """What does it look like?

    One figure of a run or a series, for paper or screen, or the numbers behind it. A name that is not known lists those
    that are.
    """
    from tonotopy.cli._output import say
    from tonotopy.runs.series import open_folder
    from tonotopy.views import save_figure

    say(save_figure(name, open_folder(run), out or Path(f"{name}.svg"), site=site))
