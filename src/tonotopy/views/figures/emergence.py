"""How verdicts, the dimensions that music uses, and the final subspace emerge over training.

One column a site, training from left to right. Above, the shares of verdicts add up to all frequencies; in the
middle, the effective dimension of the frames of music; below, the overlap of the subspace that holds 95 % of
their energy with the final snapshot's. Nulls: untrained copies (the floor) for the shares, white frames for the
dimension, random subspaces for the overlap; the first snapshot, where it is step 0, is one more of each.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from tonotopy.views._schema import VERDICTS, share
from tonotopy.views.axes import log_ticks, share_axis, tick_words
from tonotopy.views.figures._contract import highlights
from tonotopy.views.palette import BLUE, CROSSES, FAINT, INK, MARKS, NULL, PAPER, RUST, SOFT
from tonotopy.views.paper import (
    Style,
    clean,
    drawn,
    grid_lines,
    legend_below,
    sheet,
    undefined_panel,
    undefined_sheet,
)
from tonotopy.views.series import SeriesTables, Subject
from tonotopy.views.words import missing, number, percent, share_with_interval

NAMES = ("emergence",)
CITATION = ""
LICENCE = "MIT"
TITLE = "Emergence over training"
OF_SERIES = True

SHARES = tuple(f"share_{share(verdict)}" for verdict in VERDICTS)
MEASURED = (
    "effective_dimension",
    "effective_dimension_low",
    "effective_dimension_high",
    "within",
    "white_dimension",
    "overlap",
    "overlap_low",
    "overlap_high",
    "random_overlap",
    "halves",
)
COLUMNS = ("site", "member", "step", *SHARES, "low_stable", "high_stable", "floor_stable_mean", *MEASURED)
STEP_0 = 0.5  # decades left of the first other step: zero has no logarithm
DASHES = (0, (3, 1.5))


def data(run: Subject, site: str | None = None) -> pd.DataFrame:
    """One row a site and snapshot."""
    sites = run.chosen(site)
    if not _has_snapshots(run):
        return pd.DataFrame(columns=pd.Index(COLUMNS))
    assert isinstance(run, SeriesTables)
    shown = highlights(run, run.shares, site)
    rows = run.shares[run.shares["site"].isin(shown)].copy()
    # One member carries the floor, and it is the floor of all of them: they share the architecture.
    floor = rows.groupby("site")["floor_stable_mean"].first()
    rows["floor_stable_mean"] = rows["site"].map(floor)
    measured = run.dimension[["member", "site", *MEASURED]]
    rows = rows.merge(measured, on=["member", "site"], how="left")
    parts = [rows[rows["site"] == name] for name in sites if name in shown]
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)]


@drawn
def draw(run: Subject, *, site: str | None = None) -> Figure:
    """Draw the columns."""
    rows = data(run, site)
    if rows.empty:
        return undefined_sheet(run, TITLE, "one run is no series of snapshots")
    sites = list(dict.fromkeys(rows["site"]))
    figure = sheet(run, TITLE, 4.9)
    panels = figure.subplots(3, len(sites), sharex="col", squeeze=False, height_ratios=(1.5, 1.0, 1.0))
    reach = rows[["effective_dimension", "effective_dimension_high", "white_dimension"]]
    top = 1.15 * float(np.nanmax([*reach.max(), 2.0]))
    for column, name in enumerate(sites):
        own = rows[rows["site"] == name].reset_index(drop=True)
        at, ticks, words = positions(own["step"].to_numpy(dtype=float))
        above, middle, below = panels[:, column]
        above.set_title(clean(name, 30))
        _shares(above, at, own)
        _dimension(middle, at, own, top)
        _overlap(below, at, own)
        for axes in (above, middle, below):
            axes.set_xlim(at[0] - 0.12, at[-1] + 0.12)
            axes.xaxis.set_minor_locator(NullLocator())
        below.xaxis.set_major_locator(FixedLocator(ticks))
        below.xaxis.set_major_formatter(FixedFormatter(words))
        below.set_xlabel("snapshot" if own["step"].isna().any() else "training step")
        if column:
            for axes in (above, middle, below):
                axes.tick_params(labelleft=False)
                axes.set_ylabel("")
    legend_below(figure, _legend(), columns=4)
    return figure


def caption(run: Subject) -> str:
    """How to read it, its nulls included."""
    pieces = (
        "Bands and whiskers are 95 % intervals over pieces; a resample of pieces holds fewer different ones, and "
        "reads a dimension somewhat low."
        if isinstance(run, SeriesTables) and run.has_intervals
        else "Intervals over pieces are undefined here."
    )
    return (
        f"Only stable is claimed. {pieces} Effective dimension is the participation ratio of the frames of music; the "
        "thin line is its mean within single pieces. Overlap is the mean squared cosine between the subspaces that "
        "hold 95 % of the energy at a snapshot and at the last one; dotted, the same between two halves of the pieces "
        "at one snapshot, which is what an unchanged subspace can be expected to reach. Nulls: the mean share of "
        "stable frequencies in untrained copies, measured once, as it depends on the architecture only (dashed, "
        "above); independent white frames, as many (dashed, middle); random subspaces (dashed, below). The snapshot at "
        "step 0 is the floor of this training's own seed."
    )


def describe(run: Subject, *, site: str | None = None) -> list[str]:
    """First and last snapshot of each site in words."""
    lines = []
    for name, own in data(run, site).groupby("site", sort=False):
        first, last = own.iloc[0], own.iloc[-1]
        words = [
            f"stable {share_with_interval(row['share_stable'], row['low_stable'], row['high_stable'])}, entangled "
            f"{percent(row['share_entangled'])}, effective dimension {number(row['effective_dimension'])}"
            for row in (first, last)
        ]
        floor = percent(own["floor_stable_mean"].iloc[0])
        overlap = f"{number(first['overlap'], 2)} (random subspaces {number(first['random_overlap'], 2)})"
        lines.append(
            f"{name}: {_when(first)}: {words[0]}; {_when(last)}: {words[1]}. The first subspace overlaps the last by "
            f"{overlap}; untrained copies read {floor} stable."
        )
    return lines


def positions(steps: np.ndarray) -> tuple[np.ndarray, list[float], list[str]]:
    """Where snapshots stand, and ticks: the logarithm of the step, step 0 a little before the first other one.

    Snapshots without a step stand in their order.

    Examples
    --------
    >>> at, ticks, words = positions(np.array([0.0, 10.0, 1000.0]))
    >>> at
    array([0.5, 1. , 3. ])
    >>> ticks[0], words[0], words[-1]
    (0.5, '0', '1k')
    """
    if np.isnan(steps).any() or len(steps) < 2 or not (steps > 0).any():
        at = np.arange(len(steps), dtype=float)
        return at, at.tolist(), [str(k + 1) if missing(s) else tick_words(s) for k, s in enumerate(steps)]
    low, high = float(steps[steps > 0].min()), float(steps.max())
    first = float(np.log10(low)) - STEP_0
    at = np.where(steps > 0, np.log10(np.maximum(steps, low)), first)
    ticks = log_ticks(low, high) if high >= 6 * low else [low, high]
    marks = [(float(np.log10(tick)), tick_words(tick)) for tick in dict.fromkeys(ticks)]
    if (steps == 0).any():
        marks = [(first, "0"), *marks]
    return at, [where for where, _ in marks], [words for _, words in marks]


def _has_snapshots(run: Subject) -> bool:
    return isinstance(run, SeriesTables) and run.series.kind == "emergence"


def _when(row: pd.Series) -> str:
    return str(row["member"]) if missing(row["step"]) else f"step {number(row['step'], 7)}"


def _shares(axes: Axes, at: np.ndarray, own: pd.DataFrame) -> None:
    """Shares of verdicts, one on the other; the interval of stable at its edge; the floor across."""
    if own[list(SHARES)].isna().all(axis=None):
        undefined_panel(axes, "no verdict is defined")
        return
    below = np.zeros(len(own))
    for verdict, column in zip(VERDICTS, SHARES, strict=True):
        values = own[column].fillna(0.0).to_numpy(dtype=float)
        look: Style = {"color": MARKS[verdict].colour, "linewidth": 0.0}
        if verdict == "undefined":
            look = {
                "facecolor": MARKS[verdict].colour,
                "edgecolor": FAINT,
                "hatch": CROSSES,
                "linewidth": 0.0,
            }
        axes.fill_between(at, below, below + values, **look)
        below = below + values
    stable = own["share_stable"].to_numpy(dtype=float)
    reach = np.abs(own[["low_stable", "high_stable"]].to_numpy(dtype=float).T - stable)
    _, _, bars = axes.errorbar(at, stable, yerr=reach, color=INK, linewidth=0.9, marker="o", markersize=2.2)
    for bar in bars:  # seen on the darkest colour, too
        bar.set(linewidth=0.7, path_effects=[withStroke(linewidth=2.0, foreground=PAPER)])
    floor = own["floor_stable_mean"].iloc[0]
    if not missing(floor):
        axes.axhline(floor, color=NULL, linewidth=0.9, linestyle=DASHES)
    share_axis(axes, "y", "share of frequencies")
    axes.set_ylim(-0.01, 1.0)


def _dimension(axes: Axes, at: np.ndarray, own: pd.DataFrame, top: float) -> None:
    """Effective dimension with its interval, within pieces, and what white frames read."""
    if own["effective_dimension"].isna().all():
        undefined_panel(axes, "dead at every snapshot, or not measured")
        return
    axes.fill_between(
        at,
        own["effective_dimension_low"],
        own["effective_dimension_high"],
        color=BLUE,
        alpha=0.18,
        linewidth=0.0,
    )
    axes.plot(at, own["effective_dimension"], color=BLUE, marker="o", markersize=2.6)
    axes.plot(at, own["within"], color=SOFT, linewidth=0.7)
    axes.plot(at, own["white_dimension"], color=NULL, linewidth=0.8, linestyle=DASHES)
    axes.set_yscale("log")
    ticks = log_ticks(1.0, top)
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_major_formatter(FixedFormatter([tick_words(tick) for tick in ticks]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylim(0.9, top)
    axes.set_ylabel("effective dimension")
    grid_lines(axes, "y")


def _overlap(axes: Axes, at: np.ndarray, own: pd.DataFrame) -> None:
    """Overlap with the final subspace, its interval, its null, and what could be expected at most."""
    if own["overlap"].isna().all():
        undefined_panel(axes, "no common units")
        return
    axes.fill_between(at, own["overlap_low"], own["overlap_high"], color=RUST, alpha=0.18, linewidth=0.0)
    axes.plot(at, own["overlap"], color=RUST, marker="s", markersize=2.4)
    axes.plot(at, own["halves"], color=SOFT, linewidth=0.8, linestyle=(0, (1, 1.5)))
    axes.plot(at, own["random_overlap"], color=NULL, linewidth=0.8, linestyle=DASHES)
    axes.yaxis.set_major_locator(FixedLocator([0.0, 0.5, 1.0]))
    axes.set_ylim(-0.03, 1.05)
    axes.set_ylabel("overlap with final")
    grid_lines(axes, "y")


def _legend() -> Sequence[Line2D | Patch]:
    verdicts = [
        Patch(
            facecolor=MARKS[v].colour,
            edgecolor=FAINT,
            linewidth=0.4,
            hatch=CROSSES if v == "undefined" else None,
            label=v,
        )
        for v in VERDICTS
    ]
    return [
        *verdicts,
        Line2D([], [], color=BLUE, marker="o", markersize=3, label="effective dimension"),
        Line2D([], [], color=SOFT, linewidth=0.7, label="within a piece"),
        Line2D([], [], color=RUST, marker="s", markersize=3, label="overlap with the final subspace"),
        Line2D(
            [], [], color=SOFT, linewidth=0.8, linestyle=(0, (1, 1.5)), label="between halves of the pieces"
        ),
        Line2D([], [], color=NULL, linewidth=0.9, linestyle=DASHES, label="null: floor, white, random"),
    ]
