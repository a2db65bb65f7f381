"""Codebook vectors: the entries of an encoder's residual quantiser, at ``stack_end`` or ``codes``.

An entry's direction is the entry less the mean of its stage, scaled to norm 1: what choosing it rather than
another one of its stage adds to the latent. Its value at a frame is the projection, on that direction, of what the
stages before it leave of the frame: what that stage sees when it chooses. The quantiser itself chooses by distance,
so the largest value of a stage is not always its code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.features.dictionaries.conditioning import condition
from tonotopy.features.sources._contract import Activations, Features, unit_rows

NAMES = ("codebook",)
CITATION = "N. Zeghidour et al.: SoundStream, 2021 (residual vector quantisation)"
LICENCE = "MIT"
#: Roles of the sites that have such features; others have none.
ROLES = ("stack_end", "codes")


@dataclass(frozen=True)
class Rests:
    """Projections of what each stage is left with, ``[frame, feature]``."""

    books: torch.Tensor  # [stage, entry, unit]
    directions: NDArray[np.float32]  # [feature, unit], stages outermost

    def __call__(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        """Values of frames ``[frame, unit]``."""
        rest = torch.from_numpy(frames)
        parts = []
        entries = self.books.shape[1]
        for stage, book in enumerate(self.books):
            rows = self.directions[stage * entries : (stage + 1) * entries]
            centre = book.mean(dim=0)
            parts.append((rest - centre).numpy() @ rows.T)
            score = (book - centre).square().sum(dim=1) - 2 * (rest - centre) @ (book - centre).T
            rest = rest - book[score.argmin(dim=1)]
        return np.concatenate(parts, axis=1)


def find(
    activations: Activations,
    *,
    count: int | None = None,
    seed: int = 0,  # noqa: ARG001
    encoder: Any = None,
    site: str | None = None,
    stages: int | None = None,
) -> Features:
    """Entries of the first ``stages`` stages (those of the encoder's bit rate where none is given).

    ``count`` keeps the first entries, in the order of stages.
    """
    books = _codebooks(encoder, site)
    if stages is not None:
        if not 1 <= stages <= len(books):
            raise InputError(f"1 to {len(books)} stages", str(stages), "the quantiser has no more in use")
        books = books[:stages]
    if activations.units != books.shape[2]:
        came = f"activations of {activations.units} units"
        raise InputError(f"frames of {books.shape[2]} units, as codebooks have", came, "another site")
    every = books.shape[0] * books.shape[1]
    count = every if count is None else count
    if count > every:
        raise InputError(f"at most {every} entries", str(count), "the quantiser has no more in use")
    centred = books - books.mean(dim=1, keepdim=True)
    needed = -(-count // books.shape[1])
    books, directions = books[:needed], unit_rows(centred.flatten(0, 1).numpy()[:count])
    names = tuple(f"code-{i // books.shape[1]}-{i % books.shape[1]}" for i in range(count))
    told = {**condition(activations).diagnostics, "stages": needed, "entries": books.shape[1]}
    return Features("codebook", names, activations.units, directions, Rests(books, directions), told)


def _codebooks(encoder: Any, site: str | None) -> torch.Tensor:
    """Codebooks ``[stage, entry, unit]`` that the encoder's ``codes`` sum."""
    books = getattr(encoder, "codebooks", None)
    if not isinstance(books, torch.Tensor):
        cause = "codebook vectors are the entries of a quantiser; choose a codec, or another source"
        raise InputError("an encoder with codebooks", getattr(encoder, "name", "no encoder"), cause)
    where = [place.name for place in encoder.sites if place.role in {"stack_end", "codes"}]
    if site is not None and site not in where:
        raise InputError("the site that is quantised", repr(site), "codebooks live in the latent", where)
    return books.detach().cpu().float()
