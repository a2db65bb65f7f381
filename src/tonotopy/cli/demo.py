"""``tonotopy demo``: a real study, small, on music that comes with the package."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tonotopy.cli import _options as options

if TYPE_CHECKING:
    from tonotopy.runs import Run


@dataclass(frozen=True)
class Known:
    """An encoder of the demo, and what is known about it before anything is measured."""

    encoder: str
    folder: str
    known: str
    weights: str | None = None
    sites: tuple[str, ...] | None = None


#: What the demo studies, in order: two encoders whose answer is known, and one with an open answer. The time
#: that `make demo` may take (README) is the time of these.
ENCODERS = (
    Known("phantom:cochlea", "cochlea", "a cochlea, built by hand: a stable feature for every partial"),
    Known(
        "phantom:linear-stack",
        "linear-stack",
        "strided convolutions without nonlinearity: none can be stable",
    ),
    Known(
        "encodec-24khz",
        "encodec-random",
        "nothing; EnCodec with random weights shows what comes unasked",
        weights="random:0",
        sites=("first_conv", "down1", "down2", "down3", "down4", "stack_end", "codes"),
    ),
)
PRESET = "quick"
MUSIC = "scores"


@click.command(
    "demo",
    epilog=options.examples(
        "tonotopy demo",
        "tonotopy demo --out elsewhere",
    ),
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("runs/demo"),
    show_default=True,
    metavar="DIR",
    help="Where the run folders go.",
)
def command(out: Path) -> None:
    """What does a study look like, from sound to report?

    Three encoders, two of them with a known answer, in a few minutes. It needs nothing but the package:
    music is built in, and weights are random or made by hand.
    """
    from tonotopy.cli._output import results, say
    from tonotopy.views import render_compare, render_show

    runs = []
    for entry in ENCODERS:
        run = _study(entry, out)
        runs.append(run)
        say("")
        say(f"{entry.encoder} · known: {entry.known}")
        render_show(run, results())
    say("")
    render_compare(runs, results())
    say("")
    for run in runs:
        say(f"report     {run.report()}")


def _study(entry: Known, out: Path) -> Run:
    from tonotopy.cli._progress import progress
    from tonotopy.runs import study

    with progress(entry.encoder) as callback:
        return study(
            entry.encoder,
            music=MUSIC,
            weights=entry.weights,
            preset=PRESET,
            out=out / entry.folder,
            sites=entry.sites,
            floor=False,
            progress=callback,
        )
