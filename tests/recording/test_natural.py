"""Frames of natural sound: each is where it says, rows change nothing, and lanes go with them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tonotopy.core.errors import InputError
from tonotopy.encoders import load_encoder
from tonotopy.recording import natural
from tonotopy.recording.natural import natural_frames, natural_sound
from tonotopy.sound.music import MusicPool, Piece


def pool(rate: int, *seconds: float) -> MusicPool:
    """Pieces of noise of some lengths."""
    rng = np.random.default_rng(0)
    sounds = [(0.1 * rng.standard_normal(round(s * rate))).astype(np.float32) for s in seconds]
    pieces = [Piece(str(k), None, None, None, None, sound) for k, sound in enumerate(sounds)]
    return MusicPool(rate, tuple(pieces))


@pytest.mark.parametrize("name", ["phantom:cochlea", "encodec-toy"])
def test_rows_give_the_frames_of_one_pass(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut into overlapping rows, a piece has the frames that it has in one: bounded sites to rounding.

    An LSTM in a row knows nothing of what came before its effective view, in noise some percent of the spread;
    a codebook may then choose another code.
    """
    encoder = load_encoder(name)
    sites = [site.name for site in encoder.sites]
    music = pool(encoder.sample_rate_hz, 2.3)
    monkeypatch.setattr(natural, "ROW_S", 100.0)
    whole = natural_frames(encoder, sites, music, per_piece=100, seed=3)
    monkeypatch.setattr(natural, "ROW_S", 0.4)
    cut = natural_frames(encoder, sites, music, per_piece=100, seed=3)
    for site in sites:
        assert (whole[site].start == cut[site].start).all()
        apart = whole[site].frames - cut[site].frames
        if encoder.site(site).bounded:
            assert np.abs(apart).max() < 1e-4 * np.sqrt(np.mean(whole[site].frames ** 2)), site
        elif site != "codes":
            assert apart.std() < 0.1 * whole[site].frames.std(), site


@pytest.mark.parametrize("name", ["phantom:cochlea", "encodec-toy", "samplecnn-toy"])
def test_kept_frames_are_those_of_the_whole_tensors(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames picked as layers run are, at every site, those at the same places of the encoder's own tensors."""
    encoder = load_encoder(name)
    music = pool(encoder.sample_rate_hz, 3.2, 3.0)
    monkeypatch.setattr(natural, "ROW_S", 100.0)
    found = natural_frames(encoder, [site.name for site in encoder.sites], music, per_piece=40, seed=1)
    for number, piece in enumerate(music.pieces):
        whole = encoder.activations(torch.from_numpy(piece.audio)[None], list(found))
        for site in encoder.sites:
            of = found[site.name]
            here = of.piece == number
            index = (of.start[here] - site.offset) // site.hop
            assert len(index) > 0
            apart = of.frames[here] - whole[site.name][0].numpy()[index]
            assert np.abs(apart).max() <= 1e-5 * np.abs(of.frames).max(), site.name


def test_a_frame_depends_on_its_view_alone() -> None:
    """A frame computed from nothing but the samples from its start to its end is the frame that was kept."""
    encoder = load_encoder("phantom:cochlea")
    site = encoder.sites[0]
    found = natural_frames(encoder, [site.name], pool(encoder.sample_rate_hz, 1.0, 3.5), per_piece=20)[
        site.name
    ]
    assert np.bincount(found.piece).tolist() == [20, 20]
    for row in (0, 7, 25, 39):
        view = found.audio[found.piece[row]][found.start[row] : found.end[row]]
        alone = encoder.activations(torch.from_numpy(view)[None], [site.name])[site.name][0, -1].numpy()
        assert np.allclose(alone, found.frames[row], rtol=1e-4, atol=1e-6)


def test_a_framewise_site_ends_where_its_position_ends() -> None:
    """The end of an inner site of a framewise encoder lies within the window."""
    encoder = load_encoder("crepe-tiny", weights="random:0")
    first = encoder.sites[0]
    assert encoder.frame_length is not None
    assert first.centre is not None
    found = natural_frames(encoder, [first.name], pool(encoder.sample_rate_hz, 1.0), per_piece=5)[first.name]
    assert (found.end - found.start == first.offset + first.centre * first.hop + first.view).all()
    assert (found.end - found.start <= encoder.frame_length).all()


def test_lanes_go_with_the_pieces() -> None:
    """One set of lanes a piece, as long as the piece, and the frames of `natural_frames`."""
    encoder = load_encoder("phantom:cochlea")
    name = encoder.sites[0].name
    music = pool(encoder.sample_rate_hz, 1.0, 1.5)
    sound = natural_sound(encoder, [name], music, per_piece=30, seed=5)
    assert [len(lanes) for lanes in sound.lanes] == [100, 150]
    same = natural_frames(encoder, [name], music, per_piece=30, seed=5)[name]
    assert (sound.sites[name].frames == same.frames).all()


def test_pieces_too_short_are_refused() -> None:
    """Nothing but pieces shorter than the view is an error that says so; one long one is enough."""
    encoder = load_encoder("phantom:cochlea")
    name = encoder.sites[0].name
    with pytest.raises(InputError, match="pieces longer than"):
        natural_sound(encoder, [name], pool(encoder.sample_rate_hz, 0.01, 0.02))
    assert set(natural_frames(encoder, [name], pool(encoder.sample_rate_hz, 0.01, 1.0))[name].piece) == {1}


def test_another_rate_is_refused() -> None:
    """Music at another rate than the encoder's is an error."""
    with pytest.raises(InputError, match="music at 16000 Hz; got 8000 Hz"):
        natural_sound(load_encoder("phantom:cochlea"), ["cochlea"], pool(8000, 1.0))
