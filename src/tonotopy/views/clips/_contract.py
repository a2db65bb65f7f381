"""What a figure of a sound offers, and what may be asked of it.

A figure is one file with ``NAMES``, ``CITATION``, ``LICENCE``, a ``TITLE``, and ``TAKES``: the options of `Asked` that
it understands (any other is refused). It computes everything once, in ``prepare``, and answers from that:

- ``data``: the numbers that are drawn, as a table;
- ``draw``: the picture for paper, under `tonotopy.views.paper.styled`;
- ``caption``: how to read it; ``describe``: what it shows, in sentences;
- ``page``: the lanes and the sounds of the interactive page, which `tonotopy.views.clips._page` writes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Protocol

import pandas as pd

from tonotopy.core.errors import InputError
from tonotopy.core.registry import load, plugins
from tonotopy.views.clips._sound import Excerpt

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PACKAGE = "tonotopy.views.clips"


@dataclass(frozen=True)
class Asked:
    """Options of figures; None is "not given"."""

    encoder: str | None = None
    weights: str | None = None
    trust: bool | None = None
    sample_rate: int | None = None
    window: int | None = None
    site: str | None = None
    channel: int | None = None
    chords: str | None = None
    partials: int | None = None


@dataclass(frozen=True)
class Image:
    """A raster stretched over a part of a lane: ``left`` and ``right`` are shares of the stretch of time."""

    uri: str
    left: float = 0.0
    right: float = 1.0
    crisp: bool = False
    """Whether neighbouring rows have nothing to do with each other: then none is smoothed into the next."""


@dataclass(frozen=True)
class Curve:
    """A path in a box of 1000 × 1000, drawn in one of the styles that the page's sheet knows."""

    path: str
    style: str


@dataclass(frozen=True)
class Span:
    """A labelled stretch of a lane; ``left`` and ``right`` are shares of the stretch of time."""

    left: float
    right: float
    symbol: str
    words: str
    faint: bool = False


@dataclass(frozen=True)
class Lane:
    """One picture of the page: everything in it lies along the same time."""

    name: str
    title: str
    caption: str
    height_rem: float
    lines: tuple[str, ...]
    """The picture in sentences."""
    ticks: tuple[tuple[float, str], ...] = ()
    """Height from 0 (bottom) to 1, and what is written there."""
    images: tuple[Image, ...] = ()
    curves: tuple[Curve, ...] = ()
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Playable:
    """A sound of the page.

    ``gain`` brings what ``uri`` holds to its level in the mix, ``alone`` to its level when played by itself.
    """

    name: str
    words: str
    uri: str = field(repr=False)
    start_s: float = 0.0
    gain: float = 1.0
    alone: float = 1.0
    heard: bool = False
    """Whether it is in the mix before anybody chooses."""


@dataclass(frozen=True)
class Content:
    """What a figure gives to the page."""

    lead: str
    facts: tuple[tuple[str, str], ...]
    lanes: tuple[Lane, ...]
    playables: tuple[Playable, ...]
    mix_words: str
    notes: tuple[str, ...] = ()


class ClipFigure(Protocol):
    """The shape of a plug-in file."""

    TITLE: str
    TAKES: tuple[str, ...]

    def prepare(self, excerpt: Excerpt, asked: Asked) -> Any:
        """Everything that is computed."""

    def data(self, prepared: Any) -> pd.DataFrame:
        """The numbers that are drawn."""

    def draw(self, prepared: Any) -> Figure:
        """The picture."""

    def caption(self, prepared: Any) -> str:
        """How to read it."""

    def describe(self, prepared: Any) -> list[str]:
        """What it shows, in sentences."""

    def page(self, prepared: Any) -> Content:
        """The interactive page."""


def clip_figure_names() -> tuple[str, ...]:
    """Names of all figures of a sound.

    Examples
    --------
    >>> "representations" in clip_figure_names()
    True
    """
    return tuple(sorted(plugins(PACKAGE)))


def clip_figure(name: str) -> ClipFigure:
    """A figure by name.

    Raises
    ------
    InputError
        For a name that no file declares.
    """
    module: ClipFigure = load(PACKAGE, name, kind="figure of a sound")
    return module


def check_taken(name: str, module: ClipFigure, asked: Asked) -> None:
    """Refuse options that a figure does not understand."""
    for one in fields(asked):
        if getattr(asked, one.name) is not None and one.name not in module.TAKES:
            raise InputError(
                f"an option of the figure {name!r}", _option(one.name), "", map(_option, module.TAKES)
            )


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
