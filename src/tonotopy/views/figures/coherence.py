"""What the fragments that each feature answers to most have in common, as waveforms and as spectra, a dot a feature.

Across, waveform coherence; up, the *lift* of one band of the spectrum. Right of the null a feature's fragments are
more alike as waveforms than those of random directions at the same place of the spectrum; above it, one band stands
out more. Features that stabilise as waveforms and stay low are monosemantic in a waveform basis and polysemantic in
the spectral one. Nulls: the matched random directions of each feature, and untrained copies.

A deviation from SPEC § 5, whose spectral coherence is the mean pairwise cosine of whole spectra: that one cannot tell
the channels of a perfect cochlea from random mixtures of them, so that lift is what is judged, and what is drawn. Both
are in the data.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from tonotopy.views._feature_rows import (
    GIVEN,
    MOST_FEATURES,
    RANDOM,
    STABILISED,
    copies,
    few_features,
    sources,
    trained,
    untrained,
)
from tonotopy.views.features import OVER_FEATURES
from tonotopy.views.figures._contract import highlights
from tonotopy.views.palette import BLUE, FAINT, NULL, PAPER, RUST, SOFT, VEIL
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
from tonotopy.views.tables import RunTables
from tonotopy.views.words import count, decimal, missing, percent, share_with_interval

NAMES = ("coherence",)
CITATION = ""
LICENCE = "MIT"
TITLE = "Are features waveforms or spectra? Coherence of their strongest fragments"

COLUMNS = (
    *("weights", "seed", "site", "order", "source", "feature", "number", "stabilised", "spectrally_stable"),
    *("waveform", "null_waveform", "p_waveform", "spectral", "null_spectral", "p_spectral"),
    *("lift", "null_lift", "p_lift"),
)
#: More dots than so many in a panel are one picture in an SVG.
AS_PICTURE = 200
DRAWN = ("waveform", "lift")
#: Measures in a sentence; the last is reported and not judged.
WORDS = {"waveform": "coherence as waveform", "lift": "lift", "spectral": "cosine of whole spectra"}
REACH = (0.05, 0.95)  # quantiles of the matched nulls that the band spans
#: Face and marker by (stabilised, spectrally stable).
MARKS: dict[tuple[bool, bool], tuple[str, str, str]] = {
    (False, False): (PAPER, BLUE, "o"),
    (True, False): (BLUE, BLUE, "o"),
    (False, True): (PAPER, RUST, "D"),
    (True, True): (RUST, RUST, "D"),
}


def data(run: RunTables, site: str | None = None) -> pd.DataFrame:
    """One row a feature that is drawn, of the weights under study and of untrained copies; `few_features` of many."""
    return few_features(run, _every(run, site))[list(COLUMNS)]


@drawn
def draw(run: RunTables, *, site: str | None = None) -> Figure:
    """Draw one panel a site and source."""
    every, dots = _every(run, site), data(run, site)
    if not bool(trained(dots)[list(DRAWN)].notna().all(axis=1).any()):
        return undefined_sheet(run, TITLE, "no feature has a defined coherence")
    sites, rows = list(dict.fromkeys(dots["site"])), sources(dots)
    figure = sheet(run, TITLE, 0.75 + 2.15 * len(rows))
    panels = figure.subplots(len(rows), len(sites), squeeze=False)
    there = np.array([[bool(len(_of(dots, name, source))) for name in sites] for source in rows])
    reach = _reach(dots)
    for row, column in np.ndindex(*there.shape):
        axes: Axes = panels.item(row, column)
        name, source = sites[column], rows[row]
        if not there[row, column]:
            axes.set_axis_off()  # a site without such features
            continue
        every_one = len(trained(_of(every, name, source)))
        axes.set_title(clean(f"{name} · {source}" if len(rows) > 1 else name, 30), size=6.6, pad=28)
        _panel(axes, run, _of(dots, name, source), every_one, reach)
        lowest, first = not there[row + 1 :, column].any(), not there[row, :column].any()
        axes.tick_params(labelbottom=lowest, labelleft=first)
        axes.set_xlabel("waveform coherence" if lowest else "")
    figure.supylabel("lift of one band of the spectrum (normal score)", size=7, color=SOFT)
    legend_below(figure, _legend(dots), columns=4)
    return figure


def caption(run: RunTables) -> str:
    """How to read it, its null included."""
    seeds = untrained(run.features)["seed"].nunique()
    floor = "grey dots are features of untrained copies" if seeds else "no untrained copy was measured"
    own = run.features[run.features["source"] != RANDOM]
    most = int(own.groupby(["weights", "site", "source"]).size().max()) if len(own) else 0
    few = (
        f"At most {MOST_FEATURES} features of one source at one site are drawn, those that stabilised before "
        "others, undefined ones last, at random with the seed of the run; numbers over a panel are of all. "
    )
    return (
        "One dot a feature: how alike the sounds are that it answers to most. Across, as waveforms; up, as spectra, by "
        "how far one band stands out at all of its sounds, its lift. The mean cosine of whole spectra is in the data "
        "too, and not judged: the rest of the music is in every spectrum, so that this cosine cannot tell a perfect "
        "cochlea from random mixtures of its channels. Filled dots are stabilised, diamonds are spectrally stable; "
        "what is undefined has no dot. Nulls: the dashed lines are the median of the random directions matched to "
        f"each feature, with the band that holds nine in ten of these; {floor}. Neither is judged by a place on the "
        "page, but by a p value against a feature’s own matched directions. "
        f"{few if most > MOST_FEATURES else ''}{OVER_FEATURES}"
    )


def describe(run: RunTables, *, site: str | None = None) -> list[str]:
    """Shares and medians of all features, site by site."""
    lines = []
    for (name, source), own in trained(_every(run, site)).groupby(["site", "source"], sort=False):
        known = own[own[list(DRAWN)].notna().all(axis=1)]
        medians = known[[part + column for column in (*DRAWN, "spectral") for part in ("", "null_")]].median()
        floor = copies(run, str(name), str(source), STABILISED[0])
        parts = [
            f"{words} {decimal(medians[column])} (null {decimal(medians['null_' + column])})"
            for column, words in WORDS.items()
        ]
        left = len(own) - len(known)
        undefined = f"; {left:,} of {len(own):,} undefined" if left else ""
        lines.append(
            f"{name}, {source}: {_stabilised(run, own)}; {_given(run, own)}; medians: {', '.join(parts)}; "
            f"stabilised in untrained copies {floor.words}{undefined}."
        )
    return lines


def _every(run: RunTables, site: str | None) -> pd.DataFrame:
    """Features of the sites that are drawn, all of them; random directions are in the nulls."""
    table = run.features[run.features["source"] != RANDOM]
    return run.of(table, highlights(run, trained(table), site))


def _reach(dots: pd.DataFrame) -> tuple[float, float]:
    """Ends of the axis of lifts, in all panels the same."""
    values = dots[["lift", "null_lift"]].to_numpy(dtype=np.float64)
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    room = 0.05 * (high - low) or 0.05
    return low - room, high + room


def _of(table: pd.DataFrame, name: str, source: str) -> pd.DataFrame:
    return table[(table["site"] == name) & (table["source"] == source)]


def _panel(axes: Axes, run: RunTables, own: pd.DataFrame, every: int, reach: tuple[float, float]) -> None:
    features = trained(own)
    known = features[features[list(DRAWN)].notna().all(axis=1)]
    # The shares that the picture is about, where no dot can hide them.
    shares = f"{_stabilised(run, features)}\n{_given(run, features)}"
    words = f"{shares}\n{len(known):,} of {every:,} drawn"
    above: Style = {"va": "bottom", "linespacing": 1.25}
    axes.text(0.0, 1.01, words, transform=axes.transAxes, size=5.3, color=SOFT, **above)
    if known.empty:
        undefined_panel(axes, "no coherence")
        return
    grid_lines(axes)
    axes.set_xlim(-0.03, 1.03)
    axes.set_ylim(*reach)
    axes.set_xticks([0.0, 0.5, 1.0])
    axes.yaxis.set_major_locator(MaxNLocator(4))
    _null(axes, known)
    copied = untrained(own)
    axes.scatter(
        copied["waveform"], copied["lift"], s=5, color=NULL, alpha=0.45, linewidths=0.0, zorder=2,
        rasterized=len(copied) > AS_PICTURE,
    )  # fmt: skip
    _dots(axes, known)


def _null(axes: Axes, known: pd.DataFrame) -> None:
    """Where random directions at the features' own places of the spectrum lie."""
    for values, line, band in (
        (known["null_waveform"].dropna(), axes.axvline, axes.axvspan),
        (known["null_lift"].dropna(), axes.axhline, axes.axhspan),
    ):
        if len(values):
            low, high = np.quantile(values, REACH).tolist()
            band(low, high, facecolor=VEIL, linewidth=0.0, zorder=0.5)
            line(float(values.median()), color=SOFT, linewidth=0.7, linestyle=(0, (3, 1.5)), zorder=1)


def _dots(axes: Axes, known: pd.DataFrame) -> None:
    picture = len(known) > AS_PICTURE
    for (stabilised, spectral), (face, edge, marker) in MARKS.items():
        at = (known["stabilised"] == "yes") == stabilised
        at &= (known["spectrally_stable"] == "yes") == spectral
        dots: Style = {"facecolors": face, "edgecolors": edge, "marker": marker, "rasterized": picture}
        axes.scatter(
            known.loc[at, "waveform"], known.loc[at, "lift"],
            s=7 if picture else 13, linewidths=0.6, alpha=0.85, zorder=4 + stabilised, **dots,
        )  # fmt: skip


def _stabilised(run: RunTables, features: pd.DataFrame) -> str:
    """How many stabilise, from the table of sites, which has the interval."""
    row = _row(run, features)
    if row is None:
        return f"{int((features['stabilised'] == 'yes').sum()):,} of {len(features):,} stabilised"
    if missing(row["share_stabilised"]):
        return f"{count(int(row['n']), 'feature')}, stabilised: undefined"
    share = share_with_interval(*row[list(STABILISED)])
    return f"{int(row['n_stabilised']):,} of {int(row['n_defined']):,} stabilised, {share}"


def _given(run: RunTables, features: pd.DataFrame) -> str:
    """P(spectrally stable | stabilised)."""
    row = _row(run, features)
    if row is None:
        of = features[features["stabilised"] == "yes"]
        known = of[of["spectrally_stable"] != "undefined"]
        value = float((known["spectrally_stable"] == "yes").mean()) if len(known) else float("nan")
        return f"P(spectral | stabilised) {percent(value)}"
    return f"P(spectral | stabilised) {share_with_interval(*row[list(GIVEN)])}"


def _row(run: RunTables, features: pd.DataFrame) -> pd.Series | None:
    """The row of the table of sites for features of one site and source."""
    rows = trained(run.feature_sites)
    place = features[["site", "source"]].drop_duplicates()
    rows = rows.merge(place, on=["site", "source"])
    return rows.iloc[0] if len(rows) else None


def _legend(dots: pd.DataFrame) -> list[Line2D | Patch]:
    """Marks that are there, and the nulls."""
    dot: Style = {"linestyle": "none", "markersize": 3.8, "markeredgewidth": 0.8}
    words = {
        (True, False): "stabilised",
        (False, True): "spectrally stable",
        (True, True): "both",
        (False, False): "neither",
    }
    handles: list[Line2D | Patch] = [
        Line2D([], [], marker=marker, markerfacecolor=face, markeredgecolor=edge, label=words[key], **dot)
        for key, (face, edge, marker) in MARKS.items()
    ]
    if bool((dots["weights"] == "floor").any()):
        grey: Style = {"linestyle": "none", "marker": "o", "color": NULL, "alpha": 0.6, "markersize": 2.6}
        handles.append(Line2D([], [], label="untrained (null)", **grey))
    line: Style = {"color": SOFT, "linewidth": 0.7, "linestyle": (0, (3, 1.5))}
    band: Style = {"facecolor": VEIL, "edgecolor": FAINT, "linewidth": 0.3}
    handles.append(Line2D([], [], label="matched random directions (null)", **line))
    return [*handles, Patch(label="nine in ten of them", **band)]
