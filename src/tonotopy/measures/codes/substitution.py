"""Substitution: one code swapped for another, decoded, and the sound analysed again.

For a stage and a pair of codes (a, b): every frame of a sound that has a gets b, nothing else changes, both versions
are decoded. *Where* the output changes is asked of levels in 1-ERB bands and of the partials that the sinusoidal
tracker finds; *where it should* follows from the code spectra of natural sound: the bands in which the spectra of a
and b differ most. `in_band` is the share of the squared change of level within 1 ERB of that band, over the points
around the frames that were swapped. Its null takes the predicted bands of the other swaps of the stage: where all
swaps change the same bands, nothing is special about the right one.

`sign` is the correlation over bands of the change and the difference of the two code spectra.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.encoders._contract import Encoder
from tonotopy.measures.codes._information import Array
from tonotopy.recording.lanes import Lanes, lanes_of

#: Bands within this distance of the predicted one count as it, ERB.
NEAR_ERB: Final = 1.0
#: Levels below this, dB, count as this: changes between two silences are no changes.
SILENT_DB: Final = -70.0
#: Swaps a stage that are asked for where none are named.
SWAPS: Final = 8


@dataclass(frozen=True)
class Substitution:
    """Swaps; ``[swap]`` where not said otherwise."""

    stage: NDArray[np.int64]
    code: NDArray[np.int64]  # that was swapped
    other: NDArray[np.int64]  # that came in its place
    band_hz: Array  # [band]
    predicted_hz: Array
    change_db: Array = field(repr=False)  # [swap, band], mean change of level
    partial_change_db: Array = field(repr=False)  # [swap, band], the same of tracked partials
    in_band: Array = field(repr=False)
    in_band_null: Array = field(repr=False)
    partial_in_band: Array = field(repr=False)
    partial_in_band_null: Array = field(repr=False)
    sign: Array = field(repr=False)
    frames: NDArray[np.int64] = field(repr=False)  # that were swapped
    piece: NDArray[np.int64] = field(repr=False)


def swaps_of(
    frames: NDArray[np.integer], spectrum_db: Array, *, swaps: int = SWAPS, seed: int = 0
) -> list[tuple[int, int, int]]:
    """Pairs of codes to swap, (stage, code, other), drawn from codes that have a spectrum, frequent ones first.

    Parameters
    ----------
    frames : ``[stage, code]``
    spectrum_db : ``[stage, code, band]``, NaN where a code has none
    """
    rng = np.random.default_rng([seed, 109])
    found: list[tuple[int, int, int]] = []
    for stage in range(len(frames)):
        known = np.flatnonzero(np.isfinite(spectrum_db[stage]).all(axis=1))
        known = known[np.argsort(-np.asarray(frames)[stage, known], kind="stable")][: 2 * swaps]
        if len(known) < 2:
            continue
        for code in known[:swaps].tolist():
            other = rng.choice(known[known != code])
            found.append((stage, int(code), int(other)))
    return found


def substitute(
    encoder: Encoder,
    audio: NDArray[np.floating],
    swaps: Sequence[tuple[int, int, int]],
    spectrum_db: Array,
    *,
    piece: int = 0,
) -> Substitution:
    """Swap codes in one sound ``[time]``.

    Parameters
    ----------
    swaps : (stage, code, other); those whose code does not come in the sound read NaN
    spectrum_db : code spectra ``[stage, code, band]``, on the bands of `tonotopy.recording.lanes`

    Raises
    ------
    InputError
        An encoder without codes or without a decoder, or spectra in other bands.
    """
    rate = encoder.sample_rate_hz
    heard = torch.from_numpy(np.asarray(audio, np.float32))[None].to(encoder.device)
    codes = encoder.codes(heard)
    if codes is None:
        cause = "it has no quantiser: choose a codec"
        raise InputError("an encoder with codes", encoder.name, cause)
    plain = _decoded(encoder, codes)
    before = lanes_of(plain, rate)
    if spectrum_db.shape[2] != len(before.band_hz):
        cause = "spectra at another sampling rate"
        raise InputError(f"code spectra in {len(before.band_hz)} bands", str(spectrum_db.shape[2]), cause)
    hop = next(site.hop for site in encoder.sites[::-1] if site.role in {"codes", "stack_end"})
    offset = len(plain) - codes.shape[1] * hop  # a decoder that gives the whole of the views that it saw
    n = len(swaps)
    change = np.full((2, n, len(before.band_hz)), np.nan)
    predicted, count = np.full(n, -1), np.zeros(n, np.int64)
    difference = np.full((n, len(before.band_hz)), np.nan)
    for k, (stage, code, other) in enumerate(swaps):
        chosen = codes[0, :, stage] == code
        count[k] = int(chosen.sum())
        difference[k] = spectrum_db[stage, other] - spectrum_db[stage, code]
        if np.isfinite(difference[k]).all():
            predicted[k] = int(np.argmax(np.abs(difference[k])))
        if not count[k]:
            continue
        swapped = codes.clone()
        swapped[0, chosen, stage] = other
        after = lanes_of(_decoded(encoder, swapped), rate)
        frame = np.flatnonzero(chosen.cpu().numpy())
        rows = _rows(before, frame, hop, max(0, offset), rate)
        for kind, name in enumerate(("erb_db", "partial_db")):
            one, two = (np.maximum(getattr(lanes, name)[rows], SILENT_DB) for lanes in (before, after))
            change[kind, k] = np.mean(two.astype(np.float64) - one, axis=0)
    in_band, null = _in_band(change, predicted, np.array([s for s, _, _ in swaps], np.int64))
    at = np.where(predicted >= 0, before.band_hz[predicted], np.nan) if n else np.zeros(0)
    columns = np.array(swaps, np.int64).reshape(n, 3).T
    return Substitution(
        columns[0],
        columns[1],
        columns[2],
        before.band_hz,
        at,
        change[0],
        change[1],
        in_band[0],
        null[0],
        in_band[1],
        null[1],
        np.array([_correlation(a, b) for a, b in zip(change[0], difference, strict=True)]),
        count,
        np.full(n, piece),
    )


def _decoded(encoder: Encoder, codes: torch.Tensor) -> NDArray[np.float32]:
    """The sound ``[time]`` of codes ``[1, frame, stage]``."""
    latent = encoder.entries(codes)
    with torch.inference_mode():
        sound = None if latent is None else encoder.decode(latent)
    if sound is None:
        cause = "codes without a decoder cannot be heard; measure what they tell of partials instead"
        raise InputError("an encoder that decodes", encoder.name, cause)
    return np.asarray(sound[0].float().cpu().numpy())


def _rows(lanes: Lanes, frame: NDArray[np.int64], hop: int, offset: int, rate: int) -> NDArray[np.int64]:
    """Points of the grid at which frames sound: the middle of what a frame's hop adds to the output."""
    return np.unique(lanes.rows(frame * hop + offset + hop // 2, rate))


def _in_band(change: Array, predicted: NDArray[np.int64], stage: NDArray[np.int64]) -> tuple[Array, Array]:
    """Share of squared change near the predicted band, and near those of the stage's other swaps, ``[kind, swap]``."""
    reach = int(np.ceil(NEAR_ERB))  # bands are 1 ERB apart
    power = change**2
    total = power.sum(axis=2)
    padded = np.pad(power, ((0, 0), (0, 0), (reach, reach)))
    near = np.sum([padded[..., k : k + power.shape[2]] for k in range(2 * reach + 1)], axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(total[..., None] > 0, near / total[..., None], np.nan)  # [kind, swap, band]
    found, null = np.full(change.shape[:2], np.nan), np.full(change.shape[:2], np.nan)
    for k in np.flatnonzero(predicted >= 0).tolist():
        found[:, k] = share[:, k, predicted[k]]
        others = predicted[(stage == stage[k]) & (predicted >= 0)]
        others = np.delete(others, np.flatnonzero(others == predicted[k])[:1])
        if len(others):
            null[:, k] = share[:, k, others].mean(axis=1)
    return found, null


def _correlation(one: Array, other: Array) -> float:
    if not (np.isfinite(one).all() and np.isfinite(other).all()) or not (one.std() > 0 and other.std() > 0):
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])
