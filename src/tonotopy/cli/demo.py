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
    sites: tuple[str, ...] | None = None


#: What the demo studies, in order: an encoder whose answer is known, and two that were trained, with the floor of
#: each. The time that `make demo` may take (README) is the time of these.
ENCODERS = (
    Known("phantom:cochlea", "cochlea", "a cochlea, built by hand: a stable feature for every partial"),
    Known(
        "samplecnn-toy",
        "samplecnn-toy",
        "nothing; a small SampleCNN that was trained to tell composers apart",
        sites=("first_conv", "conv4", "stack_end", "head"),
    ),
    Known(
        "encodec-toy",
        "encodec-toy",
        "nothing; a small EnCodec that was trained to reproduce music",
        sites=("first_conv", "down2", "down4", "stack_end", "codes"),
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

    A cochlea, whose answer is known, then a small SampleCNN and a small EnCodec, trained and with random weights,
    in a few minutes. It needs nothing but the package: music and weights are built in.
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
            preset=PRESET,
            out=out / entry.folder,
            sites=entry.sites,
            progress=callback,
        )
