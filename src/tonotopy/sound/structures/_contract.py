"""What a structure is asked for: its targets, foils and probes, how they lie to one another, how they sound.

A structure file declares ``NAMES``, ``CITATION``, ``LICENCE`` and ``STRUCTURE``, an instance of
:class:`Structure`. Adding a structure is adding a file.

Conventions: an *item* (a target, a foil, a probe, a neighbour) is one float, its *coordinate*: Hz for what lies
on an axis of frequency, else the item's number in the structure's catalogue. Wherever a record names a
coordinate ``frequency_hz`` or ``foil_hz`` it is this number. Levels are in dB re the natural level of the
structure in the music at hand, which for a partial is L(f).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tonotopy.sound.music import LevelFunction

Floats = NDArray[np.float64]
Role = Literal["target", "foil", "neighbour", "probe"]

#: Reference level above the natural level, and the ladder of levels, in dB re the natural level.
REFERENCE_DB = 6
LADDER_DB = (-24, -18, -12, -6, 0, 6, 12, 18)
#: Width of the far region where the near one counts as one wide: about that of the axis of partials (3 ERB near,
#: 28 to 38 far). An answer alike to all items then has the same specificity, and a threshold the same meaning.
FAR_WIDTH = 10.0
#: White dither under every synthetic context, dBFS RMS.
DITHER_DBFS = -86.0


@dataclass(frozen=True)
class Items:
    """The items of one trial, as coordinates; NaN where the trial has none in that role."""

    target: float
    foil: float
    neighbour: float
    probe: float

    def __getitem__(self, role: Role) -> float:
        return float(getattr(self, role))


@dataclass(frozen=True)
class Relation:
    """How presented items lie to targets."""

    near: NDArray[np.bool_] = field(repr=False)  # [row, target] counts as the target itself
    bins: NDArray[np.int64] = field(
        repr=False
    )  # [row, target] number of the bin of a far item; -1 where near
    near_width: Floats = field(repr=False)  # [target] widths of the two regions, in the structure's own unit
    far_width: Floats = field(repr=False)


class Voice(ABC):
    """The sounds of one trial: what is drawn for it, and how its items are cleared from a context and sound."""

    @abstractmethod
    def clear(self, context: NDArray[np.floating], roles: Sequence[Role]) -> Floats:
        """A context ``[time]`` without the bands of these items."""

    @abstractmethod
    def draw(self, rng: np.random.Generator) -> None:
        """Draw phases and the seed of the noise; called once, after the context is there."""

    @abstractmethod
    def sound(self, role: Role, level_db: float, n_samples: int) -> Floats:
        """One item at ``level_db`` above its natural level, steady, ``[time]``."""

    @abstractmethod
    def noise(self, n_long: int, crop: slice) -> Floats:
        """A sound as strong as the target that has its energy and not its structure, ``[time]`` of the crop."""


class Structure(ABC):
    """One kind of structure whose stability is asked about."""

    name: str
    plural: str
    in_hz: bool = True  # coordinates are frequencies, and not numbers in a catalogue
    n_probes: int  # kinds of probes; each is heard in one of so many trials
    chance_specificity: float  # what an answer that is the same to all items has

    @abstractmethod
    def targets(self, n: int, sample_rate_hz: int) -> Floats:
        """At most ``n`` targets as coordinates, ``[target]``, ascending."""

    @abstractmethod
    def label(self, item: float) -> str:
        """What a person reads for an item."""

    @abstractmethod
    def draw_foil(
        self, target: float, sample_rate_hz: int, *, rng: np.random.Generator, on_grid: int | None = None
    ) -> float:
        """Another item, drawn afresh for a trial; ``on_grid`` draws it from that many targets instead."""

    @abstractmethod
    def probe(self, target: float, turn: int, sample_rate_hz: int) -> float:
        """An item that is easily taken for the target: the ``turn``-th kind; NaN where there is none in range."""

    @abstractmethod
    def probe_kind(self, probe: Floats, target: Floats) -> NDArray[np.int64]:
        """Which kind each probe is, ``[row]``."""

    @abstractmethod
    def neighbour(self, target: float, sign: int, sample_rate_hz: int) -> float:
        """An item beside the target that may sound together with it."""

    @abstractmethod
    def is_near(self, items: Floats, target: float) -> NDArray[np.bool_]:
        """Whether items count as the target itself, of the shape of ``items``."""

    @abstractmethod
    def relation(self, items: Floats, targets: Floats, sample_rate_hz: int) -> Relation:
        """How presented items ``[row]`` lie to targets ``[target]``."""

    @abstractmethod
    def tuning(self, items: Floats, target: float) -> Floats:
        """Gain, 0..1, of a unit tuned to a target: what the measure of power plants."""

    @abstractmethod
    def out_of_band(self, levels: LevelFunction, targets: Floats, sample_rate_hz: int) -> NDArray[np.bool_]:
        """Where the target at its reference level would drown in the dither, ``[target]``."""

    @abstractmethod
    def resolvable(self, targets: Floats, sample_rate_hz: int, view: int) -> NDArray[np.bool_]:
        """Whether a view of so many samples is long enough to tell the target from its neighbours, ``[target]``."""

    @abstractmethod
    def voice(
        self, items: Items, levels: LevelFunction, sample_rate_hz: int, *, rng: np.random.Generator
    ) -> Voice:
        """The sounds of a trial. ``rng`` is for what must be drawn before the context is."""
