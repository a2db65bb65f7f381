"""What a ceiling is trained to report of each frame: level and phase of every ERB band at the frame's end.

A band b is a gammatone filter as an analytic one (`signal.gammatone`); with e the frame's end, the first
sample that it does not see,

    z_b(e) = sum over n of g_b(n) x(e - 1 - n)

reads samples that the frame's view holds, or would hold if it were long enough. So the target is a function of
the past of the frame's end, and nothing is asked for that only the future knows.

- *level*: 10 log10(1 + 2 |z_b|^2 / (P_b 10^(-24/10))) dB, where P_b is the power that music has in the band
  (L(f) of SPEC § 3) and -24 dB the lowest rung of its ladder: a logarithm that goes flat where a partial would
  be softer than any that the instrument plays, and so does not ask to tell silence from a deeper silence.
- *phase*: cos and sin of arg z_b, the phase that the band has at sample e - 1, in radians, not unwrapped. It is
  the phase re the frame's own end, so that a steady partial gives a value that turns by 2 pi f hop / rate from
  frame to frame: above half the frame rate that turn is an alias, and only a single frame's phase means anything.
  The weight of a phase is p / (p + floor), p = 2 |z_b|^2: without energy there is no phase to report.

The bands stand one ERB apart from 55 Hz to 0.45 of the rate, ends included (SPEC § 1).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from tonotopy.signal.gammatone import analytic_responses
from tonotopy.sound.music import LevelFunction
from tonotopy.sound.structures.partial import LADDER_DB, grid_hz, range_erb

#: The level of a band, dB re its natural level, below which it counts as empty: the lowest rung of the ladder.
FLOOR_DB = float(LADDER_DB[0])


def centres_hz(sample_rate_hz: int) -> NDArray[np.float64]:
    """Centres of the bands in Hz, one ERB apart, ends included, ``[band]``.

    Examples
    --------
    >>> len(centres_hz(24_000)), centres_hz(24_000)[[0, -1]].round(1).tolist()
    (35, [55.0, 10800.0])
    """
    low, high = range_erb(sample_rate_hz)
    return grid_hz(round(high - low) + 1, sample_rate_hz)


@dataclass(frozen=True)
class Bands:
    """The filters and what is natural in them."""

    centre_hz: NDArray[np.float64]  # [band]
    floor: torch.Tensor = field(repr=False)  # power at which a band counts as empty, [band], float32
    kernel: torch.Tensor = field(repr=False)  # real parts, then imaginary, time reversed, [2 band, time]

    @staticmethod
    def of(sample_rate_hz: int, levels: LevelFunction) -> Bands:
        """The bands at a rate; ``levels`` is L(f) of the music that is trained on."""
        centres = centres_hz(sample_rate_hz)
        natural = np.array([levels(frequency) for frequency in centres])
        response = analytic_responses(centres, sample_rate_hz)[:, ::-1]
        kernel = np.concatenate([response.real, response.imag]).astype(np.float32)
        floor = torch.from_numpy(10 ** ((natural + FLOOR_DB) / 10)).float()
        return Bands(centres, floor, torch.from_numpy(kernel))

    def __len__(self) -> int:
        return len(self.centre_hz)

    @property
    def samples(self) -> int:
        """Samples before a frame's end that the filters read."""
        return int(self.kernel.shape[1])

    def analytic(self, audio: torch.Tensor, ends: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Real and imaginary part of z, each ``[row, frame, band]``, from audio ``[row, time]``.

        Parameters
        ----------
        audio
            Float32, full scale 1.
        ends
            Ends of the frames, samples from the start of a row, ``[frame]``, each at least :attr:`samples`.
        """
        past = torch.arange(-self.samples, 0, device=audio.device)
        windows = audio[:, ends.to(audio.device)[:, None] + past]  # row frame time
        both = windows @ self.kernel.to(audio.device).T
        return both[..., : len(self)], both[..., len(self) :]

    def targets(
        self, audio: torch.Tensor, ends: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Level in dB re the floor, phase as (cos, sin), and the weight of each phase.

        Returns
        -------
        level
            ``[row, frame, band]``, dB, 0 or more.
        phase
            ``[row, frame, 2 band]``: cosines of all bands, then sines.
        weight
            ``[row, frame, band]``, 0 to 1.
        """
        real, imaginary = self.analytic(audio, ends)
        square = real.square() + imaginary.square()
        power, floor = 2 * square, self.floor.to(audio.device)
        level = 10 * torch.log10(1 + power / floor)
        size = square.sqrt().clamp_min(1e-20)
        return level, torch.cat([real / size, imaginary / size], dim=-1), power / (power + floor)
