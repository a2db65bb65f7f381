"""Steering before and after: what the decoded sound, or the head's outputs, do at f and elsewhere, over dose.

A column of panels a frequency. Above, the gain at f: dB of power within ±1 ERB of f, or the share of what the partial
itself evokes in the outputs. Below, what else happens: leakage, the change of power elsewhere re the power there; of
outputs, the share of the change that lies along what the partial evokes. Controls: random directions of equal norm and
variance, other targets' directions, the wrong sign.
"""

from __future__ import annotations

import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from tonotopy.views.axes import hz_words, log_axis
from tonotopy.views.causes import DOSE
from tonotopy.views.palette import BLUE, NULL, RUST, SKY, SOFT
from tonotopy.views.paper import (
    CROSSED,
    Style,
    clean,
    drawn,
    grid_lines,
    legend_below,
    sheet,
    undefined_panel,
    undefined_sheet,
)
from tonotopy.views.tables import RunTables
from tonotopy.views.words import count, decimal, missing, number

NAMES = ("steering",)
CITATION = ""
LICENCE = "MIT"
TITLE = "Steering, before and after: what a push along a line does at f and elsewhere"

COLUMNS = 4
MOST = 8  # frequencies drawn; the table has all
DASHES = (0, (3, 1.5))
DOTS = (0, (1, 1.4))
CURVES: dict[str, tuple[str, Style]] = {
    "own": ("the frequency's own line", {"color": BLUE, "marker": "o", "markersize": 2.8, "zorder": 6}),
    "random": (
        "random directions, mean and range (null)",
        {"color": NULL, "marker": "s", "markersize": 2.2, "zorder": 4},
    ),
    "other": ("other frequencies' lines", {"color": SKY, "linestyle": DASHES, "zorder": 3}),
    "wrong sign": ("wrong sign", {"color": SOFT, "linestyle": DOTS, "zorder": 2}),
}
ADDED = "the partial itself, added"


def data(run: RunTables, site: str | None = None) -> pd.DataFrame:
    """One row a frequency, kind of direction and dose: effects averaged over the directions of that kind.

    Of one site: the one asked for, else the end of the stack, else the last that was steered; of its sound, where it
    was decoded.
    """
    rows = run.of(run.steering, run.chosen(site))
    if rows.empty:
        return _grouped(rows)
    ends = set(run.sites.loc[run.sites["role"] == "stack_end", "site"])
    present = list(dict.fromkeys(rows["site"]))
    chosen = next((name for name in present if name in ends), present[-1])
    rows = rows[rows["site"] == chosen]
    heard = "sound" if "sound" in set(rows["heard"]) else "outputs"
    return _grouped(rows[rows["heard"] == heard])


def _grouped(rows: pd.DataFrame) -> pd.DataFrame:
    keys = ["site", "heard", "frequency_hz", "kind", "strength"]
    effects = ["gain_db", "leakage", "gain", "specificity", "specificity_level"]
    groups = rows.groupby(keys, sort=False)
    found = groups[effects].mean()
    gains = rows["gain_db"].where(rows["heard"] == "sound", rows["gain"])
    spread = gains.groupby([rows[key] for key in keys], sort=False).agg(["min", "max"])
    found["least_gain"], found["most_gain"] = spread["min"], spread["max"]
    ends = [
        "gain_db_low",
        "gain_db_high",
        "gain_low",
        "gain_high",
        "present_gain_db",
        "present_specificity_level",
    ]
    found[ends] = groups[ends].mean()
    found["directions"] = groups["direction"].nunique()
    found["reason"] = groups["reason"].first()
    return found.reset_index()


@drawn
def draw(run: RunTables, *, site: str | None = None) -> Figure:
    """Draw two panels a frequency, four frequencies a row."""
    rows = data(run, site)
    if rows.empty:
        return undefined_sheet(run, TITLE, "nothing was steered here")
    sound = rows["heard"].iloc[0] == "sound"
    every = np.unique(rows["frequency_hz"].to_numpy(dtype=np.float64))
    hz = every[np.unique(np.round(np.linspace(0, len(every) - 1, min(MOST, len(every)))).astype(int))]
    columns = min(COLUMNS, len(hz))
    blocks = -(-len(hz) // columns)
    figure = sheet(run, TITLE, 0.85 + 2.15 * blocks)
    ratios = [1.5, 1.0] * blocks
    panels = figure.subplots(2 * blocks, columns, squeeze=False, gridspec_kw={"height_ratios": ratios})
    limits = _limits(rows[rows["frequency_hz"].isin(hz)], sound=sound)
    for at in range(blocks * columns):
        upper, lower = (
            panels[2 * (at // columns), at % columns],
            panels[2 * (at // columns) + 1, at % columns],
        )
        if at >= len(hz):
            upper.set_axis_off()
            lower.set_axis_off()
            continue
        own = rows[rows["frequency_hz"] == hz[at]]
        _frequency(upper, lower, own, limits, sound=sound, first=at % columns == 0)
    legend_below(figure, _legend(rows, sound=sound), columns=3)
    return figure


def _limits(rows: pd.DataFrame, *, sound: bool) -> dict[str, tuple[float, float]]:
    """Axes that all frequencies share."""
    names = ["gain_db", "gain_db_low", "gain_db_high", "present_gain_db"]
    names = names if sound else ["gain", "gain_low", "gain_high"]
    rows = rows[rows["kind"].isin([*CURVES])]
    values = rows[[*names, "least_gain", "most_gain"]].to_numpy(dtype=np.float64)
    known = np.append(values[np.isfinite(values)], [0.0, 0.0 if sound else 1.0])
    pad = 0.06 * max(1.0, float(np.ptp(known)))
    found = {"gain": (float(known.min()) - pad, float(known.max()) + pad), "beside": (0.0, 1.03)}
    leaked = rows["leakage"].to_numpy(dtype=np.float64)
    leaked = leaked[leaked > 0]
    if sound and len(leaked):
        found["beside"] = (0.7 * float(leaked.min()), 1.4 * float(leaked.max()))
    return found


def _frequency(
    upper: Axes,
    lower: Axes,
    rows: pd.DataFrame,
    limits: dict[str, tuple[float, float]],
    *,
    sound: bool,
    first: bool,
) -> None:
    """Both panels of one frequency."""
    own = rows[rows["kind"] == "own"]
    gain, beside = ("gain_db", "leakage") if sound else ("gain", "specificity")
    upper.set_title(f"{hz_words(float(own['frequency_hz'].iloc[0]))} Hz", loc="left")
    if not bool(own[gain].notna().any()):
        why = textwrap.fill(str(own["reason"].iloc[0] or "nothing changed"), 22)
        undefined_panel(upper, why if len(why) < 120 else why[:117] + "…")
        undefined_panel(lower, "as above")
        return
    for axes, column in ((upper, gain), (lower, beside)):
        grid_lines(axes)
        for kind, (_, style) in CURVES.items():
            curve = rows[rows["kind"] == kind].sort_values("strength")
            line: Style = {"linewidth": 1.1} | style
            x, y = (curve[name].to_numpy(dtype=np.float64) for name in ("strength", column))
            if axes is upper and len(x):  # no push, no effect
                at = int(np.searchsorted(x, 0.0))
                line["markevery"] = [place for place in range(len(x) + 1) if place != at]
                x, y = np.insert(x, at, 0.0), np.insert(y, at, 0.0)
            axes.plot(x, y, **line)
            if kind == "random" and axes is upper:
                axes.fill_between(
                    curve["strength"],
                    curve["least_gain"],
                    curve["most_gain"],
                    color=NULL,
                    alpha=0.2,
                    linewidth=0.0,
                )
            if kind == "own" and axes is upper:
                low, high = curve[f"{gain}_low"], curve[f"{gain}_high"]
                axes.vlines(curve["strength"], low, high, color=BLUE, linewidth=1.6, alpha=0.35, zorder=5)
        axes.set_xticks(sorted({-2.0, -1.0, 0.0, 1.0, 2.0} & {0.0, *rows["strength"]}))
        axes.tick_params(labelbottom=axes is lower)
    added = float(own["present_gain_db"].iloc[0]) if sound else 1.0
    upper.axhline(0.0, color=NULL, linewidth=0.6)
    upper.axhline(added, color=RUST, linewidth=0.9, linestyle=DASHES)
    upper.set_ylim(*limits["gain"])
    if sound and limits["beside"][0] > 0:
        log_axis(lower, "y", *limits["beside"])
    else:
        lower.set_ylim(*limits["beside"])
    if first:
        upper.set_ylabel("gain at f (dB)" if sound else "gain (partial = 1)")
        lower.set_ylabel("leakage" if sound else "along the\npartial's")
    else:
        upper.tick_params(labelleft=False)
        lower.tick_params(labelleft=False)
    lower.set_xlabel(f"dose at {clean(own['site'].iloc[0], 20)}")


def _legend(rows: pd.DataFrame, *, sound: bool) -> list[Line2D | Patch]:
    there = set(rows["kind"])
    handles: list[Line2D | Patch] = [
        Line2D([], [], label=words, **style) for kind, (words, style) in CURVES.items() if kind in there
    ]
    handles.append(Line2D([], [], color=RUST, linestyle=DASHES, linewidth=0.9, label=ADDED))
    own = rows[rows["kind"] == "own"].groupby("frequency_hz")["gain_db" if sound else "gain"]
    if bool(own.count().eq(0).any()):
        handles.append(Patch(label="undefined", **CROSSED))
    return handles


def caption(run: RunTables, *, site: str | None = None) -> str:
    """How to read it, its null included."""
    rows = data(run, site)
    many = rows.loc[rows["kind"] == "random", "directions"]
    null = (
        f"{count(int(many.max()), 'random direction')} of equal norm and variance"
        if len(many)
        else "none was tried"
    )
    sound = rows.empty or rows["heard"].iloc[0] == "sound"
    where = "" if rows.empty else f" at {rows['site'].iloc[0]}"
    of_sound = (
        "Above, power within ±1 ERB of f in the decoded sound, after re before; below, change of power elsewhere, "
        "re what was there."
    )
    of_outputs = (
        "Above, the outputs' change along what the partial evokes; below, the share of the change along it."
    )
    what = of_sound if sound else of_outputs
    return (
        f"Music without the partial, pushed{where} along the partial's line by so many times what the "
        "partial itself moves there, means over pieces with 95 % intervals where there are pieces "
        f"enough. {what} A direction that means the partial rises to the dashed line, the partial really "
        f"added, at dose 1, and leaks no more than that. Null: {null}, in grey with their range; lines of "
        "other frequencies and the wrong sign are controls too. Where the band is cleared anything that "
        "distorts fills it: gain alone says little. Crossed panels are undefined, with the reason."
    )


def describe(run: RunTables, *, site: str | None = None) -> list[str]:
    """Gain and what is beside it at dose 1, frequency by frequency."""
    rows = data(run, site)
    lines = []
    for hz, own in rows[rows["strength"] == DOSE].groupby("frequency_hz"):
        kinds = {str(row["kind"]): row for _, row in own.iterrows()}
        one, null = kinds["own"], kinds.get("random", pd.Series(dtype=float))
        sound = one["heard"] == "sound"
        gain, beside, unit = ("gain_db", "leakage", " dB") if sound else ("gain", "specificity", "")
        head = f"{one['site']}, {number(float(str(hz)))} Hz"
        if missing(one[gain]):
            lines.append(f"{head}: undefined ({one['reason'] or 'nothing changed'}).")
            continue
        added = one["present_gain_db"] if sound else 1.0
        lines.append(
            f"{head}: gain {decimal(one[gain])}{unit}, random {decimal(null.get(gain))}{unit}, partial itself "
            f"{decimal(added)}{unit}; {beside} {decimal(one[beside])}, random {decimal(null.get(beside))}."
        )
    return lines
