"""The tables of a run folder: their columns, and what kind of value each may hold.

A run folder holds ``plan.toml``, ``manifest.json``, ``verdict.json``, ``anatomy.json`` and one Parquet file a
table under ``tables/``. A number that is undefined is not-a-number, a text that does not apply is missing.
An audiogram of plus infinity reads "never".
"""

from __future__ import annotations

from typing import Final

NUMBER: Final = "number"  # float64, not-a-number where undefined
WHOLE: Final = "whole"  # an integer, always there
FLAG: Final = "flag"  # true or false, always there
TEXT: Final = "text"  # a string, or missing

#: Readouts whose measures a verdict row carries; ``raw`` and ``shuffled`` are the two nulls.
READOUTS: Final = ("line", "plane", "raw", "sparse", "pooled", "in_family", "shuffled")
#: Measures of every readout; `HEARING` only of the first three.
MEASURES: Final = (
    "detection",
    "identification",
    "consistency",
    "specificity",
    "largest_lobe",
    "gradedness",
)
HEARING: Final = ("tonality", "audiogram_db")
#: The six verdicts as they are spelled in cells, in the order in which shares are listed.
VERDICTS: Final = ("stable", "phase-locked", "coincidental", "entangled", "absent", "undefined")


def _numbers(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, NUMBER)


def _intervals(*names: str) -> dict[str, str]:
    """Each number with both ends of its interval."""
    return _numbers(*(name + end for name in names for end in ("", "_low", "_high")))


def share(verdict: str) -> str:
    """How a verdict is spelled in the name of a column.

    Examples
    --------
    >>> share("phase-locked")
    'phase_locked'
    """
    return verdict.replace("-", "_")


_VERDICTS = {
    "site": TEXT,
    "order": WHOLE,
    "frequency_hz": NUMBER,
    "resolvable": FLAG,
    "verdict": TEXT,
    "probability": NUMBER,
    "borderline": FLAG,
    "inherited_from_window": FLAG,
    "line": TEXT,
    "plane": TEXT,
    "failing": TEXT,
    "reason": TEXT,
    "against_floor": TEXT,
    "floor_pass_share": NUMBER,
    "against_ceiling": TEXT,
    **_numbers(*(f"{readout}_{measure}" for readout in READOUTS for measure in MEASURES)),
    **_numbers(*(f"{readout}_{measure}" for readout in READOUTS[:3] for measure in HEARING)),
    **_numbers("ev1", "ev2", "parallelism", "parallelism_far", "separability"),
}

_SITES = {
    "site": TEXT,
    "order": WHOLE,
    "role": TEXT,
    "view": NUMBER,
    "hop": NUMBER,
    "units": NUMBER,
    "bounded": FLAG,
    "note": TEXT,
    **_numbers(*(f"{part}_{share(verdict)}" for part in ("share", "low", "high") for verdict in VERDICTS)),
    **_numbers("share_stable_resolvable", "n_resolvable", "stable_kappa_75", "stable_kappa_85"),
    **_numbers("floor_stable_mean", "floor_stable_min", "floor_stable_max", "shuffled_stable"),
    **_numbers("ceiling_stable"),
    **_numbers("inherited_from_window", "rank", "power_detected", "power_stable"),
    **_intervals("half_detection", "half_consistency", "half_specificity"),
    "n_pieces": WHOLE,
}

_FLOOR = {
    "seed": WHOLE,
    "site": TEXT,
    "order": WHOLE,
    "frequency_hz": NUMBER,
    "verdict": TEXT,
    "line": TEXT,
    "plane": TEXT,
    **_numbers("line_detection", "line_specificity", "line_consistency", "line_audiogram_db"),
}

_CEILING = {key: kind for key, kind in _FLOOR.items() if key != "seed"} | _numbers("level_r2", "phase_r2")

_SPARSITY = {
    "site": TEXT,
    **_numbers("occupancy", "low", "high", "trials"),
    **_intervals("detection", "consistency", "specificity"),
    "shuffled_detection": NUMBER,
}

_VIEW_CURVE = {
    "site": TEXT,
    **_numbers("window_frames", "view_samples", "view_s"),
    "thinned": FLAG,
    "readout": TEXT,
    **_numbers("share_passes", "share_low", "share_high"),
}

#: Columns of every table by file name, without its ending.
TABLES: Final[dict[str, dict[str, str]]] = {
    "verdicts": _VERDICTS,
    "sites": _SITES,
    "floor": _FLOOR,
    "ceiling": _CEILING,
    "ladder": {"site": TEXT, "readout": TEXT, **_numbers("frequency_hz", "level_db", "detection")},
    "sparsity": _SPARSITY,
    "view_curve": _VIEW_CURVE,
    "pieces": {"number": WHOLE, "name": TEXT, "title": TEXT, "artist": TEXT, "licence": TEXT, "group": TEXT},
    "ledger": {"name": TEXT, "reason": TEXT},
}

#: Tables without which there is nothing to show. The others may be empty or absent: not measured.
NEEDED: Final = ("verdicts", "sites")

#: Legal values, by table and column.
LEGAL: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("verdicts", "verdict"): VERDICTS,
    ("verdicts", "line"): ("passes", "coincidental", "entangled", "absent", "undefined"),
    ("verdicts", "plane"): ("passes", "entangled", "absent", "undefined"),
    ("verdicts", "against_floor"): ("inherited", "learned", "lost", "never", "undefined"),
    ("verdicts", "against_ceiling"): ("cannot", "could, does not", "does", "undefined"),
    ("floor", "verdict"): VERDICTS,
    ("ceiling", "verdict"): VERDICTS,
    ("ceiling", "line"): ("passes", "coincidental", "entangled", "absent", "undefined"),
    ("ladder", "readout"): ("line", "plane", "raw"),
    ("view_curve", "readout"): ("line", "plane", "raw_plane"),
}

#: Numbers that every run has; any other number may have no column where it was not measured.
ALWAYS: Final = (
    "frequency_hz",
    *(f"line_{measure}" for measure in MEASURES),
    *(f"share_{share(verdict)}" for verdict in VERDICTS),
)


#: Columns that earlier runs lack: what they say was not measured then.
LATER: Final = ("against_ceiling",)


def needed(name: str) -> tuple[str, ...]:
    """Columns without which a table of this name cannot be read.

    Examples
    --------
    >>> needed("ladder")
    ('site', 'readout', 'frequency_hz')
    """
    return tuple(
        column
        for column, kind in TABLES[name].items()
        if column in ALWAYS or (kind != NUMBER and column not in LATER)
    )
