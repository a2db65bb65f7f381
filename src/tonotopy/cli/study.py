"""``tonotopy study``: one encoder, one set of weights, one source of music; a verdict for every frequency."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tonotopy.cli import _options as options


@click.command(
    "study",
    epilog=options.examples(
        "tonotopy study phantom:cochlea --music scores --preset quick",
        "tonotopy study encodec-24khz --weights random:0 --music folder:MUSIC --out runs/encodec",
        "tonotopy study crepe-tiny --music scores --dry-run",
        "tonotopy study encodec-toy --sites down4,lstm,stack_end --causes",
        "tonotopy study 'TRAINING/*.safetensors' --out runs/emergence",
        "tonotopy study studies/toys.toml --music folder:MUSIC",
    ),
)
@click.argument("encoder")
@options.music
@click.option("--sites", metavar="A,B", help="Only these sites; by default all.")
@options.preset
@options.weights
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the trials.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="The run folder.")
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda", "mps"]),
    default="auto",
    show_default=True,
    help="Where the encoder computes.",
)
@options.workers
@click.option("--sample-rate", type=click.IntRange(min=1), metavar="HZ", help="Rate of a model's audio.")
@click.option("--window", type=click.IntRange(min=1), metavar="N", help="Samples of a fixed input window.")
@click.option("--pieces", type=click.IntRange(min=1), metavar="N", help="Use only so many pieces of music.")
@click.option(
    "--frequencies",
    type=click.IntRange(min=1),
    metavar="N",
    help="So many frequencies, not the preset's number.",
)
@click.option(
    "--structures",
    default="partial",
    show_default=True,
    metavar="A,B",
    help="The ladder: partial, pitch, chord. Each further rung costs as much again.",
)
@click.option(
    "--features",
    default="",
    metavar="A,B",
    help="Ask what these stabilise to be features of: channels, ica, topk, ... (see docs/features.md).",
)
@click.option("--codes", is_flag=True, help="Ask what codes, or the head of a classifier, know of partials.")
@click.option(
    "--causes",
    is_flag=True,
    help="Push along directions, project them out: what they do, and who reads them.",
)
@click.option("--no-floor", is_flag=True, help="Leave out the comparison with random weights.")
@click.option("--ceiling", metavar="DIR", help="What `train ceiling` wrote: set each verdict below it.")
@click.option("--trust", is_flag=True, help="Run code that the encoder's spelling names.")
@click.option("--dry-run", is_flag=True, help="Say what it would cost, and measure nothing.")
@options.as_json
def command(
    *,
    sites: str | None,
    structures: str,
    features: str,
    sample_rate: int | None,
    no_floor: bool,
    dry_run: bool,
    as_json: bool,
    **words: Any,
) -> None:
    """Which partials does an encoder carry as stable features?

    Each site gets a verdict for each frequency: stable, phase-locked, coincidental, entangled or absent.
    The same command on the same run folder goes on where it was interrupted. A pattern or folder of checkpoints,
    as ENCODER or as --weights, is a series: each is studied with the same plan, to see what emerges in training.
    A study file (NAME.toml) names several encoders, what to train first and what to compare.
    """
    names = None if sites is None else _names(sites)
    words |= {"sites": names, "sample_rate": sample_rate, "floor": not no_floor}
    words |= {"structures": _names(structures), "features": _names(features)}
    from tonotopy.cli._several import study_several

    if not study_several(words, dry_run=dry_run, as_json=as_json):
        (_estimate if dry_run else _study)(words, as_json=as_json)


def _names(text: str) -> list[str]:
    """Names from a comma-separated list."""
    return [name.strip() for name in text.split(",") if name.strip()]


def _study(words: dict[str, Any], *, as_json: bool) -> None:
    from tonotopy.cli._progress import progress
    from tonotopy.cli.show import show
    from tonotopy.runs import study

    with progress(words["encoder"]) as callback:
        run = study(progress=callback, **words)
    show(run, as_json=as_json)


def _estimate(words: dict[str, Any], *, as_json: bool) -> None:
    from dataclasses import asdict
    from tempfile import TemporaryDirectory

    from tonotopy.cli._output import say, write_json
    from tonotopy.runs import estimate

    # What an estimate has to look up must not claim the folder of the study.
    with TemporaryDirectory(prefix="tonotopy-") as folder:
        found = estimate(**words | {"out": Path(folder) / "run"})
    if as_json:
        write_json(asdict(found))
        return
    say(f"sites      {', '.join(found.sites)}")
    say(f"time       about {found.minutes:.1f} minutes")
    say(f"disk       about {found.bytes / 1e6:,.0f} MB")
    say(f"work       {found.passes:,} sounds, {found.weight_sets} sets of weights, {found.units} units")
