"""Codes recorded as frames are: which entry each stage of a quantiser chose, of trials and of natural sound.

`CodesAsFrames` is an encoder whose one site, ``codes``, has a stage for each unit and the number of the chosen code
for a value. What records activations then records codes, aligned in the same way. Values travel as float32, which
holds every whole number below 2^24; `whole` makes them integers again, `NO_CODE` where there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.encoders._contract import Encoder
from tonotopy.recording.lanes import FLOOR_DB, Lanes
from tonotopy.recording.natural import NaturalFrames
from tonotopy.recording.recording import Recording
from tonotopy.sound.structures import LADDER_DB, REFERENCE_DB

Codes = NDArray[np.int64]

#: What stands where a sound was not presented.
NO_CODE: Final = -1
#: Name of the site.
SITE: Final = "codes"


class CodesAsFrames(Encoder):
    """An encoder's codes as activations ``[batch, frame, stage]`` at one site.

    Raises
    ------
    InputError
        The encoder has no quantiser.

    Examples
    --------
    >>> from tonotopy.encoders import load_encoder
    >>> codes = CodesAsFrames(load_encoder("phantom:random-codes-iid"))
    >>> codes.activations(torch.zeros(1, 4096), ["codes"])["codes"].shape
    torch.Size([1, 13, 8])
    """

    def __init__(self, encoder: Encoder, stages: int | None = None) -> None:
        books = encoder.codebooks
        places = [site for site in encoder.sites if site.role == "codes"]
        places += [site for site in encoder.sites if site.role == "stack_end"]
        if books is None or not places:
            cause = "it has no quantiser: choose a codec, or measure activations instead"
            raise InputError("an encoder with codes", encoder.name, cause)
        self._encoder, self._stages = encoder, len(books) if stages is None else stages
        if not 1 <= self._stages <= len(books):
            raise InputError(f"1 to {len(books)} stages", str(stages), "the quantiser has no more in use")
        self.n_codes = int(books.shape[1])
        site = replace(places[0], name=SITE, role="codes", units=self._stages)
        self.name, self.sample_rate_hz, self.sites = encoder.name, encoder.sample_rate_hz, (site,)
        self.weights_id, self.weights_label = encoder.weights_id, encoder.weights_label
        self.code_id, self.device = encoder.code_id, encoder.device
        self.options = (*encoder.options, ("codes as frames", self._stages))
        self.frame_length, self.preferred_batch = encoder.frame_length, encoder.preferred_batch
        self.normalises_frames = encoder.normalises_frames

    def activations(self, audio: torch.Tensor, sites: Sequence[str]) -> dict[str, torch.Tensor]:
        """As :meth:`Encoder.activations`; a unit is a stage, its value the number of the code."""
        found = self._encoder.codes(audio, self._stages)
        assert found is not None, "an encoder with codebooks has codes"
        return {self.site(name).name: found.float() for name in sites}


def whole(values: NDArray[np.floating]) -> Codes:
    """Recorded codes as integers, `NO_CODE` where nothing was recorded.

    Examples
    --------
    >>> whole(np.array([3.0, np.nan])).tolist()
    [3, -1]
    """
    return np.where(np.isfinite(values), np.nan_to_num(values), NO_CODE).astype(np.int64)


@dataclass(frozen=True)
class TrialCodes:
    """Codes of the sounds of trials; ``level`` is `NO_CODE` throughout where trials have no ladder."""

    absent: Codes = field(repr=False)  # [trial, frame, stage]
    present: Codes = field(repr=False)  # [trial, frame, stage]
    foil: Codes = field(repr=False)  # [trial, frame, stage]
    level: Codes = field(repr=False)  # [level, trial, frame, stage], in the order of level_db
    level_db: NDArray[np.float64]  # [level], re the natural level of the target
    target: NDArray[np.int64]  # [trial], index of the frequency
    target_hz: NDArray[np.float64]  # [trial]
    foil_hz: NDArray[np.float64]  # [trial]
    piece: NDArray[np.int64]  # [trial], one number for a piece, or for a context of another family

    @staticmethod
    def of(recording: Recording) -> TrialCodes:
        """Codes of trials recorded through `CodesAsFrames`; families other than music count their contexts."""
        table = recording.trials
        named = [f"{f} {p}" for f, p in zip(table.family, table.piece, strict=True)]
        _, piece = np.unique(named, return_inverse=True)
        level_db = np.array(sorted(LADDER_DB), np.float64)
        absent, present, foil = (whole(recording.sound(name)) for name in ("absent", "present", "foil"))
        levels = np.full((len(level_db), *absent.shape), NO_CODE)
        if recording.extra is not None:
            for row, db in enumerate(level_db):
                reference = db == REFERENCE_DB
                levels[row] = present if reference else whole(recording.sound(f"level{int(db):+d}"))
        return TrialCodes(
            absent,
            present,
            foil,
            levels,
            level_db,
            table.frequency_index,
            table.frequency_hz,
            table.foil_hz,
            piece,
        )

    def __len__(self) -> int:
        return len(self.target)


def peaks_at(
    natural: NaturalFrames, lanes: Sequence[Lanes], *, before_end: int = 0, least_db: float = FLOOR_DB
) -> NDArray[np.bool_]:
    """Which bands carry a tracked partial around each frame, ``[frame, band]``.

    Parameters
    ----------
    natural : frames of one site
    lanes : of each piece
    before_end : samples before the end of a frame's view at which it listens
        (`tonotopy.measures.natural.descriptions.find_place`)
    least_db : a partial is louder than this, dB
    """
    if len(lanes) != len(natural.audio):
        raise InputError(f"lanes of {len(natural.audio)} pieces", str(len(lanes)))
    found = np.zeros((len(natural.frames), len(lanes[0].band_hz)), np.bool_)
    for number in np.unique(natural.piece):
        own = natural.piece == number
        rows = lanes[number].rows(natural.end[own] - before_end, natural.sample_rate_hz)
        found[own] = lanes[number].partial_db[rows] > least_db
    return found
