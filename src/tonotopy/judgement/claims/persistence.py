"""Claim 5: partials do not persist as variables across contexts.

Where the study has a table ``reuse``, a partial persists as a variable only if something downstream reads it too. Its
rows are of a site, a later site and a frequency: ``weights``, ``site``, ``later_site``, ``frequency_hz``, ``lost``,
``lost_low``, ``lost_high`` (share of the evoked response at the later site that is lost with the direction projected
out), ``lost_random`` (a random direction of equal variance) and ``lost_other`` (another frequency's direction).
Without it, or at a site with nothing later, the answer is about contexts alone, and says so.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tonotopy.judgement.claims._contract import (
    NOT_SUPPORTED,
    SUPPORTED,
    UNDETERMINED,
    Answer,
    Claim,
    Found,
    Study,
    Unanswerable,
    percent,
    unsettled,
    value,
    with_ends,
)
from tonotopy.judgement.verdict import Thresholds

NAMES = ("persistence",)
CITATION = "Cosme 2026, posts 0 and 1"
LICENCE = "MIT"

#: Share of the isolated frequencies that must persist, or not.
HALF = 0.5
#: Fewer isolated frequencies are too few to ask.
LEAST_ISOLATED = 5
LIMITS = Thresholds()
JUDGED = ("detection", "identification", "consistency", "specificity", "largest_lobe")
COLUMNS = ("site", "frequency_hz", "verdict", "borderline", *(f"sparse_{name}" for name in JUDGED))
REUSE = (
    "weights",
    "site",
    "later_site",
    "frequency_hz",
    "lost_low",
    "lost_high",
    "lost_random",
    "lost_other",
)

CLAIM = Claim(
    number=5,
    sentence="they do not persist as variables across contexts",
    source=CITATION,
    measure=(
        "Of the frequencies whose line of sparse contexts passes on their held-out contexts (silence and tone; "
        "gradedness aside), the share that is stable in music. Where reuse is measured, a frequency persists only if "
        "some later site loses more of its answer with its direction than with a random or another one."
    ),
    tables={"verdicts": COLUMNS, "sites": ("high_stable", "shuffled_stable", "power_stable")},
    effect=(
        "effect: that share; its interval counts borderline verdicts once against and once for it, and no more of them "
        "as stable than the interval of the site's stable share allows; null: the share of all frequencies that "
        "shuffled labels call stable; power: as in claim 1"
    ),
    rule=(
        "Supported where the high end is below `half` and a planted direction is found in music. Not supported where "
        "the low end is above `half` and above the null. Undetermined otherwise, and where fewer than "
        "`least_isolated` frequencies are isolated in sparse contexts."
    ),
    nulls=("shuffled labels", "a planted direction", "for reuse, a random direction and another frequency's"),
    supported_by="the sparse-only cochlea (phantom): coincidental",
    refuted_by="the cochlea (phantom); a planted direction that is then ignored shows no reuse",
    thresholds={"half": HALF, "least_isolated": LEAST_ISOLATED},
)


def answer(study: Study) -> list[Answer]:
    """At every site."""
    verdicts = study.table("verdicts", COLUMNS)
    return [
        _found(study, verdicts[verdicts["site"] == row["site"]], row).at(study, str(row["site"]))
        for _, row in study.sites().iterrows()
    ]


def _found(study: Study, rows: pd.DataFrame, site: pd.Series) -> Found:
    try:
        study.need_pieces(site["n_pieces"])
    except Unanswerable as reason:
        return Found(UNDETERMINED, str(reason))
    isolated = rows[_sparse_passes(rows) & (rows["verdict"] != "undefined").to_numpy()]
    n = len(isolated)
    if n < LEAST_ISOLATED:
        words = f"isolated in silence and tone: {n}, fewer than {LEAST_ISOLATED}: too few to ask"
        return Found(UNDETERMINED, words)
    stable = (isolated["verdict"] == "stable").to_numpy()
    unsure = unsettled(isolated)
    used, about = _used(study, str(site["site"]), isolated["frequency_hz"].to_numpy(dtype=np.float64))
    share = float(np.mean(stable & used[0]))
    low, high = float(np.mean(stable & ~unsure & used[1])), float(np.mean((stable | unsure) & used[2]))
    high = min(high, _most_stable(site, len(rows)) / n)
    null, power = (value(site, name) for name in ("shuffled_stable", "power_stable"))
    words = f"of {n} frequencies isolated in silence and tone, {with_ends(share, low, high)} persist in music{about}"
    if high < HALF:
        answer, more = SUPPORTED, ""
        if not np.isfinite(power):
            answer, more = UNDETERMINED, "; no planted direction is found in music: too little power"
    elif low > HALF:
        answer, more = NOT_SUPPORTED, ""
        if not low > null:
            answer, more = UNDETERMINED, "; shuffled labels read as much, or were not tried"
    else:
        answer, more = UNDETERMINED, "; on both sides of half, as borderline verdicts are counted"
    return Found(answer, words + more, share, low, high, null, power)


def _most_stable(site: pd.Series, n: int) -> float:
    """How many of a site's frequencies a bootstrap over pieces calls stable at most (97.5 % of resamples)."""
    high = value(site, "high_stable")
    return high * n if np.isfinite(high) else float("inf")


def _sparse_passes(rows: pd.DataFrame) -> NDArray[np.bool_]:
    """Whether the line of sparse contexts passes there, gradedness aside, ``[row]``."""
    values = {name: rows[f"sparse_{name}"].to_numpy(dtype=np.float64) for name in JUDGED}
    good = [values[name] >= getattr(LIMITS, name) for name in JUDGED if name != "largest_lobe"]
    return np.asarray(np.all([*good, values["largest_lobe"] <= LIMITS.largest_lobe], axis=0))


def _used(study: Study, site: str, frequency_hz: NDArray[np.float64]) -> tuple[NDArray[np.bool_], str]:
    """Whether something later reads each frequency, ``[best guess, surely, perhaps; frequency]``, and the words."""
    everything = np.ones((3, len(frequency_hz)), dtype=bool)
    try:
        rows = study.at("reuse", site, REUSE)
        rows = rows[rows["later_site"] != site]
    except Unanswerable:
        return everything, " (whether anything downstream reads them was not measured)"
    if rows.empty:
        return everything, " (nothing later was asked whether it reads them)"
    null = rows[["lost_random", "lost_other"]].max(axis=1)
    middle = rows["lost"] if "lost" in rows else (rows["lost_low"] + rows["lost_high"]) / 2
    used = [
        (values > null)
        .groupby(rows["frequency_hz"])
        .any()
        .reindex(frequency_hz)
        .fillna(value=False)
        .to_numpy(bool)
        for values in (middle, rows["lost_low"], rows["lost_high"])
    ]
    read = percent(float(np.mean(used[1])))
    return np.array(used), f" and are read downstream ({read} of them surely are)"
