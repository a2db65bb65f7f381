"""What a ceiling is asked for: level and phase of ERB bands at a frame's end, exact on sounds that are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tonotopy.encoders import load_encoder
from tonotopy.signal import erb
from tonotopy.sound.music import LevelFunction
from tonotopy.training.bands import FLOOR_DB, Bands, centres_hz
from tonotopy.training.explained import chance, explained, together
from tonotopy.training.frames import FRAMES_A_ROW, Frames

RATE = 16_000
NATURAL_DB = -40.0


@pytest.fixture(scope="module")
def bands() -> Bands:
    """Bands in music whose natural level is the same everywhere."""
    return Bands.of(RATE, LevelFunction(np.array([0.0, 40.0]), np.array([NATURAL_DB, NATURAL_DB])))


def test_bands_stand_one_erb_apart() -> None:
    """From 55 Hz to 0.45 of the rate, evenly in ERB-rate, within 2 % of one ERB."""
    for rate in (16_000, 22_050, 24_000, 48_000):
        steps = np.diff(erb.rate(centres_hz(rate)))
        assert np.ptp(steps) < 1e-9
        assert steps[0] == pytest.approx(1.0, abs=0.02)
        assert centres_hz(rate)[[0, -1]] == pytest.approx([55.0, 0.45 * rate])


@settings(max_examples=20, deadline=None)
@given(band=st.integers(2, 28), level=st.floats(-30.0, 20.0), phase=st.floats(-3.0, 3.0))
def test_a_sine_at_a_centre_is_reported_as_it_is(bands: Bands, band: int, level: float, phase: float) -> None:
    """Level re the floor and phase at the last sample before the frame's end, whatever its level and phase."""
    frequency, end = bands.centre_hz[band], 3000
    amplitude = np.sqrt(2) * 10 ** ((NATURAL_DB + level) / 20)
    t = (np.arange(4000) - (end - 1)) / RATE
    sound = torch.from_numpy(amplitude * np.cos(2 * np.pi * frequency * t + phase))[None].float()
    told, turn, weight = bands.targets(sound, torch.tensor([end]))
    power = 10 ** ((level - FLOOR_DB) / 10)
    assert float(told[0, 0, band]) == pytest.approx(10 * np.log10(1 + power), abs=0.15)
    found = np.arctan2(float(turn[0, 0, len(bands) + band]), float(turn[0, 0, band]))
    assert np.angle(np.exp(1j * (found - phase))) == pytest.approx(0.0, abs=0.05)
    assert float(weight[0, 0, band]) == pytest.approx(power / (1 + power), abs=0.01)


def test_silence_has_level_0_and_no_phase(bands: Bands) -> None:
    """Nothing is undefined in silence: the level is the floor's, the phase weighs nothing."""
    level, phase, weight = bands.targets(torch.zeros(1, 3000), torch.tensor([2000, 3000]))
    assert torch.equal(level, torch.zeros_like(level))
    assert phase.isfinite().all()
    assert torch.equal(weight, torch.zeros_like(weight))


def test_the_target_is_of_the_past_alone(bands: Bands) -> None:
    """Sound from the frame's end on changes nothing; neither does sound before the filters' reach."""
    generator = torch.Generator().manual_seed(0)
    sound = torch.randn(1, 4000, generator=generator)
    other = sound.clone()
    other[:, 3000:] = 0
    other[:, : 3000 - bands.samples] = 0
    for a, b in zip(*(bands.targets(x, torch.tensor([3000])) for x in (sound, other)), strict=True):
        assert torch.equal(a, b)


def test_most_of_every_filter_is_kept(bands: Bands) -> None:
    """The kernels hold all but 1e-4 of the lowest band's energy, and are the shortest that do, by a sample."""
    longer = Bands.of(RATE, LevelFunction(np.array([0.0, 40.0]), np.array([0.0, 0.0])))
    kernel = longer.kernel[0].double().square() + longer.kernel[len(longer)].double().square()
    before = float(kernel[:1].sum() / kernel.sum())  # the oldest sample that is read
    assert before < 1e-5
    assert bands.samples == longer.samples < 0.1 * RATE


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("samplecnn-3-7", {"narrow": 32}),
        ("encodec-24khz", {"config": {"num_filters": 4, "hidden_size": 16, "num_lstm_layers": 1}}),
        ("crepe-tiny", {}),
    ],
)
def test_frames_end_where_they_say(name: str, options: dict[str, object]) -> None:
    """What sounds from a frame's end on does not change it, and what sounds just before does."""
    encoder = load_encoder(name, weights="random:1", **options)
    site = next(site for site in encoder.sites if site.role == "stack_end")
    frames = Frames.of(encoder, site, 1000)
    assert len(frames.ends) >= FRAMES_A_ROW
    assert int(frames.ends[0]) >= 1000
    assert int(frames.ends[-1]) <= frames.n_samples
    sound = 0.05 * torch.randn(1, frames.n_samples, generator=torch.Generator().manual_seed(0))

    def read(audio: torch.Tensor) -> torch.Tensor:
        return frames.read(lambda x: encoder.activations(x, [site.name])[site.name], audio)

    whole, at = read(sound), len(frames.ends) // 2
    later, sooner = sound.clone(), sound.clone()
    later[:, int(frames.ends[at]) :] = 0
    half = encoder.frame_length or site.view
    sooner[:, int(frames.ends[at]) - half // 2 : int(frames.ends[at])] = 0
    assert torch.allclose(read(later)[0, at], whole[0, at], atol=1e-6)
    assert not torch.allclose(read(sooner)[0, at], whole[0, at], atol=1e-4)


def test_explained_variance_is_what_numpy_says() -> None:
    """1 for the truth, 0 for the best constant, by hand in between; weights count; a constant is undefined."""
    rng = np.random.default_rng(0)
    y, w = rng.standard_normal((5, 7, 3)), rng.uniform(0, 1, (5, 7, 3))
    mean = (w * y).sum(axis=(0, 1)) / w.sum(axis=(0, 1))
    assert explained(y, y, w) == pytest.approx(np.ones(3))
    assert explained(y, np.broadcast_to(mean, y.shape), w) == pytest.approx(np.zeros(3), abs=1e-12)
    p = y + rng.standard_normal(y.shape)
    by_hand = 1 - (w * (y - p) ** 2).sum(axis=(0, 1)) / (w * (y - mean) ** 2).sum(axis=(0, 1))
    assert explained(y, p, w) == pytest.approx(by_hand)
    assert np.isnan(explained(np.ones((2, 2, 1)), np.zeros((2, 2, 1)))).all()
    assert together([0.5], [0.7]) == pytest.approx([0.6])


def test_chance_knows_that_frames_persist() -> None:
    """Rows that are constant over their frames: a lucky match of few rows is within the null."""
    rng = np.random.default_rng(1)
    y = np.repeat(rng.standard_normal((12, 1, 40)), 30, axis=1)
    p = np.repeat(rng.standard_normal((12, 1, 40)), 30, axis=1)
    null = chance(y, p, rng=rng)
    assert 0.15 < np.median(null) < 0.5  # with 360 free frames it would be about .01
    found = np.array([np.corrcoef(y[..., k].ravel(), p[..., k].ravel())[0, 1] ** 2 for k in range(40)])
    assert np.mean(found > null) < 0.2
    assert np.isnan(chance(y[:2], p[:2], rng=rng)).all()
