"""Collect the recordings that the toys are trained on, from packages of Debian: about 4 hours, all free.

    python studies/toys/collect.py DIR [--packages FOLDER_OF_DEBS] [--held-out FOLDER ...]

writes ``DIR/train``, ``DIR/test`` and ``DIR/unseen``, in each PACKAGE/COMPOSER/PIECE, and ``DIR/pieces.csv``
(piece, composer, package, licence, split, seconds, sha256). Without ``--packages`` it runs ``apt-get
download`` for what it needs (any machine with Debian 12 or its mirrors), then ``dpkg -x``.

* Training and test music is licensed CC BY 3.0, CC BY-SA 3.0, or in the manner of MIT, and nothing else, so
  that what is trained may be given away under CC BY-SA 3.0. The split is by piece.
* ``unseen`` is a package of which nothing is trained on (GPL; it is only listened to): how a model fares on
  an album that it has never met.
* Pieces that studies are held to are left out by name (:data:`HELD_OUT`), whole; ``--held-out`` also compares
  by content with files of a folder, and refuses what is the same.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import math
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import soundfile

TEST_SHARE = 0.2
BY_SA, BY, MIT, GPL = "CC BY-SA 3.0", "CC BY 3.0", "MIT-style", "GPL-2+"


@dataclass(frozen=True)
class Lot:
    """Pieces of one composer in one package: where they lie, by patterns of file names."""

    composer: str
    author: str
    package: str
    folder: str
    patterns: tuple[str, ...]
    licence: str
    archive: str = ""  # a zip inside the package that holds the folder


UFO = "usr/share/games/ufoai/base/0music.pk3"
LOTS = (
    Lot(
        "maxstack",
        "Max McCracken",
        "singularity-music",
        "usr/share/games/singularity/music",
        ("*.ogg", "win/*.ogg"),
        BY_SA,
    ),
    Lot(
        "neoncorridor",
        "Shawn Parrotte",
        "hyperrogue-music",
        "usr/share/hyperrogue/music",
        ("hr3-*.ogg",),
        BY_SA,
    ),
    Lot(
        "savino",
        "Will Savino",
        "hyperrogue-music",
        "usr/share/hyperrogue/music",
        ("hr-savino-*.ogg",),
        BY_SA,
    ),
    Lot(
        "domina",
        "Lincoln Domina",
        "hyperrogue-music",
        "usr/share/hyperrogue/music",
        ("hr-domina-*.ogg",),
        BY_SA,
    ),
    Lot(
        "muldjord",
        "El Senator",
        "fretsonfire-songs-muldjord",
        "usr/share/games/fretsonfire/data/songs/muldjord",
        ("*/song.ogg",),
        BY_SA,
    ),
    Lot(
        "sectoid",
        "Carlos Viola Iborra",
        "fretsonfire-songs-sectoid",
        "usr/share/games/fretsonfire/data/songs/sectoid",
        ("*/song.ogg",),
        MIT,
    ),
    Lot("crystan", "Christian Hoffmann", "ufoai-music", "music", ("Crystan-*.ogg",), BY_SA, UFO),
    Lot("marine", "Marine Baklund", "ufoai-music", "music", ("Marine*.ogg",), BY_SA, UFO),
    Lot("reeves", "David Reeves", "ufoai-music", "music", ("David0*.ogg",), BY, UFO),
    Lot("vanethian", "Manuel Marino", "ufoai-music", "music", ("van_*.ogg",), BY, UFO),
    Lot("macklin", "Karl Macklin", "ufoai-music", "music", ("karlmacklin_*.ogg",), BY, UFO),
    Lot(
        "lupus",
        "LupusMechanicus",
        "warzone2100-music",
        "usr/share/games/warzone2100/music/albums/aftermath_soundtrack",
        ("track2*.opus", "track1*.opus", "menu_enhanced.opus"),
        BY_SA,
    ),
    Lot(
        "nexuiz",
        "several, see the package",
        "nexuiz-music",
        "sound/cdtracks",
        ("*.ogg",),
        GPL,
        "usr/share/games/nexuiz/data/music.pk3",
    ),
)
UNSEEN = ("nexuiz",)

HELD_OUT = {
    "singularity-music": (
        "Nebula",
        "Awakening",
        "Media Threat",
        "Coherence",
        "March Thee to Dis",
        "Chimes They Fade",
    ),
    "hyperrogue-music": ("hr3-hell", "hr3-graveyard", "hr3-rlyeh", "hr3-icyland", "hr3-crossroads"),
    "fretsonfire-songs-sectoid": ("Feelings", "War of freedom", "Metal madness"),
    "fretsonfire-songs-muldjord": ("mutilated_mime",),
}
"""Pieces that are measured on, by package; never trained on, nor any part of them."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--packages", type=Path, help="a folder that holds the .deb files")
    parser.add_argument(
        "--held-out", type=Path, nargs="*", default=[], help="folders to compare with by content"
    )
    asked = parser.parse_args()
    if asked.folder.exists() and any(asked.folder.iterdir()):
        sys.exit(f"error: expected an empty folder, got {asked.folder.name!r}: collect into a new one")
    banned = {_sha256(p) for folder in asked.held_out for p in folder.rglob("*") if p.is_file()}
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        roots = _unpacked(asked.packages, Path(scratch))
        for lot in LOTS:
            rows += _collected(lot, roots[lot.package], asked.folder, banned)
    with (asked.folder / "pieces.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, fieldnames=list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    for split in ("train", "test", "unseen"):
        mine = [row for row in rows if row["split"] == split]
        print(f"{split:7} {len(mine):3} pieces, {sum(float(r['seconds']) for r in mine) / 3600:.2f} h")


def _unpacked(debs: Path | None, scratch: Path) -> dict[str, Path]:
    """Each package's files."""
    roots = {}
    for package in dict.fromkeys(lot.package for lot in LOTS):
        if debs is None:
            subprocess.run(["apt-get", "download", package], cwd=scratch, check=True)
        found = sorted((debs or scratch).glob(f"{package}_*.deb"))
        if not found:
            sys.exit(f"error: expected {package}_*.deb in {debs}, got none: apt-get download {package}")
        roots[package] = scratch / package
        subprocess.run(["dpkg", "-x", str(found[-1]), str(roots[package])], check=True)
    return roots


def _collected(lot: Lot, root: Path, out: Path, banned: set[str]) -> list[dict[str, str]]:
    """Copy one lot's pieces and say what they are."""
    folder = root / lot.folder
    if lot.archive:
        inner = root / "unpacked"
        if not inner.exists():
            with zipfile.ZipFile(root / lot.archive) as archive:
                archive.extractall(inner)  # names outside the folder are refused by zipfile itself
        folder = inner / lot.folder
        if not folder.is_dir():
            folder = next(inner.rglob(Path(lot.folder).name))
    files = sorted({path for pattern in lot.patterns for path in folder.glob(pattern)})
    files = [path for path in files if not set(HELD_OUT.get(lot.package, ())) & {path.stem, path.parent.name}]
    if not files:
        sys.exit(f"error: expected music of {lot.composer} in {lot.package}, got none: another version?")
    order = sorted(files, key=lambda path: hashlib.sha256(_piece(path).encode()).hexdigest())
    tests = set(order[: math.ceil(TEST_SHARE * len(files))] if len(files) > 1 else [])
    rows = []
    for path in files:
        split = "unseen" if lot.composer in UNSEEN else "test" if path in tests else "train"
        target = out / split / lot.package / lot.composer / _piece(path)
        sources = [path]
        if path.name == "song.ogg":  # the game keeps the guitar apart: two stems, one piece
            target, sources = target.with_suffix(""), sorted(path.parent.glob("*.ogg"))
        target.parent.mkdir(parents=True, exist_ok=True)
        for source in sources:
            if _sha256(source) in banned:
                sys.exit(f"error: {_piece(source)} is one of the recordings that studies are held to")
            if len(sources) > 1:
                target.mkdir(exist_ok=True)
            shutil.copyfile(source, target / source.name if len(sources) > 1 else target)
        rows.append(
            {
                "piece": _piece(path),
                "composer": lot.composer,
                "author": lot.author,
                "package": lot.package,
                "licence": lot.licence,
                "split": split,
                "seconds": f"{soundfile.info(path).duration:.1f}",
                "sha256": _sha256(path),
            }
        )
    return rows


def _piece(path: Path) -> str:
    """A piece's name: the file's, or the folder's where files are stems."""
    name = path.parent.name + path.suffix if path.name == "song.ogg" else path.name
    return name.replace(" ", "-").lower()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
