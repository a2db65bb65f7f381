"""``tonotopy convert``: weights that others released, into the one file that an encoder opens."""

from __future__ import annotations

from pathlib import Path

import click

from tonotopy.cli import _options as options


@click.group("convert", epilog=options.examples("tonotopy convert soundstream MODEL_COEFFS"))
def command() -> None:
    """How do I use weights that were released in another format?"""


@command.command(
    "soundstream",
    epilog=options.examples(
        "tonotopy convert soundstream MODEL_COEFFS",
        "tonotopy convert soundstream MODEL_COEFFS --to soundstream.safetensors",
    ),
)
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "--to",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The file to write, .safetensors; by default, for the released weights alone, the one in the user's cache "
    "that soundstream opens.",
)
def soundstream(*, folder: Path, to: Path | None) -> None:
    """SoundStream of Lyra v2 (Apache-2.0; trained on speech), de-quantised to floating point.

    DIR holds the three .tflite files of Lyra's lyra/model_coeffs, which takes the package tflite (pip install
    tonotopy[tflite]), or their de-quantised weights as .npz with a table of layers. The file is printed on stdout.
    """
    from tonotopy.cli._output import remark, say
    from tonotopy.encoders._soundstream_weights import convert_soundstream
    from tonotopy.encoders.fetch import soundstream_cache

    target = to or soundstream_cache()
    # The bare name stands for the release, so weights of others never take its place.
    if convert_soundstream(folder, target, only_released=to is None):
        remark("the weights of Lyra v2 1.3.2, trained on speech")
    else:
        remark("weights of the same network, but not those of Lyra v2 1.3.2")
    remark("to use it: soundstream" + (f" --weights {to}" if to else ""))
    say(target)
