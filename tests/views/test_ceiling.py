"""A ceiling on a terminal: every band, what it comes to, and with what it must be read."""

from __future__ import annotations

import dataclasses

from rich.console import Console

from tonotopy.training.ceiling_record import BandR2, CeilingRecord
from tonotopy.views.ceiling import render_ceiling, sentences


def record(units: int = 64) -> CeilingRecord:
    """Three bands: one reported well, one unresolvable, one undefined."""
    rows = [(100.0, 0.95, False, True), (1000.0, 0.5, True, False), (5000.0, None, True, False)]
    bands = tuple(
        BandR2(centre, r2, 0.03, 0.2, 0.01, -0.02, 0.0, resolvable=resolvable, below_carrier_limit=below)
        for centre, r2, resolvable, below in rows
    )
    return CeilingRecord(
        "encodec-toy", {}, "sha256:ab", 4000, 360.0, 0, 24_000, 400.0, 798, units, 370_000, "folder:m", "cd",
        9, 3, 1920, bands,
    )  # fmt: skip


def shown(told: CeilingRecord) -> str:
    """The text of a terminal of 100 columns."""
    console = Console(width=100)
    with console.capture() as text:
        render_ceiling(told, console)
    return text.get()


def test_every_band_is_there_and_undefined_is_a_dash() -> None:
    """R² with two digits, marks where a number must be read with care, a dash for what is undefined."""
    lines = shown(record()).splitlines()
    assert lines[0] == "ceiling of encodec-toy · 4,000 steps, 6.0 minutes · folder:m"
    assert lines[2].split() == ["100", "0.95", "0.03", "-0.02", "0.20", "0.01", "0.00", "×"]
    assert lines[3].split()[-1] == "~"
    assert lines[4].split()[:2] == ["5,000", "–"]


def test_sentences_say_what_it_comes_to() -> None:
    """How many bands, on how many pieces; too few units, aliases and short views only where there are any."""
    text = " ".join(sentences(record()))
    assert "R² above 0.9 in 1 of 3 bands, median 0.72, on 1,920 frames of 3 held-out pieces" in text
    assert "2 bands (marked ~) above half the frame rate" in text
    assert "1 band unresolvable in a view of 798 samples (marked ×)." in text
    assert "units for" not in text
    assert "has 8 units for 9 numbers" in " ".join(sentences(record(8)))
    everywhere = tuple(dataclasses.replace(b, below_carrier_limit=False) for b in record().bands)
    told = dataclasses.replace(record(), bands=everywhere)
    assert "All bands lie above half the frame rate" in " ".join(sentences(told))
    assert "~" not in shown(told)
