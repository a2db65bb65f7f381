"""``tonotopy music``: sources of music, and what is in one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tonotopy.cli import _options as options

if TYPE_CHECKING:
    from tonotopy.sound.sources import Source


@click.command(
    "music",
    epilog=options.examples(
        "tonotopy music",
        "tonotopy music scores",
        "tonotopy music folder:MUSIC --json",
    ),
)
@click.argument("source", required=False)
@options.as_json
def command(source: str | None, as_json: bool) -> None:
    """Which music can be used, and what is in it?

    Alone, it lists the sources. With a source: its pieces, their licences, and what was left out and why.
    """
    from tonotopy.cli._output import write_json
    from tonotopy.sound.sources import open_music

    if source is None:
        _list_sources(as_json=as_json)
        return
    found = _contents(open_music(source))
    if as_json:
        write_json(found)
    else:
        _write(found)


def _list_sources(*, as_json: bool) -> None:
    from dataclasses import asdict

    from tonotopy.cli._output import write_json, write_table
    from tonotopy.core.registry import plugins

    rows = [asdict(plugin) for plugin in plugins("tonotopy.sound.sources").values()]
    if as_json:
        write_json(rows)
    else:
        columns = ("name", "summary", "licence")
        write_table(columns, ([row[name] for name in columns] for row in rows))


def _contents(source: Source) -> dict[str, Any]:
    """A source as plain data; the ledger is complete once every clip was looked at."""
    from dataclasses import asdict

    clips = [asdict(clip) for clip in source.clips()]
    return {
        "source": source.spelling,
        "fingerprint": source.fingerprint(),
        "pieces": len({clip["piece"] for clip in clips}),
        "minutes": sum(clip["duration_s"] for clip in clips) / 60,
        "clips": clips,
        "ledger": [asdict(entry) for entry in source.ledger()],
    }


def _write(found: dict[str, Any]) -> None:
    from tonotopy.cli._output import say, write_table

    rows = [
        (
            clip["piece"],
            clip["title"] or "–",
            clip["artist"] or "–",
            clip["licence"] or "not stated",
            f"{clip['duration_s']:.1f}",
            clip["sample_rate_hz"],
            clip["channels"],
        )
        for clip in found["clips"]
    ]
    write_table(("piece", "title", "artist", "licence", "seconds", "Hz", "channels"), rows)
    say(f"{found['source']}: {len(rows)} clips, {found['pieces']} pieces, {found['minutes']:.1f} minutes")
    if found["ledger"]:
        ledger = ((entry["name"], entry["reason"]) for entry in found["ledger"])
        write_table(("left out", "why"), ledger)
