"""Through real recordings: the quantised cochlea reads high, iid, sticky and piece-dependent codes at their nulls."""

from __future__ import annotations

import numpy as np
import pytest
from tests.measures.codes import coded

from tonotopy.measures.codes.agreement import agreement
from tonotopy.measures.codes.flip import flip_level
from tonotopy.measures.codes.present import presence
from tonotopy.measures.codes.rsa import spectral_similarity
from tonotopy.measures.codes.substitution import substitute, swaps_of

COCHLEA, RANDOM = coded.PHANTOMS[0], coded.RANDOM


def test_codes_of_the_cochlea_tell_partials() -> None:
    """Most targets have a stage that tells them: bits above swapped labels, on stages chosen on other pieces."""
    for against in ("absent", "foil"):
        found = presence(coded.trial_codes(COCHLEA), against=against, resamples=40)
        assert np.median(found.best_excess_bits) > 0.4
        assert np.median(found.joint_auc) > 0.95
        assert np.median(found.excess_bits.max(axis=0)) > 0.6
        own = found.p[found.best_stage, np.arange(len(found.target_hz))]
        assert np.mean(own <= 0.05) > 0.6
    assert (np.diff(found.best_stage) >= 0).all()  # stages lie in the order of frequency
    low = found.excess_low_bits[found.best_stage, np.arange(6)]
    assert np.mean(low > 0.2) > 0.6


@pytest.mark.parametrize("name", RANDOM)
def test_random_codes_tell_nothing_of_partials(name: str) -> None:
    """Information is its null's on average, p values are even, AUC is near one half; raw information is not zero."""
    for against in ("absent", "foil"):
        found = presence(coded.trial_codes(name), against=against, resamples=40)
        assert float(found.excess_bits.mean()) == pytest.approx(0, abs=0.05)
        assert float(np.mean(found.p <= 0.05)) < 0.15
        assert float(found.auc.mean()) == pytest.approx(0.5, abs=0.06)
        assert float(found.information_bits.mean()) > 0.1
        assert float(np.mean(found.auc_p <= 0.05)) < 0.15


def test_the_same_partial_changes_codes_of_the_cochlea_alike() -> None:
    """Agreement far above other partials at the same stage; where no other changes the stage, there is no null."""
    found = agreement(coded.trial_codes(COCHLEA), resamples=40)
    best = np.nanmax(found.agreement, axis=0)
    assert np.median(best) > 0.8
    assert float(np.nanmedian(found.excess)) > 0.25
    assert float(np.nanmin(found.changed)) == 0.0  # stages of other bands do not change at all


@pytest.mark.parametrize("name", RANDOM)
def test_random_codes_change_to_anything(name: str) -> None:
    """Nearly all codes change, and no more to the same code than by other partials."""
    found = agreement(coded.trial_codes(name), resamples=40)
    assert float(found.changed.mean()) > 0.85
    assert float(np.nanmean(found.excess)) == pytest.approx(0, abs=0.02)
    assert float(np.nanmean(found.p <= 0.05)) < 0.15


def test_flip_levels() -> None:
    """The cochlea's codes flip within the ladder, at their own partial; random ones below it, at any sound."""
    found = flip_level(coded.trial_codes(COCHLEA), resamples=40)
    best = np.nanmax(found.specific, axis=0)
    assert np.median(best) > 0.8
    flips = np.nanmin(found.flip_level_db, axis=0)
    assert np.mean(flips <= 6) > 0.6
    assert np.isinf(found.flip_level_db).mean() > 0.5  # stages of other bands never flip
    for name in RANDOM:
        random = flip_level(coded.trial_codes(name), resamples=40)
        assert (random.flip_level_db == -np.inf).all()
        assert float(np.mean(random.specific)) == pytest.approx(0, abs=0.05)
        assert float(np.mean(random.p <= 0.05)) < 0.15


def test_natural_sound() -> None:
    """Which bands carry partials, their spectra and their likeness: known to the cochlea's codes alone."""
    found = coded.natural(COCHLEA)
    assert float(np.nanmax(found.peaks.excess_bits)) > 0.3
    assert found.peaks.mean_p[2:6].max() <= 0.05
    assert float(np.nanmax(found.spectra.explained_excess)) > 0.5
    books = coded.phantom(COCHLEA).codebooks.numpy()
    alike = spectral_similarity(books, found.spectra.spectrum_db, found.spectra.frames)
    assert float(np.nanmax(alike.correlation)) > 0.5
    assert float(np.nanmin(alike.p)) <= 0.01
    p = []
    for name in RANDOM:
        random = coded.natural(name)
        assert float(np.nanmax(random.peaks.excess_bits)) < 0.12
        assert np.abs(random.peaks.mean_excess_bits).max() < 0.02
        assert float(random.spectra.explained_excess.mean()) == pytest.approx(0, abs=0.02)
        books = coded.phantom(name).codebooks.numpy()
        unlike = spectral_similarity(books, random.spectra.spectrum_db, random.spectra.frames)
        assert np.abs(np.nanmean(unlike.correlation)) < 0.2
        p += [*random.peaks.mean_p, *unlike.p]
    assert np.mean(np.array(p) <= 0.05) < 0.15


def test_usage() -> None:
    """Independent stages tell nothing of each other, even where they change together; a cochlea's do."""
    told = {name: coded.natural(name).usage for name in coded.PHANTOMS}
    for name in RANDOM:
        assert np.abs(np.nanmean(told[name].told_bits)) < 0.1
        assert (told[name].used >= 15).all()
    assert np.nanmax(told[COCHLEA].told_bits) > 0.2
    iid = told["random-codes-iid"]
    assert iid.perplexity == pytest.approx(iid.perplexity_null, rel=0.02)
    assert iid.conditional_entropy_bits[1:] == pytest.approx(4, abs=0.1)
    assert iid.joint_distinct == iid.n_frames
    assert iid.joint_collision_bits == np.inf
    assert told["random-codes-sticky"].joint_distinct < iid.joint_distinct / 10


def test_swapped_codes_sound_where_they_should() -> None:
    """A code of the cochlea swapped for another changes levels in the bands in which their spectra differ."""
    encoder, spectra = coded.phantom(COCHLEA), coded.natural(COCHLEA).spectra
    swaps = swaps_of(spectra.frames, spectra.spectrum_db, swaps=3)
    audio = coded.music().pieces[0].audio[:24000]
    found = substitute(encoder, audio, swaps, spectra.spectrum_db)
    heard = found.frames > 0
    assert heard.sum() >= 6
    assert float(np.nanmean(found.sign)) > 0.3
    assert float(np.nanmean(found.in_band)) > float(np.nanmean(found.in_band_null))
    assert not np.isfinite(found.in_band[~heard]).any()
