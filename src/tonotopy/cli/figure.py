"""``tonotopy figure``: one picture of a run or of a sound, by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tonotopy.cli import _options as options

#: Options of figures of a sound, as `tonotopy.views.clips` spells them.
OF_A_SOUND = ("encoder", "weights", "trust", "sample_rate", "window", "channel", "chords", "partials")


@click.command(
    "figure",
    epilog=options.examples(
        "tonotopy figure verdict-map runs/encodec --out map.svg",
        "tonotopy figure audiograms runs/encodec --site stack_end --out audiograms.csv",
        "tonotopy figure emergence runs/emergence --out emergence.pdf",
        "tonotopy figure representations song.ogg --encoder samplecnn-toy --channel 3 --out song.html",
        "tonotopy figure partials song.ogg --start 12 --seconds 5 --out partials.html",
        "tonotopy figure partials scores:st-anne --out partials.svg",
    ),
)
@click.argument("name")
@click.argument("thing", type=click.Path(path_type=Path))
@click.option(
    "--site", metavar="NAME", help="Of this site, where a figure shows one; first_conv for a sound."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to; the ending says the format: svg, pdf, png, csv for its data, and html for a figure of a sound.",
)
@click.option("--start", type=float, metavar="S", help="Of a sound: from this second on.")
@click.option(
    "--seconds", type=float, metavar="D", help="Of a sound: so many seconds, 10 by default, 30 at most."
)
@click.option("--encoder", metavar="NAME", help="representations: whose feature map.")
@options.weights
@click.option(
    "--sample-rate",
    type=click.IntRange(min=1),
    metavar="HZ",
    help="representations: rate of its audio.",
)
@click.option(
    "--window",
    type=click.IntRange(min=1),
    metavar="N",
    help="representations: samples of its fixed window.",
)
@click.option("--trust", is_flag=True, default=None, help="Run code that the encoder's spelling names.")
@click.option("--channel", type=int, metavar="K", help="representations: from 0; the busiest by default.")
@click.option(
    "--chords",
    metavar="FILE",
    help='representations: a CSV of start,end,label, or "C:2.0,Am:1.5"; else estimated.',
)
@click.option(
    "--partials",
    type=int,
    metavar="N",
    help="partials: how many can be played; 8 by default.",
)
def command(name: str, thing: Path, site: str | None, out: Path | None, **told: Any) -> None:
    """What does it look like?

    One figure for paper or screen, or the numbers behind it. The figure's name says what THING is: representations
    and partials are drawn from a sound (an audio file, or scores:NAME), all others from the folder of a run or a
    series. A name that is not known lists those that are.
    """
    from tonotopy.cli._output import say
    from tonotopy.core.errors import InputError
    from tonotopy.views import figure_names
    from tonotopy.views.clips._contract import clip_figure_names

    of_runs, of_sounds = figure_names(), clip_figure_names()
    if name in of_sounds:
        say(_of_a_sound(name, thing, site, out or Path(f"{name}.svg"), told))
        return
    given = [f"--{key.replace('_', '-')}" for key, value in told.items() if value is not None]
    if name in of_runs and given:
        raise InputError(
            f"an option of the figure {name!r}", given[0], "it is for figures of a sound", of_sounds
        )
    if name in of_runs and thing.is_file():
        cause = f"{name} is drawn from a run; figures of a sound are {', '.join(of_sounds)}"
        raise InputError("a run folder", f"a file, {thing.name!r}", cause)
    if name not in of_runs:
        raise InputError("a known figure", repr(name), "a misspelt name", [*of_runs, *of_sounds])

    from tonotopy.runs.series import open_folder
    from tonotopy.views import save_figure

    say(save_figure(name, open_folder(thing), out or Path(f"{name}.svg"), site=site))


def _of_a_sound(name: str, thing: Path, site: str | None, out: Path, told: dict[str, Any]) -> Path:
    """A figure of a sound: what was not given is left to the figure."""
    from tonotopy.views.clips._contract import Asked
    from tonotopy.views.clips._sound import DEFAULT_S
    from tonotopy.views.clips.front import save_clip_figure

    asked = Asked(site=site, **{key: told[key] for key in OF_A_SOUND})
    start_s, seconds = told["start"] or 0.0, told["seconds"]
    return save_clip_figure(
        name, thing, out, asked, start_s=start_s, seconds=DEFAULT_S if seconds is None else seconds
    )
