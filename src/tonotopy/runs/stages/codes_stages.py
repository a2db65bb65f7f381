"""Stage *codes_stages*: codes of natural sound, stage by stage and jointly, under one set of weights.

Pieces are counted one at a time. Codes are set against what sounds where frames listen, which is looked for on the
latent that they stand for (`find_place`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
import xarray as xr

from tonotopy.measures.codes.peaks import PeakCounts, PeakInformation
from tonotopy.measures.codes.rsa import SpectralSimilarity, spectral_similarity
from tonotopy.measures.codes.spectra import CodeSpectra, SpectrumSums
from tonotopy.measures.codes.usage import Usage, UsageCounts
from tonotopy.measures.natural.descriptions import find_place
from tonotopy.recording.codes import peaks_at, whole
from tonotopy.recording.natural import NaturalFrames
from tonotopy.runs.stages import codes_natural, lanes
from tonotopy.runs.stages.codes_trials import JOINTLY

if TYPE_CHECKING:
    from tonotopy.encoders._contract import Encoder
    from tonotopy.recording.lanes import Lanes
    from tonotopy.runs.bench import Bench
    from tonotopy.runs.engine import Unit

#: Columns that are defined of each stage, and what `Usage` calls them.
USAGE = {
    "used": "used",
    "usage": "usage",
    "dead": "dead",
    "dead_expected": "dead_expected",
    "entropy_bits": "entropy_bits",
    "perplexity": "perplexity",
    "perplexity_null": "perplexity_null",
    "conditional_bits": "conditional_entropy_bits",
    "conditional_null_bits": "conditional_null_bits",
    "told_bits": "told_bits",
}


def run(bench: Bench, unit: Unit) -> None:
    """Count codes, and codes with what sounds."""
    p = unit.values
    n, natural = p["n_natural"], list(unit.needs)
    encoder = bench.encoder(p["floor_seed"], natural[0].needs[0])
    frames = codes_natural.load(bench, natural[:n], encoder)
    sound = lanes.load(bench.store, natural[n:])
    books = encoder.codebooks
    assert books is not None, "codes were planned for an encoder without a quantiser"
    entries = books[: frames.frames.shape[1]].float().cpu().numpy()
    usage, peaks, spectra = counted(frames, sound, _listening(encoder, frames, sound), entries, p["seed"])
    similar = spectral_similarity(entries, spectra.spectrum_db, spectra.frames, seed=p["seed"])
    tables = {
        "code_stages": _stages(usage, peaks, spectra, similar),
        "code_peaks": _peaks(peaks, sound[0].band_hz),
    }
    arrays = xr.Dataset(
        {
            "spectrum_db": (("stage", "code", "band"), spectra.spectrum_db),
            "frames": (("stage", "code"), spectra.frames),
        }
    )
    bench.store.write(unit.address, {"stage": "codes_stages"}, arrays=arrays, tables=tables)


def counted(
    frames: NaturalFrames, sound: tuple[Lanes, ...], before_end: int, entries: np.ndarray, seed: int
) -> tuple[Usage, PeakInformation, CodeSpectra]:
    """Usage, information on peaks and spectra of recorded codes, one piece at a time."""
    n_stages, n_codes = entries.shape[:2]
    n_bands = len(sound[0].band_hz)
    usage = UsageCounts(n_stages, n_codes, seed=seed)
    information = PeakCounts(n_stages, n_codes, n_bands, seed=seed)
    sums = SpectrumSums(n_stages, n_codes, n_bands, seed=seed)
    carried = peaks_at(frames, sound, before_end=before_end)
    codes = whole(frames.frames)
    for piece in np.unique(frames.piece).tolist():
        own = frames.piece == piece
        rows = sound[piece].rows(frames.end[own] - before_end, frames.sample_rate_hz)
        usage.update(codes[own], piece=piece)
        information.update(codes[own], carried[own], piece=piece)
        sums.update(codes[own], sound[piece].erb_db[rows], piece=piece)
    return usage.result(), information.result(), sums.result()


def _listening(encoder: Encoder, frames: NaturalFrames, sound: tuple[Lanes, ...]) -> int:
    """Samples before the end of their view at which frames listen, by the latent that their codes stand for."""
    latent = encoder.entries(torch.from_numpy(whole(frames.frames))[None])
    assert latent is not None, "an encoder with codebooks has entries"
    values = latent[0].detach().float().cpu().numpy()
    at = replace(frames, site=replace(frames.site, units=values.shape[1]), frames=values)
    return frames.site.view - find_place(at, sound).point


def _stages(
    usage: Usage, peaks: PeakInformation, spectra: CodeSpectra, similar: SpectralSimilarity
) -> pd.DataFrame:
    """One row a stage, then one for all of them."""
    n_stages = len(usage.used)
    common: dict[str, Any] = {
        "n_frames": usage.n_frames,
        "n_codes": usage.n_codes,
        "n_pieces": peaks.n_pieces,
    }
    each: dict[str, Any] = {name: getattr(usage, own) for name, own in USAGE.items()}
    each |= {
        "peak_bits": peaks.mean_excess_bits,
        "peak_low": peaks.mean_excess_low_bits,
        "peak_high": peaks.mean_excess_high_bits,
        "peak_p": peaks.mean_p,
        "rsa": similar.correlation,
        "rsa_null": similar.null_mean,
        "rsa_null_high": similar.null_high,
        "rsa_p": similar.p,
        "rsa_codes": similar.codes,
        "explained": _mean(spectra.explained),
        "explained_null": _mean(spectra.explained_null),
        "explained_excess": _mean(spectra.explained_excess),
    }
    joint = {
        "stage": [JOINTLY],
        "entropy_bound_bits": [usage.joint_entropy_bound_bits],
        "distinct": [usage.joint_distinct],
        "distinct_null": [usage.joint_distinct_null],
        "collision_bits": [usage.joint_collision_bits],
    }
    parts = [pd.DataFrame({"stage": np.arange(n_stages), **each}), pd.DataFrame(joint)]
    return pd.concat(parts, ignore_index=True).assign(**common)


def _peaks(found: PeakInformation, band_hz: np.ndarray) -> pd.DataFrame:
    """One row a stage and band."""
    n_stages, n_bands = found.excess_bits.shape
    values = {
        "information_bits": found.information_bits,
        "null_bits": found.null_bits,
        "excess_bits": found.excess_bits,
        "excess_low": found.excess_low_bits,
        "excess_high": found.excess_high_bits,
        "p": found.p,
    }
    told = {
        "stage": np.repeat(np.arange(n_stages), n_bands),
        "band_hz": np.tile(band_hz, n_stages),
        "entropy_bits": np.tile(found.entropy_bits, n_stages),
    }
    return pd.DataFrame(told | {name: array.reshape(-1) for name, array in values.items()})


def _mean(values: np.ndarray) -> np.ndarray:
    """Means over bands ``[stage]`` of ``[stage, band]``, of the bands in which they are defined."""
    known = np.isfinite(values)
    total = np.where(known, values, 0.0).sum(axis=1)
    return np.divide(total, known.sum(axis=1), out=np.full(len(values), np.nan), where=known.any(axis=1))
