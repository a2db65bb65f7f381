"""Consecutive frames: they are the site's own, a step apart; silence has no direction; level plays no part."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tonotopy.core.errors import InputError
from tonotopy.encoders import load_encoder
from tonotopy.measures.natural.consecutive import consecutive_directions, steps_of
from tonotopy.sound.music import MusicPool, Piece


def pool(*sounds: np.ndarray, rate: int = 16_000) -> MusicPool:
    pieces = [Piece(f"{k}", None, None, None, None, x.astype(np.float32)) for k, x in enumerate(sounds)]
    return MusicPool(rate, tuple(pieces))


def noise(seconds: float, rate: int = 16_000) -> np.ndarray:
    return 0.1 * np.random.default_rng(0).standard_normal(int(seconds * rate))


def test_frames_are_those_of_the_whole_piece() -> None:
    """Raw samples tell where each frame was: directions are windows of the piece, one view after another."""
    encoder = load_encoder("phantom:raw-window")
    sound = noise(1).astype(np.float32)
    (found,) = consecutive_directions(encoder, "raw-window", pool(sound), stretches=3, frames=20)
    assert found.shape == (3, 20, 64)
    windows = np.lib.stride_tricks.sliding_window_view(sound, 64)
    windows = windows / np.linalg.norm(windows, axis=1, keepdims=True)
    at = np.array([[np.argmin(np.sum((windows - frame) ** 2, axis=1)) for frame in row] for row in found])
    np.testing.assert_allclose(windows[at], found, atol=1e-6)
    assert (np.diff(at, axis=1) == 64).all()
    assert (np.diff(at[:, 0]) > 64 * 19).all()  # stretches do not overlap


def test_windows_of_a_framewise_encoder_follow_each_other() -> None:
    """A piece that holds exactly the frames asked for leaves one place for them."""
    encoder = load_encoder("crepe-tiny", weights="random:0")
    sound = noise(1).astype(np.float32)[: 1024 + 4 * 300]
    (found,) = consecutive_directions(encoder, "conv1", pool(sound), stretches=1, frames=5, step_samples=300)
    windows = np.concatenate(
        [sound[300 * k : 300 * k + 1024][None] for k in range(5)] + [np.zeros((1, 1024))]
    )
    with torch.inference_mode():
        site = encoder.site("conv1")
        frames = encoder.activations(torch.from_numpy(windows.astype(np.float32)), ["conv1"])["conv1"]
    change = (frames[:5, site.centre] - frames[5, site.centre]).numpy()
    np.testing.assert_allclose(found[0], change / np.linalg.norm(change, axis=1, keepdims=True), atol=1e-4)


def test_level_and_bias_play_no_part_after_a_linear_layer() -> None:
    encoder = load_encoder("encodec-toy")
    sound = noise(1, 24_000)
    loud, quiet = (
        consecutive_directions(encoder, "first_conv", pool(g * sound, rate=24_000), stretches=2, frames=30)[0]
        for g in (1.0, 0.01)
    )
    np.testing.assert_allclose(loud, quiet, atol=2e-4)


def test_silence_has_no_direction() -> None:
    encoder = load_encoder("phantom:raw-window")
    sound = noise(1)
    sound[6000:10_000] = 0
    (found,) = consecutive_directions(encoder, "raw-window", pool(sound), stretches=1, frames=240)
    silent = ~np.isfinite(found).all(axis=-1)
    assert 60 <= silent.sum() <= 64
    np.testing.assert_allclose(np.linalg.norm(found[~silent], axis=-1), 1, rtol=1e-5)


def test_steps_are_whole_hops() -> None:
    site = load_encoder("phantom:waveform-codebook").site("waveform-codebook")
    assert [steps_of(site, asked) for asked in (None, 1, 4, 9)] == [8, 4, 4, 12]


def test_pieces_that_are_too_short_or_of_another_rate_are_refused() -> None:
    encoder = load_encoder("phantom:raw-window")
    with pytest.raises(InputError, match=r"^expected pieces of 0.01 s or more; got 0.00 s in '0'$"):
        consecutive_directions(encoder, "raw-window", pool(noise(0.004)))
    with pytest.raises(InputError, match=r"^expected music at 16000 Hz; got 8000 Hz"):
        consecutive_directions(encoder, "raw-window", pool(noise(1), rate=8000))
