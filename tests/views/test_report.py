"""The report says what was found with its nulls, opens from disk, and runs nothing that a file said."""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from tests.views.seen import Page

from tonotopy.core.errors import RunError
from tonotopy.views import write_report
from tonotopy.views.report import ORDER

MakeRun = Callable[..., Path]


@pytest.fixture(scope="module")
def reports(run_folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A report of each run, in copies so that the runs stay as they are."""
    root = tmp_path_factory.mktemp("reports")
    return {kind: write_report(shutil.copytree(folder, root / kind)) for kind, folder in run_folders.items()}


@pytest.fixture(scope="module")
def pages(reports: dict[str, Path]) -> dict[str, Page]:
    """The reports, parsed."""
    return {kind: Page(path.read_text(encoding="utf-8")) for kind, path in reports.items()}


@pytest.mark.parametrize("kind", ["plain", "hostile", "minimal"])
def test_the_page_is_whole(kind: str, pages: dict[str, Page], reports: dict[str, Path]) -> None:
    """Every element closes, every picture and download is there, every jump has a target."""
    page = pages[kind]
    assert page.open == []
    targets = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    for attributes in page.all("a"):
        address = attributes["href"] or ""
        if address.startswith("#"):
            assert address[1:] in targets
        else:
            assert (reports[kind].parent / address).is_file()
    assert len(page.all("img")) == len(ORDER)
    for attributes in page.all("img"):
        assert (reports[kind].parent / str(attributes["src"])).is_file()
        assert attributes["alt"]


@pytest.mark.parametrize("kind", ["plain", "hostile", "minimal"])
def test_nothing_of_a_file_becomes_code(kind: str, pages: dict[str, Page]) -> None:
    """No script, no handler, no address outside the folder, whatever titles and sites say."""
    page = pages[kind]
    assert {tag for tag, _ in page.elements}.isdisjoint(
        {"script", "iframe", "object", "embed", "base", "form"}
    )
    for tag, attributes in page.elements:
        assert not any(name.startswith("on") for name in attributes), (tag, attributes)
        for name in ("href", "src", "action", "srcset"):
            value = attributes.get(name) or ""
            assert re.fullmatch(r"|#[\w-]+|(figures|data)/[\w-]+\.(svg|csv)", value), (tag, value)


def test_hostile_words_are_shown(pages: dict[str, Page], attacks: tuple[str, ...]) -> None:
    """What hostile files say is there to be read, as words."""
    script, handler, formula, _ = attacks
    text = pages["hostile"].text
    assert script in text
    assert handler in text
    assert formula in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\\x1b[31m \\u202e" in text


def test_hostile_words_are_disarmed_in_data(reports: dict[str, Path]) -> None:
    """No cell of any CSV beside the page starts like a formula."""
    files = list((reports["hostile"].parent / "data").glob("*.csv"))
    assert len(files) == len(ORDER) + 2
    for path in files:
        with path.open(encoding="utf-8", newline="") as stream:
            for row in csv.reader(stream):
                for cell in row:
                    assert not cell.startswith(("=", "+", "@", "\t")), path.name
                    assert not cell.startswith("-") or float(cell) < 0, path.name


def test_the_policy_allows_nothing_but_style_and_pictures(pages: dict[str, Page]) -> None:
    """The content security policy starts from nothing and names the page's own style by its hash."""
    metas = [item for item in pages["plain"].all("meta") if item.get("http-equiv")]
    policy = str(metas[0]["content"])
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "script-src" not in policy
    assert "http" not in policy
    assert "unsafe-eval" not in policy


def test_a_share_never_stands_alone(pages: dict[str, Page]) -> None:
    """With it come its interval, the shares at .75 and .85, and what the nulls read."""
    text = pages["plain"].text.replace("\u00a0", " ")
    found = re.search(
        r"At stack_end \(5,184 samples, 324 ms\), \d+ % \[\d+, \d+\] of frequencies are stable; with the threshold of "
        r"specificity at \.75 it would be \d+ %, at \.85 \d+ %\. Nulls: untrained copies read 3 % \(0 % to 8 %, "
        r"2 seeds\); shuffled labels read 0 %\.",
        text,
    )
    assert found
    assert "Brackets are 95 % intervals from a bootstrap over 12 pieces" in text
    assert "What stable means" in text
    assert "first_conv: 15 of 48 frequencies are unresolvable; of the 33 resolvable ones" in text
    assert "there “absent” is anatomy, not finding" in text


def test_few_pieces_have_no_intervals(pages: dict[str, Page]) -> None:
    """Under eight pieces the page says that intervals are undefined and prints none."""
    text = pages["minimal"].text.replace("\u00a0", " ")
    assert "Intervals are undefined: 4 pieces, fewer than 8." in text
    assert not re.search(r"% \[\d+, \d+\]", text)
    assert "No untrained copy was measured, so what comes unasked is unknown here" in text


def test_undefined_is_a_word(pages: dict[str, Page]) -> None:
    """No number that is undefined reads as such in a program's words, and reasons are given."""
    for page in pages.values():
        assert not re.search(r"\b(nan|NaN|None|inf)\b", page.text)
    assert "codes: 7 frequencies undefined: dead site <b>bold</b> (7)." in pages["plain"].text


def test_music_is_credited(pages: dict[str, Page]) -> None:
    """Pieces come with artist and licence, and skipped files with their number and reason."""
    text = pages["plain"].text
    assert "Piece 3 A. Nonymous CC BY 4.0" in text
    assert "1 file could not be used, for the reason given." in text
    assert "broken.mp3 no audio in it" in text


def test_provenance_is_there(pages: dict[str, Page]) -> None:
    """Versions, weights, seed and plan stand on the page."""
    text = pages["plain"].text
    assert "tonotopy 0.1.0 · torch 2.13.0" in text
    assert "sha256:" + "ab" * 32 in text
    assert "plan: preset standard" in text


def test_figures_come_in_reading_order(pages: dict[str, Page]) -> None:
    """The map first, then depth; the first layer last."""
    sources = [str(item["src"]) for item in pages["plain"].all("img")]
    assert sources == [f"figures/{name}.svg" for name in ORDER]


def test_headings_step_down_one_at_a_time(pages: dict[str, Page]) -> None:
    """One h1, and no level is skipped: a reader can walk the page by headings."""
    levels = [int(tag[1]) for tag, _ in pages["plain"].elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_scrolling_parts_can_be_reached_by_keyboard(pages: dict[str, Page]) -> None:
    """Whatever scrolls sideways has a name and a place in the order of tabs."""
    for tag, attributes in pages["plain"].elements:
        if attributes.get("class") in {"scroll", "sheet"}:
            assert (tag, attributes["tabindex"]) == ("div", "0")
            assert attributes["aria-label"]


def test_the_same_run_gives_the_same_page(run_folders: dict[str, Path], tmp_path: Path) -> None:
    """Writing twice changes no byte."""
    folder = shutil.copytree(run_folders["minimal"], tmp_path / "run")
    first = {path.name: path.read_bytes() for path in write_report(folder).parent.rglob("*.*")}
    second = {path.name: path.read_bytes() for path in write_report(folder).parent.rglob("*.*")}
    assert first == second


def test_an_incomplete_run_says_so(make_run: MakeRun) -> None:
    """A run that is not complete is shown with a warning at the top."""
    folder = make_run(minimal=True, n_frequencies=4)
    manifest = folder / "manifest.json"
    text = manifest.read_text(encoding="utf-8").replace('"complete": true', '"complete": false')
    manifest.write_text(text, encoding="utf-8")
    assert "This run is not complete" in write_report(folder).read_text(encoding="utf-8")


def test_a_damaged_run_writes_no_page(make_run: MakeRun) -> None:
    """An error in words, and no half a report."""
    folder = make_run(minimal=True, n_frequencies=4)
    (folder / "verdict.json").write_text("{", encoding="utf-8")
    with pytest.raises(RunError, match=r"expected JSON in verdict.json"):
        write_report(folder)
    assert not (folder / "report").exists()


LINKS = ("report", "report/figures", "report/data", "report/index.html", "report/data/sites.csv")


@pytest.mark.parametrize("name", LINKS)
def test_nothing_is_written_through_a_link(name: str, make_run: MakeRun, tmp_path: Path) -> None:
    """A run folder with a link where the report would go is refused; what the link leads to stays as it is."""
    folder = make_run(minimal=True, n_frequencies=4)
    target = tmp_path / "elsewhere"
    if "." in name:
        target.write_text("mine", encoding="utf-8")
    else:
        target.mkdir()
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).symlink_to(target)
    with pytest.raises(
        RunError, match=rf"^expected {name} of the run folder to be no link; got a link; likely.*$"
    ):
        write_report(folder)
    assert target.read_text(encoding="utf-8") == "mine" if target.is_file() else not list(target.iterdir())
    assert not [path for path in folder.rglob("report/*/*") if not path.is_symlink()]


def test_a_link_to_nothing_is_refused_too(make_run: MakeRun, tmp_path: Path) -> None:
    """A link whose target is not there yet would create it."""
    folder = make_run(minimal=True, n_frequencies=4)
    (folder / "report").mkdir()
    (folder / "report" / "index.html").symlink_to(tmp_path / "not-there")
    with pytest.raises(RunError, match="to be no link"):
        write_report(folder)
    assert not (tmp_path / "not-there").exists()


def test_a_second_name_of_a_file_is_left_alone(make_run: MakeRun, tmp_path: Path) -> None:
    """A hard link in the folder is replaced, and the file that it shared keeps its content."""
    folder = make_run(minimal=True, n_frequencies=4)
    mine = tmp_path / "mine.html"
    mine.write_text("mine", encoding="utf-8")
    (folder / "report").mkdir()
    (folder / "report" / "index.html").hardlink_to(mine)
    assert write_report(folder).read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert mine.read_text(encoding="utf-8") == "mine"


def test_a_run_folder_may_be_a_link_itself(make_run: MakeRun, tmp_path: Path) -> None:
    """The path that a user gives is the user's word; and nothing but the report is left in the folder."""
    folder = make_run(minimal=True, n_frequencies=4)
    (tmp_path / "latest").symlink_to(folder)
    page = write_report(tmp_path / "latest")
    assert page.is_file()
    assert not [path.name for path in page.parent.rglob("*") if path.name.startswith(".")]


def test_a_site_without_verdicts_is_undefined_on_the_page(undefined_run: Path) -> None:
    """Where nothing is defined the page claims no share, neither of the site nor of its floor, and says why."""
    page = Page(write_report(undefined_run).read_text(encoding="utf-8"))
    text = page.text.replace("\u00a0", " ")
    assert "At codes (5,184 samples, 324 ms), every frequency is undefined: dead site (8)." in text
    assert not re.search(r"At codes [^.]*0 %", text)
    assert not re.search(r"codes: \d+ of \d+ .*undefined are stable", text)
    with (undefined_run / "report" / "data" / "sites.csv").open(encoding="utf-8", newline="") as stream:
        (row,) = (row for row in csv.DictReader(stream) if row["site"] == "codes")
    assert (row["share_undefined"], row["share_stable"], row["floor_stable_mean"]) == ("1.0", "", "")


def test_the_page_says_that_the_best_was_picked(pages: dict[str, Page]) -> None:
    """The largest share of several sites is set beside the largest that any null reads at any of them."""
    text = pages["plain"].text.replace("\u00a0", " ")
    assert "picked as the best of 6 sites" in text
    assert (
        "the most that a null reads at the best of these sites: an untrained copy 8 % and shuffled labels 0 %"
        in text
    )


def test_certainty_is_undefined_with_few_pieces(pages: dict[str, Page], reports: dict[str, Path]) -> None:
    """Under eight pieces no verdict is printed or exported as one that is not borderline."""
    with (reports["minimal"].parent / "data" / "verdicts.csv").open(encoding="utf-8", newline="") as stream:
        assert {(row["probability"], row["borderline"]) for row in csv.DictReader(stream)} == {("", "")}
    assert "Neither is it known how sure a single verdict is" in pages["minimal"].text
    assert "An open ring says that nobody knows how sure a verdict is" in pages["minimal"].text
    assert "An open ring" not in pages["plain"].text
