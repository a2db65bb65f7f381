"""``tonotopy train ceiling``: what an encoder's architecture could report, were it fitted to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from tonotopy.cli import _options as options


@click.command(
    "ceiling",
    epilog=options.examples(
        "tonotopy train ceiling --like encodec-toy --music folder:MUSIC --minutes 30 --out runs/ceiling",
        "tonotopy study encodec-toy --music folder:OTHER --ceiling runs/ceiling --out runs/encodec",
        "tonotopy train ceiling --like samplecnn-3-7 --option narrow=8 --music scores --out runs/ceiling",
    ),
)
@click.option("--like", required=True, metavar="ENCODER", help="The encoder whose architecture it is.")
@options.weights
@options.music
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Its folder.")
@click.option("--steps", type=click.IntRange(min=1), metavar="N", help="How long, in steps.")
@click.option("--minutes", type=float, metavar="M", help="How long, in minutes; 5 where nothing is said.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of every draw.")
@click.option("--learning-rate", type=float, metavar="X", help="Step size at its highest.")
@click.option(
    "--option",
    "encoder_options",
    multiple=True,
    metavar="KEY=VALUE",
    help="An option of the encoder, its value in JSON; may be given again.",
)
@click.option("--sample-rate", type=click.IntRange(min=1), metavar="HZ", help="Rate of a model's audio.")
@click.option("--window", type=click.IntRange(min=1), metavar="N", help="Samples of a fixed input window.")
@click.option("--trust", is_flag=True, help="Run code that the encoder's spelling names.")
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda", "mps"]),
    default="auto",
    show_default=True,
    help="Where to compute.",
)
@click.option("--tensorboard", is_flag=True, help="Write TensorBoard logs beside metrics.csv.")
@options.as_json
def command(*, encoder_options: tuple[str, ...], device: str, as_json: bool, **words: Any) -> None:
    """What could this architecture report of partials, were it fitted to do nothing else?

    The encoder is drawn anew and trained to give level and phase of every ERB band, linearly, at the end of its
    stack. `tonotopy study ENCODER --ceiling DIR` then sets each verdict below it: cannot, could and does not,
    does. An interrupted training goes on where it stood.
    """
    from tonotopy.cli._output import results, say, write_json
    from tonotopy.cli._progress import progress
    from tonotopy.training.ceiling import train_ceiling
    from tonotopy.training.ceiling_record import read_record
    from tonotopy.training.device import resolve
    from tonotopy.views.ceiling import render_ceiling

    given = {key: value for key, value in words.items() if value}
    given |= _parsed(encoder_options)
    given["seed"] = words["seed"]
    with progress(f"ceiling of {words['like']}") as callback:
        file = train_ceiling(device=resolve(device), progress=callback, **given)
    record = read_record(file.with_suffix(".json"))
    if as_json:
        write_json(json.loads(record.to_json()))
        return
    render_ceiling(record, results())
    say(f"ceiling    {file}")


def _parsed(pairs: tuple[str, ...]) -> dict[str, Any]:
    """Options of the encoder as values; a value that is no JSON is a word."""
    found: dict[str, Any] = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign or not key.isidentifier():
            raise click.UsageError(f"--option takes KEY=VALUE, not {pair!r}")
        try:
            found[key] = json.loads(value)
        except ValueError:
            found[key] = value
    return found
