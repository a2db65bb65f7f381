"""What a figure offers, and the words and choices that figures share.

A figure is one file with ``NAMES``, ``CITATION``, ``LICENCE`` and a ``TITLE``, and four functions of a run
and, optionally, one of its sites:

- ``data``: exactly the numbers that are drawn, one row a mark; empty where there is nothing to draw;
- ``draw``: the picture, under `tonotopy.views.paper.drawn`; a hatched panel with the reason where undefined;
- ``caption``: how to read it, its null included;
- ``describe``: what it shows, in sentences, for a reader who does not see it.

A figure of a series of runs says ``OF_SERIES = True`` and takes `SeriesTables` in the same place; given a single
run it draws that as undefined.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

from tonotopy.core.registry import load, plugins
from tonotopy.views.tables import RunTables

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PACKAGE = "tonotopy.views.figures"
HIGHLIGHTS = 4  # sites that a figure of overlaid curves singles out


class FigureModule(Protocol):
    """The shape of a plug-in file."""

    TITLE: str

    def data(self, run: RunTables, site: str | None = None) -> pd.DataFrame:
        """Exactly the numbers that are drawn."""

    def draw(self, run: RunTables, *, site: str | None = None) -> Figure:
        """The picture."""

    def caption(self, run: RunTables, *, site: str | None = None) -> str:
        """How to read it, its null included."""

    def describe(self, run: RunTables, *, site: str | None = None) -> list[str]:
        """What it shows, in sentences."""


class Sited(Protocol):
    """Something with sites in depth order: a run, or the last member of a series."""

    @property
    def sites(self) -> pd.DataFrame:
        """One row a site, with ``site``, ``role`` and ``share_stable``."""

    def chosen(self, site: str | None) -> tuple[str, ...]:
        """One site as a tuple, or all of them."""


def figure_module(name: str) -> FigureModule:
    """A figure by name.

    Raises
    ------
    InputError
        For a name that no file declares.
    """
    module: FigureModule = load(PACKAGE, name, kind="figure")
    return module


def figure_names() -> tuple[str, ...]:
    """Names of all figures.

    Examples
    --------
    >>> "verdict-map" in figure_names()
    True
    """
    return tuple(sorted(plugins(PACKAGE)))


def series_figures() -> tuple[str, ...]:
    """Names of the figures that are drawn from a series of runs.

    Examples
    --------
    >>> "emergence" in series_figures()
    True
    """
    return tuple(name for name in figure_names() if getattr(figure_module(name), "OF_SERIES", False))


def over_pieces(ends: pd.DataFrame, marks: str) -> str:
    """What the intervals of a figure are, for its caption, from a column or more of their ends.

    Examples
    --------
    >>> over_pieces(pd.DataFrame({"low": [0.1]}), "Bars"), over_pieces(pd.DataFrame({"low": []}), "Bars")
    ('Bars are 95 % intervals over pieces.', 'Intervals are undefined in this run.')
    """
    known = bool(ends.notna().any(axis=None))
    return f"{marks} are 95 % intervals over pieces." if known else "Intervals are undefined in this run."


def highlights(run: Sited, table: pd.DataFrame, site: str | None) -> tuple[str, ...]:
    """The sites that a figure of overlaid curves draws: the one asked for, or a few that tell the story.

    The few are the first and the last site that the table has, the one with the largest share of stable
    frequencies, and the one with the role ``stack_end``, filled up evenly in depth to four.
    """
    present = [name for name in run.chosen(site) if name in set(table["site"])]
    if len(present) <= HIGHLIGHTS:
        return tuple(present)
    own = run.sites.set_index("site").loc[present]
    picked = {present[0], present[-1]}
    stable = own["share_stable"]
    if bool((stable > 0).any()):
        picked.add(str(stable.idxmax()))
    picked |= set(own.index[own["role"] == "stack_end"][:1])
    evenly = [present[round(at)] for at in np.linspace(0, len(present) - 1, HIGHLIGHTS)]
    for name in evenly:
        if len(picked) < HIGHLIGHTS:
            picked.add(name)
    return tuple(name for name in present if name in picked)
