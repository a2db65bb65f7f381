"""A chosen channel and its whole site over time, as lanes of the page and as panels on paper."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator
from numpy.typing import NDArray

from tonotopy.views.clips._contract import Curve, Image, Lane
from tonotopy.views.clips._features import FeatureMap
from tonotopy.views.clips._lanes import signed, time_axis
from tonotopy.views.clips._page import SCALE, band_path, image_uri, line_path
from tonotopy.views.clips._sound import Excerpt
from tonotopy.views.palette import BLUE, FAINT, RUST
from tonotopy.views.paper import clean
from tonotopy.views.words import count, number

LOUD_SHARE = 99.5  # percentile of the site's activations that is drawn darkest


@dataclass(frozen=True)
class Chosen:
    """A feature map and the channel of it that is singled out."""

    excerpt: Excerpt
    features: FeatureMap
    channel: int

    @property
    def map_shares(self) -> NDArray[np.float64]:
        """The site's map between 0 and 1, ``[column, unit]``, one scale for all units."""
        rms = self.features.rms
        top = float(np.percentile(rms, LOUD_SHARE)) or float(rms.max())
        return np.asarray(rms / top if top > 0 else rms)


def channel_lane(chosen: Chosen) -> Lane:
    """The chosen channel over time, on the page."""
    features, seconds = chosen.features, chosen.excerpt.seconds
    low, high, bottom, top = _channel_range(chosen)
    x, scale = features.time_s / seconds, 1.0 / (top - bottom)
    heights = [(row - bottom) * scale for row in (low, high)]
    zero = Curve(line_path([0.0, 1.0], [-bottom * scale] * 2), "zero")
    if features.pooled > 1:
        drawn = Curve(band_path(x, heights[0], heights[1]), "wave")
    else:
        drawn = Curve(line_path(x, heights[1]), "chosen")
    ticks = tuple((float((v - bottom) * scale), signed(v, ".2g")) for v in _round_ends(low, high))
    title = f"Channel {chosen.channel} of {features.site.name}"
    return Lane(
        "channel",
        title,
        _channel_caption(chosen),
        6.0,
        tuple(channel_lines(chosen)),
        ticks,
        curves=(zero, drawn),
    )


def _round_ends(low: NDArray[np.float64], high: NDArray[np.float64]) -> list[float]:
    """Zero, and whichever ends lie well away from it."""
    ends = [float(low.min()), float(high.max())]
    reach = max(abs(end) for end in ends) or 1.0
    return [0.0, *(end for end in ends if abs(end) > 0.2 * reach)]


def _channel_range(chosen: Chosen) -> tuple[NDArray[np.float64], NDArray[np.float64], float, float]:
    """Lowest and highest value of each column, and the ends of the axis, zero among them."""
    low, high = chosen.features.low[:, chosen.channel], chosen.features.high[:, chosen.channel]
    bottom, top = min(0.0, float(low.min())), max(0.0, float(high.max()))
    margin = 0.06 * (top - bottom) or 1.0
    return low, high, bottom - margin, top + margin


def _channel_caption(chosen: Chosen) -> str:
    features = chosen.features
    pooled = features.pooled
    each = (
        f"Each column spans the lowest to the highest of {pooled} frames"
        if pooled > 1
        else "One point a frame"
    )
    return f"Activation over time. {each}, at the centre of what a frame sees ({_view(chosen)})."


def _view(chosen: Chosen) -> str:
    view = chosen.features.site.view
    return f"{count(view, 'sample')}, {number(1000 * view / chosen.features.sample_rate_hz)} ms"


def channel_lines(chosen: Chosen) -> list[str]:
    """The chosen channel in sentences."""
    features = chosen.features
    low, high, _, _ = _channel_range(chosen)
    rms = features.rms[:, chosen.channel]
    if not rms.max() > 0:
        return [f"Channel {chosen.channel} is zero all through."]
    ends = " and ".join(signed(float(end), ".3g") for end in (low.min(), high.max()))
    most, least = (features.time_s[at] for at in (rms.argmax(), rms.argmin()))
    range_words = f"Channel {chosen.channel} of {features.site.name} lies between {ends}"
    return [f"{range_words}; it is most active at {most:.2f} s and least at {least:.2f} s."]


def draw_channel(axes: Axes, chosen: Chosen) -> None:
    """The chosen channel over time, on paper."""
    features = chosen.features
    low, high, bottom, top = _channel_range(chosen)
    x = chosen.excerpt.start_s + features.time_s
    axes.axhline(0.0, color=FAINT, linewidth=0.6, zorder=0.5)
    if features.pooled > 1:
        axes.fill_between(x, low, high, color=BLUE, linewidth=0.2)
    else:
        axes.plot(x, high, color=RUST, linewidth=0.8)
    axes.set_ylim(bottom, top)
    axes.yaxis.set_major_locator(MaxNLocator(3))
    axes.set_ylabel("activation")
    axes.set_title(f"Channel {chosen.channel} of {clean(features.site.name, 40)}")
    time_axis(axes, chosen.excerpt)


def map_lane(chosen: Chosen) -> Lane:
    """The whole site over time, on the page."""
    features, seconds = chosen.features, chosen.excerpt.seconds
    units = features.rms.shape[1]
    left = (float(features.time_s[0]) - features.hop_s / 2) / seconds
    right = left + features.hop_s * len(features.time_s) / seconds
    image = Image(image_uri(chosen.map_shares.T[::-1]), left, right, crisp=True)
    edges = [chosen.channel / units, (chosen.channel + 1) / units]
    marks = tuple(Curve(line_path([0.0, 1.0], [edge, edge]), "chosen") for edge in edges)
    ticks = tuple(((unit + 0.5) / units, str(unit)) for unit in sorted({0, units // 2, units - 1}))
    height = float(np.clip(0.16 * units, 6.0, 16.0))
    title = f"All {units} channels of {features.site.name}"
    return Lane("site", title, map_caption(chosen), height, tuple(map_lines(chosen)), ticks, (image,), marks)


def map_caption(chosen: Chosen) -> str:
    """How to read the map."""
    pooled = chosen.features.pooled
    what = (
        f"the root mean square of {pooled} frames"
        if pooled > 1
        else "the size of the activation of one frame"
    )
    return (
        f"All channels of the site, channel numbers upwards: {what}, one scale for all; the farther from the "
        f"background, the larger. The chosen channel lies between the two lines. A frame sees {_view(chosen)}."
    )


def map_lines(chosen: Chosen) -> list[str]:
    """The map in sentences."""
    power = np.mean(chosen.features.rms**2, axis=0)
    if not power.max() > 0:
        return ["The whole site is zero all through."]
    order = np.argsort(power)[::-1]
    rank = int(np.flatnonzero(order == chosen.channel)[0]) + 1
    silent = int(np.sum(chosen.features.rms.max(axis=0) == 0))
    part = 100 * power[chosen.channel] / power.sum()
    first = f"Channel {int(order[0])} is the most active of {len(power)}"
    lines = [
        f"{first}; channel {chosen.channel} is number {rank} and holds {part:.1f} % of the site's power."
    ]
    return [*lines, f"{count(silent, 'channel')} never answered."] if silent else lines


def draw_map(axes: Axes, chosen: Chosen) -> None:
    """The whole site over time, on paper."""
    features, begin = chosen.features, chosen.excerpt.start_s
    units = features.rms.shape[1]
    left = begin + float(features.time_s[0]) - features.hop_s / 2
    extent = (left, left + features.hop_s * len(features.time_s), -0.5, units - 0.5)
    axes.imshow(
        chosen.map_shares.T,
        origin="lower",
        aspect="auto",
        extent=extent,
        cmap=SCALE,
        vmin=0,
        vmax=1,
        interpolation="nearest",
    )
    for edge in (chosen.channel - 0.5, chosen.channel + 0.5):
        axes.axhline(edge, color=RUST, linewidth=0.6)
    axes.set_ylim(-0.5, units - 0.5)
    axes.yaxis.set_major_locator(FixedLocator(sorted({0, units // 2, units - 1})))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylabel("channel")
    axes.set_title(f"All {units} channels of {clean(features.site.name, 40)}")
