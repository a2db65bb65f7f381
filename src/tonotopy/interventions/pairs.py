"""Pieces of music without a target and with it: what interventions are tried on.

The sounds are those of trials in music (SPEC § 3): the context cleared of target and foil, at -26 dBFS before that, and
the same with the target at its reference level. One trial a piece.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.sound.music import LevelFunction, MusicPool
from tonotopy.sound.trials import Design, render, trials


@dataclass(frozen=True)
class Pairs:
    """Sounds of one target, ``[trial, time]`` float32, full scale 1."""

    target: float  # coordinate: Hz for partials and pitches
    index: int
    sample_rate_hz: int
    piece: NDArray[np.int64]  # [trial]
    absent: NDArray[np.float32] = field(repr=False)
    present: NDArray[np.float32] = field(repr=False)
    ends: NDArray[np.int64] = field(repr=False)  # [trial, frame]: where frames end, in samples

    def __len__(self) -> int:
        return len(self.piece)


def pairs(
    design: Design,
    index: int,
    music: MusicPool,
    levels: LevelFunction,
    *,
    held_out: bool = False,
    seconds: float | None = None,
) -> Pairs:
    """Render the pairs of one target in music.

    Parameters
    ----------
    design : as for a recording
    index : number of the target in ``design.frequency_hz``
    held_out : only pieces that no readout was fitted on, where the fit took pieces in
    seconds : length of each sound; that of the design where absent. What is to be decoded and tracked needs about one

    Raises
    ------
    InputError
        No such target, or a length that nothing can be heard in.
    """
    if not 0 <= index < len(design.frequency_hz):
        raise InputError(f"a target from 0 to {len(design.frequency_hz) - 1}", repr(index))
    if seconds is not None:
        if not 0.05 <= seconds <= 60:
            raise InputError("sounds of 0.05 to 60 seconds", f"{seconds:g}")
        n = int(seconds * design.sample_rate_hz)
        design = replace(design, n_samples=n, end_range=(n // 2, n))
    chosen = [t for t in trials(design, "music") if t.frequency_index == index and (t.test or not held_out)]
    first = {t.piece: t for t in reversed(chosen)}
    chosen = [first[piece] for piece in sorted(first)]
    rendered = [render(design, trial, music, levels) for trial in chosen]
    order = rendered[0].names if rendered else ()
    if not rendered:
        raise InputError("music to try an intervention on", "no trial", "a design without held-out pieces")
    sounds = {
        name: np.stack([r.audio[order.index(name)] for r in rendered]) for name in ("absent", "present")
    }
    return Pairs(
        target=float(design.frequency_hz[index]),
        index=index,
        sample_rate_hz=design.sample_rate_hz,
        piece=np.array([trial.piece for trial in chosen], dtype=np.int64),
        absent=sounds["absent"],
        present=sounds["present"],
        ends=np.stack([r.frame_ends for r in rendered]),
    )
