"""What larger models and more data change: stable, entangled and covered frequencies against parameters.

One row a site and a last row for all sites together, one line an amount of data. *Covered* is stable or detected;
in the last row at any site, and *entangled* is there what some site detects and none carries stably. Nulls: the
mean over untrained copies of each architecture (hollow marks, stable only); an interval that overlaps another's
says nothing between them.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tonotopy.judgement.scaling import CLAIM, GONE, Model, Scaling, Share
from tonotopy.judgement.scaling import scaling as judged
from tonotopy.views.axes import log_axis, share_axis
from tonotopy.views.figures._contract import highlights
from tonotopy.views.palette import INK, NULL, PAPER, SITES
from tonotopy.views.paper import Style, clean, drawn, grid_lines, legend_below, sheet, undefined_sheet
from tonotopy.views.series import SeriesTables, Subject
from tonotopy.views.words import missing, number, percent, share_with_interval

NAMES = ("scaling",)
CITATION = ""
LICENCE = "MIT"
TITLE = "Scaling: what larger models and more data change"
OF_SERIES = True

ANYWHERE = "any site"
PANELS = ("stable", "entangled", "coverage")
WORDS = {"stable": "stable", "entangled": "entangled", "coverage": "stable or detected"}
COLUMNS = (
    "site",
    "member",
    "parameters",
    "hours",
    *(name + end for name in PANELS for end in ("", "_low", "_high")),
    "floor_stable_mean",
)
DODGE = 0.05  # of a line's marks, in natural logarithms of the parameters
LINES = (*SITES, (INK, "v"))


def data(run: Subject, site: str | None = None) -> pd.DataFrame:
    """One row a site (or all sites together) and model."""
    sites = run.chosen(site)
    if not isinstance(run, SeriesTables) or run.series.kind != "scaling":
        return pd.DataFrame(columns=pd.Index(COLUMNS))
    shown = [name for name in highlights(run, run.shares, site) if name in sites]
    rows = [_at_site(run.shares[run.shares["site"] == name]) for name in shown]
    if site is None:
        whole = run.anywhere.assign(site=ANYWHERE, floor_stable_mean=float("nan"))
        rows.append(whole[list(COLUMNS)])
    return pd.concat(rows, ignore_index=True)


@drawn
def draw(run: Subject, *, site: str | None = None) -> Figure:
    """Draw the panels."""
    rows = data(run, site)
    if rows.empty:
        return undefined_sheet(run, TITLE, "one run is no grid of models")
    known = rows["parameters"].dropna()
    if known.empty:
        return undefined_sheet(run, TITLE, "the number of parameters is not known of any model")
    sites = list(dict.fromkeys(rows["site"]))
    amounts = sorted({_hours(value) for value in rows["hours"]})
    figure = sheet(run, TITLE, 0.9 + 1.25 * len(sites))
    panels = figure.subplots(len(sites), len(PANELS), squeeze=False, sharex=True, sharey=True)
    for line, name in enumerate(sites):
        own = rows[rows["site"] == name]
        for column, panel in enumerate(PANELS):
            axes = panels[line, column]
            _panel(axes, own, panel, amounts)
            share_axis(axes, "y", clean(name, 18) if column == 0 else "")
            log_axis(axes, "x", 0.8 * known.min(), 1.25 * known.max())
            if line == 0:
                axes.set_title(WORDS[panel])
            if line == len(sites) - 1:
                axes.set_xlabel("parameters")
    legend_below(figure, _legend(amounts, rows), columns=4)
    return figure


def caption(run: Subject) -> str:
    """How to read it, its nulls included."""
    intervals = (
        "Bars are 95 % intervals over pieces."
        if isinstance(run, SeriesTables) and run.has_intervals
        else "Intervals over pieces are undefined here."
    )
    return (
        f"{intervals} Lines are shifted a little, so that their bars do not cover one another. Parameters are those of "
        "the encoder up to its last site. In the row of any site, entangled is what some site detects and none carries "
        "stably, and coverage is what any site carries stably or detects; coincidental frequencies are not counted. "
        "Null: the mean share of stable frequencies in untrained copies of the same architecture (hollow marks), "
        "where it was measured. Differences are claimed only where intervals do not overlap."
    )


def describe(run: Subject, *, site: str | None = None) -> list[str]:
    """The claim first, then every model in words."""
    rows = data(run, site)
    if rows.empty:
        return []
    lines = claim_lines(run) if site is None and isinstance(run, SeriesTables) else []
    for _, row in rows.iterrows():
        words = ", ".join(
            f"{WORDS[name]} {share_with_interval(row[name], row[f'{name}_low'], row[f'{name}_high'])}"
            for name in PANELS
        )
        lines.append(
            f"{row['site']}, {number(row['parameters'])} parameters, {_amount(row['hours'])}: {words}."
        )
    return lines


def claim_lines(run: SeriesTables) -> list[str]:
    """What the grid says on claim 14, by the rule that is stated there.

    Examples
    --------
    A grid whose intervals overlap everywhere says ``undetermined``.
    """
    found = claim(run)
    lines = [
        f"Claim 14, “{CLAIM}”: {found.answer}, as far as coverage and entanglement go; reuse is not measured."
    ]
    for one in found.comparisons:
        fixed = _amount(one.fixed) if one.axis == "parameters" else f"{number(one.fixed)} parameters"
        ends = " to ".join(number(end) for end in one.ends)
        shares = " to ".join(share_with_interval(s.value, s.low, s.high) for s in one.shares)
        lines.append(f"Coverage over {one.axis}, {ends}, at {fixed}: {shares}: {one.answer}.")
    lines += [f"Coverage over {axis}, all lines: {answer}." for axis, answer in found.axes.items()]
    left = found.largest.entangled
    lines.append(
        f"Entanglement in the largest model on the most data ({number(found.largest.parameters)} parameters): "
        f"{share_with_interval(left.value, left.low, left.high)} of frequencies are detected and stable at no site: "
        f"{found.entanglement} (gone would be {percent(GONE)} at most, with its interval)."
    )
    return lines


def claim(run: SeriesTables) -> Scaling:
    """Claim 14 judged on a grid."""
    return judged(
        [
            Model(
                float(row["parameters"]),
                float(row["hours"]),
                _share(row, "coverage"),
                _share(row, "entangled"),
            )
            for _, row in run.anywhere.iterrows()
        ]
    )


def _share(row: pd.Series, name: str) -> Share:
    return Share(float(row[name]), float(row[f"{name}_low"]), float(row[f"{name}_high"]))


def _at_site(shares: pd.DataFrame) -> pd.DataFrame:
    """Rows of one site, under the names of the panels."""
    names = {
        f"{part}_{name}": f"{name}{end}"
        for name in ("stable", "entangled")
        for part, end in (("share", ""), ("low", "_low"), ("high", "_high"))
    }
    return shares.rename(columns=names)[list(COLUMNS)]


def _panel(axes: Axes, own: pd.DataFrame, panel: str, amounts: list[float]) -> None:
    """One share of one site: a line for each amount of data."""
    grid_lines(axes, "y")
    for index, hours in enumerate(amounts):
        line = own[[_hours(value) == hours for value in own["hours"]]].sort_values("parameters")
        colour, marker = LINES[index % len(LINES)]
        at = line["parameters"].to_numpy(dtype=float) * np.exp(DODGE * (index - (len(amounts) - 1) / 2))
        values = line[panel].to_numpy(dtype=float)
        reach = np.abs(line[[f"{panel}_low", f"{panel}_high"]].to_numpy(dtype=float).T - values)
        look: Style = {
            "color": colour,
            "marker": marker,
            "markersize": 3.2,
            "elinewidth": 0.8,
            "linewidth": 1.0,
        }
        axes.errorbar(at, values, yerr=reach, **look)
        if panel == "stable":
            hollow: Style = {"markersize": 3.0, "markerfacecolor": PAPER, "markeredgecolor": NULL}
            axes.plot(at, line["floor_stable_mean"], marker, linestyle="none", **hollow)


def _legend(amounts: list[float], rows: pd.DataFrame) -> list[Line2D]:
    handles = [
        Line2D(
            [],
            [],
            color=LINES[k % len(LINES)][0],
            marker=LINES[k % len(LINES)][1],
            markersize=3.5,
            label=_amount(h),
        )
        for k, h in enumerate(amounts)
    ]
    if bool(rows["floor_stable_mean"].notna().any()):
        look: Style = {
            "markerfacecolor": PAPER,
            "markeredgecolor": NULL,
            "linestyle": "none",
            "markersize": 3.5,
        }
        handles.append(Line2D([], [], marker="o", label="floor: untrained (null)", **look))
    return handles


def _hours(value: float) -> float:
    """Hours as a key: what was not told is one group of its own."""
    return -1.0 if missing(value) else float(value)


def _amount(hours: float) -> str:
    return "data not told" if missing(hours) or hours < 0 else f"{number(hours)} h of music"
