"""What stabilises is found where it was planted, lost where it is shuffled, elsewhere found as often as by chance."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tonotopy.encoders import load_encoder
from tonotopy.encoders._contract import Site
from tonotopy.features.coherence import align, place, spectral_coherence, waveform_coherence
from tonotopy.features.random_directions import random_directions
from tonotopy.features.sources import Features, find_features
from tonotopy.features.sources._contract import ArrayActivations, Projection, numbered
from tonotopy.features.stability import stability
from tonotopy.features.strongest import strongest
from tonotopy.recording.natural import NaturalFrames, natural_frames
from tonotopy.signal import erb
from tonotopy.sound.music import MusicPool, Piece

RATE = 16_000
VIEW, HOP = 64, 16
PIECES = 8


def directions_as_features(rows: NDArray[np.floating]) -> Features:
    held = np.asarray(rows, np.float32)
    centre = np.zeros(held.shape[1], np.float32)
    return Features("test", numbered("test", len(held)), held.shape[1], held, Projection(held, centre))


def noise(samples: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Noise with a spectrum that falls by 3 dB an octave."""
    spectrum = np.fft.rfft(rng.standard_normal(samples)) / np.sqrt(np.arange(1, samples // 2 + 2))
    sound = np.fft.irfft(spectrum, samples)
    return 0.05 * sound / sound.std()


def raw_frames(audio: list[NDArray[np.float64]]) -> NaturalFrames:
    """Sound as it is: units are the samples of the view."""
    frames, piece, start = [], [], []
    for number, sound in enumerate(audio):
        first = np.arange(1000, len(sound) - 1000, HOP)
        frames.append(sound[first[:, None] + np.arange(VIEW)])
        piece.append(np.full(len(first), number))
        start.append(first)
    return NaturalFrames(
        Site("raw", "first_conv", HOP, VIEW, 0, VIEW),
        RATE,
        np.concatenate(frames).astype(np.float32),
        np.concatenate(piece),
        np.concatenate(start),
        tuple(sound.astype(np.float32) for sound in audio),
    )


@pytest.fixture(scope="module")
def planted() -> tuple[NaturalFrames, NDArray[np.float64]]:
    """Noise in which one burst of noise, always the same, comes back on the grid of frames."""
    rng = np.random.default_rng(3)
    burst = noise(VIEW, rng)
    burst *= 3 * 0.05 / burst.std()
    audio = [noise(RATE, rng) for _ in range(PIECES)]
    for sound in audio:
        for first in 1000 + HOP * rng.choice(np.arange(20, 800), 6, replace=False):
            sound[first : first + VIEW] += burst
    return raw_frames(audio), burst


# ---- strongest frames


def test_strongest_frames_are_those_of_a_search() -> None:
    rng = np.random.default_rng(0)
    values, piece = rng.standard_normal((300, 5)), np.sort(rng.integers(0, 4, 300))
    start = np.concatenate([np.arange(n) * 7 for n in np.bincount(piece)])
    found = strongest(values, piece, start, apart=30)
    for feature in range(5):
        for number in range(4):
            order = [i for i in np.argsort(-values[:, feature]) if piece[i] == number]
            second = next(i for i in order if abs(start[i] - start[order[0]]) >= 30)
            assert {order[0], second} == set(found[feature, 2 * number : 2 * number + 2].tolist())


def test_a_piece_with_one_moment_gives_one_fragment() -> None:
    found = strongest(np.ones((3, 1)), np.zeros(3, np.int64), np.arange(3), apart=10)
    assert found.tolist() == [[0, -1]]


# ---- coherence


def test_one_fragment_shifted_and_turned_over_is_one_fragment() -> None:
    rng = np.random.default_rng(1)
    burst = rng.standard_normal(VIEW)
    rows = np.zeros((12, VIEW + 16))
    for row in rows:
        at = int(rng.integers(0, 17))
        row[at : at + VIEW] = burst * rng.choice([-1, 1]) * rng.uniform(0.1, 5)
    assert waveform_coherence(align(rows, VIEW)) > 0.999
    assert waveform_coherence(align(rows[:, 8:-8], VIEW)) < 0.5, "without a margin nothing may move"


def test_unrelated_fragments_of_a_long_view_do_not_cohere() -> None:
    rows = np.random.default_rng(2).standard_normal((16, 4000))
    assert 1 / 16 < waveform_coherence(align(rows, 4000)) < 0.08


def test_too_few_or_silent_fragments_are_undefined() -> None:
    assert np.isnan(waveform_coherence(align(np.ones((3, 8)), 8)))
    assert np.isnan(waveform_coherence(align(np.zeros((20, 8)), 8)))
    assert np.isnan(spectral_coherence(np.zeros((20, 800)), RATE))


def test_spectra_cohere_whatever_the_phase() -> None:
    rng = np.random.default_rng(4)
    time = np.arange(1600) / RATE
    same = np.sin(2 * np.pi * 1000 * time + rng.uniform(0, 6.28, (12, 1)))
    other = np.sin(2 * np.pi * rng.uniform(200, 6000, (12, 1)) * time)
    assert spectral_coherence(same, RATE) > 0.99
    assert spectral_coherence(other, RATE) < 0.3


def test_a_tone_lies_where_it_is() -> None:
    time = np.arange(1600) / RATE
    centre, spread = place(align(np.tile(np.sin(2 * np.pi * 1000 * time), (6, 1)), 1600), RATE)
    assert centre == pytest.approx(float(erb.rate(1000.0)), abs=0.2)
    assert spread < 1.5


# ---- stability


def test_a_planted_fragment_is_found_and_scrambled_it_is_lost(
    planted: tuple[NaturalFrames, NDArray[np.float64]],
) -> None:
    natural, burst = planted
    rng = np.random.default_rng(5)
    phases = rng.uniform(0, 2 * np.pi, (4, VIEW // 2 + 1))
    scrambled = np.fft.irfft(np.abs(np.fft.rfft(burst)) * np.exp(1j * phases), VIEW)
    found = stability(
        directions_as_features(np.concatenate([burst[None], scrambled])), natural, directions=600
    )
    # Not the least p there is: a few of the random directions choose the burst as well.
    assert found.p_waveform[0] <= 0.05
    assert found.waveform[0] > 0.9 > found.null_waveform[0] + 0.1
    assert (found.p_waveform[1:] > 0.05).sum() >= 3


def test_what_happens_at_other_moments_does_not_count(
    planted: tuple[NaturalFrames, NDArray[np.float64]],
) -> None:
    """The same values at other frames: the link between feature and sound is cut, and nothing is left."""
    natural, burst = planted
    order = np.random.default_rng(6).permutation(len(natural.frames))
    feature = directions_as_features(burst[None])
    values = feature.of(natural.frames)[order]
    moved = Features("moved", ("moved",), VIEW, feature.directions, lambda _: values)
    assert stability(moved, natural, directions=600).p_waveform[0] > 0.05


def test_random_filters_pass_at_the_rate_of_the_level_wherever_they_lie() -> None:
    """In bass, middle and treble alike."""
    rng = np.random.default_rng(7)
    natural = raw_frames([noise(RATE, rng) for _ in range(PIECES)])
    tilt = np.arange(1, VIEW // 2 + 2) ** rng.uniform(-1, 1.5, (60, 1))
    filters = np.fft.irfft(np.fft.rfft(rng.standard_normal((60, VIEW))) * tilt, VIEW)
    found = stability(directions_as_features(filters), natural, directions=900)
    assert found.stabilised.sum() <= 2
    for third in np.array_split(np.argsort(found.centre_erb), 3):
        assert found.share(found.p_waveform[third]) <= 0.25
        assert 0.25 < np.nanmean(found.p_waveform[third]) < 0.75


def test_dead_features_and_few_pieces_are_undefined(
    planted: tuple[NaturalFrames, NDArray[np.float64]],
) -> None:
    natural, burst = planted
    dead = stability(directions_as_features(np.stack([np.zeros(VIEW), burst])), natural, directions=300)
    assert np.isnan(dead.p_waveform[0])
    assert np.isfinite(dead.p_waveform[1])
    two = natural.piece < 2
    few = NaturalFrames(
        natural.site, RATE, natural.frames[two], natural.piece[two], natural.start[two], natural.audio
    )
    found = stability(directions_as_features(burst[None]), few, directions=300)
    assert np.isnan(found.p_waveform).all()
    assert not found.stabilised.any()
    assert np.isnan(found.spectral_given_stabilised)


def test_random_directions_are_unit_repeatable_and_reach_what_is_quiet() -> None:
    frames = np.random.default_rng(8).standard_normal((2000, 10)) * 10.0 ** -np.arange(10)
    found = random_directions(frames, 300, seed=1)
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-5)
    assert np.array_equal(found, random_directions(frames, 300, seed=1))
    loudest = np.abs(found * 10.0 ** -np.arange(10)).argmax(axis=1)
    assert set(loudest[:100]) <= {0, 1}
    assert len(set(loudest[200:])) >= 3


# ---- frames of natural sound


def white(samples: int, rng: np.random.Generator) -> tuple[Piece, ...]:
    sounds = rng.standard_normal((3, samples)).astype(np.float32)
    return tuple(Piece(str(k), None, None, None, None, sound) for k, sound in enumerate(sounds))


def test_frames_are_of_the_sound_that_they_say() -> None:
    """Raw samples as a site: a frame is the sound that begins at its start."""
    rng = np.random.default_rng(9)
    pieces = tuple(
        Piece(str(k), None, None, None, None, rng.standard_normal(RATE).astype(np.float32)) for k in range(3)
    )
    encoder = load_encoder("phantom:raw-window")
    name = encoder.sites[0].name
    found = natural_frames(encoder, [name], MusicPool(RATE, pieces), per_piece=50)[name]
    assert np.bincount(found.piece).tolist() == [50, 50, 50]
    assert np.array_equal(found.cut(np.arange(150), 0, found.site.view), found.frames)


def test_a_framewise_encoder_is_given_windows() -> None:
    encoder = load_encoder("crepe-tiny", weights="random:0")
    rng = np.random.default_rng(10)
    pieces = tuple(
        Piece(str(k), None, None, None, None, rng.standard_normal(4096).astype(np.float32)) for k in range(3)
    )
    site = encoder.sites[-1].name
    found = natural_frames(encoder, [site], MusicPool(RATE, pieces), per_piece=6)[site]
    assert found.frames.shape == (18, encoder.site(site).units)
    assert np.isfinite(found.frames).all()


def test_channels_of_a_site_can_be_asked(planted: tuple[NaturalFrames, NDArray[np.float64]]) -> None:
    natural, _ = planted
    features = find_features("channels", ArrayActivations(natural.frames, natural.piece), count=4, seed=0)
    found = stability(features, natural, directions=300)
    assert found.waveform.shape == (len(features),)
