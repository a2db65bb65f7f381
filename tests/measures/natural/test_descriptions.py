"""Descriptions: cut where frames listen, which is found; phantoms read as the families that they are made of."""

from __future__ import annotations

import numpy as np
import pytest

from tonotopy.core.errors import InputError
from tonotopy.encoders import load_encoder
from tonotopy.encoders._contract import Site
from tonotopy.measures.natural import descriptions as d
from tonotopy.measures.natural.kinds import kinds
from tonotopy.recording.lanes import Lanes, lanes_of
from tonotopy.recording.natural import NaturalFrames, natural_sound
from tonotopy.signal.descriptors import FRAGMENT_MOST
from tonotopy.sound.music import MusicPool, Piece

RATE, PIECES, SECONDS = 16_000, 6, 3


def music() -> tuple[np.ndarray, ...]:
    """Decaying notes of random pitch and loudness over some noise, pieces that differ."""
    found = []
    for number in range(PIECES):
        rng = np.random.default_rng([number, 5])
        sound = 1e-3 * rng.standard_normal(SECONDS * RATE)
        for onset in range(0, SECONDS * RATE - 2400, 2400):
            time = np.arange(4 * 2400)[: SECONDS * RATE - onset] / RATE
            f0, level = rng.uniform(100, 2000), 10 ** rng.uniform(-2.5, -0.5)
            tone = sum(np.sin(2 * np.pi * f0 * k * time + k) / k for k in range(1, 4))
            sound[onset : onset + len(time)] += level * np.exp(-time / 0.1) * tone
        found.append(sound.astype(np.float32))
    return tuple(found)


@pytest.fixture(scope="module")
def pieces() -> tuple[tuple[np.ndarray, ...], tuple[Lanes, ...]]:
    sounds = music()
    return sounds, tuple(lanes_of(sound, RATE) for sound in sounds)


def recorded(
    sounds: tuple[np.ndarray, ...], filters: np.ndarray, at: int, view: int, hop: int
) -> NaturalFrames:
    """Frames of a linear layer: filters ``[unit, time]`` centred on one point of a longer view."""
    frames, piece, start = [], [], []
    for number, sound in enumerate(sounds):
        first = np.arange(0, len(sound) - view, hop)
        begin = first + at - filters.shape[1] // 2
        frames.append(sound[begin[:, None] + np.arange(filters.shape[1])] @ filters.T)
        piece.append(np.full(len(first), number))
        start.append(first)
    site = Site("made", "stack_end", hop, view, 0, len(filters))
    return NaturalFrames(
        site,
        RATE,
        np.concatenate(frames).astype(np.float32),
        np.concatenate(piece),
        np.concatenate(start),
        sounds,
    )


def test_the_place_is_found(pieces: tuple) -> None:
    """Filters near the end of a long view: there, and nowhere else, the waveform explains them."""
    sounds, lanes = pieces
    rng = np.random.default_rng(0)
    filters = rng.standard_normal((8, 64)) @ np.tril(np.ones((64, 64)))
    natural = recorded(sounds, filters * np.hanning(64), 1800, 2048, 97)
    place = d.find_place(natural, lanes)
    assert abs(place.point - 1800) < 80
    found = kinds(natural.frames, d.describe_frames(natural, lanes, place), natural.piece, draws=30, seed=0)
    assert set(found.kind) == {"shape"}
    assert np.median(found.r2) > 0.6
    away = d.describe_frames(natural, lanes, d.Place(600, place.around))
    assert np.median(kinds(natural.frames, away, natural.piece, draws=9, seed=0).r2) < 0.1


def test_sounds_are_cut_where_they_should_be(pieces: tuple) -> None:
    """Of a short view exactly what it holds; of a long one so many samples about the place; lanes of the same time."""
    sounds, lanes = pieces
    short = recorded(sounds, np.eye(7)[:2], 3, 7, 501)
    index = np.array([3, 40, 200])
    found = d.sounds_of(short, lanes, d.find_place(short, lanes), index)
    for row, frame in enumerate(index):
        at = short.start[frame]
        np.testing.assert_array_equal(found.fragment[row], sounds[short.piece[frame]][at : at + 7])
    long = recorded(sounds, np.eye(7)[:2], 1000, 4000, 501)
    found = d.sounds_of(long, lanes, d.Place(3000, 900), index)
    assert found.fragment.shape[1] == FRAGMENT_MOST
    assert found.around.shape[1] == 900
    for row, frame in enumerate(index):
        piece, at = long.piece[frame], long.start[frame] + 3000
        np.testing.assert_array_equal(found.fragment[row], sounds[piece][at - 512 : at + 512])
        np.testing.assert_array_equal(found.around[row], sounds[piece][at - 450 : at + 450])
        low, high = (lanes[piece].rows(np.array([at + edge]), RATE)[0] for edge in (-450, 450))
        np.testing.assert_allclose(
            found.band_db[row], lanes[piece].erb_db[low : high + 1].mean(axis=0), rtol=1e-5
        )
        assert found.chord[row] == lanes[piece].chord[lanes[piece].rows(np.array([at]), RATE)[0]]


def test_parts_do_not_matter(pieces: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
    """Described a few frames at a time, frames are described as all at once, in their order."""
    sounds, lanes = pieces
    natural = recorded(sounds, np.eye(64)[:2], 100, 300, 1501)
    place = d.Place(150, 768)
    whole = d.describe_frames(natural, lanes, place)
    monkeypatch.setattr(d, "_AT_A_TIME", 768 * 7)
    np.testing.assert_allclose(
        d.describe_frames(natural, lanes, place).values, whole.values, rtol=1e-3, atol=1e-4
    )


def test_a_site_that_hears_nothing_is_described_in_the_middle(pieces: tuple) -> None:
    """Constant frames say nothing of a place: the middle of the view."""
    sounds, lanes = pieces
    natural = recorded(sounds, np.zeros((2, 8)), 100, 800, 701)
    assert d.find_place(natural, lanes).point == 400


@pytest.mark.parametrize(
    ("name", "kind"),
    [("cochlea", "bands"), ("loudness", "level"), ("waveform-codebook", "shape")],
)
def test_phantoms_read_as_what_they_are(pieces: tuple, name: str, kind: str) -> None:
    """Energy in bands, level, shape: nine units of ten and more have the name of what the phantom is made of."""
    sounds, _ = pieces
    pool = MusicPool(RATE, tuple(Piece(str(k), None, None, None, None, s) for k, s in enumerate(sounds)))
    encoder = load_encoder(f"phantom:{name}")
    found = natural_sound(encoder, [encoder.sites[0].name], pool, per_piece=150)
    natural = found.sites[encoder.sites[0].name]
    read = kinds(natural.frames, d.describe_frames(natural, found.lanes), natural.piece, draws=25, seed=0)
    assert np.mean([k == kind for k in read.kind]) >= 0.9, read.kind


def test_lanes_of_other_pieces_are_refused(pieces: tuple) -> None:
    """As many lanes as pieces."""
    sounds, lanes = pieces
    natural = recorded(sounds, np.eye(7)[:2], 3, 7, 5001)
    with pytest.raises(InputError, match="lanes of 6 pieces"):
        d.describe_frames(natural, lanes[:2])
