"""``tonotopy fetch fma-…``: the folder on stdout, everything else on stderr, every mistake one line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.shop import Shop, fma_shop, opened

from tonotopy.cli.fetch import SIZES
from tonotopy.sound.sources import _fma_download, fma

BAD = "99134, 108925, 133297 (no audio); 98565, 98567, 98569 (1.6 s or less)"


@pytest.fixture
def shop(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A small release on loopback, in the place of the official one."""
    with opened(fma_shop(tmp_path_factory.mktemp("release"))) as shop:
        monkeypatch.setattr(_fma_download, "OFFICIAL", shop.url)
        monkeypatch.setattr(_fma_download, "ARCHIVES", shop.archives())
        yield shop


def test_fetch_and_use(shop: Shop, call, tmp_path: Path) -> None:
    """What is fetched can be listed at once by the spelling that is printed; a second call does nothing."""
    result = call("fetch", "fma-small", "--to", tmp_path / "fma")
    assert (result.exit_code, result.stdout) == (0, f"{tmp_path / 'fma'}\n")
    said = result.stderr.splitlines()
    assert said == [
        "fetched fma_metadata and fma_small",
        "3 tracks",
        f"known to be bad, and left out of studies: {BAD}",
        f"to use it: --music fma-small:{tmp_path / 'fma'}",
    ]
    assert "3 clips, 2 pieces" in call("music", said[-1].split("--music ")[1]).stdout
    again = call("fetch", "fma-small", "--to", tmp_path / "fma")
    assert (again.exit_code, again.stdout) == (0, result.stdout)
    assert again.stderr.splitlines()[0] == "nothing to do: fma_metadata and fma_small are there"
    assert len(shop.asked) == 2


def test_the_cache_is_the_default(shop: Shop, call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --to, music goes into the user's cache; archives are kept where that is asked for."""
    for name in ("XDG_CACHE_HOME", "HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path))
    result = call("fetch", "fma-small", "--keep-archives")
    folder = Path(result.stdout.strip())
    assert folder.is_relative_to(tmp_path)
    assert {path.name for path in folder.glob("*.zip")} == {"fma_metadata.zip", "fma_small.zip"}


def test_tracks_that_are_missing(shop: Shop, call, tmp_path: Path) -> None:
    """A folder that is not complete is not called so."""
    (tmp_path / "fma_metadata").mkdir()
    (tmp_path / "fma_small").mkdir()
    result = call("fetch", "fma-small", "--to", tmp_path)
    assert result.stderr.splitlines()[1] == (
        f"0 tracks of 3: some are missing; to fetch all again, remove {tmp_path / 'fma_small'}"
    )


def test_mistakes_are_one_line(shop: Shop, call, tmp_path: Path) -> None:
    """A damaged archive, and a file where the folder should be."""
    shop.files["fma_small.zip"] = shop.files["fma_small.zip"][:-1]
    result = call("fetch", "fma-small", "--to", tmp_path / "fma")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: expected SHA-1 ")
    assert len(result.stderr.splitlines()) == 1
    (tmp_path / "file").write_text("x")
    result = call("fetch", "fma-small", "--to", tmp_path / "file")
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)


def test_every_size_has_its_verb() -> None:
    """The verbs are the sizes that the source opens, and the help names the sizes of the archives."""
    assert tuple(SIZES) == fma.SIZES
    for size, about in SIZES.items():
        archive = _fma_download.ARCHIVES[size]
        assert f"{archive.tracks:,} " in about
        assert f"{archive.size_bytes / 2**30:g} GiB to download" in about
