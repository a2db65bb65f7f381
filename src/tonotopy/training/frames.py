"""Which frames of a row of sound are read, and where they end, for any encoder.

A row is as long as :data:`FRAMES_A_ROW` whole frames need; frames are read where their whole span (view, or
effective view) lies within the row, and what is asked of them too. A framewise encoder is given windows, half a
window apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from tonotopy.encoders._contract import Encoder, Site

#: Frames a row at least, and seconds a row at least.
FRAMES_A_ROW = 8
ROW_S = 0.4


@dataclass(frozen=True)
class Frames:
    """Which frames of a row are read, and where they end."""

    n_samples: int  # of a row
    index: torch.Tensor = field(repr=False)  # [frame], of stack_end; windows in order, where framewise
    ends: torch.Tensor = field(repr=False)  # [frame], samples from the start of the row
    window: int | None = None  # samples of one window, framewise encoders
    centre: int = 0  # the position that is read, framewise encoders

    @staticmethod
    def of(encoder: Encoder, site: Site, least_samples: int) -> Frames:
        """Rows long enough for :data:`FRAMES_A_ROW` whole frames; ``least_samples`` is what the filters read."""
        rate, window = encoder.sample_rate_hz, encoder.frame_length
        hop = site.hop if window is None else max(1, window // 2)
        span = max(site.span if window is None else window, least_samples)
        n = max(span + (FRAMES_A_ROW - 1) * hop, round(ROW_S * rate))
        if window is not None:
            ends = torch.arange(span, n + 1, hop)
            return Frames(n, torch.arange(len(ends)), ends, window, site.centre or 0)
        n += (site.offset + site.view - n) % hop  # the row ends with a frame
        index = torch.arange(n // hop + 1)
        ends = site.offset + site.view + hop * index
        inside = (ends >= span) & (ends <= n)
        return Frames(n, index[inside], ends[inside])

    def read(self, stack_end: Callable[[torch.Tensor], torch.Tensor], audio: torch.Tensor) -> torch.Tensor:
        """The frames ``[row, frame, unit]`` of rows ``[row, time]``."""
        if self.window is None:
            return stack_end(audio)[:, self.index]
        windows = torch.stack([audio[:, end - self.window : end] for end in self.ends.tolist()], dim=1)
        return stack_end(windows.flatten(0, 1))[:, self.centre].unflatten(0, windows.shape[:2])
