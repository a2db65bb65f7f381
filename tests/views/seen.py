"""What a reader sees of a page, a figure and a terminal, for tests."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser

from matplotlib.figure import Figure
from rich.console import Console

from tonotopy.views import RunTables, render_show

VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """Elements with attributes, and words, of a page."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        """All words, blanks made one."""
        return re.sub(r"\s+", " ", " ".join(self.words))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every element of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def policy(self) -> str:
        """The content security policy."""
        return str(next(item["content"] for item in self.all("meta") if item.get("http-equiv")))


def words(drawn: Figure) -> str:
    """Every piece of text on a figure."""
    return "\n".join(text.get_text() for text in drawn.findobj(lambda artist: hasattr(artist, "get_text")))


def shown(run: RunTables, width: int = 160) -> str:
    """What a terminal shows of a run."""
    buffer = io.StringIO()
    render_show(run, Console(file=buffer, width=width, force_terminal=True, color_system=None))
    return buffer.getvalue()
