"""Sources of music, one file each; `open_music` is the front door.

A source is spelled ``name`` or ``name:argument``: ``scores``, ``folder:PATH``, ``fma-small:PATH``.
"""

from __future__ import annotations

from tonotopy.core.errors import InputError
from tonotopy.core.registry import load
from tonotopy.sound.sources._contract import Clip as Clip
from tonotopy.sound.sources._contract import Skipped as Skipped
from tonotopy.sound.sources._contract import Source as Source

__all__ = ["Clip", "Skipped", "Source", "open_music"]


def open_music(spelling: str) -> Source:
    """Open a source of music by its spelling.

    Examples
    --------
    >>> source = open_music("scores")
    >>> clip = next(iter(source.clips()))
    >>> source.read(clip, 16000, duration_s=1.0).shape
    (1, 16000)
    """
    name, colon, argument = spelling.partition(":")
    if colon and not argument:
        raise InputError("a source spelled name or name:argument", repr(spelling), "nothing after the colon")
    module = load(__name__, name, kind="source of music")
    source: Source = module.open_source(argument or None, name=name)
    return source
