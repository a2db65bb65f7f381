"""A study writes the ledger of claims, show prints it, the page holds it, and an earlier run gets it when resumed."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from tonotopy.judgement.claims import COLUMNS, UNDETERMINED, list_claims
from tonotopy.views import render_show, write_report


def test_every_claim_is_answered(finished: Any) -> None:
    """Fifteen claims with real tables: a random network isolates nothing; what was not asked is undetermined."""
    found = finished.table("claims")
    assert list(found.columns) == list(COLUMNS)
    assert list(found["claim"].unique()) == list_claims()
    by_claim = found.set_index("claim")
    assert by_claim.loc["first-layer-filters", "answer"] in ("supported", UNDETERMINED)
    assert by_claim.loc["first-layer-filters", "effect"] <= 0.2
    for name in ("waveform-basis", "spectral-basis", "many-to-many", "transitions", "architecture", "scale"):
        assert by_claim.loc[name, "answer"] == UNDETERMINED
        assert "run" in by_claim.loc[name, "why"]


def test_show_and_report_hold_the_ledger(copied: Path) -> None:
    """Each claim's sentence stands on the terminal and on the page, with its answer."""
    console = Console(file=io.StringIO(), width=120)
    render_show(copied, console)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "first-layer filters do not isolate partials" in text
    assert "--features channels,topk" in text
    assert all(len(line.rstrip()) <= 120 for line in text.splitlines())
    page = write_report(copied).read_text(encoding="utf-8")
    assert '<section id="claims"' in page
    assert "do not persist as variables across contexts" in page
    assert (copied / "report" / "data" / "claims.csv").is_file()


def test_words_of_a_ledger_are_no_markup(copied: Path) -> None:
    """A claim that no file declares, with hostile words, is shown as it is and loads nothing."""
    file = copied / "tables" / "claims.parquet"
    table = pd.read_parquet(file)
    table.loc[0, ["claim", "why"]] = ["[red]os[/red]", "<script>alert(1)</script>"]
    table.to_parquet(file, index=False)
    console = Console(file=io.StringIO(), width=120)
    render_show(copied, console)
    assert isinstance(console.file, io.StringIO)
    assert "[red]os[/red]" in console.file.getvalue()
    assert "<script>alert" not in write_report(copied).read_text(encoding="utf-8")


def test_an_earlier_run_without_a_ledger_is_shown_without(copied: Path) -> None:
    """A run that was written before there were claims opens as before."""
    (copied / "tables" / "claims.parquet").unlink()
    console = Console(file=io.StringIO(), width=120)
    render_show(copied, console)
    assert isinstance(console.file, io.StringIO)
    assert "ledger of claims" not in console.file.getvalue()
    assert '<section id="claims"' not in write_report(copied).read_text(encoding="utf-8")
