"""Make the note data of the source ``scores``: harmonise every tune of ``melodies.txt``, write it as JSON.

Run from anywhere: ``python tools/chorales/make_chorales.py``. The output is committed; the same input gives
the same output, byte for byte. Nothing is copied from an encoding of another's.
"""

from __future__ import annotations

import json
from pathlib import Path

from harmonise import harmonise
from melodies import MODES, Melody, read_melodies

HERE = Path(__file__).parent
OUTPUT = HERE.parents[1] / "src" / "tonotopy" / "signal" / "chorales"
VOICES = ("bass", "tenor", "alto", "soprano")
SHORTEST_S, LONGEST_S = 31.0, 58.0

Line = list[list[float]]


def main() -> None:
    """Write one JSON file for each tune."""
    for melody in read_melodies(HERE / "melodies.txt"):
        steps, chords = harmonise(melody)
        spans = [(step.beats, bool(step.ends)) for step in steps]
        lines = _lines(chords.tolist(), spans, melody)
        lines["soprano"] = [[note.midi, _plain(note.beats)] for phrase in melody.phrases for note in phrase]
        (OUTPUT / f"{melody.name}.json").write_text(_text(melody, lines), encoding="utf-8")


def _lines(chords: list[list[int]], spans: list[tuple[float, bool]], melody: Melody) -> dict[str, Line]:
    """The lower voices as [MIDI, beats], with passing notes where a third can be filled."""
    lines: dict[str, Line] = {voice: [] for voice in VOICES}
    for index, (chord, (beats, ends)) in enumerate(zip(chords, spans, strict=True)):
        after = None if ends or index + 1 == len(chords) else chords[index + 1]
        passing = _passing(chord, after, melody) if after else None
        for voice, name in enumerate(VOICES[:3]):
            if passing and passing[0] == voice:
                lines[name] += [[chord[voice], _plain(beats - 0.5)], [passing[1], 0.5]]
            else:
                lines[name].append([chord[voice], _plain(beats)])
    return lines


def _passing(chord: list[int], after: list[int], melody: Melody) -> tuple[int, int] | None:
    """The lowest voice that moves by a third and the note between, if that clashes with nothing."""
    scale = {(melody.tonic + step) % 12 for step in MODES[melody.mode]}
    for voice in range(3):
        leap = after[voice] - chord[voice]
        between = range(min(chord[voice], after[voice]) + 1, max(chord[voice], after[voice]))
        notes = [p for p in between if p % 12 in scale]
        if abs(leap) not in (3, 4) or len(notes) != 1:
            continue
        others = [(chord[v], after[v]) for v in range(4) if v != voice]
        clash = any(abs(notes[0] - now) % 12 in (1, 11) or abs(notes[0] - now) == 0 for now, _ in others)
        gaps = [((notes[0] - now) % 12, (after[voice] - then) % 12, now != then) for now, then in others]
        parallel = any(moved and gap == later and gap in (0, 5, 7) for gap, later, moved in gaps)
        if not clash and not parallel:
            return voice, notes[0]
    return None


def _text(melody: Melody, lines: dict[str, Line]) -> str:
    """JSON with one line for each voice."""
    beats = sum(length for _, length in lines["soprano"])
    assert all(sum(length for _, length in line) == beats for line in lines.values()), melody.name
    tempo = min(max(melody.tempo_bpm, beats * 60 / LONGEST_S), beats * 60 / SHORTEST_S)
    head = {"title": melody.title, "key": melody.key, "meter": melody.meter, "tempo_bpm": round(tempo, 1)}
    rows = [f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in head.items()]
    voices = [f"    {json.dumps(v)}: {json.dumps(lines[v], separators=(',', ':'))}" for v in reversed(VOICES)]
    return "{\n" + ",\n".join(rows) + ',\n  "voices": {\n' + ",\n".join(voices) + "\n  }\n}\n"


def _plain(beats: float) -> float:
    """A whole number of beats without its decimal point."""
    return int(beats) if beats == int(beats) else beats


if __name__ == "__main__":
    main()
