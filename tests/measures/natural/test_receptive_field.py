"""Receptive fields: planted frequency, width and latency are found; the cochlea's are its own; shuffled, none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from tonotopy.core.errors import InputError
from tonotopy.encoders import load_encoder
from tonotopy.encoders._contract import Site
from tonotopy.measures.natural.moments import Sums, deal
from tonotopy.measures.natural.receptive_field import (
    LAGS,
    FieldTally,
    correlation,
    lagged,
    receptive_fields,
)
from tonotopy.recording.lanes import Lanes, bands_hz
from tonotopy.recording.natural import NaturalFrames, NaturalSound, natural_sound
from tonotopy.signal import erb
from tonotopy.sound.music import MusicPool, Piece

RATE, HOP, POINTS = 16_000, 160, 400
Array = np.ndarray


def lanes_of_noise(seed: int) -> Lanes:
    """Levels that vary in every band and at every moment by themselves."""
    rng = np.random.default_rng([seed, 2])
    band_hz = bands_hz(RATE)
    level = (-50 + 8 * rng.standard_normal((POINTS, len(band_hz)))).astype(np.float32)
    return Lanes(RATE / HOP, band_hz, level, level, np.zeros((POINTS, 12), np.float32), np.full(POINTS, -1))


def planted(
    fields: Array, *, pieces: int = 8, noise: float = 0.5, hop: int = HOP, view: int = HOP
) -> NaturalSound:
    """A site whose features answer with fields ``[feature, lag, band]``, and noise of so many spreads."""
    lanes = tuple(lanes_of_noise(piece) for piece in range(pieces))
    step = max(1, round(view / HOP / LAGS))
    values, piece_of, start = [], [], []
    for piece, one in enumerate(lanes):
        first = np.arange(0, POINTS * HOP - view, hop)
        x = lagged(one.erb_db, one.rows(first + view, RATE), step)
        y = x @ fields.reshape(len(fields), -1).T
        rng = np.random.default_rng([piece, 4])
        values.append(y + noise * (y.std(axis=0) + 1e-3) * rng.standard_normal(y.shape))
        piece_of.append(np.full(len(first), piece))
        start.append(first)
    frames = np.concatenate(values).astype(np.float32)
    site = Site("made", "conv", hop, view, 0, frames.shape[1])
    audio = tuple(np.zeros(POINTS * HOP, np.float32) for _ in lanes)
    natural = NaturalFrames(site, RATE, frames, np.concatenate(piece_of), np.concatenate(start), audio)
    return NaturalSound({"made": natural}, lanes)


def three_fields() -> Array:
    """Narrow and early, wide and late, and none."""
    fields = np.zeros((3, LAGS, len(bands_hz(RATE))))
    fields[0, 1, 8] = 1.0
    fields[1, 6, 18:22] = [0.5, -1.0, -1.0, 0.5]
    return fields


def test_planted_fields_are_found() -> None:
    """Best frequency, width, latency, share and sign of planted fields; the one without a field has no r."""
    sound = planted(three_fields())
    found = receptive_fields(sound, ["made"])["made"]
    assert found.best_hz[0] == pytest.approx(found.band_hz[8], rel=0.03)
    assert erb.rate(found.best_hz[1]) == pytest.approx(np.mean(erb.rate(found.band_hz[19:21])), abs=0.6)
    assert found.latency_ms[:2].tolist() == [10.0, 60.0]
    assert found.bandwidth_erb[0] < 1.3
    assert found.bandwidth_erb[1] == pytest.approx(2.5, abs=0.5)
    assert (found.lobe_share[:2] > 0.8).all()
    assert found.weights[0, 1, 8] == pytest.approx(1.0, abs=0.2)
    assert found.weights[1, 6, 19] < 0
    # r of the signal under noise of half its spread is 1 / sqrt(1.25).
    assert np.allclose(found.r[:2], 1 / np.sqrt(1.25), atol=0.06)
    assert (found.r_low <= found.r + 1e-12).all()
    assert (found.r <= found.r_high + 1e-12).all()
    assert abs(found.r[2]) < 0.1


def test_shifted_features_have_no_field() -> None:
    """The null is near zero, and p is the rank among the nulls of the site."""
    found = receptive_fields(planted(np.tile(three_fields(), (10, 1, 1))), ["made"])["made"]
    assert np.abs(found.r_null).max() < 0.15
    assert found.p[0] == pytest.approx(1 / 31)
    assert np.median(found.p[2::3]) > 0.1


def test_long_views_have_longer_lags() -> None:
    """A view of 400 ms has lags of 40 ms, in which a planted field is found as well."""
    fields = np.zeros((1, LAGS, len(bands_hz(RATE))))
    fields[0, 4, 12] = 1.0
    sound = planted(fields, view=6400, hop=1600)
    found = receptive_fields(sound, ["made"])["made"]
    assert np.allclose(np.diff(found.lag_ms), 40)
    assert found.latency_ms[0] == pytest.approx(175.0)
    assert found.best_hz[0] == pytest.approx(found.band_hz[12], rel=0.03)


def test_sites_together_are_sites_apart() -> None:
    """What is shared between sites changes no number of any."""
    one, other = planted(three_fields()), planted(three_fields()[::-1], noise=1.0)
    both = NaturalSound({"a": one.sites["made"], "b": other.sites["made"]}, one.lanes)
    together = receptive_fields(both, ["a", "b"])
    for name in ("a", "b"):
        alone = receptive_fields(both, [name])[name]
        for column in ("r", "r_low", "best_hz", "weights", "latency_ms", "r_null", "p"):
            assert np.allclose(getattr(together[name], column), getattr(alone, column), equal_nan=True), (
                column
            )


def test_the_cochlea_has_its_own_frequencies() -> None:
    """On bursts of noise bands, channels come out at their centre, half an ERB apart, and after the sound."""
    rate, pieces = 16_000, []
    for number in range(4):
        rng = np.random.default_rng([number, 6])
        spectrum = np.fft.rfft(rng.standard_normal(6 * rate))
        band = np.clip(erb.rate(np.fft.rfftfreq(6 * rate, 1 / rate)).astype(int), 0, 40)
        gains = np.repeat(10 ** (rng.uniform(-30, 0, (60, 41)) / 20), rate // 10, axis=0)
        sound = sum(gains[:, b] * np.fft.irfft(spectrum * (band == b), 6 * rate) for b in range(34))
        pieces.append(Piece(str(number), None, None, None, None, (0.1 * sound).astype(np.float32)))
    encoder = load_encoder("phantom:cochlea")
    sound_ = natural_sound(encoder, ["cochlea"], MusicPool(rate, tuple(pieces)))
    found = receptive_fields(sound_, ["cochlea"])["cochlea"]
    centres = np.linspace(erb.rate(45.0), erb.rate(0.47 * rate), 64)
    off = np.abs(erb.rate(found.best_hz) - centres)
    assert np.median(off) < 0.25
    assert np.quantile(off, 0.9) < 0.8
    assert np.median(found.r) > 0.7
    assert (found.latency_ms > 0).all()


def test_undefined_is_not_zero() -> None:
    """Features that do not vary, two pieces, seven pieces."""
    sound = planted(three_fields())
    natural = sound.sites["made"]
    natural.frames[:, 0] = 0.1
    found = receptive_fields(sound, ["made"])["made"]
    for name in ("r", "r_low", "r_null", "p", "best_hz", "bandwidth_erb", "latency_ms", "lobe_share"):
        assert np.isnan(getattr(found, name)).tolist() == [True, False, False], name
    assert np.isnan(receptive_fields(planted(three_fields(), pieces=2), ["made"])["made"].r).all()
    seven = receptive_fields(planted(three_fields(), pieces=7), ["made"])["made"]
    assert np.isfinite(seven.r).all()
    assert np.isnan(seven.r_low).all()


def test_correlation_is_that_of_the_frames() -> None:
    """From moments alone, the correlation of predicted with true values on other frames."""
    rng = np.random.default_rng(0)
    x, other = rng.standard_normal((2, 200, 4))
    y = x[:, :2] + rng.standard_normal((200, 2))
    line = Ridge(alpha=0.1 * 200 * float(np.mean(np.var(x, axis=0)))).fit(x, y)
    truth = other[:, :2] + rng.standard_normal((200, 2))
    expected = [np.corrcoef(line.predict(other)[:, k], truth[:, k])[0, 1] for k in (0, 1)]
    assert np.allclose(correlation(Sums.of(other, truth), Sums.of(x, y).ridge(0.1)), expected)


def test_shards_merge_to_the_whole() -> None:
    """Tallies of even and odd pieces, merged, have the fields of one tally of all."""
    sound = planted(three_fields())
    natural, group = sound.sites["made"], deal(8, seed=0)
    parts = [FieldTally({"made": 3}, 1, sound.lanes[0], group) for _ in range(3)]
    for piece, lanes in enumerate(sound.lanes):
        rows = natural.piece == piece
        for tally in (parts[0], parts[1 + piece % 2]):
            tally.update(natural.frames[rows], lanes.rows(natural.end[rows], RATE), lanes, piece)
    parts[1].merge(parts[2])
    assert np.allclose(parts[0].read()["made"].weights, parts[1].read()["made"].weights)


def test_bad_input_says_what_is_wrong() -> None:
    """Unknown sites, lanes of another rate, features that are not finite."""
    sound = planted(three_fields())
    with pytest.raises(InputError, match="a recorded site; got 'other'; legal values: made"):
        receptive_fields(sound, ["other"])
    with pytest.raises(InputError, match="finite values"):
        receptive_fields(sound, ["made"], features=lambda frames: frames * np.nan)
    other = replace(sound.lanes[0], band_hz=sound.lanes[0].band_hz + 1)
    tally = FieldTally({"made": 3}, 1, sound.lanes[0], deal(8, seed=0))
    with pytest.raises(InputError, match="the same bands"):
        tally.update(np.zeros((2, 3)), np.array([1, 2]), other, 0)
