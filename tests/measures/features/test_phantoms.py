"""Through real recordings: the cochlea's channels are partial features in order, the rotated cochlea's are none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tonotopy.encoders.phantoms.cochlea import open_family
from tonotopy.judgement.verdict import Thresholds
from tonotopy.measures.features import answers, meaningless, tonotopic_order, tune
from tonotopy.recording import Recording, plan_segment, record_family
from tonotopy.signal import erb
from tonotopy.sound.music import MusicPool, Piece
from tonotopy.sound.trials import Design, trials

RATE = 16000
SITES = ("cochlea", "rotated-cochlea")
FAMILIES = ("silence", "chord", "music")
PIECES = 8


def music() -> MusicPool:
    """Pieces of noise that falls by 3 dB an octave, with a few slow tones: a spectrum as music has."""
    made = []
    for number in range(PIECES):
        rng = np.random.default_rng(number)
        spectrum = np.fft.rfft(rng.standard_normal(2 * RATE)) / np.sqrt(np.arange(1, RATE + 2))
        sound = np.fft.irfft(spectrum) / np.std(np.fft.irfft(spectrum))
        time = np.arange(2 * RATE) / RATE
        sound += sum(np.sin(2 * np.pi * hz * time) for hz in rng.uniform(100, 3000, 4))
        made.append(Piece(f"p{number}", None, None, None, None, (0.05 * sound).astype(np.float32)))
    return MusicPool(RATE, tuple(made))


@pytest.fixture(scope="module", name="recorded")
def _recorded() -> tuple[np.ndarray, dict[str, dict[str, Recording]]]:
    """Both sites in one pass: grid, and site -> family -> Recording."""
    encoder, pool = open_family(), music()
    sites = [encoder.site(name) for name in SITES]
    segment = plan_segment(encoder, sites, 2)
    design = Design(
        RATE,
        segment.n_samples,
        segment.end_range,
        n_frequencies=14,
        families=FAMILIES,
        n_train=2,
        n_test=2,
        n_frames=2,
        n_pieces=PIECES,
    )
    found: dict[str, dict[str, Recording]] = {name: {} for name in SITES}
    for family in FAMILIES:
        made, _ = record_family(
            encoder, sites, design, list(trials(design, family)), pool, pool.level_function()
        )
        for name in SITES:
            found[name][family] = made[name]
    return design.frequency_hz, found


def read(recorded: Any, site: str, of: Any) -> Any:
    return tune(of, recorded[1][site], recorded[0], RATE, resamples=0, vary=False)


def test_channels_of_the_cochlea_are_partials_in_order(recorded: Any) -> None:
    """Four fifths and more of the channels beside a target, Spearman near 1, the axis covered beyond the null.

    Targets are 2.3 ERB apart here, to be quick: a channel between two of them hears neither.
    """
    tuned = read(recorded, "cochlea", lambda x: x)
    found = answers(tuned, limits=Thresholds())
    grid = recorded[0]
    rate = np.linspace(erb.rate(45.0), erb.rate(0.47 * RATE), 64)
    inside = np.abs(rate[:, None] - erb.rate(grid)).min(axis=1) <= 0.7
    assert inside.mean() > 0.5
    assert np.mean(found.label[inside] == "partial") >= 0.8
    null = read(recorded, "cochlea", meaningless(recorded[1]["cochlea"]["music"], directions=96, seed=0)).best
    order = tonotopic_order(
        tuned.best, grid, ordered=found.passes["partial"], partials=found.label == "partial", null_hz=null
    )
    assert order.order > 0.98
    assert order.order_p < 0.01
    assert order.coverage > 0.9
    assert order.coverage > order.coverage_null


def test_no_channel_of_the_rotated_cochlea_is_a_partial(recorded: Any) -> None:
    """The same information, in no channel of its own: nothing, or mixtures of several partials."""
    found = answers(read(recorded, "rotated-cochlea", lambda x: x), limits=Thresholds()).counts
    assert found["partial"] == 0
    assert found["mixture"] + found["none"] + found["broad"] == 64
