"""Sounds of a chosen set, equally loud, to be kept beside the numbers.

All sounds of a set are brought to one loudness (`signal.loudness`); where one of them would then exceed the peak, all
are turned down alike, so that they stay comparable. What is silent stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.encoders._contract import Encoder
from tonotopy.interventions.actions import ablate, steer
from tonotopy.interventions.decoder import Decoder
from tonotopy.interventions.direction import Direction
from tonotopy.interventions.pairs import Pairs
from tonotopy.signal.loudness import loudness_lkfs

#: Loudness of every sound, LKFS, unless peaks forbid it; the highest peak, dBFS.
LOUDNESS_LKFS = -23.0
PEAK_DBFS = -1.0


@dataclass(frozen=True)
class Listening:
    """Sounds of one set: ``sounds`` is ``[sound, time]`` float32; ``gain_db`` is what each was turned up by."""

    name: tuple[str, ...]
    sample_rate_hz: int
    loudness_lkfs: float
    gain_db: NDArray[np.float64]  # [sound]; NaN for silence
    sounds: NDArray[np.float32] = field(repr=False)


def matched(
    sounds: Mapping[str, NDArray[np.floating]], sample_rate_hz: int, *, loudness: float = LOUDNESS_LKFS
) -> Listening:
    """Bring sounds ``[time]`` of one length to one loudness.

    Raises
    ------
    InputError
        No sound, sounds of several lengths, or samples that are not finite.
    """
    if not sounds or len({np.shape(s) for s in sounds.values()}) != 1:
        came = f"{sorted({np.shape(s) for s in sounds.values()})}"
        raise InputError("sounds of one length", came, "cut them before they are compared")
    stack = np.stack([np.asarray(s, dtype=np.float64) for s in sounds.values()])
    if not np.isfinite(stack).all():
        raise InputError("finite samples", "NaN or inf", "a decoder that overflowed; ask for less strength")
    gain_db = loudness - loudness_lkfs(stack, sample_rate_hz)
    made = stack * 10 ** (np.nan_to_num(gain_db)[:, None] / 20)
    over_db = 20 * np.log10(max(float(np.abs(made).max(initial=0.0)), 1e-30)) - PEAK_DBFS
    down = max(0.0, over_db)
    return Listening(
        tuple(sounds),
        sample_rate_hz,
        loudness - down,
        gain_db - down,
        (made * 10 ** (-down / 20)).astype(np.float32),
    )


def steered_sounds(
    encoder: Encoder,
    site: str,
    directions: Mapping[str, Direction],
    pairs: Pairs,
    *,
    trial: int = 0,
    strengths: Sequence[float] = (1.0,),
    latent: str = "stack_end",
) -> Listening:
    """What is to be heard of one trial: decoded without and with the target, pushed, and projected out.

    Names are ``without``, ``with``, ``<direction> x<strength>`` and ``with, <direction> projected out``.

    Raises
    ------
    InputError
        As :func:`~tonotopy.interventions.steering.steering`; or no such trial.
    """
    if not 0 <= trial < len(pairs):
        raise InputError(f"a trial from 0 to {len(pairs) - 1}", repr(trial))
    decoder, rows = Decoder(encoder, site, latent, pairs), slice(trial, trial + 1)
    absent, present = pairs.absent[rows], pairs.present[rows]
    made = {"without": decoder(absent, None)[1][0], "with": decoder(present, None)[1][0]}
    for name, direction in directions.items():
        for strength in strengths:
            made[f"{name} x{strength:g}"] = decoder(absent, steer(direction, strength))[1][0]
        made[f"with, {name} projected out"] = decoder(present, ablate(direction))[1][0]
    return matched(made, pairs.sample_rate_hz)
