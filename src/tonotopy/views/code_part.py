"""What a page tells of codes and of a head, but its figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tonotopy.views.code_grids import stages_grid
from tonotopy.views.codes import HEAD_MEANS, MEANS, CodeFinding, code_findings
from tonotopy.views.feature_part import Download
from tonotopy.views.grids import Grid
from tonotopy.views.tables import RunTables

#: Figures in reading order: short name, and the table without which a figure is left out.
FIGURES: Final = {"codes": ("Codes", "code_peaks"), "head": ("Head", "head")}
#: Tables that can be taken from the page, with their words; of a head the figure's numbers.
DOWNLOADS: Final = {
    "codes": "Codes by frequency (CSV)",
    "code_stages": "Stages (CSV)",
    "code_swaps": "Swaps (CSV)",
    "head_sites": "Head (CSV)",
}


@dataclass(frozen=True)
class CodePart:
    """What the page tells of codes; nothing of it is on the page of a run whose study did not ask."""

    heading: str
    means: tuple[str, ...]
    findings: tuple[CodeFinding, ...]
    stages: Grid
    downloads: tuple[Download, ...]
    figures: dict[str, str]  # name: short name


def code_part(run: RunTables) -> CodePart | None:
    """What there is to tell of codes and of a head; None where a study did not ask."""
    if not run.has_codes:
        return None
    return CodePart(
        heading="What codes know" if len(run.codes) else "What the head knows",
        means=tuple(
            words for words, table in ((MEANS, run.codes), (HEAD_MEANS, run.head_sites)) if len(table)
        ),
        findings=tuple(code_findings(run)),
        stages=stages_grid(run),
        downloads=tuple(
            Download(words, f"data/{name.replace('_', '-')}-table.csv", getattr(run, name))
            for name, words in DOWNLOADS.items()
            if len(getattr(run, name))
        ),
        figures={name: short for name, (short, table) in FIGURES.items() if len(getattr(run, table))},
    )
