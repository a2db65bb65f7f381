"""``tonotopy train``: models of one's own, and the ceiling of an architecture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tonotopy.cli import _options as options


class _Train(click.Group):
    """Sub-commands from files of their own, loaded when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), "ceiling"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name == "ceiling":
            from tonotopy.cli.train_ceiling import command as ceiling

            return ceiling
        return super().get_command(ctx, cmd_name)


@click.group(
    "train",
    cls=_Train,
    epilog=options.examples(
        "tonotopy train samplecnn --music fma-small:DATA --out runs/samplecnn --steps 60000",
        "tonotopy train encodec --music folder:MUSIC --filters 8 --hidden 64 --minutes 90 --out runs/codec",
        "tonotopy train ceiling --like samplecnn-toy --music scores --out runs/ceiling",
    ),
)
def command() -> None:
    """How do I get a trained model to look into?

    Every training can be interrupted at any time: the same command goes on where it stood. It leaves twelve
    snapshots, from initialisation to the end, that `tonotopy study 'DIR/*.safetensors'` reads.
    """


def _common(function: Callable[..., None]) -> Callable[..., None]:
    """Options of every training."""
    for option in reversed(
        [
            options.music,
            click.option(
                "--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Its folder."
            ),
            click.option("--steps", type=click.IntRange(min=1), metavar="N", help="How long, in steps."),
            click.option(
                "--minutes",
                type=float,
                metavar="M",
                help="How long, in minutes: fixes the steps at the start.",
            ),
            click.option(
                "--hours", type=float, metavar="H", help="Train on so many hours of the music only."
            ),
            click.option("--batch", type=click.IntRange(min=1), metavar="N", help="Excerpts a step."),
            click.option("--learning-rate", type=float, metavar="X", help="Step size at its highest."),
            click.option(
                "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of every draw."
            ),
            click.option(
                "--device",
                type=click.Choice(["auto", "cpu", "cuda", "mps"]),
                default="auto",
                show_default=True,
                help="Where to compute.",
            ),
            click.option("--tensorboard", is_flag=True, help="Write TensorBoard logs beside metrics.csv."),
        ]
    ):
        function = option(function)
    return function


@command.command(
    "samplecnn",
    epilog=options.examples(
        "tonotopy train samplecnn --music fma-small:DATA --out runs/samplecnn --steps 60000",
        "tonotopy train samplecnn --music folder:MUSIC --depth 7 --narrow 2 --minutes 60 --out runs/toy",
    ),
)
@_common
@click.option(
    "--depth", type=click.Choice(["7", "8", "9"]), default="9", show_default=True, help="Modules: 3^7 … 3^9."
)
@click.option(
    "--narrow", type=click.IntRange(min=1), default=1, show_default=True, help="Divide every width by this."
)
def samplecnn(*, depth: str, **words: Any) -> None:
    """A SampleCNN that tells classes of music: genres of FMA, subfolders of a folder, instruments of scores."""
    _train("samplecnn", depth=int(depth), **words)


@command.command(
    "encodec",
    epilog=options.examples(
        "tonotopy train encodec --music folder:MUSIC --minutes 90 --filters 8 --hidden 64 --lstm-layers 1"
        " --entries 256 --bandwidths 1.2,2.4,4.8,9.6,19.2 --out runs/codec",
    ),
)
@_common
@click.option(
    "--filters",
    "num_filters",
    type=click.IntRange(min=1),
    metavar="N",
    help="Channels of the first layer [32].",
)
@click.option(
    "--hidden", "hidden_size", type=click.IntRange(min=1), metavar="N", help="Units of the latent [128]."
)
@click.option("--lstm-layers", "num_lstm_layers", type=click.IntRange(min=1), metavar="N", help="[2]")
@click.option(
    "--entries",
    "codebook_size",
    type=click.IntRange(min=2),
    metavar="N",
    help="Entries of a codebook [1024].",
)
@click.option(
    "--bandwidths",
    metavar="A,B",
    help="Bit rates in kb/s; the highest decides how many codebooks [1.5 … 24].",
)
@click.option(
    "--adversarial", is_flag=True, default=None, help="Add discriminators on spectrograms (slower)."
)
def encodec(*, bandwidths: str | None, **words: Any) -> None:
    """An EnCodec of any size: encoder, decoder and residual quantiser. Without options, the 24 kHz model's shape."""
    if bandwidths is not None:
        try:
            words["target_bandwidths"] = [float(rate) for rate in bandwidths.split(",")]
        except ValueError:
            raise click.UsageError(
                f"--bandwidths takes numbers with commas between them, not {bandwidths!r}"
            ) from None
    _train("encodec", **words)


def _train(kind: str, *, device: str, **words: Any) -> None:
    from tonotopy.cli._output import say
    from tonotopy.cli._progress import progress
    from tonotopy.training import train
    from tonotopy.training.device import resolve

    given = {key: value for key, value in words.items() if value is not None}
    with progress(f"training {kind}") as callback:
        file = train(kind, device=resolve(device), progress=callback, **given)
    say(file)


@command.command(
    "evaluate",
    epilog=options.examples(
        "tonotopy train evaluate encodec-toy --music folder:MUSIC",
        "tonotopy train evaluate runs/codec/step-0013000.safetensors --music folder:MUSIC --json",
    ),
)
@click.argument("encoder")
@options.music
@click.option(
    "--sound",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where decoded music is kept; by default in a folder that is removed afterwards.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the training."
)
@click.option(
    "--card",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Also write figures and sounds for a card there.",
)
@options.as_json
def evaluate(
    *, encoder: str, music: str, sound: Path | None, seed: int, card: Path | None, as_json: bool
) -> None:
    """How good is a trained model on pieces that it was not trained on?

    A codec: SI-SDR and spectral distance at every bit rate, use of its codebooks. A classifier: accuracy beside
    chance and a log-mel baseline. ENCODER is encodec-toy, samplecnn-toy or a checkpoint of `tonotopy train`.
    """
    from contextlib import nullcontext
    from tempfile import TemporaryDirectory

    from tonotopy.cli._output import results, write_json
    from tonotopy.cli._progress import progress
    from tonotopy.training.card import render, write_card
    from tonotopy.training.evaluate import evaluate as measured

    holder = nullcontext(str(sound)) if sound else TemporaryDirectory(prefix="tonotopy-")
    with holder as folder, progress(f"evaluating {encoder}") as callback:
        figures = measured(encoder, music=music, folder=folder, seed=seed, progress=callback)
        if card is not None:
            write_card(card, encoder, figures, music=music, folder=folder, seed=seed)
    if as_json:
        write_json(figures)
    else:
        results().print(render(figures))


@command.command(
    "export", epilog=options.examples("tonotopy train export runs/codec/step-0013000.safetensors MODEL")
)
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--half", is_flag=True, help="Store weights in 16 bits.")
def export(*, checkpoint: Path, folder: Path, half: bool) -> None:
    """How do I hand a codec to transformers?

    Writes the config.json and model.safetensors that EncodecModel.from_pretrained reads.
    """
    from tonotopy.cli._output import say
    from tonotopy.training.export import export_codec

    say(export_codec(checkpoint, folder, half=half))
