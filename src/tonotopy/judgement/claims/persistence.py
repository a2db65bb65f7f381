"""Claim 5: partials do not persist as variables across contexts.

Where the study has a table ``reuse``, a partial persists as a variable only if something downstream reads it too. Its
rows are of a site, a later site and a frequency: ``weights``, ``site``, ``later_site``, ``frequency_hz``, ``lost``,
``lost_low``, ``lost_high`` (share of the evoked response at the later site that is lost with the direction projected
out), ``lost_random`` (the mean over random directions of equal variance), ``lost_random_high`` (what the upper ones of
these lose; where a table has it, it is the null, since every other random direction is above the mean), and
``lost_other`` (another frequency's direction).

What is undefined there was not seen, and does not count as unread: such frequencies are left out. Without the table,
with too few frequencies that have numbers, or at a site with nothing later, the answer is about contexts alone, and
says so.
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
    wider,
    with_ends,
)
from tonotopy.judgement.claims._isolation import POWER, powerless
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
        "some later site loses more of its answer with its direction than with random ones or another one, its "
        "interval widened for the number of later sites (Bonferroni); frequencies whose reuse is undefined are left "
        "out, and where fewer than `least_isolated` are not, reuse is."
    ),
    tables={"verdicts": COLUMNS, "sites": ("high_stable", "shuffled_stable", "power_stable")},
    effect=(
        "effect: that share; its interval counts borderline verdicts once against and once for it, and no more of them "
        "as stable than the interval of the site's stable share allows; null: the share of all frequencies that "
        "shuffled labels call stable; power: as in claim 1"
    ),
    rule=(
        "Supported where the high end is below `half` and a direction planted at a strength of at most `power` is "
        "found in music. Not supported where the low end is above `half` and above the null. Undetermined otherwise, "
        "and where fewer than `least_isolated` frequencies are isolated in sparse contexts."
    ),
    nulls=("shuffled labels", "a planted direction", "for reuse, random directions and another frequency's"),
    supported_by="the sparse-only cochlea (phantom): coincidental",
    refuted_by="the cochlea (phantom); a planted direction that is then ignored shows no reuse",
    thresholds={"half": HALF, "least_isolated": LEAST_ISOLATED, "power": POWER},
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
    if len(isolated) < LEAST_ISOLATED:
        words = f"isolated in silence and tone: {len(isolated)}, fewer than {LEAST_ISOLATED}: too few to ask"
        return Found(UNDETERMINED, words)
    used, asked, about = _used(study, str(site["site"]), isolated["frequency_hz"].to_numpy(dtype=np.float64))
    isolated, used, n = isolated[asked], used[:, asked], int(asked.sum())
    stable = (isolated["verdict"] == "stable").to_numpy()
    unsure = unsettled(isolated)
    share = float(np.mean(stable & used[0]))
    low, high = float(np.mean(stable & ~unsure & used[1])), float(np.mean((stable | unsure) & used[2]))
    high = min(high, _most_stable(site, len(rows)) / n)
    null, power = (value(site, name) for name in ("shuffled_stable", "power_stable"))
    words = f"of {n} frequencies isolated in silence and tone, {with_ends(share, low, high)} persist in music{about}"
    if high < HALF:
        more = powerless(power)
        answer = UNDETERMINED if more else SUPPORTED
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


def _used(
    study: Study, site: str, frequency_hz: NDArray[np.float64]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], str]:
    """Whether something later reads each frequency, ``[best guess, surely, perhaps; frequency]``.

    With it of which frequencies that is known, ``[frequency]``, and the words; all of them, and read, where reuse takes
    no part.
    """
    everything = np.ones((3, len(frequency_hz)), dtype=bool), np.ones(len(frequency_hz), dtype=bool)
    try:
        rows = study.at("reuse", site, REUSE)
        rows = rows[rows["later_site"] != site]
    except Unanswerable:
        return *everything, " (whether anything downstream reads them was not measured)"
    if rows.empty:
        return *everything, " (nothing later was asked whether it reads them)"
    found = _read(rows).reindex(frequency_hz)
    asked = found["known"].eq(other=True).to_numpy(bool)
    n = int(asked.sum())
    if n < LEAST_ISOLATED:
        return *everything, f" (whether anything downstream reads them is known of {n}: too few to count)"
    used = np.array([found[name].eq(other=True).to_numpy(bool) for name in ("middle", "low", "high")])
    about = f" and are read downstream ({percent(float(np.mean(used[1, asked])))} of them surely are)"
    if n < len(frequency_hz):
        about += f"; of {len(frequency_hz) - n} more it is not known whether anything reads them, and they are left out"
    return used, asked, about


def _read(rows: pd.DataFrame) -> pd.DataFrame:
    """Whether any later site loses more than the null: ``known``, ``middle``, ``low``, ``high`` by frequency.

    Rows without an interval or a null are not known, and take no part.
    """
    random = rows["lost_random_high"] if "lost_random_high" in rows else rows["lost_random"]
    null = pd.concat([random, rows["lost_other"]], axis=1).max(axis=1)
    middle = rows["lost"] if "lost" in rows else (rows["lost_low"] + rows["lost_high"]) / 2
    ends = pd.DataFrame({"middle": middle, "low": rows["lost_low"], "high": rows["lost_high"]})
    known = ends.notna().all(axis=1) & random.notna()
    hz, ends, null, middle = rows.loc[known, "frequency_hz"], ends[known], null[known], middle[known]
    factor = hz.groupby(hz).transform("size").map(wider)
    ends = ends.sub(middle, axis=0).mul(factor, axis=0).add(middle, axis=0)
    return ends.gt(null, axis=0).groupby(hz).any().assign(known=True)
