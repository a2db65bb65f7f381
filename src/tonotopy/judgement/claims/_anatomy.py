"""What anatomy says, as tables: the order of the first layer's filters, and which alias pairs collapse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

#: Numbers of the record of anatomy that become columns.
ORDER = ("filters", "log_likeness", "log_likeness_p", "r2_erb", "r2_hz")
ALIASES = ("correlation", "correlation_p", "folding_effect", "folding_p", "agreement", "share_collapsed")
#: Quantile of the null of log-likeness that is kept.
NULL_QUANTILE = 0.95


def anatomy_tables(anatomy: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """The tables ``first_layer`` and ``aliases`` from a run's ``anatomy.json``.

    - ``first_layer``: one row: site, filters, log_likeness, log_likeness_p, r2_erb, r2_hz, and ``null_high``, the
      95 % quantile of log-likeness of random filters; no row where the encoder has no first convolution.
    - ``aliases``: one row a site: site, stride, ``pairs`` (how many), correlation of predicted and observed
      similarity with its p, folding_effect with its p, agreement, share_collapsed.

    Examples
    --------
    >>> tables = anatomy_tables({"first_layer": None, "aliases": []})
    >>> len(tables["first_layer"]), list(tables["aliases"])[:3]
    (0, ['site', 'stride', 'pairs'])
    """
    rows = []
    if layer := anatomy.get("first_layer"):
        order = layer["order"]
        null = np.asarray(order["log_likeness_null"], dtype=np.float64)
        high = float(np.quantile(null, NULL_QUANTILE)) if len(null) else np.nan
        site = next((one["name"] for one in anatomy["layers"] if one["role"] == "first_conv"), "")
        rows.append({"site": site, **{name: _number(order[name]) for name in ORDER}, "null_high": high})
    aliases = [
        {"site": one["site"], "stride": one["stride"], "pairs": len(one["observed"])}
        | {name: _number(one[name]) for name in ALIASES}
        for one in anatomy.get("aliases") or ()
    ]
    return {
        "first_layer": pd.DataFrame(rows, columns=["site", *ORDER, "null_high"]),
        "aliases": pd.DataFrame(aliases, columns=["site", "stride", "pairs", *ALIASES]),
    }


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)
