"""Trials: a context, a target, a foil, and the sounds made of them (SPEC § 3).

A trial is a *triple*: absent (the context c', cleared of target and foil), present (c' + s_f) and foil
(c' + s_g). In music a trial carries further sounds (:data:`EXTRA`): the ladder of levels, a noise in the place
of f, the neighbour pair for separability, and one probe on a context cleared of it. What a target is, and how
it is cleared and sounds, is the structure's (:mod:`tonotopy.sound.structures`): a partial unless said otherwise.

Conventions: sounds are float32, ``[sound, time]``, full scale 1; contexts are scaled to -26 dBFS RMS before
they are notched; levels are mean squares in dBFS. A trial's generator is seeded by (seed, family, context,
frequency), so that a trial is the same whichever shard or fold asks for it; how long its sounds are follows
from the sites under study.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonotopy.signal.notch import EDGE_S
from tonotopy.signal.spectrum import occupancy
from tonotopy.sound.contexts import FAMILIES, ContextRequest, renderer
from tonotopy.sound.music import CONTEXT_DBFS, LevelFunction, MusicPool, level_dbfs
from tonotopy.sound.structures import LADDER_DB, REFERENCE_DB, Items, Structure, partial, structure
from tonotopy.sound.structures._contract import DITHER_DBFS, Role

__all__ = [
    "CORE",
    "DITHER_DBFS",
    "EXTRA",
    "LADDER",
    "Design",
    "Rendered",
    "Trial",
    "out_of_band",
    "render",
    "trials",
]

#: Sounds of every trial, and the further ones of a trial in music, in their order on the `sound` axis.
CORE = ("absent", "present", "foil")
LADDER = tuple(f"level{level:+d}" for level in LADDER_DB if level != REFERENCE_DB)
EXTRA = (*LADDER, "noise", "neighbour", "neighbour_present", "probe_absent", "probe_present")
#: A context that the notch thins by more than this (dB) is drawn again, at most :data:`REDRAWS` times.
NOTCH_LOSS_DB = 10.0
REDRAWS = 8


@dataclass(frozen=True)
class Design:
    """The frozen parameters of a set of trials."""

    sample_rate_hz: int
    n_samples: int  # length of each sound
    end_range: tuple[int, int]  # frames end within [first, last) samples
    n_frequencies: int = 48
    families: tuple[str, ...] = FAMILIES
    n_train: int = 6
    n_test: int = 6
    n_frames: int = 4
    n_pieces: int = 12
    seed: int = 0
    foils_on_grid: bool = False  # an error on purpose, for the tests of the instrument itself
    structure: str = "partial"

    @property
    def n_contexts(self) -> int:
        """Contexts a family, training and test together."""
        return self.n_train + self.n_test

    def contexts_of(self, family: str) -> int:
        """Contexts of one family: in music as many as there are pieces, where these are more."""
        return max(self.n_contexts, self.n_pieces) if family == "music" else self.n_contexts

    @cached_property
    def kind(self) -> Structure:
        """The structure that targets are of."""
        return structure(self.structure)

    @cached_property
    def frequency_hz(self) -> NDArray[np.float64]:
        """The grid of targets as coordinates of the structure, ``[frequency]``."""
        return self.kind.targets(self.n_frequencies, self.sample_rate_hz)


@dataclass(frozen=True)
class Trial:
    """Which context, which target, which foil; everything else follows from the seed.

    ``frequency_hz``, ``foil_hz``, ``probe_hz`` and ``neighbour_hz`` are coordinates of the structure: Hz for
    partials and pitches, the number of a chord for chords.
    """

    family: str
    context: int
    frequency_index: int
    frequency_hz: float
    foil_hz: float
    piece: int  # for music the piece's number in the pool; else the context's number
    test: bool  # a held-out context
    probe_hz: float  # NaN where the trial has no probe in range
    has_neighbour: bool
    neighbour_hz: float

    @property
    def sounds(self) -> tuple[str, ...]:
        """Names of the sounds that this trial presents."""
        if self.family != "music":
            return CORE
        neighbour = ("neighbour", "neighbour_present") if self.has_neighbour else ()
        probe = ("probe_absent", "probe_present") if np.isfinite(self.probe_hz) else ()
        return (*CORE, *LADDER, "noise", *neighbour, *probe)


@dataclass(frozen=True)
class Rendered:
    """The sounds of one trial and what was drawn for them."""

    names: tuple[str, ...]
    audio: NDArray[np.float32] = field(repr=False)  # [sound, time]
    frame_ends: NDArray[np.int64]  # [frame], samples from the start of a sound, ascending
    occupancy: float  # effective number of 1-ERB bands filled by the present sound, dither left out


def trials(design: Design, family: str) -> Iterator[Trial]:
    """All trials of one family, contexts outermost."""
    for context in range(design.contexts_of(family)):
        for index in range(len(design.frequency_hz)):
            yield _trial(design, family, context, index)


def _generator(design: Design, family: str, context: int, index: int, stream: int) -> np.random.Generator:
    """The generator of one trial; streams keep what is drawn early from shifting what is drawn late."""
    return np.random.default_rng([design.seed, FAMILIES.index(family), context, index, stream])


def _trial(design: Design, family: str, context: int, index: int) -> Trial:
    rng = _generator(design, family, context, index, 0)
    frequency, kind = float(design.frequency_hz[index]), design.kind
    rate = design.sample_rate_hz
    foil = kind.draw_foil(
        frequency, rate, rng=rng, on_grid=design.n_frequencies if design.foils_on_grid else None
    )
    piece = context % design.n_pieces if family == "music" else context
    n_train = design.n_train
    if family == "music":
        n_train = design.n_pieces // 2
    # Probes take turns over pieces: with partials each ratio is heard in a quarter of them.
    probe = kind.probe(frequency, (context + index) % kind.n_probes, rate)
    sign = 1 if (context // 2 + index) % 2 else -1
    return Trial(
        family=family,
        context=context,
        frequency_index=index,
        frequency_hz=frequency,
        foil_hz=foil,
        piece=piece,
        test=piece >= n_train,
        probe_hz=probe if family == "music" else float("nan"),
        has_neighbour=family == "music" and context % 2 == 1,
        neighbour_hz=kind.neighbour(frequency, sign, rate),
    )


def render(design: Design, trial: Trial, music: MusicPool, levels: LevelFunction) -> Rendered:
    """The sounds of one trial, ``[sound, time]``, and where its frames end."""
    maker = _Maker(design, trial, music, levels)
    audio = np.stack([maker.sound(name) for name in trial.sounds]).astype(np.float32)
    return Rendered(trial.sounds, audio, maker.frame_ends(), maker.occupancy())


def out_of_band(
    levels: LevelFunction,
    frequency_hz: NDArray[np.float64],
    sample_rate_hz: int,
    kind: Structure = partial.STRUCTURE,
) -> NDArray[np.bool_]:
    """Where a target at its reference level would drown in the dither, ``[frequency]``."""
    return kind.out_of_band(levels, frequency_hz, sample_rate_hz)


class _Maker:
    """Renders the sounds of one trial; a class only to keep the drawn context and phases together."""

    def __init__(self, design: Design, trial: Trial, music: MusicPool, levels: LevelFunction) -> None:
        self.design, self.trial, self.music = design, trial, music
        rate = design.sample_rate_hz
        self.n_long = max(design.n_samples + 2 * int(EDGE_S * rate), rate)
        self.start = (self.n_long - design.n_samples) // 2
        rng = _generator(design, trial.family, trial.context, trial.frequency_index, 1)
        early = _generator(design, trial.family, trial.context, trial.frequency_index, 3)
        items = Items(trial.frequency_hz, trial.foil_hz, trial.neighbour_hz, trial.probe_hz)
        self.voice = design.kind.voice(items, levels, rate, rng=early)
        self.whole, self.cleared_whole = self._context(rng)
        self.cleared = self.cleared_whole[self._crop]
        self.dither = self._dither(rng)
        self.voice.draw(rng)

    def _context(self, rng: np.random.Generator) -> tuple[NDArray[Any], NDArray[Any]]:
        """A context at -26 dBFS, as it is and cleared of target and foil, both long."""
        draw = renderer(self.trial.family)
        rate = self.design.sample_rate_hz
        for attempt in range(REDRAWS):
            request = ContextRequest(self.n_long, rate, rng, self.trial.piece, self.music)
            whole = draw(request)
            if self.trial.family == "silence":
                return whole, whole
            whole = whole * 10 ** ((CONTEXT_DBFS - level_dbfs(whole)) / 20)
            cleared = self.voice.clear(whole, ("target", "foil"))
            if level_dbfs(cleared[self._crop]) > CONTEXT_DBFS - NOTCH_LOSS_DB or attempt == REDRAWS - 1:
                break
        return whole, cleared

    @property
    def _crop(self) -> slice:
        return slice(self.start, self.start + self.design.n_samples)

    def _dither(self, rng: np.random.Generator) -> NDArray[np.float64]:
        if self.trial.family == "music":
            return np.zeros(self.design.n_samples)
        return rng.standard_normal(self.design.n_samples) * 10 ** (DITHER_DBFS / 20)

    def sound(self, name: str) -> NDArray[np.float64]:
        """One sound by name, ``[time]``."""
        base, n = self.cleared + self.dither, self.design.n_samples
        if name.startswith("level"):
            return base + self.voice.sound("target", float(name.removeprefix("level")), n)
        if name.startswith("probe"):
            base = self.voice.clear(self.whole, ("target", "probe"))[self._crop]
        if name == "noise":
            return base + self.voice.noise(self.n_long, self._crop)
        roles: dict[str, tuple[Role, ...]] = {
            "present": ("target",),
            "foil": ("foil",),
            "neighbour": ("neighbour",),
            "neighbour_present": ("neighbour", "target"),
            "probe_present": ("probe",),
        }
        added = [self.voice.sound(role, REFERENCE_DB, n) for role in roles.get(name, ())]
        return np.sum([base, *added], axis=0)

    def frame_ends(self) -> NDArray[np.int64]:
        """One frame in each of ``n_frames`` equal parts of the range, so that frames differ."""
        rng = _generator(self.design, self.trial.family, self.trial.context, self.trial.frequency_index, 2)
        first, last = self.design.end_range
        edges = np.linspace(first, last, self.design.n_frames + 1)
        return np.asarray(edges[:-1] + rng.uniform(0, 1, len(edges) - 1) * np.diff(edges), dtype=np.int64)

    def occupancy(self) -> float:
        """Occupancy of the present sound, dither left out, over a second: no matter what an encoder's view is."""
        sound = self.cleared_whole + self.voice.sound("target", REFERENCE_DB, self.n_long)
        return occupancy(sound, self.design.sample_rate_hz)
