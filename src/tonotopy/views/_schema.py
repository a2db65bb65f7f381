"""The tables of a run folder: their columns, and what kind of value each may hold.

A run folder holds ``plan.toml``, ``manifest.json``, ``verdict.json``, ``anatomy.json`` and one Parquet file a
table under ``tables/``. A number that is undefined is not-a-number, a text that does not apply is missing.
An audiogram of plus infinity reads "never".
"""

from __future__ import annotations

from typing import Final

from tonotopy.views import _columns
from tonotopy.views._cause_schema import CAUSE_LEGAL, CAUSE_TABLES
from tonotopy.views._code_schema import CODE_TABLES

NUMBER: Final = _columns.NUMBER
WHOLE: Final = _columns.WHOLE
FLAG: Final = _columns.FLAG
TEXT: Final = _columns.TEXT
_numbers, _intervals = _columns.numbers, _columns.intervals

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

#: Whose features: of the weights under study, or of untrained copies, told apart by their seeds.
_WHOSE = {"weights": TEXT, "seed": WHOLE, "site": TEXT, "order": WHOLE}
#: What a feature answers to, each a count in `_FEATURE_SITES` but the last.
LABELS: Final = ("partial", "mixture", "pitch", "chord", "broad", "none", "undefined")

_FEATURES = {
    **_WHOSE,
    "source": TEXT,
    "feature": TEXT,
    "number": WHOLE,
    "stabilised": TEXT,
    "recurrence": NUMBER,
    "spectrally_stable": TEXT,
    **_numbers("waveform", "null_waveform", "p_waveform", "spectral", "null_spectral", "p_spectral"),
    **_numbers("lift", "null_lift", "p_lift", "centre_hz"),
    "label": TEXT,
    **_numbers("best_hz", "width_erb", "lobes", "specificity", "largest_lobe", "detection"),
    **_numbers("identification", "consistency", "gradedness", "variation", "variation_noise"),
    **_numbers("p_specificity", "p_identification"),
    "components": TEXT,
    "kind": TEXT,
    **_numbers("r2", "unique", "p_kind", "field_hz", "field_width_erb", "field_latency_ms", "field_r"),
}

_FEATURE_SITES = {
    **_WHOSE,
    "source": TEXT,
    "n": WHOLE,
    "n_stabilised": WHOLE,
    **_numbers("n_defined", "share_stabilised", "low_stabilised", "high_stabilised"),
    **_numbers("share_p05_waveform", "share_p05_spectral"),
    **_numbers("spectral_given_stabilised", "low_spectral_given", "high_spectral_given"),
    **_numbers(*(f"n_{label}" for label in LABELS[:-1])),
    **_numbers(
        "share_partial_random",
        "share_mixture_random",
        "variation",
        "low_variation",
        "high_variation",
        "variation_noise",
    ),
    **_numbers("order_rho", "order_p", "coverage", "coverage_null", "coverage_p", "share_unexplained"),
}

_READABILITY = {
    **_WHOSE,
    "band_hz": NUMBER,
    **_numbers("r2_all", "r2_all_low", "r2_all_high", "r2_best"),
    "best": TEXT,
    **_numbers("gap", "gap_low", "gap_high", "r2_baseline", "r2_control", "selectivity", "r2_null"),
    "delay_ms": NUMBER,
}

_PITCH_DECODING = {
    **_WHOSE,
    **dict.fromkeys(("source", "truth", "task", "probe"), TEXT),
    "window_s": NUMBER,
    "n_pieces": WHOLE,
    **_intervals("score", "floor", "best_floor", "control", "shifted", "random", "levels"),
    **_intervals("above_floor", "above_best_floor", "selectivity", "above_random", "above_levels"),
    "above_baselines": TEXT,
}

#: Tables of a study that asked which features there are. All of them are optional.
FEATURE_TABLES: Final[dict[str, dict[str, str]]] = {
    "features": _FEATURES,
    "feature_sites": _FEATURE_SITES,
    "kinds": {
        **_WHOSE,
        **dict.fromkeys(("source", "kind", "among"), TEXT),
        "count": WHOLE,
        **_numbers("share", "r2"),
        "sentence": TEXT,
    },
    "readability": _READABILITY,
    "pitch_decoding": _PITCH_DECODING,
    "instantiation": {
        **_WHOSE,
        "piece": WHOLE,
        **_intervals("dimension", "held", "share_of_noise", "share_of_stimuli", "shared"),
    },
    "transitions": {
        **_WHOSE,
        "clusters": WHOLE,
        "sound": TEXT,
        **_intervals("sparsity", "repeatability"),
    },
    "ambiguity": {
        "view": WHOLE,
        "view_s": NUMBER,
        "clusters": WHOLE,
        "direction": TEXT,
        **_intervals("ratio"),
        "null": NUMBER,
    },
    # The sound itself, FLAC in a column of bytes, is read by `tonotopy.views.players` and nobody else.
    "players": {
        "site": TEXT,
        "order": WHOLE,
        **dict.fromkeys(("source", "kind", "feature"), TEXT),
        "number": WHOLE,
        "piece": WHOLE,
        **_numbers("start_s", "seconds"),
    },
}

#: What the study says of the ledger of claims: one row a claim and site.
_CLAIMS = {
    "number": WHOLE,
    **dict.fromkeys(("claim", "model", "site", "answer"), TEXT),
    **_numbers("effect", "low", "high", "null", "power"),
    "why": TEXT,
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
    "claims": _CLAIMS,
    **FEATURE_TABLES,
    **CODE_TABLES,
    **CAUSE_TABLES,
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
    **{(name, "weights"): ("trained", "floor") for name in (*FEATURE_TABLES, *CODE_TABLES)},
    ("features", "stabilised"): ("yes", "no", "undefined"),
    ("features", "spectrally_stable"): ("yes", "no", "undefined"),
    ("features", "label"): LABELS,
    ("kinds", "among"): ("all", "stabilised"),
    ("pitch_decoding", "task"): ("class", "note", "height"),
    ("pitch_decoding", "probe"): ("all", "best"),
    ("pitch_decoding", "above_baselines"): ("yes", "no", "undetermined"),
    ("transitions", "sound"): ("music", "phase-scrambled", "shuffled"),
    ("claims", "answer"): ("supported", "not supported", "undetermined"),
    ("ambiguity", "direction"): ("spectrum given fragment", "fragment given spectrum"),
    **CAUSE_LEGAL,
}

#: Numbers that every run has; any other number may have no column where it was not measured.
ALWAYS: Final = (
    "frequency_hz",
    *(f"line_{measure}" for measure in MEASURES),
    *(f"share_{share(verdict)}" for verdict in VERDICTS),
)


#: Columns that earlier runs lack: what they say was not measured then.
LATER: Final = ("against_ceiling", "above_baselines")


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
