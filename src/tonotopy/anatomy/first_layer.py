"""The first convolution on the waveform, exactly from its weights.

Each filter's response, pass band and distance from the resolution limit (`passband`), the filters' order
along frequency (`order`), and which frequencies the stride folds together (`folding`).

Conventions
-----------
Responses are in dB re each filter's own peak and not below -200 dB. Whatever is undefined is not-a-number in
an array and ``None`` elsewhere, and the reason stands in an ``undefined`` field beside it. Biases are left
out.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from tonotopy.anatomy.folding import Folding, folding
from tonotopy.anatomy.limits import resolution_limit_hz
from tonotopy.anatomy.order import Order, order
from tonotopy.anatomy.passband import NUMBERS, PassBands, dead_filters, pass_bands
from tonotopy.anatomy.response import FLOOR_DB, Array, decibels, fft_points, power_response
from tonotopy.core.errors import WeightsError
from tonotopy.encoders._contract import Encoder, FirstLayer

DRAWN_EVERY = 8  # the record keeps every eighth point of the transform: 4 for each resolution limit
CHUNK = 64  # filters transformed at a time


@dataclass(frozen=True)
class FirstLayerAnatomy:
    """A first layer's filters and what follows from them.

    Attributes
    ----------
    taps, stride
        Samples per filter and per frame.
    sample_rate_hz
        Sampling rate in Hz.
    filters
        The weights, ``[filter, time]``.
    frequencies_hz
        Axis of the responses, ``[frequency]``, from 0 Hz to half the rate.
    response_db
        ``[filter, frequency]``, dB re each filter's peak.
    gain_db
        ``[filter]``, the peak's gain in dB re 1.
    bands
        Pass bands, ``[filter]`` each.
    limit_ratio
        ``[filter]``, -3 dB bandwidth over the resolution limit (rate / taps). A cosine through all taps,
        untapered, has 0.89; a taper widens it.
    by_peak
        Indices of the filters that have a peak, by ascending peak, ``[sorted]``: the picture papers draw.
    order
        How the filters line up, with nulls.
    folding
        The alias view of the stride; ``None`` at stride 1.
    undefined
        Reasons, by field.
    """

    taps: int
    stride: int
    sample_rate_hz: int
    filters: Array = field(repr=False)
    frequencies_hz: Array = field(repr=False)
    response_db: Array = field(repr=False)
    gain_db: Array = field(repr=False)
    bands: PassBands = field(repr=False)
    limit_ratio: Array = field(repr=False)
    by_peak: NDArray[np.int64] = field(repr=False)
    order: Order
    folding: Folding | None = field(repr=False)
    undefined: dict[str, str] = field(default_factory=dict)


def first_layer_anatomy(encoder: Encoder, *, seed: int, draws: int = 199) -> FirstLayerAnatomy | None:
    """What the first convolution's weights say; ``None`` where the encoder does not start with one.

    Parameters
    ----------
    encoder : Encoder
        Any encoder.
    seed : int
        Of the nulls of the order numbers.
    draws : int
        Draws of each null.

    Returns
    -------
    FirstLayerAnatomy or None
        The record.

    Raises
    ------
    WeightsError
        Where weights are not finite or not a table of filters.
    """
    layer = encoder.first_layer()
    if layer is None:
        return None
    filters = validate(layer, encoder.name)
    return analyse(filters, layer.stride, encoder.sample_rate_hz, seed=seed, draws=draws)


def validate(layer: FirstLayer, name: str) -> Array:
    """The filters as float64 ``[filter, time]``, or an error that says what is wrong with them.

    Raises
    ------
    WeightsError
        Where weights are not finite or not a table of filters.
    """
    filters: Array = layer.filters.detach().cpu().double().numpy()
    if filters.ndim != 2 or 0 in filters.shape:
        raise WeightsError(f"first-layer filters of {name} as [filter, time]", f"shape {filters.shape}")
    bad = np.flatnonzero(~np.isfinite(filters).all(axis=1))
    if bad.size:
        some = ", ".join(str(index) for index in bad[:5]) + (", …" if bad.size > 5 else "")
        raise WeightsError(
            f"finite first-layer weights of {name}",
            f"NaN or infinity in {bad.size} of {len(filters)} filters ({some})",
            "a damaged checkpoint, or training that diverged",
        )
    return filters


def analyse(
    filters: Array, stride: int, sample_rate_hz: int, *, seed: int, draws: int = 199
) -> FirstLayerAnatomy:
    """Anatomy of bare filters.

    Parameters
    ----------
    filters : numpy.ndarray of float64, [filter, time]
        Finite weights.
    stride : int
        Samples per frame.
    sample_rate_hz : int
        Sampling rate in Hz.
    seed : int
        Of the nulls of the order numbers.
    draws : int
        Draws of each null.

    Returns
    -------
    FirstLayerAnatomy
        The record.

    Examples
    --------
    >>> found = analyse(np.array([[1.0, 1.0], [1.0, -1.0], [0.0, 0.0]]), 1, 8000, seed=0)
    >>> found.bands.peak_hz.tolist(), found.bands.undefined[2]["peak_hz"]
    ([0.0, 4000.0, nan], 'dead filter: its weights are zero')
    """
    taps = filters.shape[1]
    dead = dead_filters(filters)
    points = fft_points(taps)
    frequencies_hz: Array = np.linspace(0.0, sample_rate_hz / 2.0, points // 2 + 1)
    parts = [_chunk(filters[at], dead[at], frequencies_hz) for at in _chunks(len(filters))]
    bands = _joined([part[0] for part in parts])
    peaked = np.flatnonzero(np.isfinite(bands.peak_hz))
    return FirstLayerAnatomy(
        taps=taps,
        stride=stride,
        sample_rate_hz=sample_rate_hz,
        filters=filters,
        frequencies_hz=frequencies_hz[::DRAWN_EVERY],
        response_db=np.concatenate([part[1] for part in parts]),
        gain_db=np.concatenate([part[2] for part in parts]),
        bands=bands,
        limit_ratio=bands.bandwidth_hz / resolution_limit_hz(sample_rate_hz, taps),
        by_peak=peaked[np.argsort(bands.peak_hz[peaked], kind="stable")],
        order=order(bands.peak_hz, taps, sample_rate_hz, seed=seed, draws=draws),
        folding=folding(filters, bands.peak_hz, sample_rate_hz, stride) if stride > 1 else None,
        undefined={} if stride > 1 else {"folding": "stride 1: nothing folds"},
    )


def _chunks(filters: int) -> list[slice]:
    return [slice(start, start + CHUNK) for start in range(0, filters, CHUNK)]


def _chunk(filters: Array, dead: NDArray[np.bool_], frequencies_hz: Array) -> tuple[PassBands, Array, Array]:
    """Pass bands, drawn response and peak gain of some filters."""
    power = power_response(filters, 2 * (len(frequencies_hz) - 1))
    bands = pass_bands(power, frequencies_hz, dead)
    peak = np.where(dead, np.nan, power.max(axis=1))
    drawn = decibels(power[:, ::DRAWN_EVERY] / peak[:, None])
    return bands, np.maximum(drawn, FLOOR_DB), decibels(peak)


def _joined(parts: list[PassBands]) -> PassBands:
    """Pass bands of consecutive filters as one record."""
    assert {item.name for item in fields(PassBands)} == {*NUMBERS, "open_edge", "undefined"}
    return PassBands(
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in NUMBERS},
        open_edge=sum((part.open_edge for part in parts), ()),
        undefined=sum((part.undefined for part in parts), ()),
    )
