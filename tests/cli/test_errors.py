"""Errors: one line on stderr that says what to do, an exit code, never a traceback."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import numpy as np
import pytest
import soundfile

from tonotopy.cli import _door, main
from tonotopy.cli._text import one_line, plain

STUDY = ("study", "phantom:loudness", "--preset", "quick", "--frequencies", "4")


@pytest.fixture
def empty_folder(tmp_path: Path) -> Path:
    """A folder without music."""
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


@pytest.fixture
def two_pieces(tmp_path: Path) -> Path:
    """A folder with too little music."""
    folder = tmp_path / "two"
    folder.mkdir()
    for seed in range(2):
        noise = np.random.default_rng(seed).standard_normal(3 * 16_000) * 0.1
        soundfile.write(folder / f"{seed}.wav", noise, 16_000)
    return folder


def assert_one_line(result, *said: str) -> None:
    """A user's mistake: exit code 2, one line on stderr with these words, nothing on stdout."""
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert len(result.stderr.splitlines()) == 1, result.stderr
    for words in said:
        assert words in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("study", "nonesuch"), ("'nonesuch'", "legal values: ")),
        (("study", "crepe-tny"), ("did you mean 'crepe-tiny'",)),
        (("study", "phantom:nonesuch"), ("'nonesuch'", "cochlea")),
        ((*STUDY, "--sites", "conv9"), ("'conv9'", "loudness")),
        ((*STUDY, "--preset", "slow"), ("'slow'", "quick, standard, thorough")),
        ((*STUDY, "--music", "folder:nonesuch"), ("no such folder",)),
        ((*STUDY, "--music", "nonesuch"), ("'nonesuch'", "scores")),
        ((*STUDY, "--pieces", "2"), ("at least 3 pieces", "2")),
        ((*STUDY, "--frequencies", "0"), ("--frequencies", "0", "tonotopy study --help")),
        ((*STUDY, "--weights", "random:0"), ("phantom", "random:0")),
        (("study", "samplecnn-3-7", "--weights", "nonesuch.pt"), ("nonesuch.pt",)),
        (("study", "model.py:Model"), ("--trust",)),
        (("anatomy", "model.py:Model"), ("--trust",)),
        (("anatomy", "nonesuch"), ("'nonesuch'",)),
        (("music", "nonesuch"), ("'nonesuch'", "scores")),
        (("show", "nonesuch"), ("a run folder",)),
        (("report", "nonesuch"), ("a run folder",)),
        (("compare", "nonesuch"), ("a run folder",)),
        (("figure", "verdict-map", "nonesuch"), ("a run folder",)),
        (("calibrate", "--phantom", "nonesuch"), ("'nonesuch'", "cochlea")),
        (("calibrate", "--seeds", "one"), ("'one'", "--seeds")),
        (("study",), ("ENCODER", "tonotopy study --help")),
        (("study", "x", "--nonesuch"), ("--nonesuch", "--help")),
        (("nonesuch",), ("'nonesuch'", "tonotopy --help")),
    ],
    ids=lambda value: " ".join(value[-2:]) if isinstance(value, tuple) else None,
)
def test_a_mistake_is_one_line(words, said, call, tmp_path: Path, monkeypatch) -> None:
    """Every mistake names what came and, where there is one, the list of what is legal."""
    monkeypatch.chdir(tmp_path)
    assert_one_line(call(*words), *said)


def test_an_empty_folder(call, empty_folder: Path, tmp_path: Path) -> None:
    """A folder without music says which formats are read."""
    assert_one_line(call(*STUDY, "--music", f"folder:{empty_folder}", "--out", tmp_path / "run"), "flac")


def test_too_few_pieces(call, two_pieces: Path, tmp_path: Path) -> None:
    """Two pieces are too few, and the line says how many are needed."""
    result = call(*STUDY, "--music", f"folder:{two_pieces}", "--out", tmp_path / "run", "--workers", 1)
    assert_one_line(result, "at least 3 pieces", "2 usable")


def test_a_folder_that_holds_another_plan(call, small_run: Path) -> None:
    """A run folder is never overwritten by another study, and the line names what differs."""
    result = call(*STUDY, "--pieces", 4, "--no-floor", "--seed", 1, "--out", small_run)
    assert_one_line(result, "seed", "--out")


def test_a_folder_of_something_else(call, tmp_path: Path) -> None:
    """A folder with other files is left alone."""
    (tmp_path / "letter.txt").write_text("dear")
    assert_one_line(call(*STUDY, "--out", tmp_path), "folder")


def test_a_missing_checkpoint(call, tmp_path: Path, monkeypatch) -> None:
    """Weights that were never fetched say how to fetch them."""
    for name in ("XDG_CACHE_HOME", "HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path))
    assert_one_line(call("study", "crepe-tiny"), "tonotopy fetch crepe")


def test_a_damaged_run(call, small_run: Path, tmp_path: Path) -> None:
    """A run whose manifest is damaged says so."""
    import shutil

    broken = tmp_path / "broken"
    shutil.copytree(small_run, broken, ignore=shutil.ignore_patterns("units"))
    (broken / "manifest.json").write_text("{")
    assert_one_line(call("show", broken), "manifest.json", "damaged")


def test_a_report_is_not_written_through_a_link(call, small_run: Path, tmp_path: Path) -> None:
    """A run folder from elsewhere cannot have a file of the user's overwritten; `figure --out` still may."""
    folder = shutil.copytree(small_run, tmp_path / "run", ignore=shutil.ignore_patterns("units", "report"))
    mine = tmp_path / "mine.svg"
    mine.write_text("mine")
    (folder / "report").mkdir()
    (folder / "report" / "index.html").symlink_to(mine)
    assert_one_line(call("report", folder), "report/index.html", "a link", "unsafe source")
    assert mine.read_text() == "mine"
    link = tmp_path / "link.svg"
    link.symlink_to(mine)
    assert call("figure", "verdict-map", folder, "--out", link).exit_code == 0
    assert mine.read_text().startswith("<?xml")


def test_a_dry_run_claims_no_folder(call, tmp_path: Path) -> None:
    """Asking what it would cost leaves nothing behind that the study would then refuse."""
    result = call(*STUDY, "--pieces", 3, "--out", tmp_path / "run", "--dry-run")
    assert result.exit_code == 0
    assert "minutes" in result.output
    assert not (tmp_path / "run").exists()


# ---- what the door makes of errors that are hard to provoke


@pytest.mark.parametrize(
    ("error", "said", "code"),
    [
        (KeyboardInterrupt(), "the same command goes on", 130),
        (click.Abort(), "the same command goes on", 130),
        (OSError(errno.ENOSPC, "No space left on device", "x"), "the disk is full", 2),
        (PermissionError(errno.EACCES, "Permission denied", "x.svg"), "Permission denied: x.svg", 2),
        (MemoryError(), "out of memory", 2),
        (ValueError("a\nb"), "a fault of tonotopy: ValueError: a b; TONOTOPY_DEBUG=1", 3),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_the_door(error: BaseException, said: str, code: int, call, monkeypatch) -> None:
    """Whatever happens inside a verb leaves as one line and its exit code."""

    def raising(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("tonotopy.core.registry.plugins", raising)
    result = call("music")
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_debug_shows_where(monkeypatch, capsys) -> None:
    """`TONOTOPY_DEBUG=1` adds the traceback that is otherwise kept back."""
    monkeypatch.setenv("TONOTOPY_DEBUG", "1")
    with pytest.raises(SystemExit):
        main(["music", "nonesuch"])
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("words", ["music scores --json", "music scores", "--help"])
def test_a_reader_that_leaves(words: str) -> None:
    """`tonotopy … | head -1` ends quietly: nothing on stderr, and the exit code that other programs have."""
    piped = f'"$0" -c "from tonotopy.cli import main; main()" {words} | true; echo ${{PIPESTATUS[0]}}'
    command = ["bash", "-c", piped, sys.executable]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert run.stderr == ""
    assert run.stdout.split() == [str(_door.READER_LEFT)]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_a_full_disk() -> None:
    """Output that has no room is one line."""
    command = [sys.executable, "-c", "from tonotopy.cli import main; main()", "music", "scores", "--json"]
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert run.returncode == 2
    assert run.stderr == f"error: {_door.explain(OSError(errno.ENOSPC, ''))[0]}\n"


def test_an_interruption_resumes(tmp_path: Path) -> None:
    """Ctrl-C says how to go on in one line, and the same command does."""
    # A shell hands Ctrl-C as ignored to what it runs in the background, these tests perhaps among it.
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    command = [
        sys.executable,
        "-c",
        f"{heard}; from tonotopy.cli import main; main()",
        *STUDY,
        "--pieces",
        "3",
    ]
    command += ["--out", str(tmp_path / "run"), "--workers", "1", "--no-floor"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )
    units = tmp_path / "run" / "units"
    for _ in range(600):
        if len(list(units.glob("*/*/unit.json"))) > 1 or process.poll() is not None:
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said == _door.RESUME + "\n"
    kept = {path: path.stat().st_mtime_ns for path in units.glob("*/*/unit.json")}
    again = subprocess.run(
        [*command, "--json"], capture_output=True, text=True, timeout=200, env=environment, check=False
    )
    assert again.returncode == 0, again.stderr
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


# ---- text that came from files


def test_text_is_shown_not_obeyed() -> None:
    """Escape sequences, line breaks and reversed text do not reach the terminal."""
    assert one_line("a\x1b[2Jb\nc\u202ed\x00") == "a[2Jb cd"


def test_undefined_and_never_differ() -> None:
    """JSON keeps apart what is undefined and what is never reached."""
    assert plain({"a": float("nan"), "b": np.float64("inf"), "c": np.arange(2)}) == {
        "a": None,
        "b": "inf",
        "c": [0, 1],
    }
