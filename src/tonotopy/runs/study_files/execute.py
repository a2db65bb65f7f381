"""Runs a study file: trainings, ceilings, studies, series, each in a folder of its own, each resumed where it stood.

A training whose words and last snapshot are on record is not opened again. Trainings on the same music share the
decoded sound (hard links). Where the file trains anything, studies hear only music that nothing was trained on
(:mod:`tonotopy.runs.study_files.held_out`).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tonotopy.core.errors import InputError, RunError
from tonotopy.encoders import load_encoder
from tonotopy.encoders._checkpoint import read_header
from tonotopy.runs.lock import locked
from tonotopy.runs.run import Run
from tonotopy.runs.series import Entry, Series, run_series, study_series
from tonotopy.runs.store import full_disk_is_an_error
from tonotopy.runs.study import study
from tonotopy.runs.study_files.held_out import HeldOut
from tonotopy.runs.study_files.parse import SeriesOf, Studied, StudyFile, Train
from tonotopy.runs.study_files.record import FILE, is_study, read_record, write_record
from tonotopy.sound.sources import open_music

Progress = Callable[[int, int, str], None]
#: Options of an encoder that `study` takes as words of its own.
STUDY_OPTIONS = ("sample_rate", "window")


@dataclass(frozen=True)
class Finished:
    """What a study file made."""

    path: Path
    file: StudyFile
    runs: tuple[Run, ...]
    series: tuple[Series, ...]
    compared: tuple[Run, ...]


def execute(
    file: StudyFile,
    *,
    music: str | None = None,
    out: Path | str | None = None,
    trust: bool = False,
    progress: Progress | None = None,
    **words: Any,
) -> Finished:
    """Run what a study file says; the same call goes on where an earlier one was interrupted.

    Parameters
    ----------
    file : from :func:`tonotopy.runs.study_files.read_study_file`
    music : in place of the file's
    out : folder; ``runs/NAME`` by default
    trust : run code that the file names
    progress : called with (units done, units in all, label)
    words : of :func:`tonotopy.study`, in place of the file's: preset, pieces, frequencies, workers, device, floor

    Raises
    ------
    TonotopyError
        Whatever cannot be used, in one line.
    """
    if file.names_code and not trust:
        cause = "it names code, which runs; read that code, then pass --trust (trust=True in Python)"
        raise InputError("leave to run a study file", repr(file.name), cause)
    folder = Path(out) if out is not None else Path("runs") / file.name
    _claim(folder)
    with locked(folder):
        work = _Work(file, folder, music or file.music, trust, progress, dict(words))
        work.train()
        runs = [work.study(one, seed) for one in file.encoder for seed in file.seeds]
        series = [work.series(one) for one in file.series]
        compared = [run for run in runs if not file.compare or _bare(run, file) in file.compare]
        work.record(runs, series, compared)
    return Finished(folder, file, tuple(runs), tuple(series), tuple(compared))


@dataclass
class _Work:
    """A study file under way."""

    file: StudyFile
    folder: Path
    music: str
    trust: bool
    progress: Progress | None
    words: dict[str, Any]
    trained: dict[str, dict[str, Any]] = field(
        default_factory=dict
    )  # folder below train/ -> what is on record
    _source: Any = None

    # ---- trainings

    def train(self) -> None:
        """Run all trainings that are not on record."""
        if is_study(self.folder):
            self.trained = dict(read_record(self.folder)["trained"])
        for one in self.file.train:
            for member, words in one.members():
                self._train(one, member, words)

    def _train(self, one: Train, member: str, words: dict[str, Any]) -> None:
        from tonotopy.training import train
        from tonotopy.training.device import resolve

        name = f"{one.name}/{member}" if member else one.name
        home = self.folder / "train" / name
        asked = {
            "kind": one.kind,
            "minutes": one.minutes,
            "steps": one.steps,
            "seed": one.seed,
            "words": words,
        }
        asked["music"] = open_music(self.music).fingerprint()
        held = self.trained.get(name)
        if isinstance(held, dict) and held.get("asked") == asked and (home / str(held.get("last"))).is_file():
            return
        self._lend_sound(home)
        last = train(
            one.kind,
            music=self.music,
            out=home,
            steps=one.steps,
            minutes=one.minutes,
            seed=one.seed,
            device=resolve(str(self.words.get("device", "cpu"))),
            progress=self._named(f"training {name}"),
            **words,
        )
        self.trained[name] = {"asked": asked, "last": last.name}
        self._write({})

    def _lend_sound(self, home: Path) -> None:
        """Decoded music of an earlier training, as hard links: decoding takes as long as a short training."""
        places = [*(self.folder / "train").glob("**/sound"), *(self.folder / "ceilings").glob("*/sound")]
        lenders = sorted(path for path in places if path.parent != home)
        if not lenders or (home / "sound").exists():
            return
        try:
            home.mkdir(parents=True, exist_ok=True)
            shutil.copytree(lenders[0], home / "sound", copy_function=os.link)
        except (OSError, shutil.Error):
            shutil.rmtree(home / "sound", ignore_errors=True)

    def last(self, name: str) -> Path:
        """The last snapshot of a training."""
        return self.folder / "train" / name / str(self.trained[name]["last"])

    # ---- studies

    @property
    def heard(self) -> Any:
        """The music of the studies: what nothing here was trained on."""
        ceilings = [0] if any(one.ceiling for one in self.file.encoder) else []
        seeds = [*(one.seed for one in self.file.train), *ceilings]
        if not seeds:
            return self.music
        if self._source is None:
            self._source = HeldOut(open_music(self.music), seeds)
        return self._source

    def common(self, sites: tuple[str, ...] | None) -> dict[str, Any]:
        """Words that all studies share."""
        words = {
            "music": self.heard,
            "preset": self.file.preset,
            "pieces": self.file.pieces,
            "frequencies": self.file.frequencies,
            "sites": list(sites) if sites else None,
            "trust": self.trust,
        }
        return words | {key: value for key, value in self.words.items() if key != "floor"}

    def floor(self, asked: bool) -> bool:
        """Whether a floor is measured: the command may leave it out."""
        return asked and bool(self.words.get("floor", True))

    def study(self, one: Studied, seed: int) -> Run:
        """One encoder under one seed."""
        name = one.name if len(self.file.seeds) == 1 else f"{one.name}-seed{seed}"
        encoder, weights = self.spelled(one)
        words = self.common(one.sites) | {"seed": seed, "weights": weights, "floor": self.floor(one.floor)}
        if one.ceiling and self.file.ceiling_minutes is not None:
            words["ceiling"] = self.ceiling(one)
        options = {key: value for key, value in one.options.items() if key not in STUDY_OPTIONS}
        words |= {key: value for key, value in one.options.items() if key in STUDY_OPTIONS}
        if options:
            # An encoder with options has no spelling of its own; it is opened here.
            encoder = load_encoder(encoder, weights=words.pop("weights"), trust=self.trust, **one.options)
        return study(encoder, out=self.folder / name, progress=self._named(name), **words)

    def spelled(self, one: Studied) -> tuple[Any, str | None]:
        """An encoder and its weights, as `study` takes them; a snapshot says which encoder it fits."""
        if one.train is None:
            return one.encoder, one.weights
        last = self.last(one.train)
        header = read_header(last)
        assert header is not None, "snapshots of a training say what they are"
        return header.encoder, str(last)

    def ceiling(self, one: Studied) -> Path:
        """The folder of an encoder's ceiling, trained where it is not on record."""
        from tonotopy.training import train
        from tonotopy.training.device import resolve

        assert self.file.ceiling_minutes is not None
        name, home = f"ceiling of {one.name}", self.folder / "ceilings" / one.name
        encoder, weights = self.spelled(one)
        asked = {"kind": "ceiling", "minutes": self.file.ceiling_minutes, "words": {"like": encoder}}
        asked["music"] = open_music(self.music).fingerprint()
        held = self.trained.get(name)
        if isinstance(held, dict) and held.get("asked") == asked and (home / str(held.get("last"))).is_file():
            return home
        self._lend_sound(home)
        last = train(
            "ceiling",
            music=self.music,
            out=home,
            minutes=self.file.ceiling_minutes,
            like=encoder,
            weights=weights if one.train is not None else None,  # from which its architecture follows
            device=resolve(str(self.words.get("device", "cpu"))),
            progress=self._named(name),
            **one.options,
        )
        self.trained[name] = {"asked": asked, "last": last.name}
        self._write({})
        return home

    # ---- series

    def series(self, one: SeriesOf) -> Series:
        """Snapshots of a training, or the models of a grid."""
        words = self.common(one.sites) | {"seed": self.file.seeds[0], "floor": self.floor(one.floor)}
        out, progress = self.folder / one.name, self._named(one.name)
        if one.kind == "emergence":
            snapshots = self.folder / "train" / one.train / "*.safetensors"
            return study_series(str(snapshots), out=out, progress=progress, **words)
        training = self.file.training(one.train)
        entries = [
            Entry(member, str(self.last(f"{one.train}/{member}")), hours=_hours(own))
            for member, own in training.members()
        ]
        return run_series(
            entries, kind="scaling", coordinate="parameters", out=out, progress=progress, **words
        )

    # ---- what is told

    def record(self, runs: list[Run], series: list[Series], compared: list[Run]) -> None:
        """Write what was made."""
        self._write(
            {
                "runs": [run.path.name for run in runs],
                "series": [one.path.name for one in series],
                "compare": [run.path.name for run in compared],
            }
        )

    def _write(self, found: Mapping[str, Any]) -> None:
        # Until everything is there the lists are empty: trainings on record are what a resume needs.
        told = {"name": self.file.name, "title": self.file.title, "about": self.file.about}
        told |= {
            "music": open_music(self.music).spelling,
            "preset": str(self.words.get("preset", self.file.preset)),
        }
        lists: dict[str, Any] = {"runs": [], "series": [], "compare": []}
        write_record(self.folder, told | lists | dict(found) | {"trained": self.trained})

    def _named(self, name: str) -> Progress | None:
        if self.progress is None:
            return None
        tell = self.progress
        return lambda done, total, label: tell(done, total, f"{name}: {label}")


def _claim(folder: Path) -> None:
    """Make the folder, or take up one that a study file made."""
    if folder.exists() and not folder.is_dir():
        raise RunError(f"an empty folder at {folder.name!r}", "a file", "a mistyped --out")
    ours = {".lock", "train", "ceilings"}
    if folder.is_dir() and not is_study(folder) and any(path.name not in ours for path in folder.iterdir()):
        came = f"a folder with other files and no {FILE}"
        raise RunError(f"an empty folder at {folder.name!r}", came, "a mistyped --out")
    with full_disk_is_an_error(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if not is_study(folder):
            write_record(folder, {"title": "", "runs": [], "series": [], "compare": [], "trained": {}})


def _bare(run: Run, file: StudyFile) -> str:
    """The name of a study without its seed."""
    return next(
        one.name
        for one in file.encoder
        if run.path.name == one.name or run.path.name.removeprefix(f"{one.name}-seed").isdigit()
    )


def _hours(words: Mapping[str, Any]) -> float | None:
    hours = words.get("hours")
    return float(hours) if isinstance(hours, int | float) else None
