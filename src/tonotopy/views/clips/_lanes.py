"""Lanes and axes that figures of a sound share: spectrogram, waveform, time; the heading of the sheet for paper."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator
from numpy.typing import NDArray

from tonotopy.signal import erb
from tonotopy.views.axes import hz_words
from tonotopy.views.clips._contract import Curve, Image, Lane
from tonotopy.views.clips._page import SCALE, band_path, image_uri, line_path
from tonotopy.views.clips._sound import Excerpt
from tonotopy.views.clips._spectrogram import RANGE_DB, Spectrogram
from tonotopy.views.words import number

COLUMNS: Final = 1000  # of a waveform


@dataclass(frozen=True)
class Heading:
    """What `tonotopy.views.paper.sheet` heads a figure with, where there is no run."""

    verdict: dict[str, Any] = field(default_factory=dict)
    n_pieces: int = 0


def spectrogram_lane(found: Spectrogram, seconds: float, *, scale: Colormap = SCALE, **more: Any) -> Lane:
    """A spectrogram on the page; ``more`` overrides what a lane says or adds to it."""
    told: dict[str, Any] = {
        "name": "spectrogram",
        "title": "Spectrogram",
        "caption": "Level in bands of half an ERB, frequency in Hz upwards, evenly spaced in ERB-rate. The farther "
        f"from the background, the louder; the background is {RANGE_DB:.0f} dB below the loudest, or softer.",
        "height_rem": 14.0,
        "lines": spectrogram_lines(found),
        "ticks": tuple(found.ticks()),
    }
    image = Image(image_uri(found.shown.T[::-1], scale), *_edges(found.time_s, seconds))
    return Lane(**(told | {"images": (image,)} | more))


def spectrogram_lines(found: Spectrogram) -> tuple[str, ...]:
    """A spectrogram in sentences."""
    power = 10 ** (found.level_db / 10)
    mean, over_time = power.mean(axis=0), power.sum(axis=1)
    if not mean.max() > 1e-13:
        return ("Silence.",)
    share = np.cumsum(mean) / mean.sum()
    low, high = (found.frequency_hz[int(np.searchsorted(share, part))] for part in (0.05, 0.95))
    return (
        f"The band with most power lies at {number(float(found.frequency_hz[mean.argmax()]))} Hz.",
        f"Nine tenths of the power lie between {number(float(low))} and {number(float(high))} Hz.",
        f"It is loudest at {found.time_s[over_time.argmax()]:.1f} s.",
    )


def wave_lane(
    audio: NDArray[np.floating], top: float, *, name: str, title: str, caption: str, lines: tuple[str, ...]
) -> Lane:
    """A waveform; ``top`` is the value at its upper edge."""
    x, low, high = envelope(audio)
    least = 0.004  # of the lane's height, so that silence is a line
    curve = band_path(x, 0.5 + 0.5 * low / top - least, 0.5 + 0.5 * high / top + least)
    zero = Curve(line_path([0.0, 1.0], [0.5, 0.5]), "zero")
    ticks = ((0.5, "0"), (0.94, f"{top:.2g}"), (0.06, signed(-top, ".2g")))
    return Lane(name, title, caption, 4.5, lines, ticks, curves=(zero, Curve(curve, "wave")))


def envelope(audio: NDArray[np.floating]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Lowest and highest sample of each column: shares of the time ``[column]``, values ``[column]``."""
    starts = np.linspace(0, len(audio), min(COLUMNS, len(audio)), endpoint=False).astype(np.int64)
    x = (starts + 0.5 * len(audio) / len(starts)) / len(audio)
    return x, np.minimum.reduceat(audio, starts), np.maximum.reduceat(audio, starts)


def draw_spectrogram(axes: Axes, found: Spectrogram, excerpt: Excerpt, scale: Colormap = SCALE) -> None:
    """A spectrogram on paper: y is ERB-rate with ticks in Hz."""
    low, high = found.span_erb
    step = found.time_s[1] - found.time_s[0] if len(found.time_s) > 1 else excerpt.seconds
    ends = (found.time_s[0] - step / 2, found.time_s[-1] + step / 2)
    extent = (*(excerpt.start_s + end for end in ends), low, high)
    axes.imshow(found.shown.T, origin="lower", aspect="auto", extent=extent, cmap=scale, vmin=0, vmax=1)
    ticks = [f for f in (100, 200, 500, 1000, 2000, 5000, 10000) if low < float(erb.rate(f)) < high]
    axes.yaxis.set_major_locator(FixedLocator([float(erb.rate(f)) for f in ticks]))
    axes.yaxis.set_major_formatter(FixedFormatter([hz_words(f) for f in ticks]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylabel("frequency (Hz)")
    time_axis(axes, excerpt)


def signed(value: float, form: str = ".0f") -> str:
    """A number with a minus sign that is one.

    Examples
    --------
    >>> signed(-3.14159, ".1f")
    '−3.1'
    """
    return f"{value:{form}}".replace("-", "−")


def time_axis(axes: Axes, excerpt: Excerpt, *, label: bool = False) -> None:
    """Seconds of the recording along x; only the lowest panel says so."""
    axes.set_xlim(excerpt.start_s, excerpt.start_s + excerpt.seconds)
    axes.tick_params(axis="x", labelbottom=label)
    if label:
        axes.set_xlabel("time (s)")


def _edges(time_s: NDArray[np.floating], seconds: float) -> tuple[float, float]:
    """Shares of the stretch where the first column begins and the last one ends."""
    step = float(time_s[1] - time_s[0]) if len(time_s) > 1 else seconds
    return (float(time_s[0]) - step / 2) / seconds, (float(time_s[-1]) + step / 2) / seconds
