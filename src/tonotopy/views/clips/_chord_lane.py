"""Prose: a chord sequence as a lane of the page and as a panel on paper."""

from __future__ import annotations

import math
from dataclasses import dataclass

from matplotlib.axes import Axes

from tonotopy.signal.chords import NO_CHORD, Chord
from tonotopy.views.clips._contract import Lane, Span
from tonotopy.views.clips._lanes import time_axis
from tonotopy.views.clips._prose import name_of, sentence
from tonotopy.views.clips._sound import Excerpt
from tonotopy.views.palette import INK, PAPER, SOFT, VEIL
from tonotopy.views.paper import clean

SOUNDING = "#d6e6f1"  # behind a chord


@dataclass(frozen=True)
class Prose:
    """Chords of an excerpt, and whether somebody gave them."""

    excerpt: Excerpt
    chords: list[Chord]
    given: bool


def chord_lane(prose: Prose) -> Lane:
    """The chords on the page: labelled stretches."""
    seconds = prose.excerpt.seconds
    spans = tuple(
        Span(
            chord.start_s / seconds,
            chord.end_s / seconds,
            chord.label,
            _span_words(chord),
            chord.label == NO_CHORD,
        )
        for chord in prose.chords
    )
    return Lane(
        "prose", "Prose: the chords", chord_source(prose), 2.5, tuple(chord_lines(prose)), spans=spans
    )


def _span_words(chord: Chord) -> str:
    sure = "" if math.isnan(chord.confidence) else f", {100 * chord.confidence:.0f} % sure"
    return f"{name_of(chord.label)}, {chord.start_s:.1f}–{chord.end_s:.1f} s{sure}"


def chord_source(prose: Prose) -> str:
    """Where the chords come from."""
    if prose.given:
        return "Chords as they were given."
    return "Chords estimated from chroma, major and minor only, smoothed by a path through chords that last; N is none."


def chord_lines(prose: Prose) -> list[str]:
    """The chords in sentences."""
    return [sentence(prose.chords)]


def draw_chords(axes: Axes, prose: Prose) -> None:
    """The chords on paper."""
    begin, seconds = prose.excerpt.start_s, prose.excerpt.seconds
    for chord in prose.chords:
        none = chord.label == NO_CHORD
        width = chord.end_s - chord.start_s
        axes.axvspan(
            begin + chord.start_s,
            begin + chord.end_s,
            facecolor=VEIL if none else SOUNDING,
            edgecolor=PAPER,
            linewidth=1,
        )
        letters = clean(chord.label, 14)
        if width / seconds > 0.011 * len(letters):
            middle = begin + (chord.start_s + chord.end_s) / 2
            axes.text(
                middle, 0.5, letters, ha="center", va="center", color=SOFT if none else INK, clip_on=True
            )
    axes.set_ylim(0.0, 1.0)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_title("Prose: the chords" + (", as given" if prose.given else ", estimated"))
    time_axis(axes, prose.excerpt)
