"""A browser opens the report from disk: nothing is refused, nothing is asked of the network, it fits a phone."""

from __future__ import annotations

import http.server
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tonotopy.views import write_report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--enable-logging=stderr",
)

# What the browser asks for itself at its start: the time, and whether anybody is signed in.
BROWSERS_OWN = re.compile(r"^(https?://)?[\w.-]+\.(google|googleapis|gvt1|gstatic)\.com(:443)?(/|$)")

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: the page is not looked at in a browser"),
    pytest.mark.timeout(180),
]


@pytest.fixture(scope="module")
def page(run_folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the hostile run."""
    return write_report(shutil.copytree(run_folders["hostile"], tmp_path_factory.mktemp("browser") / "run"))


def browse(page: Path, profile: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """Open a page from disk."""
    assert CHROMIUM is not None
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", *flags, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


class Counter(http.server.BaseHTTPRequestHandler):
    """A proxy that counts what is asked of it and gives nothing."""

    asked: list[str]

    def refuse(self) -> None:
        self.asked.append(self.path)
        self.send_error(403)

    do_GET = do_POST = do_CONNECT = do_HEAD = refuse  # noqa: N815

    def log_message(self, *arguments: object) -> None:
        """Stay silent."""


@pytest.fixture
def proxy() -> Iterator[tuple[str, list[str]]]:
    """Address of a proxy that would see any request, and what it saw."""
    asked: list[str] = []
    handler = type("Seen", (Counter,), {"asked": asked})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()


def test_opens_from_disk_without_a_network(page: Path, tmp_path: Path, proxy: tuple[str, list[str]]) -> None:
    """No message on the console, and no request that is the page's."""
    address, asked = proxy
    found = browse(page, tmp_path / "profile", f"--proxy-server={address}", "--dump-dom")
    assert "<html" in found.stdout
    complaints = [line for line in found.stderr.splitlines() if re.search("CONSOLE|Refused|violates", line)]
    assert complaints == []
    assert [request for request in asked if not BROWSERS_OWN.search(request)] == []


def test_the_console_would_be_heard(page: Path, tmp_path: Path) -> None:
    """The check above can fail: a script in the page is refused, and the refusal is seen."""
    hurt = page.with_name("hurt.html")
    text = page.read_text(encoding="utf-8").replace("</body>", "<script>alert(1)</script></body>")
    hurt.write_text(text, encoding="utf-8")
    found = browse(hurt, tmp_path / "profile", "--dump-dom")
    assert re.search("CONSOLE.*Content Security Policy", found.stderr)


def measured(page: Path, tmp_path: Path, width: int) -> dict[str, float]:
    """What a browser of this width makes of the page, told by a script in a copy without its policy."""
    script = """<script>addEventListener("load", () => {
      const wide = [...document.querySelectorAll("main *, header *")].filter((node) =>
        !node.closest(".scroll, .sheet") && node.getBoundingClientRect().right > innerWidth + 1).length;
      const images = [...document.images].filter((image) => image.complete && image.naturalWidth > 0).length;
      const style = getComputedStyle(document.body);
      document.title = JSON.stringify({wide, images, width: innerWidth,
        styled: Number(style.marginTop === "0px"), scrolls: document.documentElement.scrollWidth});
    });</script></body>"""
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text(encoding="utf-8"))
    copy = page.with_name(f"measured-{width}.html")
    copy.write_text(text.replace("</body>", script), encoding="utf-8")
    frame = page.with_name(f"frame-{width}.html")
    # A window is at least 500 pixels wide; a frame in it may be as narrow as a phone.
    inner = (
        f'<iframe id="f" src="{copy.name}" style="width:{width}px;height:800px;border:0"></iframe>'
        "<script>f.onload = () => setTimeout(() => { try { document.title = f.contentDocument.title } "
        "catch (error) { document.title = String(error) } }, 200)</script>"
    )
    frame.write_text(f"<!DOCTYPE html><title>-</title><body style='margin:0'>{inner}", encoding="utf-8")
    flags = ("--dump-dom", "--virtual-time-budget=5000", "--allow-file-access-from-files")
    found = browse(frame, tmp_path / f"profile-{width}", "--window-size=1280,900", *flags)
    title = re.search(r"<title>(.*?)</title>", found.stdout)
    assert title is not None
    values: dict[str, float] = json.loads(title.group(1).replace("&quot;", '"'))
    return values


@pytest.mark.parametrize("width", [360, 1280])
def test_fits_its_window(page: Path, tmp_path: Path, width: int) -> None:
    """At the width of a phone and of a desk nothing but tables and figures scrolls sideways."""
    values = measured(page, tmp_path, width)
    assert values["width"] == width
    assert values["wide"] == 0
    assert values["scrolls"] <= width
    assert values["images"] == 8
    assert values["styled"] == 1


# ---- a page with sounds


@pytest.fixture(scope="module")
def sounding(feature_runs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the hostile run with features and players."""
    return write_report(shutil.copytree(feature_runs["hostile"], tmp_path_factory.mktemp("sound") / "run"))


def heard(page: Path, tmp_path: Path, text: str) -> str:
    """What a browser says of a page that loads its sounds at once."""
    copy = page.with_name("heard.html")
    copy.write_text(text.replace('preload="none"', 'preload="auto"'), encoding="utf-8")
    return browse(copy, tmp_path / "profile", "--dump-dom", "--virtual-time-budget=3000").stderr


def test_sounds_load_under_the_policy(sounding: Path, tmp_path: Path) -> None:
    """The browser takes the sounds that the page holds without a word; without that line it refuses them."""
    text = sounding.read_text(encoding="utf-8")
    assert not re.search("CONSOLE|Refused|violates", heard(sounding, tmp_path, text))
    assert "media-src" in heard(sounding, tmp_path, text.replace(" media-src data:;", ""))


@pytest.mark.parametrize("width", [360, 1280])
def test_features_fit_their_window(sounding: Path, tmp_path: Path, width: int) -> None:
    """At the width of a phone and of a desk nothing of the section but tables and figures scrolls sideways."""
    values = measured(sounding, tmp_path, width)
    assert values["width"] == width
    assert values["wide"] == 0
    assert values["scrolls"] <= width
    assert values["images"] == 13
