"""``tonotopy fetch``: weights and music that are not part of the package, verified before use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tonotopy.cli import _options as options

if TYPE_CHECKING:
    from tonotopy.sound.sources._fma_download import Fetched

SIZES = {
    "small": "8,000 clips of 30 s in 8 genres: 7.2 GiB to download, 17 GiB of disk on the way",
    "medium": "25,000 clips of 30 s in 16 genres: 22 GiB to download, 47 GiB of disk on the way",
    "large": "106,574 clips of 30 s in 161 genres: 93 GiB to download, 193 GiB of disk on the way",
    "full": "106,574 whole tracks in 161 genres: 879 GiB to download, 1.8 TiB of disk on the way",
}


@click.group(
    "fetch",
    epilog=options.examples(
        "tonotopy fetch crepe",
        "tonotopy fetch soundstream",
        "tonotopy fetch fma-small",
        "tonotopy fetch fma-small --to MUSIC",
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


@command.command("soundstream", epilog=options.examples("tonotopy fetch soundstream"))
def soundstream() -> None:
    """Weights of SoundStream (Lyra v2, Apache-2.0; trained on speech), converted, into the cache of weights.

    Takes the package tflite: pip install tonotopy[tflite].
    """
    from tonotopy.cli._output import say
    from tonotopy.encoders.fetch import fetch_soundstream

    say(fetch_soundstream())


def _fma(size: str, about: str) -> None:
    """Add the verb for one size of FMA."""
    name = f"fma-{size}"

    @command.command(
        name,
        short_help=f"The Free Music Archive: {about.split(':', 1)[0]}.",
        help=f"The {size} set of the Free Music Archive and its metadata.\n\n{about}. An interrupted download "
        "goes on where it ended when the same command is given again. The folder is printed on stdout.",
        epilog=options.examples(
            f"tonotopy fetch {name}",
            f"tonotopy fetch {name} --to MUSIC",
        ),
    )
    @click.option(
        "--to",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help="Where it goes; by default the user's cache.",
    )
    @click.option("--keep-archives", is_flag=True, help="Keep the zip files after they are unpacked.")
    def verb(*, to: Path | None, keep_archives: bool) -> None:
        from tonotopy.cli._output import say
        from tonotopy.cli._progress import progress
        from tonotopy.sound.sources.fma import download

        with progress(f"fetch {name}") as callback:
            found = download(size, to, keep_archives=keep_archives, progress=callback)
        _tell(name, found)
        say(found.folder)


for _size, _about in SIZES.items():
    _fma(_size, _about)


def _tell(name: str, found: Fetched) -> None:
    """What was done, what is there, and how to use it."""
    from tonotopy.cli._output import remark
    from tonotopy.sound.sources.fma import NO_AUDIO, TOO_SHORT

    if not found.fetched:
        remark(f"nothing to do: {' and '.join(found.already_there)} are there")
    else:
        there = f"; {' and '.join(found.already_there)} was there" if found.already_there else ""
        remark(f"fetched {' and '.join(found.fetched)}{there}")
    if found.tracks < found.tracks_released:
        remark(
            f"{found.tracks:,} tracks of {found.tracks_released:,}: some are missing; to fetch all again, "
            f"remove {found.folder / name.replace('-', '_')}"
        )
    else:
        remark(f"{found.tracks:,} tracks")
    bad = [f"{_numbers(NO_AUDIO)} (no audio)"]
    if name != "fma-full":
        bad.append(f"{_numbers(TOO_SHORT)} (1.6 s or less)")
    remark(f"known to be bad, and left out of studies: {'; '.join(bad)}")
    remark(f"to use it: --music {name}:{found.folder}")


def _numbers(tracks: frozenset[int]) -> str:
    return ", ".join(str(track) for track in sorted(tracks))
