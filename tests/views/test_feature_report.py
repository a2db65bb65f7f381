"""The section on features: there where a run has any, silent where asked to be, and never more than words and sound."""

from __future__ import annotations

import dataclasses
import re
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from tests.views.feature_tables import KNOWN
from tests.views.seen import Page

from tonotopy.cli import main
from tonotopy.core.errors import RunError
from tonotopy.views import RunTables, write_report
from tonotopy.views._feature_rows import MOST_FEATURES
from tonotopy.views._schema import FEATURE_TABLES
from tonotopy.views.feature_part import FIGURES, feature_part
from tonotopy.views.report import ORDER, page, policy

SOUND = r"data:audio/flac;base64,[\w+/]+=*"
INSIDE = r"|#[\w-]+|(figures|data)/[\w-]+\.(svg|csv)"


@pytest.fixture(scope="module")
def written(feature_runs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the hostile run with features."""
    root = tmp_path_factory.mktemp("feature-report")
    return write_report(shutil.copytree(feature_runs["hostile"], root / "run"))


@pytest.fixture(scope="module")
def hostile(written: Path) -> Page:
    """It, parsed."""
    return Page(written.read_text(encoding="utf-8"))


def section(folder: Path, *, audio: bool = True, **tables: pd.DataFrame) -> Page:
    """The page of a run without figures, which are slow to draw."""
    run = dataclasses.replace(RunTables.read(folder), **tables)
    return Page(page(run, (), features=feature_part(run, audio=audio)))


def test_the_page_is_whole(hostile: Page, written: Path) -> None:
    """Every element closes, every picture and download is there, every jump has a target, headings step by one."""
    assert hostile.open == []
    targets = {attributes["id"] for _, attributes in hostile.elements if "id" in attributes}
    for attributes in hostile.all("a"):
        address = str(attributes["href"])
        assert address[1:] in targets if address.startswith("#") else (written.parent / address).is_file()
    sources = [str(item["src"]) for item in hostile.all("img")]
    assert sources == [f"figures/{name}.svg" for name in (*ORDER, *FIGURES)]
    levels = [int(tag[1]) for tag, _ in hostile.elements if re.fullmatch(r"h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert {"features.csv", "feature-sites.csv", "kinds.csv", "instantiation.csv", "coherence.csv"} <= {
        path.name for path in (written.parent / "data").iterdir()
    }


def test_nothing_of_a_file_becomes_code(hostile: Page, attacks: tuple[str, ...]) -> None:
    """Kinds, sentences, features and titles that are attacks are words; nothing points out of the folder."""
    assert {tag for tag, _ in hostile.elements}.isdisjoint(
        {"script", "iframe", "object", "embed", "base", "form"}
    )
    for tag, attributes in hostile.elements:
        assert not any(name.startswith("on") for name in attributes), (tag, attributes)
        for name in ("href", "src", "action", "srcset"):
            value = attributes.get(name) or ""
            legal = SOUND if (tag, name) == ("audio", "src") else INSIDE
            assert re.fullmatch(legal, value), (tag, value[:80])
    script, handler, _, _ = attacks
    assert f"“{script}”" in hostile.text  # the title of a piece, beside its player
    assert f"“{handler}”" in hostile.text
    labels = [str(item["aria-label"]) for item in hostile.all("audio")]
    assert any(label.startswith(f"{handler}, from 1.25 s, “{script}”") for label in labels)
    assert "\x1b" not in hostile.text
    assert "\u202e" not in hostile.text


def test_the_policy_lets_sounds_of_the_page_be_heard(hostile: Page, feature_runs: dict[str, Path]) -> None:
    """Sounds within the page, and none from elsewhere; where there is none, not even these."""
    assert "default-src 'none'" in hostile.policy
    assert "; media-src data:; " in hostile.policy
    assert "script-src" not in hostile.policy
    assert "http" not in hostile.policy
    run = RunTables.read(feature_runs["plain"])
    assert "media-src" not in section(feature_runs["plain"], players=run.players.iloc[:0]).policy
    assert policy("") == policy("", sounds=False)


def test_players_are_credited(feature_runs: dict[str, Path]) -> None:
    """Beside every sound stand the title, artist and licence of its piece, and what it is for who does not see it."""
    found = section(feature_runs["plain"])
    text, players = found.text, found.all("audio")
    assert len(players) == 52
    assert text.count("artist A. Nonymous, licence CC BY 4.0") == 52
    assert all(item["preload"] == "none" and "controls" in item for item in players)
    assert "channels[2], from 1.25 s “Piece 0”, artist A. Nonymous, licence CC BY 4.0" in text


def test_sound_can_be_left_out(feature_runs: dict[str, Path]) -> None:
    """No player, no policy for one, nothing read of the table, and all the rest as it was."""
    silent, whole = (section(feature_runs["plain"], audio=audio) for audio in (False, True))
    assert not silent.all("audio")
    assert "media-src" not in silent.policy
    assert "Listen to them" not in silent.text
    assert whole.text.split("Listen to them")[0] == silent.text.split("What is used of a site")[0]


def test_no_audio_on_the_command_line(feature_runs: dict[str, Path], tmp_path: Path) -> None:
    """`report --no-audio` writes the page without sound, even where the sounds are damaged."""
    folder = shutil.copytree(feature_runs["few"], tmp_path / "run")
    path = folder / "tables" / "players.parquet"
    pd.read_parquet(path).assign(audio=b"RIFF").to_parquet(path, index=False)
    result = CliRunner().invoke(main, ["report", str(folder), "--no-audio"])
    assert result.exit_code == 0, result.output
    assert "<audio" not in Path(result.output.strip()).read_text(encoding="utf-8")
    with pytest.raises(RunError, match="FLAC"):
        write_report(folder)


def test_a_share_never_stands_alone(feature_runs: dict[str, Path]) -> None:
    """The large number has its interval beside it, and chance, copies and random directions in its sentences."""
    text = section(feature_runs["plain"]).text.replace("\u00a0", " ")
    assert re.search(
        r"38 % \[28, 48\] stabilised At stack_end, 12 of 32 features \(channels\) are stabilised", text
    )
    assert "Nulls: of untrained copies 3 % (2 seeds) are stabilised" in text
    few = section(feature_runs["few"]).text.replace("\u00a0", " ")
    assert re.search(r"38 % \(interval undefined\) stabilised At stack_end", few)
    assert not re.search(r"\b(nan|NaN|None|inf)\b", few + text)


def test_only_what_was_measured_is_drawn(feature_runs: dict[str, Path]) -> None:
    """A study that measured ambiguity alone has its figure, and no table, player or finding of features."""
    run = RunTables.read(feature_runs["plain"])
    empty = {name: getattr(run, name).iloc[:0] for name in FEATURE_TABLES if name != "ambiguity"}
    part = feature_part(dataclasses.replace(run, **empty))
    assert part is not None
    assert part.figures == {"ambiguity": "Ambiguity"}
    assert part.downloads == ()
    found = section(feature_runs["plain"], **empty)
    assert "Kinds of features" not in found.text
    assert (
        KNOWN not in found.text.split("What the features are")[1].split("One row a site, in depth order")[0]
    )


def test_very_many_features_are_in_the_run_and_not_on_the_page(feature_runs: dict[str, Path]) -> None:
    """The file beside the page has some of each source and site, says how many, and where the others are."""
    run = RunTables.read(feature_runs["plain"])
    many = dataclasses.replace(run, features=pd.concat([run.features] * 20, ignore_index=True))
    part, plain = feature_part(many), feature_part(run)
    assert part is not None
    assert plain is not None
    (found,) = (item for item in part.downloads if item.file == "data/features.csv")
    assert found.table.groupby(["weights", "site", "source"]).size().max() == MOST_FEATURES
    left_out = f"has {len(found.table):,} of {len(many.features):,}, at most {MOST_FEATURES} of one source"
    assert left_out in found.left_out
    assert left_out in Page(page(many, (), features=part)).text
    (whole,) = (item for item in plain.downloads if item.file == "data/features.csv")
    assert whole.left_out == ""
    assert len(whole.table) == len(run.features)


def test_a_run_without_features_is_as_it_was(
    make_run: Callable[..., Path], run_folders: dict[str, Path]
) -> None:
    """Empty tables change no byte of the page; there is no trace of the section, its style or its policy."""
    first, second = (make_run(minimal=True, n_frequencies=4) for _ in range(2))
    run = RunTables.read(first)
    for name in FEATURE_TABLES:
        getattr(run, name).to_parquet(second / "tables" / f"{name}.parquet", index=False)
    pages = [write_report(folder) for folder in (first, second)]
    texts = [path.read_text(encoding="utf-8") for path in pages]
    assert texts[0] == texts[1]
    names = [sorted(path.name for path in page.parent.rglob("*.*")) for page in pages]
    assert names[0] == names[1]
    for trace in ("What the features are", "#features", "media-src", ".players", "<audio"):
        assert trace not in texts[0]
