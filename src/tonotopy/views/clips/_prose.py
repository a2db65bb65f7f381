"""A chord sequence in words: estimated, read from a file, or given on the command line.

A file holds one chord a row, ``start,end,label``, in seconds from the start of the recording; a first row that is
no numbers is a heading. On the command line a sequence is ``C:2.0,Am:1.5``: labels with their lengths in
seconds, from the start of the stretch. Labels may be anything; those that read as chords are spelled out.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

from tonotopy.core.errors import InputError
from tonotopy.signal.chords import NO_CHORD, QUALITIES, Chord, chord_sequence
from tonotopy.views.clips._sound import Excerpt
from tonotopy.views.words import printable

LARGEST_FILE: Final = 1 << 20  # bytes
LONGEST_LABEL: Final = 40
SAID: Final = 12  # chords of a sentence; the page lists them all

_SYMBOL: Final = re.compile(r"^([A-G])([#b♯♭]?)(.*)$")
_ACCIDENTALS: Final = {"": "", "#": " sharp", "♯": " sharp", "b": " flat", "♭": " flat"}
_LONG_FORMS: Final = {":maj": "", "maj": "", "M": "", ":min": "m", "min": "m", "-": "m", "°": "dim"}


def chords_of(excerpt: Excerpt, given: str | None) -> list[Chord]:
    """The chords of an excerpt, times from its start: those given, or those estimated.

    Parameters
    ----------
    given : str, optional
        A file, or a sequence such as ``C:2.0,Am:1.5``.

    Raises
    ------
    InputError
        For a file or a sequence that cannot be read.
    """
    if given is None:
        return chord_sequence(excerpt.audio, excerpt.sample_rate_hz)
    path = Path(given)
    if path.is_file():
        rows = _from_file(path)
        shifted = [(start - excerpt.start_s, end - excerpt.start_s, label) for start, end, label in rows]
    elif ":" in given and path.suffix.lower() != ".csv":
        shifted = _from_words(given)
    else:
        raise InputError("chords", repr(given), "no such file", ["a CSV of start,end,label", "C:2.0,Am:1.5"])
    inside = [
        Chord(max(start, 0.0), min(end, excerpt.seconds), label, math.nan)
        for start, end, label in sorted(shifted)
        if start < excerpt.seconds and end > 0.0
    ]
    if not inside:
        raise InputError("a chord within the stretch", "none", "times count from the start of the recording")
    return inside


def name_of(label: str) -> str:
    """A chord symbol in words.

    Examples
    --------
    >>> [name_of(label) for label in ("C", "F#m", "Bb7", "A:min", "N", "Riff 2")]
    ['C major', 'F sharp minor', 'B flat seventh', 'A minor', 'no chord', 'Riff 2']
    """
    if label == NO_CHORD:
        return "no chord"
    found = _SYMBOL.match(label)
    if found is None:
        return label
    root, accidental, rest = found.groups()
    quality = _LONG_FORMS.get(rest, rest.removeprefix(":"))
    return f"{root}{_ACCIDENTALS[accidental]} {QUALITIES[quality][0]}" if quality in QUALITIES else label


def sentence(chords: Sequence[Chord]) -> str:
    """The sequence in one sentence.

    Examples
    --------
    >>> sentence([Chord(0.0, 2.1, "C", 0.9), Chord(2.1, 3.0, "Am", 0.8), Chord(3.0, 4.5, "N", 0.9)])
    'C major for 2.1 s, then A minor for 0.9 s, then no chord for 1.5 s.'
    """
    parts = [f"{name_of(chord.label)} for {chord.end_s - chord.start_s:.1f} s" for chord in chords[:SAID]]
    rest = len(chords) - SAID
    more = f", and {rest} more" if rest > 0 else ""
    return ", then ".join(parts) + more + "."


def _from_file(path: Path) -> list[tuple[float, float, str]]:
    """Rows of a file: start, end, label."""
    if path.stat().st_size > LARGEST_FILE:
        raise InputError("a file of chords of at most 1 MiB", repr(path.name), "another file")
    try:
        lines = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError("a CSV of start,end,label", repr(path.name), "not text that can be read") from error
    rows = []
    for number, line in enumerate(lines, start=1):
        if not line or (number == 1 and len(line) >= 3 and _seconds(line[0]) is None):
            continue
        start, end = (_seconds(line[k]) if len(line) >= 3 else None for k in (0, 1))
        if start is None or end is None or not start < end:
            came = repr(",".join(line)[:60])
            raise InputError(
                "rows of start,end,label with the start before the end", f"{came} in row {number}"
            )
        rows.append((start, end, _label(line[2])))
    return _apart(rows)


def _from_words(given: str) -> list[tuple[float, float, str]]:
    """Rows of labels with their lengths."""
    rows, at_s = [], 0.0
    for part in given.split(","):
        label, _, length = part.strip().rpartition(":")
        seconds = _seconds(length)
        if not label.strip() or seconds is None or seconds <= 0.0:
            raise InputError("chords as label:seconds", repr(part[:60]), legal=["C:2.0,Am:1.5"])
        rows.append((at_s, at_s + seconds, _label(label)))
        at_s += seconds
    return rows


def _apart(rows: list[tuple[float, float, str]]) -> list[tuple[float, float, str]]:
    """Rows in order, none of which begins before the one before ends."""
    rows.sort()
    for before, after in pairwise(rows):
        if after[0] < before[1] - 1e-6:
            raise InputError("chords that do not overlap", f"{after[2]!r} at {after[0]:g} s", "two at a time")
    return rows


def _label(text: str) -> str:
    return printable(text.strip())[:LONGEST_LABEL] or "?"


def _seconds(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
