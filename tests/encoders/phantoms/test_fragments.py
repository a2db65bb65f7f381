"""The fragment codebook: units differ in waveform and not in spectrum, and answer to their own fragment."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tonotopy.encoders.phantoms import fragments
from tonotopy.encoders.phantoms.fragments import FRAGMENT, FRAGMENTS, HOP, open_encoder

NAME = fragments.NAMES[0]


def codes() -> torch.Tensor:
    """The fragments themselves, ``[fragment, time]``."""
    return open_encoder(NAME)._fragments[:, 0]


def answers(sound: torch.Tensor) -> torch.Tensor:
    """To one sound, ``[frame, unit]``."""
    return open_encoder(NAME).activations(sound[None], [NAME])[NAME][0]


def test_fragments_have_one_spectrum_and_are_different_waveforms() -> None:
    found = codes()
    spectra = torch.fft.rfft(found).abs()
    torch.testing.assert_close(spectra[:, :-1], spectra[:1, :-1].expand(FRAGMENTS, -1), rtol=1e-3, atol=1e-5)
    products = (found @ found.T).fill_diagonal_(0)
    assert float(products.abs().median()) < 0.35


def test_a_unit_answers_to_its_fragment_wherever_it_lies_within_the_hop() -> None:
    rng = np.random.default_rng(0)
    for unit in (0, 40, 127):
        sound = torch.from_numpy(1e-4 * rng.standard_normal(FRAGMENT + 12 * HOP)).float()
        at = 4 * HOP + int(rng.integers(HOP))
        sound[at : at + FRAGMENT] += codes()[unit]
        found = answers(sound)
        assert int(found[4].argmax()) == unit
        assert float(found[4, unit]) > 0.9


@pytest.mark.parametrize("gain", [0.01, 100.0])
def test_level_does_not_matter_but_silence_fits_nothing(gain: float) -> None:
    rng = np.random.default_rng(1)
    sound = torch.from_numpy(0.3 * rng.standard_normal(4000)).float()
    torch.testing.assert_close(
        answers(gain * sound), answers(sound), rtol=0.6 if gain < 1 else 0.02, atol=1e-6
    )
    assert float(answers(torch.zeros(2000)).abs().max()) == 0
    assert float(answers(1e-9 * sound).max()) < 1e-9


def test_a_frame_sees_its_view_and_no_more() -> None:
    site = open_encoder(NAME).sites[0]
    rng = np.random.default_rng(2)
    sound = torch.from_numpy(rng.standard_normal(FRAGMENT + 8 * HOP)).float()
    start = site.offset + 2 * site.hop
    before = answers(sound)[2]
    for place, seen in (
        (start - 1, False),
        (start, True),
        (start + site.view - 1, True),
        (start + site.view, False),
    ):
        changed = sound.clone()
        changed[place] = 50.0
        assert bool((answers(changed)[2] != before).any()) == seen
