"""The report of a run: a static folder that opens from disk, asks nothing of the network and runs no script.

``report/index.html`` holds words and tables; ``report/figures`` the figures as SVG; ``report/data`` their
numbers as CSV. Whatever comes from files, tags, sites or weights passes through Jinja's escaping, and what
does not print is spelled out. The content security policy allows the page's own style and its own pictures,
sounds that the page holds itself where a run has any, and nothing else. A run folder may come from anywhere:
nothing is written through a link in it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jinja2
import pandas as pd
from markupsafe import Markup

from tonotopy.views import findings as found
from tonotopy.views._writing import write_inside
from tonotopy.views.cause_part import CausePart, cause_part
from tonotopy.views.claims import MEANS as CLAIMS_MEAN
from tonotopy.views.claims import claims_part
from tonotopy.views.code_part import CodePart, code_part
from tonotopy.views.export import csv_text, rendered
from tonotopy.views.feature_part import FeaturePart, feature_part
from tonotopy.views.figures._contract import figure_module
from tonotopy.views.grids import Grid, grid, pieces_grid, sites_grid
from tonotopy.views.ladder import ladder_grid
from tonotopy.views.palette import MARKS
from tonotopy.views.tables import InFolder, RunTables, as_run
from tonotopy.views.words import count, printable

ASSETS: Final = Path(__file__).parent / "assets"
INTERNAL: Final = ("addresses",)  # of work units: hashes for the store, not for a reader
ROWS: Final = 60  # of a figure's numbers on the page; the rest is in the CSV

#: Figures in reading order, with a short name each for the contents.
ORDER: Final = {
    "verdict-map": "Map",
    "depth-profile": "Depth",
    "audiograms": "Audiograms",
    "sparsity-law": "Sparsity",
    "view-curve": "View",
    "margins": "Margins",
    "anatomy": "Anatomy",
    "first-layer": "First layer",
}


@dataclass(frozen=True)
class Picture:
    """One figure on the page."""

    name: str
    short: str
    title: str
    caption: str
    lines: tuple[str, ...]
    grid: Grid
    svg: str
    csv: str
    width: int
    height: int


def write_report(run: RunTables | InFolder | Path | str, *, audio: bool = True) -> Path:
    """Write the report of a run into its folder.

    Parameters
    ----------
    run : RunTables, opened run or path
        The run, or its folder.
    audio : bool
        Whether the page holds sounds (what features answer to, what steering does), where the run has any.

    Returns
    -------
    pathlib.Path
        ``report/index.html`` in the run folder.

    Raises
    ------
    RunError
        For a folder that cannot be read, or in which a link stands where the report would be written.
    InputError
        Where the report cannot be written.
    """
    tables = as_run(run)
    features, causes = feature_part(tables, audio=audio), cause_part(tables, audio=audio)
    pictures, files = _pictures(tables, ORDER)
    more, contents = _pictures(tables, features.figures if features else {})
    files |= contents
    codes = code_part(tables)
    coded, contents = _pictures(tables, codes.figures if codes else {})
    files |= contents
    for download in codes.downloads if codes else ():
        files[download.file] = _csv(download.table)
    steered, contents = _pictures(tables, causes.figures if causes else {})
    files |= contents
    files |= {"data/claims.csv": _csv(tables.claims)} if len(tables.claims) else {}
    files |= {"data/sites.csv": _csv(tables.sites), "data/verdicts.csv": _csv(tables.verdicts)}
    for download in (*(features.downloads if features else ()), *(causes.downloads if causes else ())):
        files[download.file] = _csv(download.table)
    # Last, so that a page is never older than what it shows.
    parts: dict[str, Any] = {"features": features, "codes": codes, "causes": causes}
    parts |= {"feature_pictures": more, "code_pictures": coded, "cause_pictures": steered}
    files["index.html"] = page(tables, pictures, **parts).encode("utf-8")
    write_inside(tables.folder, {f"report/{name}": content for name, content in files.items()})
    return tables.folder / "report" / "index.html"


def page(
    run: RunTables,
    pictures: tuple[Picture, ...],
    *,
    features: FeaturePart | None = None,
    feature_pictures: tuple[Picture, ...] = (),
    codes: CodePart | None = None,
    code_pictures: tuple[Picture, ...] = (),
    causes: CausePart | None = None,
    cause_pictures: tuple[Picture, ...] = (),
) -> str:
    """The page as HTML."""
    style = (ASSETS / "report.css").read_text(encoding="utf-8")
    if features or codes or causes:
        style += (ASSETS / "features.css").read_text(encoding="utf-8")
    return (
        environment()
        .get_template("report.html")
        .render(
            policy=policy(style, sounds=_sounds(features, causes)),
            style=Markup(style),  # noqa: S704 (our own file)
            title=f"{run.encoder} · tonotopy",
            heading=f"Do partials become stable features in {run.encoder}?",
            question=run.verdict.get("question") or "",
            sentence=run.verdict.get("sentence") or "",
            facts=_facts(run),
            complete=run.manifest.get("complete", True),
            best=found.best(run),
            findings=found.findings(run),
            intervals=found.intervals(run),
            null_sentence=found.null_sentence(run),
            ceiling=[*found.below_ceiling(run), *found.positive_control(run)],
            stable_means=found.STABLE_MEANS,
            marks=[(verdict, _swatch(verdict)) for verdict in MARKS],
            unresolvable=found.unresolvable(run),
            undefined=found.undefined(run),
            figures=pictures,
            features=features,
            feature_figures=feature_pictures,
            codes=codes,
            code_figures=code_pictures,
            causes=causes,
            cause_figures=cause_pictures,
            claims=claims_part(run),
            claims_mean=CLAIMS_MEAN,
            sites=sites_grid(run),
            ladder=ladder_grid(run),
            notes=[
                (row["site"], row["note"])
                for _, row in run.sites.dropna(subset=["note"]).iterrows()
                if row["note"]
            ],
            pieces_sentence=_pieces_sentence(run),
            pieces=pieces_grid(run),
            ledger_sentence=_ledger_sentence(run),
            ledger=grid(run.ledger),
            provenance=_provenance(run),
        )
    )


def _sounds(features: FeaturePart | None, causes: CausePart | None) -> bool:
    """Whether the page holds any sound."""
    return bool((features and features.listening.places) or (causes and causes.listening.sets))


def environment() -> jinja2.Environment:
    """Templates that escape everything and refuse names that do not exist."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(ASSETS),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _shown(value: object) -> object:
    """What a template prints: nothing hidden, and no line break before a sign for per cent or within a p value."""
    if isinstance(value, Markup):
        return value
    return (
        printable(value)
        .replace(" %", "\u00a0%")
        .replace("p ≤ .05", "p\u00a0≤\u00a0.05")
        .replace("p = ", "p\u00a0=\u00a0")
    )


def policy(style: str, *, sounds: bool = False) -> str:
    """The content security policy: this style, pictures beside the page, sounds within it, nothing else.

    ``file:`` stands beside ``'self'`` because a page opened from disk has no origin that some browsers would
    take pictures from.
    """
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii")
    parts = ("default-src 'none'", f"style-src 'sha256-{digest}'", "style-src-attr 'unsafe-inline'")
    media = ["media-src data:"] if sounds else []
    return "; ".join([*parts, "img-src 'self' file:", *media, "base-uri 'none'", "form-action 'none'"])


def _csv(table: pd.DataFrame) -> bytes:
    return csv_text(table).encode("utf-8")


def _pictures(run: RunTables, names: Mapping[str, str]) -> tuple[tuple[Picture, ...], dict[str, bytes]]:
    """Draw figures with their short names; the pictures, and their files by name."""
    drawn = [_picture(run, name, short) for name, short in names.items()]
    return tuple(picture for picture, _ in drawn), {
        name: content for _, files in drawn for name, content in files.items()
    }


def _picture(run: RunTables, name: str, short: str) -> tuple[Picture, dict[str, bytes]]:
    """Draw one figure and say what it shows; the picture, and its files by name."""
    module = figure_module(name)
    figure, numbers = module.draw(run), module.data(run)
    svg, csv = f"figures/{name}.svg", f"data/{name}.csv"
    files = {svg: rendered(figure, "svg"), csv: _csv(numbers)}
    width, height = (round(96 * inches) for inches in figure.get_size_inches())
    lines = tuple(module.describe(run))
    shown = grid(numbers, ROWS)
    picture = Picture(name, short, module.TITLE, module.caption(run), lines, shown, svg, csv, width, height)
    return picture, files


def _swatch(verdict: str) -> dict[str, str]:
    mark = MARKS[verdict]
    style = f"background: {mark.colour}; color: {mark.on}"
    return {"style": style, "letter": mark.letter, "meaning": mark.meaning}


def _facts(run: RunTables) -> list[tuple[str, str]]:
    grid_words = count(len(run.frequencies_hz), "frequency", "frequencies")
    return [
        ("encoder", run.encoder),
        ("weights", run.weights),
        ("music", run.music),
        ("held-out pieces", f"{run.n_pieces:,}"),
        ("preset", f"{run.preset}, {grid_words}"),
        (
            "floor",
            count(run.floor_seeds, "untrained copy", "untrained copies") if run.floor_seeds else "none",
        ),
        ("ceiling", _ceiling(run)),
    ]


def _ceiling(run: RunTables) -> str:
    return str(run.plan.get("ceiling") or "unnamed") if run.has_ceiling else "none"


def _pieces_sentence(run: RunTables) -> str:
    if run.pieces.empty:
        return f"The run lists no pieces; its numbers rest on {run.n_pieces}."
    return f"Pieces, not frames, are the unit of evidence: {count(len(run.pieces), 'piece')} of {run.music}."


def _ledger_sentence(run: RunTables) -> str:
    skipped = run.manifest.get("skipped")
    many = skipped if isinstance(skipped, int) else len(run.ledger)
    if not many:
        return "None: every file was read."
    return f"{count(many, 'file')} could not be used, for the reason given."


def _provenance(run: RunTables) -> list[tuple[str, str]]:
    """The manifest and the plan, flat, in their own order."""
    return [*_flat(run.manifest), *(("plan: " + key, value) for key, value in _flat(run.plan))]


def _flat(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """One row a key; a record within the record, such as versions, on one line."""
    rows = []
    for key, value in record.items():
        if key in INTERNAL:
            continue
        if isinstance(value, Mapping):
            words = " · ".join(f"{name} {item}" for name, item in value.items())
        elif isinstance(value, list):
            words = ", ".join(str(item) for item in value) or "none"
        else:
            words = "undefined" if value is None else str(value)
        rows.append((key.replace("_", " "), words))
    return rows
