"""What stabilises is found where it was planted, lost where it is shuffled, elsewhere found as often as by chance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.features.planted import PIECES, RATE, VIEW, directions_as_features, noise, raw_frames
from tests.features.planted import planted as plant

from tonotopy.core.errors import InputError
from tonotopy.encoders import load_encoder
from tonotopy.features.random_directions import random_directions
from tonotopy.features.sources import Features, find_features
from tonotopy.features.sources._contract import ArrayActivations
from tonotopy.features.stability import SiteNull, Stability, discovered, site_null, stability
from tonotopy.recording.natural import NaturalFrames, natural_frames
from tonotopy.signal import erb
from tonotopy.sound.music import MusicPool, Piece


@pytest.fixture(scope="module")
def planted() -> tuple[NaturalFrames, NDArray[np.float64], SiteNull]:
    natural, burst = plant()
    return natural, burst, site_null(natural, directions=1000)


# ---- stability

Planted = tuple[NaturalFrames, NDArray[np.float64], SiteNull]


@pytest.fixture(scope="module")
def codebook() -> tuple[NaturalFrames, SiteNull]:
    """A phantom whose units each answer to one fragment, on noise."""
    rng = np.random.default_rng(5)
    pieces = tuple(
        Piece(str(k), None, None, None, None, noise(4 * RATE, rng).astype(np.float32)) for k in range(PIECES)
    )
    encoder = load_encoder("phantom:fragment-codebook")
    name = encoder.sites[0].name
    natural = natural_frames(encoder, [name], MusicPool(RATE, pieces), per_piece=2000)[name]
    return natural, site_null(natural, directions=1000)


def test_units_that_select_a_fragment_are_stabilised_and_their_mixtures_are_not(
    codebook: tuple[NaturalFrames, SiteNull],
) -> None:
    """As waveforms: the fragments have one spectrum, and nothing is to be found there."""
    natural, null = codebook
    units = natural.site.units
    found = stability(directions_as_features(np.eye(units)), natural, null=null)
    assert found.stabilised.mean() >= 0.8
    assert found.spectral_given_stabilised <= 0.1
    mixed = np.random.default_rng(6).standard_normal((units, units))
    assert stability(directions_as_features(mixed), natural, null=null).stabilised.mean() <= 0.05


def test_what_happens_at_other_moments_does_not_count(codebook: tuple[NaturalFrames, SiteNull]) -> None:
    """The same values at other frames of the piece: the link between feature and sound is cut, and nothing is left."""
    natural, null = codebook
    rng = np.random.default_rng(6)
    order = np.concatenate([rng.permutation(np.flatnonzero(natural.piece == k)) for k in range(PIECES)])
    moved = replace(natural, frames=natural.frames[order])
    found = stability(directions_as_features(np.eye(natural.site.units)), moved, null=null)
    assert found.stabilised.mean() <= 0.05


@pytest.fixture(scope="module")
def plain() -> tuple[NaturalFrames, SiteNull]:
    """Noise in which nothing was planted."""
    rng = np.random.default_rng(7)
    natural = raw_frames([noise(RATE, rng) for _ in range(PIECES)])
    return natural, site_null(natural, directions=1200)


def test_random_filters_pass_at_the_rate_of_the_level_wherever_they_lie(
    plain: tuple[NaturalFrames, SiteNull],
) -> None:
    """In bass, middle and treble alike, as waveforms and as spectra; and no family of them makes a discovery."""
    natural, null = plain
    found = stability(
        directions_as_features(random_directions(natural.frames, 480, seed=9)), natural, null=null
    )
    for p in (found.p_waveform, found.p_lift):
        assert 0.02 <= found.share(p) <= 0.09
        for third in np.array_split(np.argsort(found.centre_erb), 3):
            assert found.share(p[third]) <= 0.12
            assert 0.4 < np.nanmean(p[third]) < 0.6
        assert sum(discovered(family).any() for family in np.split(p, 8)) <= 1


def test_latents_that_fire_in_half_of_the_pieces_pass_at_the_level_too(
    plain: tuple[NaturalFrames, SiteNull],
) -> None:
    natural, null = plain
    rows = random_directions(natural.frames, 300, seed=10)
    silent = np.random.default_rng(11).random((PIECES, 300)) < 0.4
    pieces = iter(range(PIECES))

    def fires(frames: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.where(silent[next(pieces)], np.float32(-100), frames @ rows.T)

    found = stability(Features("half", tuple(map(str, range(300))), VIEW, rows, fires), natural, null=null)
    fragments = (found.fragments >= 0).sum(axis=1)
    assert np.array_equal(np.isfinite(found.p_waveform), fragments >= 6)
    assert found.share(found.p_waveform) <= 0.1
    assert found.share(found.p_lift) <= 0.1


def test_a_null_made_before_is_the_null(plain: tuple[NaturalFrames, SiteNull]) -> None:
    natural, null = plain
    rows = np.random.default_rng(12).standard_normal((5, VIEW))
    before = stability(directions_as_features(rows), natural, null=null)
    now = stability(directions_as_features(rows), natural, directions=1200)
    assert np.array_equal(before.p_waveform, now.p_waveform)
    other = replace(natural, site=replace(natural.site, name="other"))
    with pytest.raises(InputError, match=r"^expected the null of other; got that of raw"):
        stability(directions_as_features(rows), other, null=null)


def test_tuned_filters_are_spectrally_stable_and_mixtures_are_not() -> None:
    """Levels of bands, each tone coming and going by itself: a band against the sum of several."""
    rng = np.random.default_rng(13)
    hz = np.asarray(erb.frequency_hz(np.arange(4.0, 31.0, 1.2)))
    audio, frames, piece, start = [], [], [], []
    time = np.arange(4 * RATE) / RATE
    for number in range(PIECES):
        gate = np.repeat(rng.uniform(0, 1, (len(hz), 40)) ** 2, len(time) // 40, axis=1)
        tones = gate * np.sin(2 * np.pi * hz[:, None] * time + rng.uniform(0, 6.28, (len(hz), 1)))
        audio.append((0.05 * tones.sum(axis=0) + 0.01 * noise(len(time), rng)).astype(np.float32))
        first = np.arange(800, len(time) - 1600, 160)
        frames.append(gate[:, first + VIEW // 2].T)
        piece.append(np.full(len(first), number))
        start.append(first)
    site = replace(raw_frames([noise(RATE, rng)]).site, units=len(hz))
    natural = NaturalFrames(
        site,
        RATE,
        np.concatenate(frames).astype(np.float32),
        np.concatenate(piece),
        np.concatenate(start),
        tuple(audio),
    )
    null = site_null(natural, directions=1000)
    bands = stability(directions_as_features(np.eye(len(hz))), natural, null=null)
    assert bands.spectrally_stable.mean() >= 0.8
    assert np.median(np.abs(erb.rate(bands.best_band_hz) - erb.rate(hz))) <= 0.5
    mixed = stability(directions_as_features(rng.standard_normal((60, len(hz)))), natural, null=null)
    assert mixed.share(mixed.p_lift) <= 0.15
    assert np.median(bands.lift) > np.median(mixed.lift) + 0.5


def test_dead_features_and_few_pieces_are_undefined(planted: Planted) -> None:
    natural, burst, null = planted
    dead = stability(directions_as_features(np.stack([np.zeros(VIEW), burst])), natural, null=null)
    assert np.isnan(dead.p_waveform[0])
    assert np.isfinite(dead.p_waveform[1])
    two = natural.piece < 2
    few = replace(natural, frames=natural.frames[two], piece=natural.piece[two], start=natural.start[two])
    found = stability(directions_as_features(burst[None]), few, directions=300)
    assert np.isnan(found.p_waveform).all()
    assert np.isnan(found.waveform).all()
    assert not found.stabilised.any()
    assert np.isnan(found.spectral_given_stabilised)
    assert found.spectral_given_stabilised_interval is None


def test_the_share_of_spectrally_stable_ones_has_an_interval() -> None:
    """Wilson's, of 5 in 20, as tables of it give it."""
    columns = {name: np.full(40, 0.5) for name in Stability.__dataclass_fields__}
    columns["p_waveform"] = np.repeat([1e-6, 0.9], 20)
    columns["p_lift"] = np.where(np.arange(40) % 4 == 0, 1e-6, 0.9)
    found = Stability(**columns)
    assert found.spectral_given_stabilised == 0.25
    assert found.spectral_given_stabilised_interval == pytest.approx((0.1119, 0.4687), abs=1e-4)


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


def test_channels_of_a_site_can_be_asked(planted: Planted) -> None:
    natural, _, null = planted
    features = find_features("channels", ArrayActivations(natural.frames, natural.piece), count=4, seed=0)
    found = stability(features, natural, null=null)
    assert found.waveform.shape == (len(features),)
