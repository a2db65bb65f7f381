"""The sheet that every figure is drawn on: style, heading, and what an undefined panel looks like.

Figures are `matplotlib.figure.Figure` objects, never pyplot's. They are as wide as two columns of a paper
and carry a heading with encoder, weights, music, preset and number of pieces. Text is text in SVG and PDF. It
comes from files too, so that it is cleaned and never read as mathematics.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from itertools import pairwise
from typing import Any, Final, Literal, Protocol

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from tonotopy.views.palette import CROSSES, FAINT, INK, NULL, PAPER, SOFT, VEIL
from tonotopy.views.words import count, printable


class Headed(Protocol):
    """What a heading is made from: a run or a series."""

    @property
    def verdict(self) -> dict[str, Any]:
        """Encoder, weights, music and preset, in words."""

    @property
    def n_pieces(self) -> int:
        """Held-out pieces."""


Style = dict[str, Any]  # keywords of a mark, as matplotlib takes them

#: A patch of what is undefined, in a row of a panel or in a legend.
CROSSED: Final[Style] = {"facecolor": PAPER, "edgecolor": FAINT, "hatch": CROSSES, "linewidth": 0.0}
WIDTH_IN: Final = 7.2  # two columns of a paper
HEAD_IN: Final = 0.52  # the heading's height

STYLE: Final[Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": SOFT,
    "axes.formatter.use_mathtext": False,
    "axes.labelcolor": SOFT,
    "axes.labelsize": 7,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 7.5,
    "axes.titleweight": "bold",
    "axes.unicode_minus": True,
    "figure.facecolor": PAPER,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
    "font.size": 7,
    "hatch.linewidth": 0.5,
    "legend.borderaxespad": 0.2,
    "legend.fontsize": 6.5,
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "legend.labelcolor": SOFT,
    "lines.linewidth": 1.2,
    "pdf.fonttype": 42,
    "savefig.facecolor": PAPER,
    "svg.fonttype": "none",
    "svg.hashsalt": "tonotopy",
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": SOFT,
    "xtick.labelsize": 6.5,
    "xtick.major.size": 2.5,
    "xtick.major.width": 0.6,
    "xtick.minor.size": 1.5,
    "ytick.color": SOFT,
    "ytick.labelsize": 6.5,
    "ytick.major.size": 2.5,
    "ytick.major.width": 0.6,
}

_LOGGERS = ("matplotlib.font_manager", "fontTools")


@contextmanager
def styled() -> Iterator[None]:
    """Draw or save under the house style; characters that no font here has are left to the reader's fonts."""
    levels = {name: logging.getLogger(name).level for name in _LOGGERS}
    with mpl.rc_context(rc=STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from")
        warnings.filterwarnings("ignore", message=r"Matplotlib currently does not support .* natively")
        for name in levels:
            logging.getLogger(name).setLevel(logging.ERROR)
        try:
            yield
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)


def drawn(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Decorate the ``draw`` of a figure: it runs under the house style."""

    @wraps(draw)
    def under_style(run: Headed, *, site: str | None = None) -> Figure:
        with styled():
            return draw(run, site=site)

    return under_style


def sheet(run: Headed, title: str, height_in: float) -> Figure:
    """An empty figure with its heading.

    Parameters
    ----------
    run : RunTables or SeriesTables
        The run, or series, that it is drawn from.
    title : str
        What it shows.
    height_in : float
        Height in inches, without the heading.

    Returns
    -------
    matplotlib.figure.Figure
        The figure; its layout leaves the heading free.
    """
    whole_in = height_in + HEAD_IN
    figure = Figure(figsize=(WIDTH_IN, whole_in))
    below = height_in / whole_in
    pad: Style = {"w_pad": 0.05, "h_pad": 0.05, "wspace": 0.04, "hspace": 0.05}
    figure.set_layout_engine(ConstrainedLayoutEngine(rect=(0.0, 0.0, 1.0, below), **pad))
    left, top = 0.08 / WIDTH_IN, 1.0 - 0.07 / whole_in
    figure.text(left, top, title, size=9, weight="bold", va="top")
    figure.text(left, 1.0 - 0.26 / whole_in, heading(run), size=6.5, color=SOFT, va="top")
    return figure


def heading(run: Headed) -> str:
    """Encoder, weights, music, preset and number of pieces, on one line; what there was none of is left out."""
    words = [str(run.verdict.get(key) or "") for key in ("encoder", "weights", "music", "preset")]
    words[3] = words[3] and f"preset {words[3]}"
    shown = [clean(word, 48) for word in words if word]
    return " · ".join([*shown, count(run.n_pieces, "piece")] if run.n_pieces else shown)


def clean(text: object, longest: int = 60) -> str:
    r"""Any value as one short line that prints: control characters spelled out, the middle left out.

    Names of sites differ at their ends, so that the end is what must stay.

    Examples
    --------
    >>> clean("a\x1b[1m", 40) == "a" + chr(92) + "x1b[1m", clean("block.10.conv_2", 9)
    (True, 'bloc…nv_2')
    """
    shown = printable(text)
    if len(shown) <= longest:
        return shown
    head = longest // 2
    return shown[:head] + "…" + shown[len(shown) - (longest - 1 - head) :]


def undefined_panel(axes: Axes, reason: str) -> None:
    """Hatch a whole panel and say why there is nothing in it: undefined is never zero."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(0.0, 1.0)
    axes.axhspan(0.0, 1.0, facecolor=VEIL, edgecolor=FAINT, hatch=CROSSES, linewidth=0.0)
    box: Style = {"boxstyle": "round,pad=0.5", "facecolor": PAPER, "edgecolor": "none"}
    axes.text(0.5, 0.5, f"undefined: {reason}", ha="center", va="center", color=SOFT, bbox=box)


def undefined_sheet(run: Headed, title: str, reason: str) -> Figure:
    """A figure that says why there is nothing to draw."""
    figure = sheet(run, title, 1.2)
    undefined_panel(figure.add_subplot(), reason)
    return figure


def legend_below(figure: Figure, handles: Sequence[Artist], *, columns: int) -> None:
    """A legend under the panels, in as many columns as fit, at most ``columns``.

    A legend wider than the sheet would squeeze its panels to nothing.
    """
    letters = [len(str(handle.get_label())) for handle in handles]
    fit = next(n for n in range(columns, 0, -1) if n == 1 or _legend_in(letters, n) < WIDTH_IN - 0.2)
    shape: Style = {"ncols": fit, "columnspacing": 1.4, "handletextpad": 0.6}
    figure.legend(handles=handles, loc="outside lower left", **shape)


def _legend_in(letters: Sequence[int], columns: int) -> float:
    """Width in inches of a legend in so many columns: letters, and a mark with its space before each."""
    columns = min(columns, len(letters))
    rows, longer = divmod(len(letters), columns)
    starts = [column * rows + min(column, longer) for column in range(columns + 1)]
    return sum(0.052 * max(letters[a:b]) + 0.42 for a, b in pairwise(starts))


def grid_lines(axes: Axes, axis: Literal["both", "x", "y"] = "both") -> None:
    """Faint lines behind the data."""
    axes.grid(visible=True, axis=axis, color=VEIL, linewidth=0.6)


def chance(axes: Axes, level: float, words: str) -> None:
    """A dotted line at a null, named outside its right end, where no curve goes."""
    axes.axhline(level, color=NULL, linewidth=0.7, linestyle=(0, (1, 2)))
    place: Style = {"xy": (1.0, level), "xycoords": ("axes fraction", "data")}
    offset: Style = {"xytext": (2, 0), "textcoords": "offset points"}
    axes.annotate(words, **place, **offset, ha="left", va="center", size=5.8, color=NULL)
