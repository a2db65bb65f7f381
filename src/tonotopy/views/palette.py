"""Colours and marks: one meaning each, in every figure and on every page.

Verdicts step down in lightness from stable to absent, differ in hue under every common colour blindness
(after M. Okabe and K. Ito, "Color Universal Design", 2008), and carry a letter besides, so that a print in
grey says the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

INK: Final = "#1c2530"  # text, and whatever must be seen first
SOFT: Final = "#5a6673"  # second-rank text, axes
FAINT: Final = "#c9d0d8"  # grids, ticks
NULL: Final = "#8a949f"  # nulls: shuffled labels, chance
VEIL: Final = "#e9edf1"  # bands: the floor, what is undefined
PAPER: Final = "#ffffff"
BLUE: Final = "#00639c"  # the line
SKY: Final = "#58b1e4"  # the plane
RUST: Final = "#c1550a"  # the raw input window
FALLS: Final = "\\\\\\\\\\"  # hatch of what is unresolvable
CROSSES: Final = "xxxxx"  # hatch of what is undefined


@dataclass(frozen=True)
class Mark:
    """How one verdict is drawn and what it means."""

    colour: str
    on: str  # the colour of a letter on it
    letter: str
    meaning: str


MARKS: Final[dict[str, Mark]] = {
    "stable": Mark("#00507f", PAPER, "S", "one fixed direction carries the partial, whatever surrounds it"),
    "phase-locked": Mark("#58b1e4", INK, "P", "two directions do, and the raw input window does not"),
    "coincidental": Mark("#e8a33d", INK, "C", "a direction does, but only where there is little else"),
    "entangled": Mark("#f4ddc0", INK, "E", "the partial is detected, and so is much else"),
    "absent": Mark("#f5f6f8", SOFT, "·", "not detected"),
    "undefined": Mark("#ffffff", SOFT, "", "nothing can be said; the reason is in the data"),
}

#: Colours of the sites that a figure singles out, in depth order; each with a marker of its own.
SITES: Final = (("#00639c", "o"), ("#c1550a", "s"), ("#3f8f5f", "^"), ("#8c4a86", "D"))
