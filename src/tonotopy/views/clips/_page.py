"""The interactive page of a figure: one file that opens from disk, asks nothing of the network, and plays.

Whatever comes from files passes through Jinja's escaping. The content security policy allows the page's own style
and script, by their hashes, and data addresses for pictures and sounds, nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import jinja2
import matplotlib.image
import numpy as np
from markupsafe import Markup
from matplotlib.colors import Colormap, LinearSegmentedColormap
from numpy.typing import NDArray

from tonotopy import __version__
from tonotopy.views.clips._contract import Content
from tonotopy.views.clips._sound import Excerpt
from tonotopy.views.palette import INK, PAPER
from tonotopy.views.report import environment

ASSETS: Final = Path(__file__).parent / "assets"

#: White where there is nothing, so that a dark page can turn it round; even steps of lightness.
SCALE: Final[Colormap] = LinearSegmentedColormap.from_list(
    "ink", [PAPER, "#c3e0f1", "#6cb1da", "#1a6ea6", INK]
)
GREY: Final[Colormap] = LinearSegmentedColormap.from_list("grey", [PAPER, "#8a949f"])


def page(name: str, title: str, excerpt: Excerpt, content: Content) -> str:
    """The page as HTML."""
    style, script = ((ASSETS / f"clip.{kind}").read_text(encoding="utf-8") for kind in ("css", "js"))
    template = environment().overlay(loader=jinja2.FileSystemLoader(ASSETS)).get_template("clip.html")
    return template.render(
        policy=policy(style, script),
        style=Markup(style),  # noqa: S704 (our own file)
        script=Markup(script),  # noqa: S704 (our own file)
        title=f"{excerpt.title or excerpt.name} · {name} · tonotopy",
        kind=title,
        heading=excerpt.title or excerpt.name,
        seconds=round(excerpt.seconds, 4),
        times=time_ticks(excerpt.seconds),
        content=content,
        version=__version__,
    )


def policy(style: str, script: str) -> str:
    """The content security policy: this style, this script, data addresses."""
    hashes = [
        base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
        for text in (style, script)
    ]
    parts = ["default-src 'none'", f"style-src 'sha256-{hashes[0]}'", "style-src-attr 'unsafe-inline'"]
    parts += [f"script-src 'sha256-{hashes[1]}'", "img-src data:", "media-src data:"]
    return "; ".join([*parts, "base-uri 'none'", "form-action 'none'"])


def time_ticks(seconds: float) -> list[tuple[float, str]]:
    """Round times with their share of the stretch, ten at most; the last one is left out near the end.

    Examples
    --------
    >>> time_ticks(2.0)[:3], len(time_ticks(30.0))
    ([(0.0, '0 s'), (0.25, '0.5'), (0.5, '1')], 6)
    """
    step = next(step for step in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0) if seconds / step <= 7.0)
    at = np.arange(0.0, 0.98 * seconds, step)
    return [(float(t / seconds), f"{t:g} s" if k == 0 else f"{round(t, 3):g}") for k, t in enumerate(at)]


def image_uri(shares: NDArray[np.floating], scale: Colormap = SCALE) -> str:
    """A picture of numbers between 0 and 1, ``[row from the top, column]``, as a data address."""
    buffer = io.BytesIO()
    colours: Any = scale(np.clip(np.nan_to_num(shares), 0.0, 1.0), bytes=True)
    plain: dict[str, Any] = {"Software": None}  # no version in it
    matplotlib.image.imsave(buffer, np.ascontiguousarray(colours), format="png", metadata=plain)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def line_path(x: Sequence[float] | NDArray[np.floating], y: Sequence[float] | NDArray[np.floating]) -> str:
    """A line through points whose coordinates are shares, y upwards, as the path of an SVG of 1000 × 1000.

    Examples
    --------
    >>> line_path([0.0, 1.0], [0.0, 0.5])
    'M0 1000L1000 500'
    """
    points = [f"{_short(1000 * a)} {_short(1000 * (1 - b))}" for a, b in zip(x, y, strict=True)]
    return "M" + "L".join(points)


def band_path(x: NDArray[np.floating], low: NDArray[np.floating], high: NDArray[np.floating]) -> str:
    """The area between two lines, closed."""
    return line_path(np.concatenate([x, x[::-1]]), np.concatenate([high, low[::-1]])) + "Z"


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
