"""Readability tells apart what one unit, all units together and no unit carry; shuffled, it reads nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tonotopy.core.errors import InputError
from tonotopy.encoders import load_encoder
from tonotopy.encoders._contract import Site
from tonotopy.measures.natural.moments import deal
from tonotopy.measures.natural.partial_targets import compressed, targets_of
from tonotopy.measures.natural.readability import Readability, ReadabilityTally, readability
from tonotopy.recording.lanes import FLOOR_DB, Lanes, bands_hz
from tonotopy.recording.natural import NaturalFrames, NaturalSound, natural_sound
from tonotopy.signal import erb
from tonotopy.sound.music import MusicPool, Piece

RATE, HOP, POINTS = 16_000, 160, 300
Array = np.ndarray


def lanes_of_noise(seed: int, n_points: int = POINTS) -> Lanes:
    """Partials that come and go in every band by themselves, and levels that follow them."""
    rng = np.random.default_rng([seed, 1])
    band_hz = bands_hz(RATE)
    slow = np.repeat(rng.standard_normal((n_points // 10 + 1, len(band_hz))), 10, axis=0)[:n_points]
    partial = np.where(slow > -0.3, -40 + 8 * slow, FLOOR_DB).astype(np.float32)
    level = np.maximum(partial, -70 + rng.standard_normal(partial.shape)).astype(np.float32)
    chroma = np.zeros((n_points, 12), np.float32)
    return Lanes(RATE / HOP, band_hz, level, partial, chroma, np.full(n_points, -1))


def a_site(units: int, view: int = 800) -> Site:
    return Site("made", "conv", HOP, view, 0, units)


def made(
    units_of: Callable[[Array, int], Array], *, pieces: int = 9, view: int = 800, delay: int = 400
) -> NaturalSound:
    """A site whose frames are a function of the targets, ``delay`` samples before the end of their view."""
    lanes = tuple(lanes_of_noise(piece) for piece in range(pieces))
    frames, piece_of, start = [], [], []
    for piece, one in enumerate(lanes):
        first = np.arange(POINTS - view // HOP) * HOP
        rows = one.rows(first + view - delay, RATE)
        frames.append(units_of(compressed(one.partial_db)[rows], piece))
        piece_of.append(np.full(len(first), piece))
        start.append(first)
    values = np.concatenate(frames).astype(np.float32)
    audio = tuple(np.zeros(POINTS * HOP, np.float32) for _ in lanes)
    natural = NaturalFrames(
        a_site(values.shape[1], view), RATE, values, np.concatenate(piece_of), np.concatenate(start), audio
    )
    return NaturalSound({"made": natural}, lanes)


def rotation(n: int) -> Array:
    return np.linalg.qr(np.random.default_rng(5).standard_normal((n, n)))[0]


def noise_like(target: Array, piece: int) -> Array:
    return 0.02 * np.random.default_rng([piece, 3]).standard_normal(target.shape)


def exact(target: Array, piece: int) -> Array:
    return target


def noisy(target: Array, piece: int) -> Array:
    return target + noise_like(target, piece)


def noisier(target: Array, piece: int) -> Array:
    return target + 5 * noise_like(target, piece)


def turned_noisy(target: Array, piece: int) -> Array:
    return noisy(target, piece) @ rotation(target.shape[1])


def loudness(target: Array, piece: int) -> Array:
    return target.mean(axis=1, keepdims=True)


def constant(target: Array, piece: int) -> Array:
    return np.full((len(target), 3), 0.1)


def test_a_unit_a_band_has_no_gap() -> None:
    """Units that are the bands: all is read, by one unit each, the right one every time, selectively."""
    found = readability(made(noisy), "made")
    assert np.nanmin(found.r2_all) > 0.85
    assert np.nanmax(np.abs(found.gap)) < 0.05
    assert (found.best_feature == np.arange(len(found.band_hz))).all()
    assert (found.best_repeats == 1).all()
    assert np.abs(np.median(found.r2_control)) < 0.1
    assert np.nanmedian(found.selectivity) > 0.8
    assert np.nanmedian(np.abs(found.r2_null)) < 0.1


def test_rotated_units_carry_the_same_but_not_one_by_one() -> None:
    """A rotation leaves what all units tell as it is, and takes it from the single unit."""
    plain = readability(made(noisy), "made")
    turned = readability(made(turned_noisy), "made")
    assert np.allclose(turned.r2_all, plain.r2_all, atol=1e-3)
    assert np.nanmedian(turned.gap) > 0.5
    # A dictionary that turns them back closes the gap.
    back = made(turned_noisy)
    solved = readability(back, "made", features=lambda frames: frames @ rotation(frames.shape[1]).T)
    assert np.nanmax(np.abs(solved.gap)) < 0.05
    assert (solved.best_feature == np.arange(len(solved.band_hz))).all()


def test_loudness_and_noise_read_nothing() -> None:
    """Units that know nothing of single bands explain next to none of their variance; so does noise."""
    loud = readability(made(loudness), "made")
    assert np.nanmedian(loud.r2_all) < 0.1
    noise = readability(made(noise_like), "made")
    assert np.abs(np.nanmedian(noise.r2_all)) < 0.05
    assert np.nanmedian(noise.r2_baseline) > 0.5  # the sound does tell


def test_frames_of_other_moments_read_nothing() -> None:
    """Shuffled within pieces, the same frames lose it."""
    sound = made(exact)
    natural = sound.sites["made"]
    order = np.concatenate(
        [np.random.default_rng(p).permutation(np.flatnonzero(natural.piece == p)) for p in range(9)]
    )
    lost = NaturalSound({"made": replace(natural, frames=natural.frames[order])}, sound.lanes)
    assert np.nanmax(readability(lost, "made").r2_all) < 0.1


@pytest.mark.parametrize("delay", [0, 400, 800, 3200])
def test_the_moment_of_a_frame_is_found(delay: int) -> None:
    """Of the moments that a frame may tell of, the one planted is found, in ms before the end of the view."""
    found = readability(made(noisy, view=3200, delay=delay), "made")
    assert found.delay_ms == pytest.approx(delay / RATE * 1000, abs=10)
    assert np.nanmedian(found.r2_all) > 0.85


def test_bands_without_partials_are_undefined() -> None:
    """A band with hardly any partial has no numbers; others keep theirs."""
    sound = made(exact)
    for one in sound.lanes:
        one.partial_db[:, 3] = FLOOR_DB
    sound.lanes[0].partial_db[:, 4] = np.where(np.arange(POINTS) < 200, -30, FLOOR_DB)
    for one in sound.lanes[1:]:
        one.partial_db[:, 4] = FLOOR_DB
    found = readability(sound, "made")
    for name in ("r2_all", "gap", "selectivity", "r2_null", "r2_baseline", "r2_best", "best_repeats"):
        assert np.flatnonzero(np.isnan(getattr(found, name))).tolist() == [3, 4], name
    assert found.best_feature[[3, 4]].tolist() == [-1, -1]
    assert found.present[3] == 0


def test_few_pieces_and_dead_sites_are_undefined() -> None:
    """Two pieces say nothing; three say numbers, eight intervals; a site that does not vary says nothing."""

    def defined(found: Readability) -> tuple[bool, bool]:
        return bool(np.isfinite(found.r2_all).any()), bool(np.isfinite(found.gap_low).any())

    for pieces, expected in ((2, (False, False)), (3, (True, False)), (8, (True, True))):
        assert defined(readability(made(exact, pieces=pieces), "made")) == expected
    dead = readability(made(constant), "made")
    assert defined(dead) == (False, False)
    assert np.isnan(dead.delay_ms)


def test_intervals_hold_the_number() -> None:
    """Each number lies within its interval."""
    found = readability(made(noisier), "made")
    for name in ("r2_all", "r2_best", "gap", "r2_baseline", "selectivity", "r2_null"):
        value = getattr(found, name)
        assert (getattr(found, f"{name}_low") <= value + 1e-12).all(), name
        assert (value <= getattr(found, f"{name}_high") + 1e-12).all(), name


def test_shards_merge_to_the_whole() -> None:
    """Tallies of even and odd pieces, merged, read what one tally of all reads."""
    sound = made(noisy)
    natural, targets, group = sound.sites["made"], targets_of(sound.lanes), deal(9, seed=0)
    parts = [ReadabilityTally(natural.site, RATE, sound.lanes[0], group) for _ in range(3)]
    for piece, (lanes, target) in enumerate(zip(sound.lanes, targets, strict=True)):
        rows = natural.piece == piece
        for tally in (parts[0], parts[1 + piece % 2]):
            tally.update(natural.frames[rows], natural.end[rows], lanes, target, piece)
    parts[1].merge(parts[2])
    one, other = parts[0].read(), parts[1].read()
    assert np.allclose(one.r2_all, other.r2_all)
    assert np.allclose(one.gap_low, other.gap_low)
    assert one.n_pieces == other.n_pieces == 9


def test_phantoms_read_as_what_they_are() -> None:
    """On tones that come and go, the cochlea reads by single channels, rotated only by all."""
    rate = 16_000
    pieces = []
    tones = erb.frequency_hz(np.arange(5.5, 31, 2.0))
    for number in range(6):
        rng = np.random.default_rng([number, 9])
        time = np.arange(4 * rate) / rate
        sound = np.zeros(len(time))
        for hz in tones:
            on = np.repeat(rng.uniform(0, 1, 16) ** 2, rate // 4)
            sound += 0.05 * on * np.sin(2 * np.pi * hz * time + rng.uniform(0, 6))
        pieces.append(Piece(str(number), None, None, None, None, sound.astype(np.float32)))
    music = MusicPool(rate, tuple(pieces))
    gaps, totals = [], []
    for name in ("cochlea", "rotated-cochlea"):
        sound_ = natural_sound(load_encoder(f"phantom:{name}"), [name], music)
        found = readability(sound_, name)
        at = [int(np.argmin(np.abs(found.band_hz - hz))) for hz in tones]
        gaps.append(float(np.median(found.gap[at])))
        totals.append(float(np.median(found.r2_all[at])))
    assert min(totals) > 0.7
    assert gaps[0] < 0.15
    assert gaps[1] > 0.3


def test_bad_input_says_what_is_wrong() -> None:
    """Unknown sites, targets of other pieces, lanes of another rate, features in one update only."""
    sound = made(exact)
    with pytest.raises(InputError, match="a recorded site; got 'other'; legal values: made"):
        readability(sound, "other")
    with pytest.raises(InputError, match="targets of 9 pieces; got of 2"):
        readability(sound, "made", targets=targets_of(sound.lanes)[:2])
    natural, targets = sound.sites["made"], targets_of(sound.lanes)
    tally = ReadabilityTally(natural.site, RATE, sound.lanes[0], deal(9, seed=0))
    with pytest.raises(InputError, match="single features in every update or in none"):
        tally.update(natural.frames, natural.end, sound.lanes[0], targets[0], 0, values=natural.frames)
    other = replace(sound.lanes[0], band_hz=sound.lanes[0].band_hz + 1)
    with pytest.raises(InputError, match="the same bands"):
        tally.update(natural.frames, natural.end, other, targets[0], 0)
    with pytest.raises(InputError, match="finite values"):
        readability(sound, "made", features=lambda frames: frames * np.nan)
