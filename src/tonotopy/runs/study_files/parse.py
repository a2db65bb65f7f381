"""A study file as a frozen record, checked to the last key before anything runs.

::

    title = "Two encoders on the same music"
    music = "scores"            # what --music takes the place of
    preset = "quick"
    seeds = [0]
    floor = true
    ceiling_minutes = 10        # train a ceiling for each encoder; none by default
    compare = ["small", "codec"]

    [[train]]                   # a training to run first, with the words of `tonotopy train`
    name = "small"
    kind = "samplecnn"
    minutes = 20
    words = { depth = 7, narrow = 4 }

    [[train]]                   # a grid: every combination is a training of its own
    name = "grid"
    kind = "samplecnn"
    steps = 2000
    words = { depth = 7 }
    grid = { narrow = [8, 4], hours = [0.5, 2.0] }

    [[encoder]]                 # one study a seed
    name = "small"
    train = "small"             # the last snapshot of that training; or encoder = "…" (and weights = "…")
    sites = ["first_conv", "stack_end"]

    [[series]]                  # every snapshot of a training, or every model of a grid
    name = "emergence"
    train = "small"
    kind = "emergence"

Unknown keys are errors, here as in a plan: a misspelt one must not run with a default. A file that names code
runs with trust only.
"""

from __future__ import annotations

import itertools
import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from tonotopy.core.errors import InputError
from tonotopy.runs.plan import preset as known_preset
from tonotopy.runs.series.folder import KINDS
from tonotopy.runs.study_files import values as read

LARGEST = 2**20
MOST_MEMBERS = 64
#: Names that the folder of a study keeps for itself.
RESERVED = ("train", "ceilings", "report", "study.json")
#: Words of `tonotopy train`, by kind, that a file may give; those of EnCodec are fields of its configuration too.
TRAIN_WORDS = {
    "samplecnn": ("depth", "narrow", "hours", "batch", "learning_rate"),
    "encodec": ("hours", "batch", "frames", "learning_rate"),
}


@dataclass(frozen=True)
class Train:
    """A training, or a grid of them."""

    name: str
    kind: str
    minutes: float | None
    steps: int | None
    seed: int
    words: Mapping[str, Any]
    grid: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    def members(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Folder below the training's own, and words, of each training of the grid; one, in no folder, without."""
        if not self.grid:
            yield "", dict(self.words)
            return
        for values in itertools.product(*self.grid.values()):
            own = dict(zip(self.grid, values, strict=True))
            yield (
                "_".join(f"{_spelled(key)}-{_spelled(value)}" for key, value in own.items()),
                {**self.words, **own},
            )


@dataclass(frozen=True)
class Studied:
    """One encoder to study."""

    name: str
    encoder: str | None
    train: str | None
    weights: str | None
    sites: tuple[str, ...] | None
    options: Mapping[str, Any]
    floor: bool
    ceiling: bool


@dataclass(frozen=True)
class SeriesOf:
    """A series of the snapshots of a training, or of the models of a grid."""

    name: str
    train: str
    kind: str
    sites: tuple[str, ...] | None
    floor: bool


@dataclass(frozen=True)
class StudyFile:
    """What a study file says."""

    name: str
    title: str
    about: str
    music: str
    preset: str
    pieces: int | None
    frequencies: int | None
    seeds: tuple[int, ...]
    ceiling_minutes: float | None
    train: tuple[Train, ...]
    encoder: tuple[Studied, ...]
    series: tuple[SeriesOf, ...]
    compare: tuple[str, ...]

    @property
    def names_code(self) -> bool:
        """Whether running it runs a file of the user's."""
        return any(".py:" in (one.encoder or "") for one in self.encoder)

    def training(self, name: str) -> Train:
        """One training by name."""
        return next(one for one in self.train if one.name == name)


def read_study_file(path: Path | str) -> StudyFile:
    """Read and check a study file.

    Raises
    ------
    InputError
        It is missing, no TOML, or says something that cannot be, in one line.
    """
    file = Path(path)
    try:
        if file.stat().st_size > LARGEST:
            raise InputError(f"a study file of at most {LARGEST} bytes", f"{file.stat().st_size} bytes")
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError("a study file", repr(file.name), "no such file; check the path") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"TOML in {file.name}", str(error)[:120], "a slip of the pen") from None
    return study_file(values, file.stem)


def study_file(values: Mapping[str, Any], name: str) -> StudyFile:
    """A study file from untrusted values."""
    top = read.Table(values, name)
    minutes = top.take("ceiling_minutes", read.positive)
    floor = top.take("floor", read.flag, True)
    made = StudyFile(
        name=read.plain(name, f"the name of the file {name}.toml"),
        title=top.need("title", read.text),
        about=top.take("about", read.text, ""),
        music=top.take("music", read.text, "scores"),
        preset=top.take("preset", read.text, "standard"),
        pieces=top.take("pieces", read.whole),
        frequencies=top.take("frequencies", read.whole),
        seeds=top.take("seeds", read.list_of(read.whole), (0,)),
        ceiling_minutes=minutes,
        train=tuple(_train(table) for table in top.tables("train")),
        encoder=tuple(_studied(table, floor, minutes is not None) for table in top.tables("encoder")),
        series=tuple(_series(table, floor) for table in top.tables("series")),
        compare=top.take("compare", read.list_of(read.text), ()),
    )
    top.done()
    known_preset(made.preset)
    _check_names(made)
    return made


def _train(table: read.Table) -> Train:
    kind = table.need("kind", read.text)
    if kind not in TRAIN_WORDS:
        raise InputError(
            f"a kind of training in {table.where}", repr(kind)[:80], "a misspelt name", TRAIN_WORDS
        )
    known = _known_words(kind)
    words, grid = table.take("words", read.words_of(known), {}), table.take("grid", read.words_of(known), {})
    for key, choices in grid.items():
        if not isinstance(choices, list) or not choices or len(set(map(repr, choices))) != len(choices):
            raise InputError(f"a list of different values for {key} in {table.where}", repr(choices)[:80])
    twice = sorted(set(words) & set(grid))
    if twice:
        raise InputError(f"each word once in {table.where}", f"{twice[0]} in words and in grid")
    if math.prod(len(choices) for choices in grid.values()) > MOST_MEMBERS:
        raise InputError(f"a grid of at most {MOST_MEMBERS} trainings in {table.where}", "a larger one")
    minutes, steps = table.take("minutes", read.positive), table.take("steps", read.whole)
    if (minutes is None) == (steps is None):
        came = "neither" if minutes is None else "both"
        raise InputError(f"minutes or steps in {table.where}", came, "one of them says how long to train")
    made = Train(
        table.need("name", read.name),
        kind,
        minutes,
        steps,
        table.take("seed", read.whole_or_0, 0),
        words,
        {key: tuple(choices) for key, choices in grid.items()},
    )
    table.done()
    return made


def _studied(table: read.Table, floor: bool, ceiling: bool) -> Studied:
    made = Studied(
        table.need("name", read.name),
        table.take("encoder", read.text),
        table.take("train", read.text),
        table.take("weights", read.text),
        table.take("sites", read.list_of(read.text)),
        table.take("options", read.words_of(None), {}),
        table.take("floor", read.flag, floor),
        table.take("ceiling", read.flag, ceiling),
    )
    table.done()
    if (made.encoder is None) == (made.train is None):
        came = "neither" if made.encoder is None else "both"
        raise InputError(f"encoder or train in {table.where}", came, "one of them says what to study")
    if made.train is not None and made.weights is not None:
        raise InputError(
            f"no weights beside train in {table.where}", repr(made.weights)[:80], "its last snapshot"
        )
    if made.ceiling and not ceiling:
        raise InputError(f"ceiling_minutes beside ceiling in {table.where}", "none", "how long it is trained")
    return made


def _series(table: read.Table, floor: bool) -> SeriesOf:
    made = SeriesOf(
        table.need("name", read.name),
        table.need("train", read.text),
        table.need("kind", read.text),
        table.take("sites", read.list_of(read.text)),
        table.take("floor", read.flag, floor),
    )
    table.done()
    if made.kind not in KINDS:
        raise InputError(f"a kind of series in {table.where}", repr(made.kind)[:80], "a misspelt name", KINDS)
    return made


def _check_names(made: StudyFile) -> None:
    """Names are unique and lead somewhere."""
    if not made.encoder and not made.series:
        raise InputError(f"an encoder or a series in {made.name}", "none", "there is nothing to study")
    if not made.seeds:
        raise InputError(f"one seed or more in {made.name}", "none")
    for what, names in (
        ("training", [t.name for t in made.train]),
        ("study", [s.name for s in _studies(made)]),
    ):
        twice = [name for name in names if names.count(name) > 1 or (what == "study" and name in RESERVED)]
        if twice:
            came, legal = f"{twice[0]!r} twice, or kept by the folder", [f"not {name}" for name in RESERVED]
            raise InputError(f"a name of its own for each {what} in {made.name}", came, "", legal)
    trainings = {one.name: one for one in made.train}
    for one in _studies(made):
        if one.train is not None and one.train not in trainings:
            cause = "a misspelt name"
            raise InputError(
                f"a training named in {made.name}", repr(one.train)[:80], cause, trainings or ["none"]
            )
    for one in made.encoder:
        if one.train is not None and trainings[one.train].grid:
            raise InputError(f"one training for {one.name!r}", f"the grid {one.train!r}", "make it a series")
    for one in made.series:
        if (one.kind == "scaling") != bool(trainings[one.train].grid):
            expected = "a grid for a series of scaling, one training for a series of emergence"
            raise InputError(expected, f"{one.train!r} for {one.name!r}")
    strange = [name for name in made.compare if name not in {one.name for one in made.encoder}]
    if strange:
        raise InputError(
            "studies to compare", repr(strange[0])[:80], "a misspelt name", [e.name for e in made.encoder]
        )


def _studies(made: StudyFile) -> list[Studied | SeriesOf]:
    return [*made.encoder, *made.series]


def _known_words(kind: str) -> tuple[str, ...]:
    if kind != "encodec":
        return TRAIN_WORDS[kind]
    from tonotopy.encoders._seanet import Config

    return (*TRAIN_WORDS[kind], *(f.name for f in fields(Config)))


def _spelled(value: object) -> str:
    """A value as part of a folder's name."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", str(value)).strip("-")[:24]
