"""What a study file may say, and what it may not: checked to the last key before anything runs."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from tonotopy.core.errors import InputError
from tonotopy.core.registry import plugins
from tonotopy.runs.study_files.parse import read_study_file, study_file

STUDIES = Path(__file__).resolve().parents[3] / "studies"

WHOLE: dict[str, Any] = {
    "title": "A study",
    "preset": "quick",
    "seeds": [0, 1],
    "floor": False,
    "ceiling_minutes": 1,
    "compare": ["a"],
    "train": [
        {"name": "one", "kind": "samplecnn", "minutes": 0.5, "words": {"depth": 7}},
        {"name": "grid", "kind": "samplecnn", "steps": 5, "grid": {"narrow": [8, 4], "hours": [0.5, 2]}},
    ],
    "encoder": [
        {"name": "a", "train": "one", "sites": ["first_conv"], "ceiling": False},
        {"name": "b", "encoder": "crepe-tiny", "weights": "random:0", "options": {"window": 1024}},
    ],
    "series": [
        {"name": "emergence", "train": "one", "kind": "emergence"},
        {"name": "scaling", "train": "grid", "kind": "scaling", "floor": True},
    ],
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """A whole file with one value changed, at a path such as ``train.0.kind``; ``...`` removes it."""
    made = copy.deepcopy(WHOLE)
    *way, last = path.split(".")
    place: Any = made
    for part in way:
        place = place[int(part)] if part.isdigit() else place[part]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return made


def test_a_whole_file() -> None:
    """Every table is read; a grid is every combination; defaults are what they say."""
    made = study_file(WHOLE, "study")
    assert (made.name, made.music, made.seeds, made.pieces) == ("study", "scores", (0, 1), None)
    assert list(made.train[0].members()) == [("", {"depth": 7})]
    assert [name for name, _ in made.train[1].members()] == [
        "narrow-8_hours-0.5",
        "narrow-8_hours-2",
        "narrow-4_hours-0.5",
        "narrow-4_hours-2",
    ]
    assert dict(list(made.train[1].members())[3][1]) == {"narrow": 4, "hours": 2}
    assert [(one.floor, one.ceiling) for one in made.encoder] == [(False, False), (False, True)]
    assert [one.floor for one in made.series] == [False, True]
    assert not made.names_code


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("titel", "x", r"^expected keys of study; got titel; likely cause: a misspelt key; legal values: about, "),
        ("train.0.step", 5, r"^expected keys of train 1 of study; got step; "),
        ("encoder.1.site", [], r"^expected keys of encoder 2 of study; got site; "),
        ("series.0.sitess", [], r"^expected keys of series 1 of study; got sitess; "),
        ("title", ..., r"^expected title in study; got none; "),
        ("title", 5, r"^expected text for title in study; got 5$"),
        ("preset", "slow", r"^expected a preset; got 'slow'; "),
        ("seeds", [], r"^expected one seed or more in study; got none$"),
        ("seeds", [1.5], r"^expected a whole number from 0 for seeds in study; got 1\.5$"),
        ("floor", "no", r"^expected true or false for floor in study; got 'no'$"),
        ("pieces", 0, r"^expected a whole number from 1 for pieces in study; got 0$"),
        ("pieces", True, r"^expected a whole number from 1 for pieces in study; got True$"),
        ("ceiling_minutes", -1, r"^expected a positive number for ceiling_minutes in study; got -1$"),
        ("ceiling_minutes", float("inf"), r"^expected a positive number"),
        ("train", {"name": "x"}, r"^expected \[\[train\]\] tables in study; got a dict; "),
        ("train.0.kind", "gan", r"^expected a kind of training in train 1 of study; got 'gan'; .*samplecnn, encodec$"),
        ("train.0.minutes", ..., r"^expected minutes or steps in train 1 of study; got neither; "),
        ("train.0.steps", 5, r"^expected minutes or steps in train 1 of study; got both; "),
        ("train.0.words", {"width": 3}, r"^expected words for words in train 1 of study; got width; .*depth, narrow"),
        ("train.0.name", "../x", r"^expected letters, digits, dots and hyphens for name in train 1 of study"),
        ("train.0.name", "grid", r"^expected a name of its own for each training in study; got 'grid' twice"),
        ("train.1.grid", {"narrow": 4}, r"^expected a list of different values for narrow in train 2 of study; got 4$"),
        ("train.1.grid", {"narrow": [4, 4]}, r"^expected a list of different values for narrow"),
        ("train.1.grid", {"hours": list(range(1, 70))}, r"^expected a grid of at most 64 trainings in train 2"),
        ("train.1.words", {"narrow": 3}, r"^expected each word once in train 2 of study; got narrow in words and"),
        ("encoder.0.encoder", "x", r"^expected encoder or train in encoder 1 of study; got both; "),
        ("encoder.1.encoder", ..., r"^expected encoder or train in encoder 2 of study; got neither; "),
        ("encoder.0.weights", "x", r"^expected no weights beside train in encoder 1 of study; "),
        ("encoder.0.train", "two", r"^expected a training named in study; got 'two'; .*legal values: one, grid$"),
        ("encoder.0.train", "grid", r"^expected one training for 'a'; got the grid 'grid'; "),
        ("encoder.0.name", "b", r"^expected a name of its own for each study in study; "),
        ("encoder.0.name", "train", r"^expected a name of its own for each study in study; "),
        ("series.0.train", "grid", r"^expected a grid for a series of scaling, one training for a series of emergence"),
        ("series.0.kind", "party", r"^expected a kind of series in series 1 of study; got 'party'; "),
        ("compare", ["c"], r"^expected studies to compare; got 'c'; .*legal values: a, b$"),
    ],
)  # fmt: skip
def test_what_a_file_may_not_say(path: str, value: Any, message: str) -> None:
    """One line that names the place, what came, and what is legal."""
    with pytest.raises(InputError, match=message) as caught:
        study_file(changed(path, value), "study")
    assert "\n" not in str(caught.value)


def test_a_file_with_nothing_to_study() -> None:
    """A training alone is no study."""
    with pytest.raises(InputError, match=r"^expected an encoder or a series in study; got none; "):
        study_file(changed("encoder", []) | {"series": [], "compare": []}, "study")


def test_a_ceiling_needs_its_minutes() -> None:
    """Asked for by an encoder, but nobody said how long."""
    values = changed("ceiling_minutes", ...)
    values["encoder"][0]["ceiling"] = True
    with pytest.raises(InputError, match=r"^expected ceiling_minutes beside ceiling in encoder 1 of study"):
        study_file(values, "study")


def test_code_is_seen() -> None:
    """A file that names code says so before anything runs."""
    assert study_file(changed("encoder.1.encoder", "net.py:Net"), "study").names_code


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title = ", r"^expected TOML in study\.toml; got "),
        ("title = 'x'\n" * 2, r"^expected TOML in study\.toml; got "),
    ],
)
def test_files_that_cannot_be_read(text: str, message: str, tmp_path: Path) -> None:
    """Damaged, missing or far too large."""
    file = tmp_path / "study.toml"
    file.write_text(text)
    with pytest.raises(InputError, match=message):
        read_study_file(file)
    with pytest.raises(InputError, match=r"^expected a study file; got 'none\.toml'; "):
        read_study_file(tmp_path / "none.toml")
    file.write_bytes(b"#" * (2**20 + 1))
    with pytest.raises(InputError, match="at most 1048576 bytes"):
        read_study_file(file)


@pytest.mark.parametrize("file", sorted(STUDIES.glob("*.toml")), ids=lambda file: file.stem)
def test_the_studies_of_the_repository(file: Path) -> None:
    """Each is legal, names encoders that exist, and says how to run it."""
    made = read_study_file(file)
    assert f"tonotopy study studies/{file.name}" in file.read_text(encoding="utf-8")
    known = plugins("tonotopy.encoders")
    for one in made.encoder:
        assert one.encoder is None or one.encoder in known, one.name
    minutes = sum((one.minutes or 0) * len(list(one.members())) for one in made.train)
    if made.name == "scaling-samplecnn":
        assert minutes <= 60
        assert len(list(made.train[0].members())) == 9
