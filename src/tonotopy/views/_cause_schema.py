"""Tables of a study that asked what directions do, and what cannot be true in them. All of them are optional."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd

from tonotopy.core.errors import RunError
from tonotopy.views._columns import NUMBER, TEXT, WHOLE, intervals, numbers

#: What is read of a push, and kinds of directions.
HEARD: Final = ("sound", "outputs")
KINDS: Final = ("own", "wrong sign", "wrong site", "other", "random")
#: What a kept sound is, in the order in which a page tells them.
SOUNDS: Final = (
    "before",
    "after",
    "partial added",
    "random direction",
    "partial added, direction projected out",
)

CAUSE_TABLES: Final[dict[str, dict[str, str]]] = {
    "steering": {
        "weights": TEXT,
        "seed": WHOLE,
        "site": TEXT,
        "order": WHOLE,
        "heard": TEXT,
        "frequency_hz": NUMBER,
        "direction": TEXT,
        "kind": TEXT,
        "strength": NUMBER,
        **intervals("specificity", "specificity_level", "gain_db", "gain", "necessity"),
        **numbers("p", "p_level", "specificity_partials", "gain_partials_db", "leakage", "quality", "near"),
        **numbers(
            "sufficiency_latent", "sufficiency_spectrum", "sufficiency_outputs", "monotonicity", "sign"
        ),
        **numbers("damage", "present_gain_db", "present_specificity", "present_specificity_level"),
        "n_pieces": WHOLE,
        "reason": TEXT,
    },
    "reuse": {
        "weights": TEXT,
        "seed": WHOLE,
        "site": TEXT,
        "order": WHOLE,
        "later_site": TEXT,
        "later_order": WHOLE,
        "frequency_hz": NUMBER,
        **intervals("lost", "lost_energy"),
        **numbers("lost_random", "lost_other", "p", "lost_energy_random", "lost_energy_other", "p_energy"),
        **numbers("detection", "detection_random", "detection_intact"),
        "n_pieces": WHOLE,
        "reason": TEXT,
    },
    # The sound itself, FLAC in a column of bytes, is read by `tonotopy.views.steered` and nobody else.
    "steered_sounds": {
        "site": TEXT,
        "order": WHOLE,
        "frequency_hz": NUMBER,
        "sound": TEXT,
        "piece": WHOLE,
        **dict.fromkeys(("title", "artist", "licence"), TEXT),
        **numbers("near_gain_db", "turned_up_db", "loudness_lkfs", "seconds"),
    },
}

#: Legal values, by table and column.
CAUSE_LEGAL: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("steering", "weights"): ("trained", "floor"),
    ("steering", "heard"): HEARD,
    ("steering", "kind"): KINDS,
    ("reuse", "weights"): ("trained", "floor"),
    ("steered_sounds", "sound"): SOUNDS,
}

#: Columns of which no two rows of a table are alike.
KEYS: Final[dict[str, tuple[str, ...]]] = {
    "steering": ("weights", "seed", "site", "heard", "frequency_hz", "direction", "strength"),
    "reuse": ("weights", "seed", "site", "later_site", "frequency_hz"),
    "steered_sounds": ("site", "frequency_hz", "sound", "piece"),
}
#: Numbers between 0 and 1, by the table they are in.
SHARES: Final[dict[str, tuple[str, ...]]] = {
    "steering": (
        *("specificity", "specificity_level", "specificity_partials", "near", "p", "p_level", "sign"),
        *("present_specificity", "present_specificity_level"),
    ),
    "reuse": ("p", "p_energy", "detection", "detection_random", "detection_intact"),
    "steered_sounds": (),
}
#: Numbers that are no less than 0.
SIZES: Final[dict[str, tuple[str, ...]]] = {
    "steering": ("leakage", "quality", "damage"),
    "reuse": (),
    "steered_sounds": ("seconds",),
}
#: Frequencies, doses, directions and sounds that a run may have; seconds of the longest sound.
FREQUENCIES: Final = 256
DOSES: Final = 32
DIRECTIONS: Final = 128
MOST_SOUNDS: Final = 1_000
LONGEST_S: Final = 60.0
SLACK: Final = 1e-9


def check_causes(tables: Mapping[str, pd.DataFrame], sites: Sequence[str], pieces: pd.DataFrame) -> None:
    """Refuse tables of interventions that contradict the run or cannot be true.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        The tables by name; empty where absent.
    sites : sequence of str
        Sites of the run.
    pieces : pandas.DataFrame
        Its pieces: a sound is of one of them.

    Raises
    ------
    RunError
        Naming the table, what was expected and what was found.
    """
    for name, table in tables.items():
        if table.empty:
            continue
        for column in table.select_dtypes("float64").columns:
            if bool(np.isinf(table[column].to_numpy()).any()):
                raise RunError(f"finite numbers in column {column!r} of {name}", "an infinite one")
        for column in SHARES[name]:
            _within(name, column, table[column], 0.0, 1.0, "between 0 and 1")
        for column in SIZES[name]:
            _within(name, column, table[column], 0.0, float("inf"), "of 0 or more")
        if not bool((table["frequency_hz"] > 0.0).all()):
            raise RunError(f"frequencies above 0 Hz in {name}", "one that is not")
        _check_keys(name, table, sites)
    sounds = tables["steered_sounds"]
    if len(sounds) > MOST_SOUNDS:
        raise RunError(f"at most {MOST_SOUNDS:,} rows in steered_sounds", f"{len(sounds):,}")
    stray = sorted(set(sounds["piece"]) - set(pieces["number"]))
    if stray:
        raise RunError(
            "pieces of the run in steered_sounds", str(stray[0]), "a sound that nobody is credited for"
        )
    if bool((sounds["seconds"] > LONGEST_S).any()):
        longest = f"{float(sounds['seconds'].max()):g} s"
        raise RunError(f"sounds of at most {LONGEST_S:g} s in steered_sounds", longest)


def _within(name: str, column: str, values: pd.Series, low: float, high: float, words: str) -> None:
    known = values.dropna()
    wrong = known[~known.between(low - SLACK, high + SLACK)]
    if len(wrong):
        raise RunError(f"{column} {words} in {name}", f"{float(wrong.iloc[0]):g}")


def _check_keys(name: str, table: pd.DataFrame, sites: Sequence[str]) -> None:
    """Sites of the run, no gaps in keys, no row twice, and no more of anything than can be shown."""
    for column in ("site", "later_site"):
        stray = sorted(set(table[column].dropna()) - set(sites)) if column in table else []
        if stray:
            raise RunError(f"sites of the run in {name}", repr(stray[0])[:80], "", sites[:20])
    for column in KEYS[name]:
        if bool(table[column].isna().any()):
            raise RunError(f"a {column} in every row of {name}", "a gap")
    if bool(table.duplicated(list(KEYS[name])).any()):
        raise RunError(f"one row of {name} for each {', '.join(KEYS[name])}", "two for the same")
    bounds = {"frequency_hz": FREQUENCIES, "strength": DOSES, "direction": DIRECTIONS}
    for column, most in bounds.items():
        many = table[column].nunique() if column in table else 0
        # Names of other targets' directions hold their frequencies.
        if many > (most * FREQUENCIES if column == "direction" else most):
            raise RunError(f"at most {most} different values of {column} in {name}", str(many))
