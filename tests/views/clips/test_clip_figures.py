"""Every figure of a sound: every format, the same bytes each time, words escaped, no network, sounds that add up."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from tonotopy.core.errors import InputError
from tonotopy.core.registry import plugins
from tonotopy.views.clips._contract import PACKAGE, Asked, clip_figure, clip_figure_names
from tonotopy.views.clips._sound import open_excerpt
from tonotopy.views.clips.front import save_clip_figure

NAMES = clip_figure_names()
TOLD = {
    "representations": Asked(
        encoder="samplecnn-toy", site="conv3", chords='<img src=x onerror=alert(9)>:1,"Am":1'
    ),
    "partials": Asked(partials=3),
}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def pages(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The page of each figure, of the hostile clip."""
    folder = tmp_path_factory.mktemp("pages")
    return {name: save_clip_figure(name, clip, folder / f"{name}.html", TOLD[name]) for name in NAMES}


def test_both_are_found() -> None:
    """By listing the folder; each with a licence and a summary."""
    assert set(NAMES) >= {"representations", "partials"}
    assert all(plugin.licence and plugin.summary for plugin in plugins(PACKAGE).values())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_every_format_the_same_each_time(name: str, ending: str, clip: Path, tmp_path: Path) -> None:
    """Two files, byte for byte; SVG holds no markup from the tags."""
    made = [save_clip_figure(name, clip, tmp_path / f"{k}.{ending}", TOLD[name], seconds=0.5) for k in (1, 2)]
    assert made[0].read_bytes() == made[1].read_bytes()
    assert made[0].stat().st_size > 1000
    if ending == "svg":
        assert "<img" not in made[0].read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_words_for_every_picture(name: str, clip: Path) -> None:
    """A caption, sentences, and on the page sentences for each lane."""
    module = clip_figure(name)
    prepared = module.prepare(open_excerpt(clip), TOLD[name])
    assert module.caption(prepared).endswith(".")
    assert len(module.describe(prepared)) >= 3
    assert all(lane.lines and lane.caption for lane in module.page(prepared).lanes)


def test_the_numbers_of_representations(clip: Path, tmp_path: Path) -> None:
    """Three panels; chords with their times; levels and activations all there."""
    asked = Asked(encoder="samplecnn-toy", site="conv3")
    path = save_clip_figure("representations", clip, tmp_path / "a.csv", asked, start_s=0.5)
    table = pd.read_csv(path, low_memory=False)
    assert set(table["panel"]) == {"chord", "spectrogram", "feature map"}
    chords = table[table["panel"] == "chord"]
    assert chords["label"].tolist() == ["C", "Am"]
    assert chords["start_s"].tolist() == pytest.approx([0.5, 1.0], abs=0.15)
    assert table.loc[table["panel"] == "feature map", "unit"].nunique() == 128
    assert table.loc[table["panel"] == "spectrogram", "level_db"].notna().all()


def test_the_numbers_of_partials(clip: Path, tmp_path: Path) -> None:
    """The fundamentals that were played are tracked to within 1 Hz."""
    table = pd.read_csv(save_clip_figure("partials", clip, tmp_path / "a.csv"))
    loud = table[table["level_db"] > -30]
    for midi in (57, 60, 64, 67):
        assert np.abs(loud["frequency_hz"] - 440 * 2 ** ((midi - 69) / 12)).min() < 1.0


# ---- the page


@pytest.mark.parametrize("name", NAMES)
def test_no_word_is_markup(name: str, pages: dict[str, Path]) -> None:
    """Title, artist, name and labels are there as text, and no tag was made of them."""
    text = pages[name].read_text(encoding="utf-8")
    assert "&#34;&gt;&lt;img src=x onerror=alert(2)&gt;" in text
    assert "<img src=x" not in text
    assert "<script>alert" not in text
    assert len(re.findall(r"<script", text)) == 1
    if name == "representations":
        assert "&lt;img src=x onerror=alert(9)&gt;" in text


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_asked_of_anybody(name: str, pages: dict[str, Path]) -> None:
    """No address, no fetch, no module, no import; every source is a data address; the policy names both hashes."""
    text = pages[name].read_text(encoding="utf-8")
    bare = re.sub(r"data:[a-z]+/[a-z]+;base64,[A-Za-z0-9+/=]+", "data:", text)
    assert not re.search(
        r"https?:|//[a-z]|fetch\(|XMLHttpRequest|import\s*\(|type=.module|url\(|@import", bare
    )
    assert set(re.findall(r'(?:src|href)="([^"]*)"', bare)) <= {"data:", "#lanes"}
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    for tag in ("style", "script"):
        (inner,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inner.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in html.unescape(policy)


@pytest.mark.parametrize("name", NAMES)
def test_a_keyboard_reaches_everything(name: str, pages: dict[str, Path]) -> None:
    """Whatever acts is a button, a slider, a box, a link or a summary, and says what it is."""
    text = pages[name].read_text(encoding="utf-8")
    assert "onclick=" not in text.replace("&lt;b onclick=", "")
    assert 'type="range"' in text
    assert text.count('role="img" aria-label="') == text.count('class="plot"')
    assert all(words for words in re.findall(r'role="img" aria-label="([^"]*)"', text))
    assert len(re.findall(r"<audio controls[^>]* aria-label=", text)) == text.count("<audio")


def sounds_of(page: Path) -> list[tuple[float, np.ndarray]]:
    """Start in seconds and samples of every sound of a page, at its own level."""
    rows = re.findall(
        r'data-start="([\d.]+)" data-gain="([\d.e+-]+)".*?base64,([A-Za-z0-9+/=]+)',
        page.read_text(),
        re.DOTALL,
    )
    found = []
    for start_s, gain, content in rows:
        samples, _ = soundfile.read(io.BytesIO(base64.b64decode(content)))
        found.append((float(start_s), float(gain) * samples))
    return found


def test_sum_and_residual_add_up(pages: dict[str, Path]) -> None:
    """What can be played: sum and residual make the original, partials lie within the sum; to 16 bits."""
    (_, original), (_, total), (_, rest), *partials = sounds_of(pages["partials"])
    assert total + rest == pytest.approx(original, abs=1e-4)
    assert np.sum(rest**2) < 0.1 * np.sum(original**2)
    assert len(partials) == 3
    for start_s, samples in partials:
        begin = round(start_s * 16_000)
        here = total[begin : begin + len(samples)]
        assert np.dot(here, samples) > 0.8 * np.dot(samples, samples)


def test_the_stretch_can_be_played(pages: dict[str, Path], clip: Path) -> None:
    """The sound of the other page is the stretch."""
    ((_, samples),) = sounds_of(pages["representations"])
    assert samples == pytest.approx(open_excerpt(clip).audio, abs=1e-4)


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: the page is not looked at in a browser")
@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", NAMES)
def test_a_browser_opens_it(name: str, pages: dict[str, Path], tmp_path: Path) -> None:
    """From disk, its script runs, and nothing is refused or wrong."""
    flags = (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--enable-logging=stderr",
        "--dump-dom",
    )
    command = [str(CHROMIUM), *flags, f"--user-data-dir={tmp_path / 'profile'}", pages[name].as_uri()]
    found = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert re.search(r'<html lang="en" class="js">', found.stdout)
    assert [line for line in found.stderr.splitlines() if re.search("CONSOLE|Refused|violates", line)] == []


# ---- edges


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ending", ["html", "svg", "csv"])
def test_silence_is_drawn(name: str, ending: str, tmp_path: Path) -> None:
    """No chord, no track, no power: no error and no number made up."""
    soundfile.write(tmp_path / "silence.wav", np.zeros(8000), 16_000)
    asked = Asked(encoder="samplecnn-toy") if name == "representations" else None
    made = save_clip_figure(name, tmp_path / "silence.wav", tmp_path / f"a.{ending}", asked)
    text = re.sub(r"base64,[A-Za-z0-9+/=\s]+", "", made.read_text(encoding="utf-8").split("<script>")[0])
    assert not re.search(r"\bnan\b", text, re.IGNORECASE)


def test_refuses_what_it_does_not_take(clip: Path, tmp_path: Path) -> None:
    """An option of the other figure, no encoder, a channel that is not there, an ending, too many partials."""
    with pytest.raises(InputError, match="an option of the figure 'partials'; got --encoder"):
        save_clip_figure("partials", clip, tmp_path / "a.svg", Asked(encoder="samplecnn-toy"))
    with pytest.raises(InputError, match="expected an encoder; got none"):
        save_clip_figure("representations", clip, tmp_path / "a.svg")
    with pytest.raises(InputError, match="from 0 to 63"):
        save_clip_figure(
            "representations", clip, tmp_path / "a.svg", Asked(encoder="samplecnn-toy", channel=64)
        )
    with pytest.raises(InputError, match=r"\.html"):
        save_clip_figure("partials", clip, tmp_path / "a.gif")
    with pytest.raises(InputError, match="0 to 32 partials"):
        save_clip_figure("partials", clip, tmp_path / "a.svg", Asked(partials=33))
