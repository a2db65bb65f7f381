"""``tonotopy anatomy``: what an encoder could express, from its operators and its first filters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tonotopy.cli import _options as options

if TYPE_CHECKING:
    from tonotopy.anatomy import Anatomy
    from tonotopy.anatomy.linear_ceiling import LinearCeiling
    from tonotopy.encoders import Encoder


@click.command(
    "anatomy",
    epilog=options.examples(
        "tonotopy anatomy encodec-24khz --weights random:0",
        "tonotopy anatomy crepe-tiny --figure anatomy.svg",
        "tonotopy anatomy encodec-24khz --weights random:0 --music scores",
    ),
)
@click.argument("encoder")
@options.weights
@click.option(
    "--music",
    metavar="SOURCE",
    help="Also tell what any filters of the first layer's length could report of this music's bands.",
)
@click.option("--sample-rate", type=click.IntRange(min=1), metavar="HZ", help="Rate of a model's audio.")
@click.option("--window", type=click.IntRange(min=1), metavar="N", help="Samples of a fixed input window.")
@click.option("--trust", is_flag=True, help="Run code that the encoder's spelling names.")
@click.option("--figure", "file", type=click.Path(path_type=Path), metavar="FILE", help="Also draw it.")
@options.as_json
def command(
    *,
    encoder: str,
    weights: str | None,
    music: str | None,
    sample_rate: int | None,
    window: int | None,
    trust: bool,
    file: Path | None,
    as_json: bool,
) -> None:
    """What can an architecture express, before any music?

    Views and hops, predicted and measured; the resolution limit; first filters; what strides fold together.
    """
    from tonotopy.anatomy import anatomy_of
    from tonotopy.anatomy.render import render_linear_ceiling
    from tonotopy.cli._output import remark, results, write_json
    from tonotopy.encoders import load_encoder

    model = load_encoder(encoder, weights=weights, sample_rate=sample_rate, window=window, trust=trust)
    found = anatomy_of(model)
    if file is not None:
        remark(f"figure     {_draw(found, file)}")
    linear = None if music is None else _linear_ceiling(model, music)
    if as_json:
        told = {} if music is None else {"linear_ceiling": None if linear is None else linear.to_json()}
        write_json(found.to_json() | told)
        return
    found.render(results())
    if music is not None:
        render_linear_ceiling(linear, results())


def _linear_ceiling(model: Encoder, music: str) -> LinearCeiling | None:
    """What filters of the first layer's length could report of some music."""
    from tonotopy.anatomy.linear_ceiling import PIECES, linear_ceiling_of
    from tonotopy.sound.music import LEVEL_SEGMENT_S
    from tonotopy.sound.pool import choose
    from tonotopy.sound.sources import open_music

    _, pool, _ = choose(open_music(music), PIECES, LEVEL_SEGMENT_S, model.sample_rate_hz, seed=0)
    return linear_ceiling_of(model, pool)


def _draw(found: Anatomy, file: Path) -> Path:
    """The figure of that name, of a run in which nothing was heard."""
    import pandas as pd

    from tonotopy.views import RunTables, save_figure
    from tonotopy.views._schema import TABLES

    unheard = {"encoder": found.encoder, "weights": found.weights_label, "n_pieces": 0}
    run = RunTables(
        folder=file.parent,
        plan={},
        manifest={},
        verdict=unheard,
        anatomy=found.to_json(),
        **{name: pd.DataFrame({"site": []}) for name in TABLES},
    )
    return save_figure("anatomy", run, file)
