"""The page of a series: its figure, its members with links to their own pages, its tables.

Written like the page of a run (`tonotopy.views.report`): static, escaped, asks nothing of the network, and
nothing is written through a link. The members' pages are written first where they are missing or older than
their runs, so that no link leads nowhere.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pandas as pd
from markupsafe import Markup

from tonotopy.core.errors import TonotopyError
from tonotopy.views._writing import write_inside
from tonotopy.views.export import csv_text, rendered
from tonotopy.views.figures import scaling
from tonotopy.views.figures._contract import figure_module
from tonotopy.views.grids import Grid, grid
from tonotopy.views.report import ASSETS, ROWS, Picture, environment, policy, write_report
from tonotopy.views.series import SeriesTables, Subject, as_subject
from tonotopy.views.tables import InFolder
from tonotopy.views.words import count, number, percent, share_with_interval

HEADINGS = {
    "emergence": "What emerges while {encoder} is trained?",
    "scaling": "What do larger models and more data change?",
}


def write_series_report(series: Subject | InFolder | Path | str) -> Path:
    """Write the page of a series, and those of its members where they are missing.

    Parameters
    ----------
    series : SeriesTables, opened series or path
        The series, or its folder.

    Returns
    -------
    pathlib.Path
        ``report/index.html`` in the series folder.

    Raises
    ------
    RunError
        For a folder that cannot be read, or in which a link stands where the report would be written.
    """
    tables = as_subject(series)
    assert isinstance(tables, SeriesTables), "a run has a report of its own"
    links = {member.folder: _member_page(tables.path / member.folder) for member in tables.members}
    picture, files = _picture(tables)
    written = ["shares", "anywhere", *(["dimension"] if not tables.dimension.empty else [])]
    files |= {f"data/{name}.csv": csv_text(getattr(tables, name)).encode("utf-8") for name in written}
    files["index.html"] = page(tables, picture, links, written).encode("utf-8")
    write_inside(tables.path, {f"report/{name}": content for name, content in files.items()})
    return tables.path / "report" / "index.html"


def page(tables: SeriesTables, picture: Picture, links: dict[str, str], written: list[str]) -> str:
    """The page as HTML."""
    style = (ASSETS / "report.css").read_text(encoding="utf-8")
    told, members = tables.series.told, member_grid(tables)
    encoder = str(told.get("encoder") or "undefined")
    return (
        environment()
        .get_template("series.html")
        .render(
            policy=policy(style),
            style=Markup(style),  # noqa: S704 (our own file)
            title=f"{encoder} · {tables.series.kind} · tonotopy",
            heading=HEADINGS[tables.series.kind].format(encoder=encoder),
            sentence=sentence(tables),
            facts=_facts(tables),
            figure=picture,
            claim=scaling.claim_lines(tables) if tables.series.kind == "scaling" else [],
            floor_sentence=floor_sentence(tables),
            intervals=_intervals(tables),
            members=members,
            links=[(links[row[0]], row) for row in members.rows],
            tables=written,
            grids=[(name, grid(_rounded(getattr(tables, name)), ROWS)) for name in written],
            provenance=[
                (key.replace("_", " "), _words(value))
                for key, value in told.items()
                if not isinstance(value, dict)
            ],
        )
    )


def sentence(tables: SeriesTables) -> str:
    """The series in one sentence, from its numbers."""
    if tables.series.kind == "scaling":
        return scaling.claim_lines(tables)[0]
    last = tables.sites
    if not bool(last["share_stable"].notna().any()):
        return "At the last snapshot no site has a defined share of stable frequencies."
    top = last.iloc[int(last["share_stable"].fillna(-1.0).to_numpy().argmax())]
    own = tables.shares[tables.shares["site"] == top["site"]]
    ends = [
        share_with_interval(row["share_stable"], row["low_stable"], row["high_stable"])
        for row in (own.iloc[0], own.iloc[-1])
    ]
    best = f", the best of {len(last)} sites at the last snapshot," if len(last) > 1 else ""
    floor = own["floor_stable_mean"].dropna()
    beside = f"; untrained copies read {percent(floor.iloc[0])}" if len(floor) else ""
    return f"At {top['site']}{best} the share of stable frequencies goes from {ends[0]} to {ends[1]}{beside}."


def floor_sentence(tables: SeriesTables) -> str:
    """Where the floor of a series was measured, and what step 0 is."""
    bearer = tables.series.told.get("floor_member")
    measured = tables.shares["floor_stable_mean"].notna()
    if not bool(measured.any()):
        return (
            "No untrained copy was measured beside the members, so what comes unasked is not known from them."
        )
    if tables.series.kind == "scaling":
        return "Each model has untrained copies of its own architecture beside it."
    first = (
        " The snapshot at step 0 is the floor of this training's own seed, with the statistics of its "
        "normalisation layers as the training began."
        if any(member.step == 0 for member in tables.members)
        else ""
    )
    return (
        f"Untrained copies depend on the architecture only: they were measured once, beside {bearer}.{first}"
    )


def member_grid(tables: SeriesTables) -> Grid:
    """One row a member: its place in the series, and what it carries at any of its sites."""
    rows = []
    for member, (_, row) in zip(tables.members, tables.anywhere.iterrows(), strict=True):
        rows.append(
            {
                "member": member.folder,
                "weights": member.weights,
                "step": "undefined" if member.step is None else f"{member.step:,}",
                "parameters": "undefined" if member.parameters is None else f"{member.parameters:,}",
                "hours": number(member.hours),
                "stable at any site": share_with_interval(
                    row["stable"], row["stable_low"], row["stable_high"]
                ),
                "entangled": share_with_interval(
                    row["entangled"], row["entangled_low"], row["entangled_high"]
                ),
                "coverage": share_with_interval(row["coverage"], row["coverage_low"], row["coverage_high"]),
            }
        )
    table = pd.DataFrame(rows)
    unknown = [name for name in ("step", "parameters", "hours") if (table[name] == "undefined").all()]
    found = grid(table.drop(columns=unknown))
    # The first column is the link, which the page heads by itself.
    return Grid(found.columns[1:], found.rows)


def _picture(tables: SeriesTables) -> tuple[Picture, dict[str, bytes]]:
    name = tables.series.kind
    module = figure_module(name)
    drawn, numbers = module.draw(tables), module.data(tables)  # type: ignore[arg-type] # a figure of a series
    svg, csv = f"figures/{name}.svg", f"data/{name}.csv"
    files = {svg: rendered(drawn, "svg"), csv: csv_text(numbers).encode("utf-8")}
    width, height = (round(96 * inches) for inches in drawn.get_size_inches())
    lines, words = module.describe(tables), module.caption(tables)  # type: ignore[arg-type] # the same
    shown = grid(numbers, ROWS)
    picture = Picture(
        name, name.capitalize(), module.TITLE, words, tuple(lines), shown, svg, csv, width, height
    )
    return picture, files


def _member_page(folder: Path) -> str:
    """Link to a member's page from the series' own; empty where the run cannot be read."""
    index = folder / "report" / "index.html"
    try:
        stale = not index.is_file() or index.stat().st_mtime < (folder / "manifest.json").stat().st_mtime
        if stale:
            write_report(folder)
    except (TonotopyError, OSError):
        return ""
    return f"../{quote(folder.name)}/report/index.html"


def _facts(tables: SeriesTables) -> list[tuple[str, str]]:
    told = tables.series.told
    return [
        ("encoder", str(told.get("encoder") or "undefined")),
        ("members", tables.extent),
        ("music", str(told.get("music") or "undefined")),
        ("held-out pieces", f"{tables.n_pieces:,}"),
        ("preset", str(told.get("preset") or "undefined")),
        ("best stable share", percent(tables.shares["share_stable"].max())),
    ]


def _intervals(tables: SeriesTables) -> str:
    pieces = count(tables.n_pieces, "piece")
    if tables.has_intervals:
        return f"Brackets are 95 % intervals from a bootstrap over {pieces}, the unit of evidence."
    return f"Intervals are undefined: {pieces} are fewer than 8."


def _rounded(table: pd.DataFrame) -> pd.DataFrame:
    """Without columns that are undefined throughout: they say nothing to a reader."""
    return table.dropna(axis="columns", how="all")


def _words(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in value[:3]) + (", …" if len(value) > 3 else "")
    return "undefined" if value is None else str(value)
