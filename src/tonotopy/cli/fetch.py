"""``tonotopy fetch``: weights and music that are not part of the package, verified before use."""

from __future__ import annotations

from pathlib import Path

import click

from tonotopy.cli import _options as options


@click.group(
    "fetch",
    epilog=options.examples(
        "tonotopy fetch crepe",
        "tonotopy fetch fma-small MUSIC",
    ),
)
def command() -> None:
    """How do I get weights and music from outside?

    The only verb that uses the network. What arrives is checked by its hash before it is used.
    """


@command.command(
    "crepe",
    epilog=options.examples(
        "tonotopy fetch crepe",
    ),
)
def crepe() -> None:
    """Weights of CREPE (MIT), tiny and full, into the cache of weights."""
    from tonotopy.cli._output import say
    from tonotopy.encoders.fetch import fetch_crepe

    say(fetch_crepe())


@command.command(
    "fma-small",
    epilog=options.examples(
        "tonotopy fetch fma-small MUSIC",
    ),
)
@click.argument("dest", type=click.Path(path_type=Path))
def fma_small(dest: Path) -> None:
    """The small set of the Free Music Archive (8,000 excerpts of 30 s, 7.2 GiB) into DEST."""
    from tonotopy.cli._output import say
    from tonotopy.sound.sources.fma import download

    say(download("small", dest))
