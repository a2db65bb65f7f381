"""Real trials in a little music, and an encoder whose right answer is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from tonotopy.encoders import Encoder, Site
from tonotopy.measures import Measures, measure, tally
from tonotopy.readouts import fit
from tonotopy.recording import Recording, plan_segment, record_family
from tonotopy.signal import erb
from tonotopy.sound.trials import Design, trials

RATE = 16000
PIECES = 6
#: Samples of each sound after the last frame, so that a frame can be read late.
TAIL = 4096


class Bands(Encoder):
    """Compressed power in 120 narrow ERB bands, mixed at random into some units (not mixed where none is named)."""

    name, sample_rate_hz, weights_id, weights_label = "bands", RATE, "sha256:0", "none"

    def __init__(self, units: int | None = None, *, seed: int = 0) -> None:
        self.n = 2048
        rates = erb.rate(np.fft.rfftfreq(self.n, 1 / RATE))
        centres = np.linspace(erb.rate(45.0), erb.rate(7500.0), 120)[:, None]
        self.bands = torch.from_numpy(np.exp(-0.5 * ((rates - centres) / 0.25) ** 2)).float()
        draw = torch.Generator().manual_seed(seed)
        self.mix = torch.eye(120) if units is None else torch.randn(120, units, generator=draw) / 120**0.5
        self.sites = (Site("end", "stack_end", 256, self.n, 0, self.mix.shape[1]),)

    def activations(self, audio: torch.Tensor, sites: Sequence[str]) -> dict[str, torch.Tensor]:
        frames = audio.unfold(-1, self.n, 256) * torch.hann_window(self.n)
        power = torch.fft.rfft(frames).abs() ** 2 / self.n**2
        return {"end": (power @ self.bands.T) ** 0.2 @ self.mix}


@pytest.fixture(scope="session")
def read_line() -> Callable[..., Measures]:
    """Records an encoder's trials and reads its line in music, as a study does."""
    from tonotopy.sound.pool import choose
    from tonotopy.sound.sources import open_music

    _, pool, _ = choose(open_music("scores"), PIECES, 1.0, RATE, seed=0)
    pool = replace(pool, pieces=tuple(replace(p, audio=p.audio[: 10 * RATE]) for p in pool.pieces))
    levels = pool.level_function()

    def read(encoder: Encoder, *, n_frequencies: int = 10, **design: Any) -> Measures:
        segment = plan_segment(encoder, encoder.sites, 2)
        asked = Design(
            RATE,
            segment.n_samples + TAIL,
            segment.end_range,
            n_frequencies=n_frequencies,
            families=("silence", "tone", "chord", "music"),
            n_train=4,
            n_test=2,
            n_frames=2,
            n_pieces=PIECES,
            **design,
        )
        families = {
            name: record_family(encoder, encoder.sites, asked, list(trials(asked, name)), pool, levels)[0][
                "end"
            ]
            for name in asked.families
        }
        music = families.pop("music")
        training = Recording.concatenate(list(families.values()))
        training = training.take(~training.trials.test)
        line = fit(training, asked.frequency_hz, kinds=["line"])["line"]
        return measure(tally(line, music, asked.frequency_hz, RATE), np.ones((1, PIECES)))

    return read


@pytest.fixture(scope="session")
def bands() -> type[Bands]:
    """The encoder of narrow bands."""
    return Bands
