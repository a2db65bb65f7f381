"""What changed between two decoded sounds, and where on the frequency axis: in the spectrum and in tracked partials.

The band *near* f is that within ±1 ERB of it; beyond lie bands of 1 ERB on either side. The spectrum is taken in
windows of :data:`WINDOW_S` (Hann), half overlapping; partials are those of `signal.sinusoids`, frame by frame. Power is
mean square, full scale 1. :data:`EDGE_S` at both ends is left out, where a codec meets silence.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.signal import erb
from tonotopy.signal.sinusoids import analyse
from tonotopy.signal.spectrum import band_power

#: Seconds of a window of the spectrum, and left out at both ends of a sound.
WINDOW_S = 0.17
EDGE_S = 0.05
#: The change is near where it lies within this many ERB of f.
NEAR_ERB = 1.0
#: Lowest edge of a band, Hz; the highest is this share of the sampling rate.
LOWEST_HZ = 20.0
HIGHEST_RATIO = 0.49
#: Power of a band that counts as silence: -90 dBFS.
LEAST_POWER = 1e-9

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Analysis:
    """Powers of some sounds in 1-ERB bands around f."""

    distance_erb: Floats  # [band]: centre of the band re f; 0 for the band near it
    spectrum: Floats = field(repr=False)  # [sound, frame, band]
    partials: Floats | None = field(repr=False)  # [sound, frame, band]; None where they were not tracked

    @property
    def near(self) -> NDArray[np.bool_]:
        """Which band is that of f."""
        return np.asarray(self.distance_erb == 0)


def analysed(
    sounds: NDArray[np.floating], sample_rate_hz: int, frequency_hz: float, *, tracked: bool = True
) -> Analysis:
    """Analyse sounds ``[sound, time]``; frames are the same for all.

    Raises
    ------
    InputError
        Sounds too short for two windows, or not finite.
    """
    edge, window = int(EDGE_S * sample_rate_hz), int(WINDOW_S * sample_rate_hz)
    heard = np.asarray(sounds, dtype=np.float64)[:, edge : sounds.shape[1] - edge]
    if heard.shape[1] < 2 * window:
        came = f"{sounds.shape[1] / sample_rate_hz:.2f} s"
        cause = "bass needs long windows to be told apart; render longer sounds"
        raise InputError(f"sounds of at least {2 * (WINDOW_S + EDGE_S):.2f} s", came, cause)
    if not np.isfinite(heard).all():
        cause = "a decoder that overflowed; ask for less strength"
        raise InputError("sound of finite samples", f"{int((~np.isfinite(heard)).sum())} that are not", cause)
    distance, centres = bands(frequency_hz, sample_rate_hz)
    frames = np.lib.stride_tricks.sliding_window_view(heard, window, axis=1)[:, :: window // 2]
    spectrum = np.stack([_merged(distance, band_power(row, sample_rate_hz, centres)) for row in frames])
    partials = None
    if tracked:
        tracks = [analyse(row, sample_rate_hz) for row in heard]
        partials = np.stack([_merged(distance, t.band_power(centres)) for t in tracks])
    beyond = distance[np.abs(distance) > NEAR_ERB]
    return Analysis(np.concatenate([[0.0], beyond]), spectrum, partials)


def _merged(distance: Floats, power: Floats) -> Floats:
    """The bands within ±1 ERB as one, then the others: ``[..., band]``.

    As one, since a partial that wavers about f would else change from band to band.
    """
    near = np.abs(distance) <= NEAR_ERB
    power = np.maximum(power, 0.0)  # differences of running sums may round below nothing
    return np.concatenate([power[..., near].sum(axis=-1, keepdims=True), power[..., ~near]], axis=-1)


def bands(frequency_hz: float, sample_rate_hz: int) -> tuple[Floats, Floats]:
    """Centres of 1-ERB bands of which two meet at f: distance from f in ERB, and in Hz.

    Examples
    --------
    >>> distance, hz = bands(1000.0, 16000)
    >>> distance[np.abs(distance) < 1].tolist()
    [-0.5, 0.5]
    """
    place = float(erb.rate(frequency_hz))
    low, high = float(erb.rate(LOWEST_HZ)), float(erb.rate(HIGHEST_RATIO * sample_rate_hz))
    steps = np.arange(-60, 60) + 0.5
    steps = steps[(place + steps - 0.5 >= low) & (place + steps + 0.5 <= high)]
    return np.asarray(steps, dtype=np.float64), erb.frequency_hz(place + steps)


def specificity(before: Floats, after: Floats, near: NDArray[np.bool_]) -> Floats:
    """Share of the change of power that lies near f, ``[..., frame, band]`` to ``[...]``; NaN where nothing changed."""
    change = np.abs(after - before).sum(axis=-2)
    return _ratio(change[..., near].sum(axis=-1), change.sum(axis=-1))


def specificity_level(before: Floats, after: Floats, near: NDArray[np.bool_]) -> Floats:
    """The same of levels: share of the squared change in dB, by width in ERB; NaN where no level changed.

    Powers of music fall steeply with frequency, so that a little more of the bass outweighs all of a high partial. In
    levels every band counts alike, as in specificity of answers: an even change of all bands reads 2 ERB of all there
    are.
    Levels are of a band's mean power over time, :data:`LEAST_POWER` added.
    """
    levels = [10 * np.log10(power.mean(axis=-2) + LEAST_POWER) for power in (before, after)]
    change = np.square(levels[1] - levels[0]) * np.where(near, 2 * NEAR_ERB, 1.0)
    return _ratio(change[..., near].sum(axis=-1), change.sum(axis=-1))


def gain_db(before: Floats, after: Floats, near: NDArray[np.bool_]) -> Floats:
    """How much more power there is near f, dB; NaN where there was or is none."""
    ratio = _ratio(after[..., near].sum(axis=(-2, -1)), before[..., near].sum(axis=(-2, -1)))
    return 10 * np.log10(np.where(ratio > 0, ratio, np.nan))


def leakage(before: Floats, after: Floats, near: NDArray[np.bool_]) -> Floats:
    """Change of power beyond ±1 ERB of f, re the power that was there; NaN where there was none."""
    change = np.abs(after - before)[..., ~near].sum(axis=(-2, -1))
    return _ratio(change, before[..., ~near].sum(axis=(-2, -1)))


def nearness(before: Floats, after: Floats, wanted: Floats) -> Floats:
    """1 where ``after`` has the band amplitudes of ``wanted``, 0 where it is no nearer to them than ``before`` was."""
    amplitude = [np.sqrt(power) for power in (before, after, wanted)]
    left = np.square(amplitude[1] - amplitude[2]).sum(axis=(-2, -1))
    whole = np.square(amplitude[0] - amplitude[2]).sum(axis=(-2, -1))
    return 1 - _ratio(left, whole)


def _ratio(top: Floats, bottom: Floats) -> Floats:
    return np.divide(top, bottom, out=np.full(np.shape(top), np.nan), where=bottom > 0)
