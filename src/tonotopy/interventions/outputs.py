"""Steering without a decoder: what a direction does to the outputs of a head (SPEC § 7).

What adding s does to the outputs, mean over a trial's frames, is the evoked change D_s; pushing along the direction
makes the change D.

- gain: D along D_s, re D_s: 1 is as adding s;
- specificity: share of D's squared length that lies along D_s (cos²);
- near: share of D's squared length in outputs within ±1 ERB of f, where outputs stand for frequencies (CREPE's bins);
- sufficiency: 1 - |D - D_s|² / |D_s|²;
- monotonicity: Spearman of gain with strength, 0 included; sign: whether the gain has the sign of the strength;
- necessity: share of D_s that goes when the direction is projected out of c + s; damage: what else that changes,
  re |D_s|.

A cosine between changes of n outputs is not 0 by chance: cos² is 1 / n on average for unrelated ones, and more where
outputs move together. The random directions beside it say how much; the first few are tried as the own one is, the
others, which p counts, at strength 1 alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.encoders._contract import OUTPUTS, Change, Encoder
from tonotopy.interventions.actions import ablate, checked_strength, steer
from tonotopy.interventions.controls import cosines
from tonotopy.interventions.direction import Direction
from tonotopy.interventions.doses import monotonicity, sign_share
from tonotopy.interventions.pairs import Pairs
from tonotopy.interventions.pieces import Estimate, ratio_over_pieces
from tonotopy.interventions.sound_change import NEAR_ERB
from tonotopy.interventions.steering import N_FULL, STRENGTHS, in_full
from tonotopy.signal import erb

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class OutputSteering:
    """Effects on outputs, ``[direction, dose, trial]`` where nothing else is said."""

    site: str
    target_hz: float
    direction: tuple[str, ...]
    strength: Floats  # [dose]
    piece: NDArray[np.int64]  # [trial]
    asked: NDArray[np.bool_] = field(repr=False)  # [direction, dose]: what was tried; NaN elsewhere
    cosine: Floats = field(repr=False)  # [direction]: how much each direction is the own one, 0 to 1
    gain: Floats = field(repr=False)
    specificity: Floats = field(repr=False)
    near: Floats = field(repr=False)
    sufficiency: Floats = field(repr=False)
    monotonicity: Floats = field(repr=False)  # [direction, trial]
    sign: Floats = field(repr=False)  # [direction, trial]
    gone: Floats = field(repr=False)  # [direction, trial]: D_s times what goes of it when projected out
    damage: Floats = field(repr=False)  # [direction, trial]
    present_size: Floats = field(repr=False)  # [trial]: |D_s|

    def necessity(self, *, n_resamples: int = 1000, seed: int = 0) -> Estimate:
        """Share of D_s that goes with each direction, ``[direction]``: a quotient of sums over trials."""
        size = np.broadcast_to(np.square(self.present_size), self.gone.shape)
        return ratio_over_pieces(self.gone, size, self.piece, n_resamples=n_resamples, seed=seed)


def output_steering(
    encoder: Encoder,
    site: str,
    directions: Mapping[str, Direction],
    pairs: Pairs,
    *,
    strengths: Sequence[float] = STRENGTHS,
    n_full: int = N_FULL,
) -> OutputSteering:
    """Push along each direction by each strength and read the outputs.

    Parameters
    ----------
    strengths, n_full
        As for :func:`~tonotopy.interventions.steering.steering`.

    Raises
    ------
    InputError
        No head, a site that cannot be changed, a strength that overflows; each says what can be done instead.
    """
    doses = np.asarray(strengths, dtype=np.float64)
    if not len(doses) or not directions:
        raise InputError("at least one strength and one direction", f"{len(doses)} and {len(directions)}")
    for direction in directions.values():
        for strength in doses:
            checked_strength(float(strength), direction)
    base, whole = outputs(encoder, pairs.absent), outputs(encoder, pairs.present)
    evoked = whole - base
    size = np.square(evoked).sum(axis=1)
    inside = _inside(encoder, pairs.target)
    full = in_full(tuple(directions), n_full)
    asked = full[:, None] | (np.arange(len(doses)) == np.abs(doses - 1).argmin())
    shape = len(directions), len(doses), len(pairs)
    rows = {name: np.full(shape, np.nan) for name in ("gain", "specificity", "near", "sufficiency")}
    gone, damage = np.full(shape[::2], np.nan), np.full(shape[::2], np.nan)
    for k, direction in enumerate(directions.values()):
        for dose in np.flatnonzero(asked[k]):
            change = outputs(encoder, pairs.absent, site, steer(direction, float(doses[dose]))) - base
            along, own = (change * evoked).sum(axis=1), np.square(change).sum(axis=1)
            rows["gain"][k, dose] = _ratio(along, size)
            rows["specificity"][k, dose] = _ratio(along**2, own * size)
            if inside is not None:
                rows["near"][k, dose] = _ratio(np.square(change[:, inside]).sum(axis=1), own)
            rows["sufficiency"][k, dose] = 1 - _ratio(np.square(change - evoked).sum(axis=1), size)
        if full[k]:
            lost = whole - outputs(encoder, pairs.present, site, ablate(direction))
            gone[k] = (lost * evoked).sum(axis=1)
            beside = lost - np.nan_to_num(_ratio(gone[k], size))[:, None] * evoked
            damage[k] = _ratio(np.linalg.norm(beside, axis=1), np.sqrt(size))
    return OutputSteering(
        site=site,
        target_hz=pairs.target,
        direction=tuple(directions),
        strength=doses,
        piece=pairs.piece,
        asked=asked,
        cosine=cosines(directions),
        **rows,
        monotonicity=np.where(full[:, None], [monotonicity(doses, g) for g in rows["gain"]], np.nan),
        sign=np.where(full[:, None], [sign_share(doses, g) for g in rows["gain"]], np.nan),
        gone=gone,
        damage=damage,
        present_size=np.sqrt(size),
    )


def outputs(
    encoder: Encoder, audio: NDArray[np.float32], site: str | None = None, change: Change | None = None
) -> Floats:
    """Outputs of sounds ``[trial, time]``, mean over frames, with a change at a site: ``[trial, output]``.

    A framewise encoder hears every whole window, half overlapping.

    Raises
    ------
    InputError
        The encoder has no head.
    """
    rows = torch.from_numpy(np.ascontiguousarray(audio))
    if encoder.frame_length is not None:
        rows = rows.unfold(1, encoder.frame_length, max(1, encoder.frame_length // 2)).flatten(0, 1)
    found = []
    for part in rows.split(max(1, encoder.preferred_batch)):
        heard = part.contiguous().to(encoder.device)
        if change is None or site is None:
            made = encoder.outputs(heard)
        else:
            made = encoder.changed(heard, site, change, [OUTPUTS])[OUTPUTS]
        if made is None:
            cause = (
                "it has no head: ask for effects on decoded sound (interventions.steering) or on later sites "
                "(interventions.reuse)"
            )
            raise InputError("an encoder with outputs", encoder.name, cause)
        found.append(made.double().cpu())
    whole = torch.cat(found).unflatten(0, (len(audio), -1))  # [trial, window, frame, output]
    return np.asarray(whole.flatten(1, 2).mean(dim=1).numpy())


def _inside(encoder: Encoder, target_hz: float) -> NDArray[np.bool_] | None:
    hz = encoder.output_hz
    if hz is None:
        return None
    return np.asarray(np.abs(erb.rate(hz.numpy()) - erb.rate(target_hz)) <= NEAR_ERB)


def _ratio(top: Floats, bottom: Floats) -> Floats:
    return np.divide(top, bottom, out=np.full(np.shape(top), np.nan), where=bottom > 0)
