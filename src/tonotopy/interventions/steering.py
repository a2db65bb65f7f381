"""Steering, sufficiency and necessity on decoded sound (SPEC § 7).

For each piece c and strength: push the activations of c along a direction, go on to the latent, decode, and analyse
again what is heard, against the decoded c. Beside it: the decoded c + s, and c + s with the direction projected out.

- specificity: share of the change within ±1 ERB of f: of power, in the spectrum and in the tracked partials; and of
  level, where a change of the bass does not outweigh all of a high partial;
- gain: change of power within ±1 ERB of f, dB; leakage: change of power elsewhere re the power there;
- quality: multi-resolution spectral distance of the pushed from the decoded c (the price, and what was to be heard);
- sufficiency: nearness to c + s, of the latent (share of the squared change explained) and of band amplitudes;
- sign: whether the gain has the sign of the strength; monotonicity: Spearman of gain with strength, 0 included;
- necessity: share of the power that s adds near f which goes with the direction; damage: change of power elsewhere.

The columns of controls are directions like any other (:mod:`tonotopy.interventions.controls`). The first few random
directions are tried as the own one is; the others, which p counts, at strength 1 alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.encoders._contract import Encoder
from tonotopy.interventions import sound_change
from tonotopy.interventions.actions import ablate, checked_strength, steer
from tonotopy.interventions.controls import OWN, RANDOM, cosines
from tonotopy.interventions.decoder import Decoded, Decoder
from tonotopy.interventions.direction import Direction
from tonotopy.interventions.doses import monotonicity, sign_share
from tonotopy.interventions.pairs import Pairs
from tonotopy.interventions.pieces import Estimate, ratio_over_pieces
from tonotopy.interventions.quality import Distances
from tonotopy.interventions.sound_change import Analysis

#: Doses, in units of the mean evoked answer to s_f.
STRENGTHS = (-1.0, 0.25, 0.5, 1.0, 2.0, 4.0)

#: Random directions that are tried as the own one is.
N_FULL = 8

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Steering:
    """Effects of pushing at one site, for one target; ``[direction, dose, trial]`` where nothing else is said."""

    site: str
    latent: str
    target_hz: float
    direction: tuple[str, ...]
    strength: Floats  # [dose]
    piece: NDArray[np.int64]  # [trial]
    asked: NDArray[np.bool_] = field(repr=False)  # [direction, dose]: what was tried; NaN elsewhere
    cosine: Floats = field(repr=False)  # [direction]: how much each direction is the own one, 0 to 1
    specificity: Floats = field(repr=False)
    specificity_level: Floats = field(repr=False)
    specificity_partials: Floats = field(repr=False)
    gain_db: Floats = field(repr=False)
    gain_partials_db: Floats = field(repr=False)
    leakage: Floats = field(repr=False)
    quality: Floats = field(repr=False)
    sufficiency_latent: Floats = field(repr=False)
    sufficiency_spectrum: Floats = field(repr=False)
    monotonicity: Floats = field(repr=False)  # [direction, trial]
    sign: Floats = field(repr=False)  # [direction, trial]: share of doses
    gone: Floats = field(repr=False)  # [direction, trial]: power near f that goes when it is projected out
    added: Floats = field(repr=False)  # [trial]: power near f that s adds to c
    damage: Floats = field(repr=False)  # [direction, trial]
    present_gain_db: Floats = field(repr=False)  # [trial]: what adding s itself does
    present_specificity: Floats = field(repr=False)  # [trial]
    present_specificity_level: Floats = field(repr=False)  # [trial]
    present_quality: Floats = field(repr=False)  # [trial]

    def necessity(self, *, n_resamples: int = 1000, seed: int = 0) -> Estimate:
        """Share of the power that s adds near f which goes with each direction, ``[direction]``.

        A quotient of sums: in a piece where s adds all but nothing, a quotient of its own would be noise.
        """
        added = np.broadcast_to(self.added, self.gone.shape)
        return ratio_over_pieces(self.gone, added, self.piece, n_resamples=n_resamples, seed=seed)


def steering(
    encoder: Encoder,
    site: str,
    directions: Mapping[str, Direction],
    pairs: Pairs,
    *,
    strengths: Sequence[float] = STRENGTHS,
    latent: str = "stack_end",
    tracked: bool | Sequence[str] = (OWN,),
    n_full: int = N_FULL,
) -> Steering:
    """Push along each direction by each strength, decode, analyse again.

    Parameters
    ----------
    site
        Where the directions live.
    directions
        By name; the readout's own and its controls.
    pairs
        Sounds long enough to be tracked, about a second.
    strengths
        In units of the mean evoked answer; 0 is always there and need not be named.
    latent
        What is decoded: ``stack_end``, or ``codes`` for what survives the quantiser. A phantom's one site has its own
        name and is found by its role.
    tracked
        For which directions partials are tracked; spectra are taken for all. Tracking takes most of the time.
    n_full
        How many random directions are pushed by every strength and projected out; further ones are pushed by the
        strength nearest to 1 alone.

    Raises
    ------
    InputError
        No decoder, a site that cannot be changed, a strength that overflows; each says what can be done instead.
    """
    doses = np.asarray(strengths, dtype=np.float64)
    if not len(doses) or not directions:
        raise InputError("at least one strength and one direction", f"{len(doses)} and {len(directions)}")
    decoder = Decoder(encoder, site, latent, pairs)
    for direction in directions.values():
        for strength in doses:
            checked_strength(float(strength), direction)
    follow = set(directions) if tracked is True else set() if tracked is False else set(tracked)
    base, wanted = decoder(pairs.absent, None), decoder(pairs.present, None)
    plain, whole = decoder.analysed(base[1], tracked=True), decoder.analysed(wanted[1], tracked=True)
    distance, full = Distances(base[1]), in_full(tuple(directions), n_full)
    asked = full[:, None] | (np.arange(len(doses)) == np.abs(doses - 1).argmin())
    shape = len(directions), len(doses), len(pairs)
    rows = {name: np.full(shape, np.nan) for name in _PER_DOSE}
    gone, damage = np.full(shape[::2], np.nan), np.full(shape[::2], np.nan)
    for k, (name, direction) in enumerate(directions.items()):
        numbers = np.flatnonzero(asked[k])
        changes = [steer(direction, float(doses[dose])) for dose in numbers]
        for dose, pushed in zip(numbers, decoder.each(pairs.absent, changes), strict=True):
            heard = decoder.analysed(pushed[1], tracked=name in follow)
            rows["quality"][k, dose] = distance(pushed[1])
            for key, values in _effects(base, pushed, wanted, plain, heard, whole).items():
                rows[key][k, dose] = values
        if full[k]:
            cut = decoder.analysed(decoder(pairs.present, ablate(direction))[1], tracked=False)
            gone[k] = _near(whole) - _near(cut)
            damage[k] = sound_change.leakage(whole.spectrum, cut.spectrum, whole.near)
    return Steering(
        site=site,
        latent=decoder.latent,
        target_hz=pairs.target,
        direction=tuple(directions),
        strength=doses,
        piece=pairs.piece,
        asked=asked,
        cosine=cosines(directions),
        **rows,
        monotonicity=np.where(full[:, None], [monotonicity(doses, g) for g in rows["gain_db"]], np.nan),
        sign=np.where(full[:, None], [sign_share(doses, g) for g in rows["gain_db"]], np.nan),
        gone=gone,
        damage=damage,
        added=_near(whole) - _near(plain),
        present_gain_db=sound_change.gain_db(plain.spectrum, whole.spectrum, plain.near),
        present_specificity=sound_change.specificity(plain.spectrum, whole.spectrum, plain.near),
        present_specificity_level=sound_change.specificity_level(plain.spectrum, whole.spectrum, plain.near),
        present_quality=distance(wanted[1]),
    )


def in_full(direction: Sequence[str], n_full: int) -> NDArray[np.bool_]:
    """Which directions are tried by every strength, ``[direction]``: all but random ones after the first ``n_full``.

    Examples
    --------
    >>> in_full(("own", "random 0", "random 1"), n_full=1).tolist()
    [True, True, False]
    """
    random = np.array([name.split(" ")[0] == RANDOM for name in direction], dtype=bool)
    return np.asarray(~random | (np.cumsum(random) <= n_full))


_PER_DOSE = (
    "specificity",
    "specificity_level",
    "specificity_partials",
    "gain_db",
    "gain_partials_db",
    "leakage",
    "quality",
    "sufficiency_latent",
    "sufficiency_spectrum",
)


def _effects(
    base: Decoded, pushed: Decoded, wanted: Decoded, plain: Analysis, heard: Analysis, whole: Analysis
) -> dict[str, Floats]:
    """Every per-dose effect but quality, ``[trial]``."""
    near, undefined = plain.near, np.full(len(base[0]), np.nan)
    found = {
        "specificity": sound_change.specificity(plain.spectrum, heard.spectrum, near),
        "specificity_level": sound_change.specificity_level(plain.spectrum, heard.spectrum, near),
        "gain_db": sound_change.gain_db(plain.spectrum, heard.spectrum, near),
        "leakage": sound_change.leakage(plain.spectrum, heard.spectrum, near),
        "sufficiency_latent": explained(base[0], pushed[0], wanted[0]),
        "sufficiency_spectrum": sound_change.nearness(plain.spectrum, heard.spectrum, whole.spectrum),
        "specificity_partials": undefined,
        "gain_partials_db": undefined,
    }
    if heard.partials is not None and plain.partials is not None:
        found["specificity_partials"] = sound_change.specificity(plain.partials, heard.partials, near)
        found["gain_partials_db"] = sound_change.gain_db(plain.partials, heard.partials, near)
    return found


def explained(
    before: NDArray[np.floating], after: NDArray[np.floating], wanted: NDArray[np.floating]
) -> Floats:
    """Share of the squared change from ``before`` to ``wanted`` that ``after`` explains, ``[trial]``."""
    change = (wanted.astype(np.float64) - before).reshape(len(before), -1)
    left = (wanted.astype(np.float64) - after).reshape(len(before), -1)
    size = np.square(change).sum(axis=1)
    rest = np.square(left).sum(axis=1)
    return 1 - np.divide(rest, size, out=np.full(len(size), np.nan), where=size > 0)


def _near(analysis: Analysis) -> Floats:
    return np.asarray(analysis.spectrum[..., analysis.near].sum(axis=(-2, -1)))
