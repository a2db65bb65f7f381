"""What a site answers to a steady partial, whatever its phase.

Definition
----------
The *phase-averaged answer* of a unit to a frequency is the root mean square, over four phases a quarter turn
apart and over frames, of its activation less its activation to silence. For a linear layer it is exactly
A |H(f)| / sqrt(2), A being the partial's amplitude; for a rectified one without biases half of that power.
Four phases are enough for both: the squares of a cosine and of a rectified cosine hold no fourth harmonic.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from tonotopy.anatomy._steady import Probe, answers, probe, read
from tonotopy.anatomy.response import Array
from tonotopy.core.errors import InputError
from tonotopy.encoders._contract import Encoder, Site

PHASES = 4
FRAMES = 4
LEVEL_RMS = 0.0501  # of a partial: -26 dBFS, the level of every context
LONGEST_S = 4.0


def phase_averaged(encoder: Encoder, sites: Sequence[Site], frequency_hz: Array) -> dict[str, Array]:
    """Phase-averaged answers at some sites to partials presented alone.

    Parameters
    ----------
    encoder : Encoder
        Any encoder.
    sites : sequence of Site
        Where to read.
    frequency_hz : numpy.ndarray of float64, [frequency]
        Frequencies in Hz.

    Returns
    -------
    dict of str to numpy.ndarray of float64, [frequency, unit]
        By the name of the site, in units of activation.

    Raises
    ------
    InputError
        Where a site needs more than 4 s of sound, or answers with what is not a number.
    """
    samples = samples_needed(encoder, sites)
    if samples > LONGEST_S * encoder.sample_rate_hz:
        raise InputError(f"sites of {encoder.name} steady within {LONGEST_S:g} s", f"{samples:,} samples")
    placed = {site.name: probe(encoder, site, frames=FRAMES) for site in sites}
    parts = np.split(frequency_hz, range(16, len(frequency_hz), 16))
    rows = [_answers(encoder, sites, placed, part, samples) for part in parts]
    return {site.name: np.concatenate([row[site.name] for row in rows]) for site in sites}


def samples_needed(encoder: Encoder, sites: Sequence[Site]) -> int:
    """Samples of sound until every site has seen nothing but a partial, for `FRAMES` frames."""
    return max(probe(encoder, site, frames=FRAMES).samples for site in sites)


def _answers(
    encoder: Encoder, sites: Sequence[Site], placed: dict[str, Probe], frequency_hz: Array, samples: int
) -> dict[str, Array]:
    """The same for a few frequencies, silence being the last row of the batch."""
    time = torch.arange(samples, dtype=torch.float64) / encoder.sample_rate_hz
    phases = torch.arange(PHASES, dtype=torch.float64) / PHASES
    turns = torch.from_numpy(frequency_hz)[:, None, None] * time + phases[:, None]  # [frequency, phase, time]
    partials = (2.0**0.5 * LEVEL_RMS) * torch.cos(2.0 * torch.pi * turns)
    audio = torch.cat([partials.flatten(0, 1), torch.zeros(1, samples)]).float()
    found = answers(encoder, audio, [site.name for site in sites])
    return {site.name: _averaged(found[site.name], placed[site.name], site) for site in sites}


def _averaged(found: torch.Tensor, placed: Probe, site: Site) -> Array:
    chosen = read(found, placed.frames, site).double()
    change = (chosen[:-1] - chosen[-1:]).unflatten(0, (-1, PHASES))  # [frequency, phase, frame, unit]
    answer: Array = change.square().mean(dim=(1, 2)).sqrt().numpy()
    if not np.isfinite(answer).all():
        raise InputError(
            f"finite answers at site {site.name}", "NaN or infinity", "weights that are not finite"
        )
    return answer


def cosines(one: Array, other: Array) -> Array:
    """Cosine of each row with the same row of another table; not-a-number where either is all zero.

    Examples
    --------
    >>> cosines(np.array([[1.0, 0.0], [0.0, 0.0]]), np.array([[1.0, 1.0], [1.0, 1.0]])).round(3).tolist()
    [0.707, nan]
    """
    norms = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    products = np.einsum("ij,ij->i", one, other)
    return np.divide(products, norms, out=np.full(len(norms), np.nan), where=norms > 0.0)
