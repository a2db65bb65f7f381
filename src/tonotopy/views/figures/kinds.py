"""What kinds of features there are at each site: shares of features named by each family of descriptors of sound.

A feature is named by the family that explains most of it beyond all others, on pieces that it was not fitted
on, or is *unexplained*. Nulls, beneath each bar of the weights under study: untrained copies of the network,
and random directions of its activations.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FixedFormatter, FixedLocator

from tonotopy.views._feature_rows import (
    RANDOM,
    UNDEFINED,
    UNNAMED,
    CopiedKinds,
    few_sites,
    sources,
    trained,
    untrained,
)
from tonotopy.views.axes import share_axis
from tonotopy.views.palette import CROSSES, INK, NULL, PAPER, SOFT, VEIL
from tonotopy.views.paper import CROSSED, Style, clean, drawn, legend_below, sheet, undefined_sheet
from tonotopy.views.tables import RunTables
from tonotopy.views.words import percent

NAMES = ("kinds",)
CITATION = ""
LICENCE = "MIT"
TITLE = "What kinds of features: shares named by each family of descriptors"


@dataclass(frozen=True)
class Fill:
    """How one kind is drawn: colour, colour of the letter on it, letter, hatch."""

    colour: str
    on: str
    letter: str
    hatch: str = ""


#: Kinds that the package has, from what a frame is to what it is part of; hue, lightness, hatch and letter all differ.
FILLS: dict[str, Fill] = {
    "level": Fill("#f0e3a0", INK, "L"),
    "onset": Fill("#e8a33d", INK, "O", "////"),
    "shape": Fill("#c1550a", PAPER, "S"),
    "noisiness": Fill("#b9c2cb", INK, "N", "...."),
    "periodicity": Fill("#8c4a86", PAPER, "R"),
    "bands": Fill("#7cc29b", INK, "B", "\\\\\\\\"),
    "partials": Fill("#00507f", PAPER, "P"),
    "harmony": Fill("#58b1e4", INK, "H", "||||"),
    "shared": Fill("#8a949f", PAPER, "&", "////"),
    "unexplained": Fill(VEIL, SOFT, "?"),
    "undefined": Fill(PAPER, SOFT, "", CROSSES),
}
#: Of kinds that the package does not know.
OTHERS = (
    Fill("#e3a6c0", INK, "", "----"),
    Fill("#a98f6b", PAPER, "", "++++"),
    Fill("#5f7f7a", PAPER, "", "oo"),
)
REST = "other kinds"
AMONG = {"all": "of all features", "stabilised": "of stabilised features"}
#: What stands in a row, its height, and where it starts, in parts of the row.
TRAINED, FLOOR, CHANCE = "trained", "untrained copies", "random directions"
NULLS = (FLOOR, CHANCE)
HEIGHTS = {TRAINED: (0.08, 0.42), FLOOR: (0.54, 0.15), CHANCE: (0.73, 0.15)}


def data(run: RunTables, site: str | None = None) -> pd.DataFrame:
    """One row a segment: whose bar (trained, or a null), among which features, kind, share and count."""
    rows, copied = trained(run.kinds), CopiedKinds.of(run)
    found = []
    for name in few_sites(run, rows, site, len(sources(rows))):
        of_site = rows[rows["site"] == name]
        for source in sources(of_site):
            for among in AMONG:
                found += _segments(copied, of_site, name, source, among)
    columns = ["site", "source", "bar", "among", "kind", "share", "count"]
    return pd.DataFrame(found, columns=pd.Index(columns)).astype({"share": "float64", "count": "float64"})


@drawn
def draw(run: RunTables, *, site: str | None = None) -> Figure:
    """Draw the bars: among all features at the left, among stabilised ones at the right."""
    segments = data(run, site)
    if not bool(segments["share"].notna().any()):
        return undefined_sheet(run, TITLE, "no feature was described in this run")
    rows = list(dict.fromkeys(zip(segments["site"], segments["source"], strict=True)))
    several = len(sources(segments)) > 1
    figure = sheet(run, TITLE, 1.3 + (0.46 if several else 0.42) * len(rows))
    shown = _shown(run)
    panels = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    drawn_ones = segments[segments["among"].isin(shown) & (segments["share"] > 0.0)]
    fills = fills_of(dict.fromkeys(drawn_ones["kind"]))
    for axes, among in zip(panels, shown, strict=True):
        axes.set_title(AMONG[among])
        share_axis(axes, "x", "")
        axes.set_xlim(0.0, 1.0)
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0.0, labelcolor=INK)
        for at, (name, source) in enumerate(rows):
            own = segments[(segments["site"] == name) & (segments["source"] == source)]
            _row(axes, at, own[own["among"] == among], fills)
    axes = panels[0]
    axes.set_ylim(len(rows), 0.0)
    axes.yaxis.set_major_locator(FixedLocator([at + 0.3 for at in range(len(rows))]))
    labels = [clean(name, 24) + (f"\n{clean(source, 22)}" if several else "") for name, source in rows]
    axes.yaxis.set_major_formatter(FixedFormatter(labels))
    legend_below(figure, _legend(fills, [bar for bar in NULLS if bar in set(segments["bar"])]), columns=5)
    return figure


def caption(run: RunTables) -> str:
    """How to read it, its null included."""
    seeds = untrained(run.kinds)["seed"].nunique()
    none = "" if "stabilised" in _shown(run) else "No feature stabilised, so that there is no bar of such. "
    floor = "untrained copies of the network" if seeds else "untrained copies (none in this run)"
    return (
        "Each bar is all features of a site, or those that stabilised, divided by what they are named "
        "for; letters repeat the colours, and the number at the end is how many features that is, undefined ones "
        "left out. Shared "
        "ones several families explain, none more than the others; unexplained ones no family of "
        f"descriptors explains. {none}Nulls, the thin bars beneath: {floor}, "
        "on average over their seeds, and, under these, random directions of the trained activations "
        "where these were measured. Counts describe the features that there are; they have no interval."
    )


def describe(run: RunTables, *, site: str | None = None) -> list[str]:
    """Shares with the untrained ones beside them, bar by bar."""
    segments = data(run, site)
    own, copied = segments[segments["bar"] == TRAINED], CopiedKinds.of(run)
    lines = []
    for (name, source, among), rows in own.groupby(["site", "source", "among"], sort=False):
        if rows["share"].isna().all():
            lines.append(f"{name}, {source}, {AMONG[str(among)]}: undefined, there is none.")
            continue
        parts = [
            f"{row['kind']} {percent(row['share'])} ({row['count']:.0f}; untrained "
            f"{percent(copied.share(str(name), str(source), str(row['kind']), str(among)).mean)})"
            for _, row in rows.iterrows()
        ]
        lines.append(f"{name}, {source}, {AMONG[str(among)]}: {', '.join(parts)}.")
    return lines


def _shown(run: RunTables) -> tuple[str, ...]:
    """Groups of features with a panel: stabilised ones only where the network has any, at any site."""
    own = trained(run.kinds)
    own = own[(own["among"] == "stabilised") & (own["source"] != RANDOM) & (own["count"] > 0)]
    return tuple(AMONG) if len(own) else ("all",)


def fills_of(kinds: dict[str, None]) -> dict[str, Fill]:
    """A fill for each kind, in the order in which bars are stacked: known ones, others, and what names nothing.

    Examples
    --------
    >>> list(fills_of(dict.fromkeys(["undefined", "humming", "shape"])))
    ['shape', 'humming', 'undefined']
    """
    strange = sorted(kind for kind in kinds if kind not in FILLS and kind != REST)
    found = {kind: fill for kind, fill in FILLS.items() if kind in kinds and kind not in UNNAMED}
    for kind in strange[: len(OTHERS) - 1]:
        found[kind] = OTHERS[strange.index(kind)]
    if len(strange) >= len(OTHERS):
        found[REST] = OTHERS[-1]
    return found | {kind: FILLS[kind] for kind in UNNAMED if kind in kinds}


def _segments(
    copied: CopiedKinds, of_site: pd.DataFrame, name: str, source: str, among: str
) -> list[tuple[str, str, str, str, str, float, float]]:
    """The bar of the trained network, and its two nulls."""
    group = of_site[of_site["among"] == among]
    own, chance = group[group["source"] == source], group[group["source"] == RANDOM]
    head = (name, source)
    if own.empty:
        return [(*head, TRAINED, among, "undefined", float("nan"), 0.0)]
    found = [(*head, TRAINED, among, *_cells(row)) for _, row in own.iterrows()]
    for kind in copied.kinds(name, source, among):
        share = copied.share(name, source, kind, among).mean
        found.append((*head, FLOOR, among, kind, share, float("nan")))
    return found + [(*head, CHANCE, among, *_cells(row)) for _, row in chance.iterrows()]


def _cells(row: pd.Series) -> tuple[str, float, float]:
    return str(row["kind"]), float(row["share"]), float(row["count"])


def _row(axes: Axes, at: int, own: pd.DataFrame, fills: dict[str, Fill]) -> None:
    for bar, (start, height) in HEIGHTS.items():
        rows = own[own["bar"] == bar]
        if rows.empty:
            continue
        if rows["share"].isna().all():
            axes.add_patch(Rectangle((0.0, at + start), 1.0, height, **CROSSED))
            axes.text(
                0.5,
                at + start + height / 2,
                "none, or undefined",
                size=5.6,
                color=SOFT,
                ha="center",
                va="center",
                bbox=WHITE,
            )
            continue
        _bar(axes, (at + start, height), rows, fills, letters=bar == TRAINED)
        if bar == TRAINED:
            many = f"{rows.loc[rows['kind'] != UNDEFINED, 'count'].sum():,.0f}"
            axes.text(1.012, at + start + height / 2, many, size=5.6, color=SOFT, va="center", clip_on=False)


WHITE: Style = {"boxstyle": "round,pad=0.2", "facecolor": PAPER, "edgecolor": "none"}


def _stacked(rows: pd.DataFrame, fills: dict[str, Fill]) -> dict[str, float]:
    """Shares in the order of the fills; kinds beyond what can be told apart are one."""
    shares = dict.fromkeys(fills, 0.0)
    named = rows[rows["share"] > 0.0]  # of an undefined kind there is no share
    for kind, share in zip(named["kind"], named["share"], strict=True):
        shares[kind if kind in fills else REST] += float(share)
    return shares


def _bar(
    axes: Axes, place: tuple[float, float], rows: pd.DataFrame, fills: dict[str, Fill], *, letters: bool
) -> None:
    (top, height), left = place, 0.0
    for kind, share in _stacked(rows, fills).items():
        fill = fills[kind]
        box: Style = {"facecolor": fill.colour, "edgecolor": NULL, "linewidth": 0.3, "hatch": fill.hatch}
        if share > 0.0:
            axes.add_patch(Rectangle((left, top), share, height, **box))
        if letters and fill.letter and share > 0.035:
            on: Style = {"color": fill.on, "ha": "center", "va": "center_baseline"}
            ground: Style = {"boxstyle": "round,pad=0.12", "facecolor": fill.colour, "edgecolor": "none"}
            axes.text(left + share / 2, top + height / 2, fill.letter, size=5.6, bbox=ground, **on)
        left += share


def _legend(fills: dict[str, Fill], nulls: list[str]) -> list[Patch]:
    patches = []
    for kind, fill in fills.items():
        words = f"{fill.letter}  {clean(kind, 24)}" if fill.letter else clean(kind, 24)
        box: Style = {"facecolor": fill.colour, "edgecolor": NULL, "linewidth": 0.4, "hatch": fill.hatch}
        patches.append(Patch(label=words, **box))
    words = f"thin bars: {', then '.join(nulls)} ({'null' if len(nulls) == 1 else 'nulls'})"
    return [
        *patches,
        *([Patch(facecolor=PAPER, edgecolor=NULL, linewidth=0.4, label=words)] if nulls else []),
    ]
