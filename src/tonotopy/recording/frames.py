"""Which frames are read: the ones whose view ends at or just before a given sample.

Aim: one encoder pass gives all sites; at each site a trial's frames are those whose whole view (the
effective view, where state makes it longer) lies in the steady part of the sound.

Conventions: an *end* is the first sample after a frame's view. For a framewise encoder each end asks for one
window of its own, and the site's centre position is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from tonotopy.encoders._contract import Encoder, Site

#: Frames of one sound are at least this many seconds apart, so that they meet different phases.
LEAST_SPACING_S = 0.005
#: Sounds a batch where the encoder does not prefer another number.
BATCH = 32


@dataclass(frozen=True)
class Segment:
    """How long a trial's sounds are, and where its frames may end; in samples at the encoder's rate."""

    n_samples: int
    end_range: tuple[int, int]


def plan_segment(encoder: Encoder, sites: Sequence[Site], n_frames: int) -> Segment:
    """The shortest sound in which ``n_frames`` frames of every site are steady."""
    spacing = int(LEAST_SPACING_S * encoder.sample_rate_hz)
    if encoder.frame_length is not None:
        spread = n_frames * spacing
        return Segment(encoder.frame_length + spread, (encoder.frame_length, encoder.frame_length + spread))
    hop = max(site.hop for site in sites)
    span = max(site.span for site in sites)
    spread = n_frames * max(hop, spacing)
    return Segment(span + hop + spread, (span + hop, span + hop + spread))


def record(
    encoder: Encoder,
    sites: Sequence[Site],
    audio: NDArray[np.float32],
    ends: NDArray[np.int64],
    *,
    lags: Mapping[str, NDArray[np.int64]] | None = None,
) -> tuple[dict[str, NDArray[np.float32]], dict[str, NDArray[np.float32]]]:
    """Activations of a batch of sounds at the frames that end at ``ends``.

    Parameters
    ----------
    audio : ``[sound, time]``, full scale 1
    ends : ``[sound, frame]``, samples
    lags : for each site of the window readout, frames to read before the last end, ``[lag]``

    Returns
    -------
    frames : site -> ``[sound, frame, unit]``
    windows : site -> ``[sound, lag, unit]``, for the sites in ``lags``
    """
    lags = lags or {}
    step = getattr(encoder, "preferred_batch", BATCH)
    framewise = encoder.frame_length is not None
    parts = [
        (_framewise if framewise else _running)(encoder, sites, audio[i : i + step], ends[i : i + step], lags)
        for i in range(0, len(audio), step)
    ]
    frames = {site.name: np.concatenate([part[0][site.name] for part in parts]) for site in sites}
    windows = {name: np.concatenate([part[1][name] for part in parts]) for name in lags}
    return frames, windows


_Parts = tuple[dict[str, NDArray[np.float32]], dict[str, NDArray[np.float32]]]


def _running(
    encoder: Encoder,
    sites: Sequence[Site],
    audio: NDArray[np.float32],
    ends: NDArray[np.int64],
    lags: Mapping[str, NDArray[np.int64]],
) -> _Parts:
    """Frames of an encoder that runs along the sound."""
    with torch.inference_mode():
        found = encoder.activations(torch.from_numpy(audio).to(encoder.device), [site.name for site in sites])
    frames, windows = {}, {}
    row = np.arange(len(audio))[:, None]
    for site in sites:
        values = found[site.name]
        index = (ends - site.view - site.offset) // site.hop
        assert index.min() >= 0, f"{site.name}: a frame begins before the sound"
        assert index.max() < values.shape[1], f"{site.name}: a frame ends after the sound"
        frames[site.name] = _take(values, row, index)
        if site.name in lags:
            windows[site.name] = _take(values, row, index[:, -1:] - lags[site.name][None, :])
    return frames, windows


def _framewise(
    encoder: Encoder,
    sites: Sequence[Site],
    audio: NDArray[np.float32],
    ends: NDArray[np.int64],
    lags: Mapping[str, NDArray[np.int64]],
) -> _Parts:
    """Frames of an encoder that computes each frame from its own window."""
    length = encoder.frame_length
    assert length is not None
    start = ends - length
    rows = np.arange(len(audio))[:, None, None]
    windows_in = audio[rows, start[..., None] + np.arange(length)]  # [sound, frame, time]
    flat = torch.from_numpy(np.ascontiguousarray(windows_in.reshape(-1, length)))
    with torch.inference_mode():
        found = encoder.activations(flat.to(encoder.device), [site.name for site in sites])
    frames, windows = {}, {}
    for site in sites:
        values = found[site.name].unflatten(0, ends.shape)  # [sound, frame, position, unit]
        centre = site.centre or 0
        frames[site.name] = values[:, :, centre].float().cpu().numpy().copy()
        if site.name in lags:
            lag = lags[site.name]
            position = np.clip(centre + lag.max(initial=0) // 2 - lag, 0, values.shape[2] - 1)
            windows[site.name] = values[:, -1, position].float().cpu().numpy().copy()
    return frames, windows


def _take(values: torch.Tensor, row: NDArray[np.int64], index: NDArray[np.int64]) -> NDArray[np.float32]:
    """``values[row, index]`` as a float32 array of its own."""
    rows, columns = torch.from_numpy(row).to(values.device), torch.from_numpy(index).to(values.device)
    return values[rows, columns].float().cpu().numpy().copy()
