"""Read ``melodies.txt``: the notation is described at its head."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PITCHES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
MODES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
NOTE = re.compile(r"([#b]?)([1-7])([',]*)(-*|\.|/)$")
LENGTHS = {".": 1.5, "/": 0.5}


@dataclass(frozen=True)
class Note:
    """A melody note: MIDI number and beats."""

    midi: int
    beats: float


@dataclass(frozen=True)
class Melody:
    """A tune as phrases of notes."""

    name: str
    title: str
    key: str
    tonic: int
    mode: str
    meter: str
    tempo_bpm: float
    phrases: tuple[tuple[Note, ...], ...]


def read_melodies(path: Path) -> list[Melody]:
    """Every tune of the file."""
    blocks = path.read_text(encoding="utf-8").split("\n= ")[1:]
    return [_melody(block.strip().splitlines()) for block in blocks]


def _melody(lines: list[str]) -> Melody:
    name, title, key, meter, tempo = (part.strip() for part in lines[0].split("|"))
    tonic_name, mode = key.split()
    flat = -1 if "b" in tonic_name[1:] else 0
    tonic = 12 * (int(tonic_name[-1]) + 1) + PITCHES[tonic_name[0]] + flat
    phrases: list[tuple[Note, ...]] = []
    for line in lines[1:]:
        if line == "x2":
            phrases *= 2
        elif line:
            phrases.append(tuple(_note(token, tonic, mode) for token in line.split()))
    assert all(sum(n.beats for n in phrase) % 1 == 0 for phrase in phrases), (
        f"{name}: a phrase ends off the beat"
    )
    return Melody(name, title, f"{tonic_name[:-1]} {mode}", tonic, mode, meter, float(tempo), tuple(phrases))


def _note(token: str, tonic: int, mode: str) -> Note:
    match = NOTE.match(token)
    assert match, f"not a note: {token}"
    sign, degree, octave, length = match.groups()
    midi = tonic + MODES[mode][int(degree) - 1] + {"#": 1, "b": -1, "": 0}[sign]
    midi += 12 * (octave.count("'") - octave.count(","))
    return Note(midi, LENGTHS.get(length, 1.0 + length.count("-")))
