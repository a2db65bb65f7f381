"""Sounds of a run: passed on byte for byte, bounded, credited, and refused where they are no FLAC."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.views.feature_tables import KNOWN, flac

from tonotopy.core.errors import RunError
from tonotopy.views import RunTables, players
from tonotopy.views.players import listening

FILE = "tables/players.parquet"


@pytest.fixture
def folder(feature_runs: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of a run with players, to be spoiled."""
    return shutil.copytree(feature_runs["plain"], tmp_path / "run")


def spoil(folder: Path, sound: object) -> RunTables:
    """The run with another sound in its second row."""
    table = pd.read_parquet(folder / FILE)
    table["audio"] = [sound if at == 1 else found for at, found in enumerate(table["audio"])]
    table.to_parquet(folder / FILE, index=False)
    return RunTables.read(folder)


def test_sounds_are_passed_on(folder: Path) -> None:
    """What stands on the page is what is in the file, in the order of sites, with piece, artist and licence."""
    found = listening(RunTables.read(folder))
    table = pd.read_parquet(folder / FILE)
    assert found.left_out == ""
    assert [place.title for place in found.places][:2] == ["first_conv", "block1.conv"]
    (place,) = (place for place in found.places if place.title == KNOWN)
    (kind,) = (kind for kind in place.kinds if kind.name == "partials")
    assert kind.sentence == "answers to partials that last"
    rows = table[(table["site"] == KNOWN) & (table["kind"] == "partials")]
    for player, (_, row) in zip(kind.players, rows.iterrows(), strict=True):
        head, body = str(player.uri).split(",")
        assert head == "data:audio/flac;base64"
        assert base64.b64decode(body) == row["audio"]
        assert player.label == f"{row['feature']}, from {row['start_s']:.2f} s"
        assert player.credit == f"“Piece {row['piece']}”, artist A. Nonymous, licence CC BY 4.0"
    assert sum(len(kind.players) for place in found.places for kind in place.kinds) == len(table)


def test_order_in_the_file_does_not_mix_sounds(folder: Path) -> None:
    """Rows in any order keep their own sound."""
    table = pd.read_parquet(folder / FILE)
    before = {(row["site"], row["kind"], row["piece"]): row["audio"] for _, row in table.iterrows()}
    table.sample(frac=1.0, random_state=np.random.RandomState(3)).to_parquet(folder / FILE, index=False)
    for place in listening(RunTables.read(folder)).places:
        for kind in place.kinds:
            for piece, player in enumerate(sorted(kind.players, key=lambda player: player.credit)):
                sound = base64.b64decode(str(player.uri).split(",")[1])
                assert sound == before[place.title, kind.name, piece]


def test_what_a_piece_does_not_say_is_said_to_be_missing(folder: Path) -> None:
    """No licence is no licence, and not silence; without a title the file is named."""
    path = folder / "tables" / "pieces.parquet"
    pd.read_parquet(path).assign(title=None, artist="", licence=None).to_parquet(path, index=False)
    credit = listening(RunTables.read(folder)).places[0].kinds[0].players[0].credit
    assert credit == "“00.ogg”, artist not named, licence not named"


def test_a_page_holds_so_many(folder: Path) -> None:
    """Every kind of every site has its first sound before any has its second; the rest is counted."""
    run = RunTables.read(folder)
    whole = len(run.players)
    found = listening(run, most=26)
    kinds = [kind for place in found.places for kind in place.kinds]
    assert [len(kind.players) for kind in kinds] == [1] * 26
    assert found.left_out == f"{whole - 26} more sounds in the table “players” of the run."
    size = len(pd.read_parquet(folder / FILE)["audio"].iloc[0])
    few = listening(run, most_bytes=3 * size + size // 2)
    assert 1 <= sum(len(kind.players) for place in few.places for kind in place.kinds) <= 4


@pytest.mark.parametrize(
    "sound",
    [b"RIFF" + bytes(100), b"<script>alert(1)</script>" + bytes(40), b"fLaC", b"", None, b"fLaC" + bytes(60)],
)
def test_what_is_no_flac_is_refused(folder: Path, sound: bytes | None) -> None:
    """Another format, a stump, or nothing at all: an error in words and no page with it."""
    with pytest.raises(RunError, match=r"^expected FLAC in column 'audio' of tables/players.parquet; got b'"):
        listening(spoil(folder, sound))


def test_sounds_are_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sound, and all of them in their file, are checked for size before they are read."""
    run = RunTables.read(folder)
    monkeypatch.setattr(players, "SOUND_BYTES", 1000)
    with pytest.raises(
        RunError, match=r"sounds of at most 1,000 bytes in tables/players.parquet; got [\d,]+ bytes"
    ):
        listening(run)
    monkeypatch.setattr(players, "FILE_BYTES", 1000)
    with pytest.raises(RunError, match=r"tables/players.parquet of at most 1,000 bytes; got [\d,]+ bytes"):
        listening(run)


def test_a_column_of_words_is_no_sound(folder: Path) -> None:
    """A string that starts like FLAC is refused by its type; a table without sounds, by name."""
    table = pq.read_table(folder / FILE)
    at = table.schema.get_field_index("audio")
    words = pa.array(["fLaC" + "x" * 60] * table.num_rows)
    pq.write_table(table.set_column(at, "audio", words), folder / FILE)
    with pytest.raises(RunError, match=r"bytes in column 'audio' of tables/players.parquet; got"):
        listening(RunTables.read(folder))
    pq.write_table(table.drop_columns(["audio"]), folder / FILE)
    with pytest.raises(RunError, match=r"column 'audio' in tables/players.parquet; got none"):
        listening(RunTables.read(folder))


def test_a_run_that_changed_meanwhile_is_refused(folder: Path) -> None:
    """Sounds of other rows than those that were checked are nobody's."""
    run = RunTables.read(folder)
    pd.read_parquet(folder / FILE).iloc[:3].to_parquet(folder / FILE, index=False)
    with pytest.raises(RunError, match=r"expected 52 sounds in tables/players.parquet; got 3"):
        listening(run)


def test_a_link_out_of_the_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    """A file put in place of the table after the run was read is not followed out of the folder."""
    run = RunTables.read(folder)
    shutil.move(folder / FILE, tmp_path / "elsewhere.parquet")
    (folder / FILE).symlink_to(tmp_path / "elsewhere.parquet")
    with pytest.raises(RunError, match="inside the run folder; got a link out of it"):
        listening(run)


def test_a_run_without_players_is_silent(run_folders: dict[str, Path]) -> None:
    """Nothing to hear, nothing to say."""
    assert listening(RunTables.read(run_folders["plain"])).places == ()


def test_the_fixture_is_flac() -> None:
    """The sounds that the tests play start as the format says."""
    assert flac(np.random.default_rng(0)).startswith(players.STARTS)
