"""Music that nothing was trained on: what a study of a model trained by the same file must be run on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.sound.sources._contract import Clip, Skipped, Source
from tonotopy.training.excerpts import held_out


class HeldOut(Source):
    """The clips of a source that no training of some seeds saw.

    Where the source names splits, those of its test split (of its validation split, where it has no test); else
    the pieces that a training of each of the seeds holds out.
    """

    def __init__(self, source: Source, seeds: Sequence[int]) -> None:
        self._source = source
        self.spelling = f"{source.spelling}, held out"
        clips = list(source.clips())
        splits = {clip.split for clip in clips if clip.split}
        if splits:
            split = next((name for name in ("test", "validation") if name in splits), None)
            self._kept = tuple(clip for clip in clips if clip.split == split and split is not None)
        else:
            pieces = set.intersection(*(held_out(clips, seed) for seed in seeds))
            self._kept = tuple(clip for clip in clips if clip.piece in pieces)
        if not self._kept:
            cause = "too few pieces, or a source without a test split; study other music than is trained on"
            raise InputError("music that nothing is trained on", f"none in {source.spelling}", cause)
        names = "\n".join(clip.name for clip in self._kept)
        told = f"{source.fingerprint()} held out {hashlib.sha256(names.encode()).hexdigest()}"
        self._fingerprint = hashlib.sha256(told.encode()).hexdigest()

    def clips(self) -> Iterator[Clip]:
        """The clips that are held out."""
        return iter(self._kept)

    def read(
        self,
        clip: Clip,
        sample_rate_hz: int,
        *,
        start_s: float = 0.0,
        duration_s: float | None = None,
        channels: int = 1,
    ) -> NDArray[np.float32]:
        """Sound of a part of a clip, as the source has it."""
        return self._source.read(
            clip, sample_rate_hz, start_s=start_s, duration_s=duration_s, channels=channels
        )

    def ledger(self) -> tuple[Skipped, ...]:
        """What the source left out."""
        return self._source.ledger()

    def fingerprint(self) -> str:
        """Of the source, and of which clips are kept."""
        return self._fingerprint
