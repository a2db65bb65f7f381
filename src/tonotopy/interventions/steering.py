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

The columns of controls are directions like any other (:mod:`tonotopy.interventions.controls`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.encoders._contract import Change, Encoder
from tonotopy.encoders._taps import checked_change
from tonotopy.interventions import sound_change
from tonotopy.interventions.actions import ablate, checked_strength, steer
from tonotopy.interventions.direction import Direction
from tonotopy.interventions.doses import monotonicity, sign_share
from tonotopy.interventions.pairs import Pairs
from tonotopy.interventions.pieces import Estimate, ratio_over_pieces
from tonotopy.interventions.sound_change import Analysis, analysed
from tonotopy.training.spectral import spectral_distance

#: Doses, in units of the mean evoked answer to s_f.
STRENGTHS = (-1.0, 0.25, 0.5, 1.0, 2.0, 4.0)

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
    gone: Floats = field(
        repr=False
    )  # [direction, trial]: power near f that goes from c + s when projected out
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
    tracked: bool | Sequence[str] = True,
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
        For which directions partials are tracked; spectra are taken for all.

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
    rows: dict[str, list[list[Floats]]] = {name: [] for name in _PER_DOSE}
    ends: dict[str, list[Floats]] = {name: [] for name in ("monotonicity", "sign", "gone", "damage")}
    for name, direction in directions.items():
        here: dict[str, list[Floats]] = {key: [] for key in _PER_DOSE}
        for strength in doses:
            pushed = decoder(pairs.absent, steer(direction, float(strength)))
            heard = decoder.analysed(pushed[1], tracked=name in follow)
            for key, values in _effects(base, pushed, wanted, plain, heard, whole).items():
                here[key].append(values)
        for key, columns in here.items():
            rows[key].append(columns)
        gains = np.array(here["gain_db"])
        ends["monotonicity"].append(monotonicity(doses, gains))
        ends["sign"].append(sign_share(doses, gains))
        cut = decoder.analysed(decoder(pairs.present, ablate(direction))[1], tracked=False)
        ends["gone"].append(_near(whole) - _near(cut))
        ends["damage"].append(sound_change.leakage(whole.spectrum, cut.spectrum, whole.near))
    return Steering(
        site=site,
        latent=decoder.latent,
        target_hz=pairs.target,
        direction=tuple(directions),
        strength=doses,
        piece=pairs.piece,
        **{key: np.array(values) for key, values in rows.items()},
        **{key: np.array(values) for key, values in ends.items()},
        added=_near(whole) - _near(plain),
        present_gain_db=sound_change.gain_db(plain.spectrum, whole.spectrum, plain.near),
        present_specificity=sound_change.specificity(plain.spectrum, whole.spectrum, plain.near),
        present_specificity_level=sound_change.specificity_level(plain.spectrum, whole.spectrum, plain.near),
        present_quality=_distance(wanted[1], base[1]),
    )


class Decoder:
    """From sounds, through a change at a site, to the latent and to sound.

    Raises
    ------
    InputError
        The encoder has no decoder, or nothing of the latent can be read behind the site.
    """

    def __init__(self, encoder: Encoder, site: str, latent: str, pairs: Pairs) -> None:
        names = [known.name for known in encoder.sites]
        if latent == "stack_end" and latent not in names:
            latent = next((known.name for known in encoder.sites if known.role == "stack_end"), latent)
        encoder.site(site)
        self.latent = "codes" if site == "codes" and latent == "stack_end" else encoder.site(latent).name
        self._encoder, self._site, self._pairs = encoder, site, pairs
        self._plain: dict[
            int, torch.Tensor
        ] = {}  # latents of sounds as they are, by the identity of their array

    def __call__(
        self, audio: NDArray[np.float32], change: Change | None
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Latent ``[trial, frame, unit]`` and decoded sound ``[trial, time]``."""
        latent = self._latent(audio, change)
        sounds = []
        for rows in latent.split(max(1, self._encoder.preferred_batch)):
            sound = self._encoder.decode(rows)
            if sound is None:
                cause = (
                    "it has no decoder: ask for effects on its outputs (interventions.outputs) or on later sites "
                    "(interventions.reuse)"
                )
                raise InputError("an encoder that decodes", self._encoder.name, cause)
            sounds.append(sound.float().cpu().numpy())
        return latent.float().cpu().numpy(), np.concatenate(sounds)

    def _latent(self, audio: NDArray[np.float32], change: Change | None) -> torch.Tensor:
        encoder = self._encoder
        rows = torch.from_numpy(audio).split(max(1, encoder.preferred_batch))
        if change is None or self._site == self.latent:  # nothing need run again
            if id(audio) not in self._plain:
                found = [encoder.activations(r.to(encoder.device), [self.latent])[self.latent] for r in rows]
                self._plain[id(audio)] = torch.cat(found)
            plain = self._plain[id(audio)]
            return plain if change is None else checked_change(plain, change)
        made = [encoder.changed(r.to(encoder.device), self._site, change, [self.latent]) for r in rows]
        return torch.cat([found[self.latent] for found in made])

    def analysed(self, sounds: NDArray[np.float32], *, tracked: bool) -> Analysis:
        """Bands of decoded sounds around the target."""
        return analysed(sounds, self._pairs.sample_rate_hz, self._pairs.target, tracked=tracked)


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

_Decoded = tuple[NDArray[np.float32], NDArray[np.float32]]


def _effects(
    base: _Decoded, pushed: _Decoded, wanted: _Decoded, plain: Analysis, heard: Analysis, whole: Analysis
) -> dict[str, Floats]:
    """Every per-dose effect, ``[trial]``."""
    near, undefined = plain.near, np.full(len(base[0]), np.nan)
    found = {
        "specificity": sound_change.specificity(plain.spectrum, heard.spectrum, near),
        "specificity_level": sound_change.specificity_level(plain.spectrum, heard.spectrum, near),
        "gain_db": sound_change.gain_db(plain.spectrum, heard.spectrum, near),
        "leakage": sound_change.leakage(plain.spectrum, heard.spectrum, near),
        "quality": _distance(pushed[1], base[1]),
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


def _distance(sounds: NDArray[np.float32], others: NDArray[np.float32]) -> Floats:
    """Multi-resolution spectral distance of each sound, ``[trial]``."""
    rows = zip(torch.from_numpy(sounds), torch.from_numpy(others), strict=True)
    return np.array([float(spectral_distance(a[None], b[None])) for a, b in rows])
