"""The ladder of structures: which share of partials, pitches and chords is stable at each site.

Figures and findings of a run are about partials. What the further rungs read is in ``verdict.json`` under
``structures``, a list of sites each, as it is for partials under ``sites``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tonotopy.core.errors import RunError
from tonotopy.views._schema import VERDICTS, share
from tonotopy.views.grids import Column, Grid
from tonotopy.views.tables import RunTables
from tonotopy.views.words import DASH, missing, percent, share_with_interval

#: Columns of the table, after the structure and the site.
HEADS = ("stable", *VERDICTS[1:], "floor", "shuffled")


def ladder_grid(run: RunTables) -> Grid | None:
    """One row a structure and site; None where a run asked about partials alone.

    Raises
    ------
    RunError
        ``verdict.json`` has something else in that place.
    """
    rungs = run.verdict.get("structures")
    if not rungs:
        return None
    if not isinstance(rungs, Mapping):
        raise RunError("structures in verdict.json by name", type(rungs).__name__, "a damaged run folder")
    rungs = {"partial": run.verdict.get("sites"), **rungs}
    try:
        rows = tuple(_row(str(name), site) for name, sites in rungs.items() for site in _sites(sites))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise RunError(
            "shares of every structure and site in verdict.json", type(error).__name__, "a damaged run folder"
        ) from None
    heads = ("structure", "site", *HEADS)
    return Grid(tuple(Column(head, index > 1) for index, head in enumerate(heads)), rows)


def _sites(sites: Any) -> Sequence[Any]:
    if not isinstance(sites, list):
        raise TypeError
    return sites


def _row(structure: str, site: Mapping[str, Any]) -> tuple[str, ...]:
    shares = {name: float(site["shares"][share(name)]) for name in VERDICTS}
    low, high = site["intervals"]["stable"] or (float("nan"), float("nan"))
    floor = site["floor_stable"]["mean"] if site["floor_stable"] else None
    cells = [share_with_interval(shares["stable"], float(low), float(high))]
    if shares["undefined"] == 1:
        # None of them was defined: 0 % would be a claim.
        cells = ["undefined"]
    cells += [percent(shares[name]) for name in VERDICTS[1:]]
    cells += [DASH if missing(value) else percent(value) for value in (floor, site["shuffled_stable"])]
    return (structure, str(site["site"]), *cells)
