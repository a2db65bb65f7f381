"""The tables of a study that asked what codes and a head know: columns, and what cannot be true.

One row of ``codes`` and ``code_stages`` is a stage of the quantiser, or all of them jointly (stage -1). Nothing but a
flip level (below or beyond the ladder) and the entropy of a chance that never came is infinite.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd

from tonotopy.core.errors import RunError

#: Kinds of columns, as `tonotopy.views._schema` spells them.
_NUMBER, _WHOLE, _TEXT = "number", "whole", "text"
_WHOSE: Final = {"weights": _TEXT, "seed": _WHOLE, "site": _TEXT, "order": _WHOLE}
_STAGE: Final = {**_WHOSE, "stage": _WHOLE}
_ENDS: Final = ("", "_null", "_low", "_high", "_p")


def _numbers(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, _NUMBER)


#: Columns by table. All tables are optional.
CODE_TABLES: Final[dict[str, dict[str, str]]] = {
    "codes": {
        **_STAGE,
        "n_pieces": _WHOLE,
        **_numbers("frequency_hz", "information_bits", "null_bits", "excess_bits", "excess_low"),
        **_numbers("excess_high", "p", "attainable_bits", "foil_excess_bits", "foil_p"),
        **_numbers(*(f"{name}{end}" for name in ("auc", "foil_auc") for end in _ENDS)),
        **_numbers("agreement", "agreement_null", "agreement_excess", "agreement_low", "agreement_high"),
        **_numbers("agreement_p", "changed", "flip_level_db", "changed_by_target", "changed_by_foil"),
        **_numbers("specific", "specific_low", "specific_high", "specific_p"),
        **_numbers("best_stage", "chosen_excess_bits", "chosen_attainable_bits"),
    },
    "code_stages": {
        **_STAGE,
        **dict.fromkeys(("n_frames", "n_codes", "n_pieces"), _WHOLE),
        **_numbers("used", "usage", "dead", "dead_expected", "entropy_bits", "perplexity", "perplexity_null"),
        **_numbers("conditional_bits", "conditional_null_bits", "told_bits"),
        **_numbers("peak_bits", "peak_low", "peak_high", "peak_p"),
        **_numbers("rsa", "rsa_null", "rsa_null_high", "rsa_p", "rsa_codes"),
        **_numbers("explained", "explained_null", "explained_excess"),
        **_numbers("entropy_bound_bits", "distinct", "distinct_null", "collision_bits"),
    },
    "code_peaks": {
        **_STAGE,
        **_numbers("band_hz", "information_bits", "null_bits", "excess_bits", "excess_low", "excess_high"),
        **_numbers("p", "entropy_bits"),
    },
    "code_swaps": {
        **_STAGE,
        **dict.fromkeys(("code", "other", "piece", "frames"), _WHOLE),
        **_numbers("predicted_hz", "in_band", "in_band_null", "partial_in_band", "partial_in_band_null"),
        **_numbers("sign"),
    },
    "head": {
        **_WHOSE,
        **dict.fromkeys(("class", "n_pieces"), _WHOLE),
        **_numbers("class_hz", "frequency_hz", "strength", "signed", "consistency", "consistency_low"),
        **_numbers("consistency_high", "consistency_null", "consistency_null_high", "consistency_p"),
        **_numbers("consistency_q", "sign_agreement", "sign_agreement_null", "sign_agreement_p"),
        **_numbers("best_hz", "concentration", "concentration_p"),
    },
    "head_sites": {
        **_WHOSE,
        **dict.fromkeys(("n_classes", "n_contexts"), _WHOLE),
        **_numbers("dimension", "neighbour_cosine", "neighbour_cosine_null", "neighbour_p"),
        **_numbers("consistency", "consistency_null", "share_consistent", "sign_agreement"),
        **_numbers("sign_agreement_null", "concentration", "concentration_null", "share_concentrated"),
        **_numbers("best_hz_rho"),
    },
}

#: Columns of which no two rows of a table are alike.
KEYS: Final[dict[str, tuple[str, ...]]] = {
    "codes": ("weights", "seed", "site", "stage", "frequency_hz"),
    "code_stages": ("weights", "seed", "site", "stage"),
    "code_peaks": ("weights", "seed", "site", "stage", "band_hz"),
    "code_swaps": ("weights", "seed", "site", "stage", "code", "other", "piece"),
    "head": ("weights", "seed", "site", "class", "frequency_hz"),
    "head_sites": ("weights", "seed", "site"),
}
#: Stages, classes and sets of weights that can be shown.
MOST: Final = {"stage": 256, "class": 512, "seed": 24}
#: Columns that may be infinite.
INFINITE: Final = ("flip_level_db", "collision_bits")
#: A little more than what is meant: shares are sums of floats.
SLACK: Final = 1e-9
#: Numbers between 0 and 1: these, and all whose name ends so.
SHARES: Final = (
    *("auc", "foil_auc", "changed", "usage", "agreement", "sign_agreement", "concentration", "consistency"),
    *("in_band", "partial_in_band", "explained", "share_consistent", "share_concentrated"),
)
P_VALUES: Final = ("p", "q")


def check_codes(tables: Mapping[str, pd.DataFrame], sites: Sequence[str]) -> None:
    """Refuse tables of codes and heads that contradict the run or cannot be true.

    Raises
    ------
    RunError
        Naming the table, what was expected and what was found.
    """
    for name, table in tables.items():
        if table.empty:
            continue
        keys = list(KEYS[name])
        stray = sorted(set(table["site"]) - set(sites))
        if stray:
            raise RunError(f"sites of the run in {name}", repr(stray[0])[:80], "", sites[:20])
        if bool(table["weights"].isna().any()) or bool(table.duplicated(keys).any()):
            raise RunError(f"one row of {name} for each {', '.join(keys)}", "two for the same, or a gap")
        for column, most in MOST.items():
            many = table[column].nunique() if column in table else 0
            if many > most:
                raise RunError(f"at most {most} different values of {column} in {name}", str(many))
        if "stage" in table and int(table["stage"].min()) < -1:
            raise RunError(f"stages from -1 in {name}", str(int(table["stage"].min())))
        _check_numbers(name, table)


def _check_numbers(name: str, table: pd.DataFrame) -> None:
    for column in map(str, table.select_dtypes("float64").columns):
        values = table[column].to_numpy(dtype=np.float64)
        known = values[~np.isnan(values)]
        if column not in INFINITE and bool(np.isinf(known).any()):
            raise RunError(f"finite numbers in column {column!r} of {name}", "an infinite one")
        if column.endswith("_hz") and bool((known <= 0.0).any()):
            raise RunError(f"{column} above 0 in {name}", "one that is not")
        share = column in SHARES or column.rsplit("_", 1)[-1] in P_VALUES
        if share and bool(((known < -SLACK) | (known > 1 + SLACK)).any()):
            raise RunError(f"{column} between 0 and 1 in {name}", "one that is not")
