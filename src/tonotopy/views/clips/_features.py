"""The feature map of a site over a stretch of sound: each frame at the time that it is about.

A frame stands at the centre of its view: sample ``offset + t * hop + view / 2``. An encoder that runs along the
sound hears what comes before and after the stretch too, as far as its view reaches, so that the first frames
are not those of a sound that begins there. A framewise encoder is given a window every `HOP_S` seconds (or a
thirty-second part of its window, where that is longer), and its centre position is read.

Where there are more frames than columns to draw them in, a column holds the root mean square of its frames, and
the lowest and the highest value of each unit. Columns hold whole frames and none is empty.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.encoders import Encoder
from tonotopy.encoders._contract import Site
from tonotopy.recording.frames import record
from tonotopy.views.clips._sound import Excerpt

Floats = NDArray[np.float64]

HOP_S: Final = 0.01
COLUMNS: Final = 1000


@dataclass(frozen=True)
class FeatureMap:
    """What the units of a site do over time; times in seconds from the excerpt's start.

    Attributes
    ----------
    time_s, hop_s
        Centres of columns ``[column]`` and the time between them.
    rms, low, high
        Of the frames of a column, ``[column, unit]``.
    pooled
        Frames a column.
    """

    site: Site
    sample_rate_hz: int
    hop_s: float
    pooled: int
    time_s: Floats
    rms: Floats = field(repr=False)
    low: Floats = field(repr=False)
    high: Floats = field(repr=False)

    @property
    def busiest(self) -> int:
        """The unit whose activation varies most over the stretch."""
        return int(np.argmax(np.var(self.rms, axis=0) + np.var(self.high - self.low, axis=0)))

    def checked(self, channel: int) -> int:
        """The channel, or an error that says which there are."""
        if not 0 <= channel < self.rms.shape[1]:
            last = self.rms.shape[1] - 1
            raise InputError(f"a channel of {self.site.name} from 0 to {last}", str(channel))
        return channel


def feature_map(encoder: Encoder, site_name: str | None, excerpt: Excerpt) -> FeatureMap:
    """Activations of one site over an excerpt.

    Raises
    ------
    InputError
        For a site that is not there, or an excerpt in which no frame fits.
    """
    site = _site(encoder, site_name)
    if encoder.frame_length is None:
        time_s, values = _running(encoder, site, excerpt)
    else:
        time_s, values = _framewise(encoder, site, excerpt)
    inside = (time_s >= 0.0) & (time_s < excerpt.seconds)
    if not inside.any():
        view_s = site.view / encoder.sample_rate_hz
        cause = f"a frame of this site sees {view_s:.2g} s: ask for a longer stretch, or another site"
        raise InputError("a stretch in which a frame fits", f"{excerpt.seconds:.2g} s", cause)
    time_s, values = time_s[inside], values[inside]
    step_s = float(time_s[1] - time_s[0]) if len(time_s) > 1 else site.hop / encoder.sample_rate_hz
    pooled = -(-len(values) // COLUMNS)
    starts = np.arange(0, len(values), pooled)
    counts = np.diff(np.append(starts, len(values)))
    square = np.add.reduceat(values.astype(np.float64) ** 2, starts, axis=0) / counts[:, None]
    return FeatureMap(
        site,
        encoder.sample_rate_hz,
        pooled * step_s,
        pooled,
        np.add.reduceat(time_s, starts) / counts,
        np.sqrt(square),
        np.minimum.reduceat(values, starts, axis=0).astype(np.float64),
        np.maximum.reduceat(values, starts, axis=0).astype(np.float64),
    )


def _site(encoder: Encoder, name: str | None) -> Site:
    """The site asked for: the first convolution where none is, or the first site of an encoder that has none."""
    if name is None:
        return next((site for site in encoder.sites if site.role == "first_conv"), encoder.sites[0])
    by_role = [site for site in encoder.sites if site.role == name]
    if name in {"first_conv", "stack_end", "codes", "head"} and by_role:
        return by_role[0]
    return encoder.site(name)


def _running(encoder: Encoder, site: Site, excerpt: Excerpt) -> tuple[Floats, NDArray[np.float32]]:
    """Centres in seconds ``[frame]`` and activations ``[frame, unit]``, some of them outside the excerpt."""
    # Whole hops ahead, so that a stretch that begins on a frame of the whole sound has the whole sound's frames.
    lead = -(-(site.span + site.hop) // site.hop) * site.hop
    audio, before = excerpt.at(encoder.sample_rate_hz, lead=lead, tail=site.view + site.hop)
    with torch.inference_mode():
        found = encoder.activations(torch.from_numpy(audio)[None].to(encoder.device), [site.name])
    values = found[site.name][0].float().cpu().numpy()
    centre = site.offset + np.arange(len(values)) * site.hop + site.view / 2 - before
    return centre / encoder.sample_rate_hz, values


def _framewise(encoder: Encoder, site: Site, excerpt: Excerpt) -> tuple[Floats, NDArray[np.float32]]:
    """The same for an encoder that is given windows."""
    length = encoder.frame_length
    assert length is not None
    audio, before = excerpt.at(encoder.sample_rate_hz, lead=length, tail=length)
    hop = max(round(HOP_S * encoder.sample_rate_hz), length // 32)
    # At the ends of the sound, where there is nothing to read, a window is filled up with silence.
    count = round(excerpt.seconds * encoder.sample_rate_hz)
    front, back = length - before, length - (len(audio) - before - count)
    audio = np.pad(audio, (front, back))
    ends = np.arange(length, len(audio) + 1, hop)
    frames, _ = record(encoder, [site], audio[None], ends[None])
    centre = ends - length + site.offset + (site.centre or 0) * site.hop + site.view / 2 - before - front
    return centre / encoder.sample_rate_hz, frames[site.name][0]
