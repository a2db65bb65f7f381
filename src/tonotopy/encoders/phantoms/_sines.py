"""A pseudo-inverse of gammatone channels: sines at their centres whose powers explain the channels' levels.

A half-wave rectified sine of amplitude A has the mean A / pi, so a channel's averaged level tells its power, and powers
of sines add up in a channel. Which powers at the centres give the observed ones is a linear problem with answers
that cannot be negative; it is solved by the multiplicative steps of Richardson (1972) and Lucy (1974), which keep
powers positive and start from the channels themselves. Few steps leave neighbours a little blurred and small
changes small; an exact non-negative least squares jumps between solutions. Phases are fixed, one a sine: a decoded
sound changes only in its levels.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

#: Steps of the fit.
STEPS = 30
#: Added to powers that are divided by.
LEAST_POWER = 1e-20
#: Values of the sines that are kept from one sound to the next, about 4 s of 64 channels at 16 kHz; 32 MiB.
KEPT = 1 << 22
#: Turns from one sine's phase to the next: the golden ratio spreads them evenly, whatever their number.
TURN = (5**0.5 - 1) / 2


class SineBank:
    """Sines at the centres of channels.

    Parameters
    ----------
    responses : impulse responses of the channels, ``[channel, time]``
    centres_hz : ``[channel]``
    window, hop : samples that a frame averages over, and from one frame to the next
    """

    def __init__(
        self,
        responses: torch.Tensor,
        centres_hz: NDArray[np.float64],
        sample_rate_hz: int,
        *,
        window: int,
        hop: int,
    ) -> None:
        self._centres, self._rate = centres_hz, sample_rate_hz
        self._window, self._hop = window, hop
        self._response = responses.shape[1]
        self._longest = KEPT // len(centres_hz)  # samples
        self._kept = self._made(0, 0)  # the sines' beginning, as long as was ever asked for, to that length
        self._spread = _spread(responses.double().numpy(), centres_hz, sample_rate_hz)

    def __call__(self, means: torch.Tensor) -> torch.Tensor:
        """Sound ``[batch, time]`` with about these channels, rectified and averaged, ``[batch, frame, channel]``."""
        level = self.powers(means).sqrt()
        frames = level.shape[1]
        n_samples = (frames - 1) * self._hop + self._response + self._window - 1
        # Between the middles of two frames the level of each sine goes straight from one to the other.
        middle = self._response - 1 + self._window // 2 + self._hop * np.arange(frames)
        edges = [0, *middle.tolist(), n_samples]
        parts = []
        for k, (begin, end) in enumerate(pairwise(edges)):
            before, after = level[:, max(k - 1, 0)], level[:, min(k, frames - 1)]
            part = torch.arange(end - begin, dtype=torch.float64) / (end - begin)
            here = self._sines(begin, end)
            parts.append(before @ here * (1 - part) + after @ here * part)
        return torch.cat(parts, dim=1).float()

    def _sines(self, begin: int, end: int) -> torch.Tensor:
        """Sines at the centres, each of its own phase, ``[sine, time]`` float64."""
        if end > self._longest:
            return self._made(begin, end)
        if end > self._kept.shape[1]:
            self._kept = self._made(0, min(self._longest, max(end, 2 * self._kept.shape[1])))
        return self._kept[:, begin:end]

    def _made(self, begin: int, end: int) -> torch.Tensor:
        turns = self._centres[:, None] / self._rate * np.arange(begin, end)
        phase = TURN * np.arange(len(self._centres))
        return torch.from_numpy(np.sin(2 * np.pi * (turns + phase[:, None])))

    def powers(self, means: torch.Tensor) -> torch.Tensor:
        """Squared amplitude of each sine, ``[batch, frame, sine]`` float64."""
        wanted = (torch.pi * means.double().clamp(min=0)) ** 2
        power = wanted + LEAST_POWER
        for _ in range(STEPS):
            ratio = wanted / (power @ self._spread + LEAST_POWER)
            power = power * (ratio @ self._spread.T) / self._spread.sum(dim=1)
        return power


def _spread(responses: NDArray[np.float64], centres_hz: NDArray[np.float64], rate_hz: int) -> torch.Tensor:
    """Power that a sine of power 1 at one centre has in the channel of another, ``[sine, channel]``."""
    time = np.arange(responses.shape[1]) / rate_hz
    turning = np.exp(-2j * np.pi * centres_hz[:, None] * time)
    return torch.from_numpy(np.abs(turning @ responses.T) ** 2)
