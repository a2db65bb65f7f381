"""Whether directions at a site isolate partials: what claims 1, 2 and 3 share.

Claims count *stable* only (SPEC § 4): the line of no direction at the site passes where the share is 0, so that
neither does any single filter.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from tonotopy.judgement.claims._contract import (
    NOT_SUPPORTED,
    SUPPORTED,
    UNDETERMINED,
    Answer,
    Found,
    Study,
    Unanswerable,
    defined,
    largest,
    percent,
    value,
    with_ends,
)

#: A site isolates few partials where at most this share of frequencies is stable: the mirror of the 80 % from which
#: on a phantom reads what it was built for.
FEW = 0.2
#: Strength of a planted direction, over the RMS distance of music frames from their mean, up to which finding it is
#: power: what is only found when it is stronger than music itself says nothing of directions of ordinary strength.
POWER = 1.0
COLUMNS = (
    "share_stable",
    "low_stable",
    "high_stable",
    "share_undefined",
    "stable_kappa_75",
    "stable_kappa_85",
    "floor_stable_max",
    "shuffled_stable",
    "power_stable",
    "n_resolvable",
)
MEASURE = (
    "share of frequencies with a defined verdict that are stable at the site, with its interval over pieces and the "
    "shares at thresholds of specificity of .75 and .85"
)
EFFECT = (
    "effect: the share of stable frequencies; null: the larger of what untrained copies and shuffled labels read; "
    "power: the least planted strength that is called stable 95 % of the time"
)
RULE = (
    "Supported where the high end of the interval, and the share at κ .75, are at most `few`, and a direction planted "
    "at a strength of at most `power` is found. Not supported where the low end, and the share at κ .85, are above "
    "`few`, and shuffled labels read less than the low end. Else undetermined."
)
NULLS = (
    "shuffled labels",
    "untrained copies (told beside; a share that they have too is there unasked, and there all the same)",
    "a planted direction, without which few stable frequencies say nothing",
)


def at_roles(study: Study, roles: tuple[str, ...], nothing: str) -> list[Answer]:
    """One answer for each site of some roles.

    Raises
    ------
    Unanswerable
        The study measured no such site, for which ``nothing`` is the word.
    """
    rows = study.sites(*roles)
    if rows.empty:
        raise Unanswerable(nothing)
    return [few_stable(study, row).at(study, str(row["site"])) for _, row in rows.iterrows()]


def few_stable(study: Study, row: pd.Series) -> Found:
    """Whether few frequencies are stable, from a row of the table of sites."""
    try:
        study.table("sites", COLUMNS)
        study.need_pieces(row["n_pieces"])
    except Unanswerable as reason:
        return Found(UNDETERMINED, str(reason))
    if not row["share_undefined"] < 1.0:
        return Found(UNDETERMINED, "every verdict is undefined here: a dead site, or no music in band")
    asked = 1.0 - row["share_undefined"]
    names = ("share_stable", "low_stable", "high_stable", "stable_kappa_75", "stable_kappa_85")
    share, low, high, at_75, at_85 = (value(row, name) / asked for name in names)
    low, high = min(low, 1.0), min(high, 1.0)
    power = value(row, "power_stable")
    null = largest(value(row, "floor_stable_max"), value(row, "shuffled_stable"))
    answer, why = _judged((low, high), (at_75, at_85), value(row, "shuffled_stable"), power)
    untrained, shuffled = (value(row, name) for name in ("floor_stable_max", "shuffled_stable"))
    words = (
        f"{with_ends(share, low, high)} stable (κ .75 to .85: {percent(at_75)} to {percent(at_85)}; untrained at most "
        f"{percent(untrained)}, shuffled labels {percent(shuffled)}){_anatomy(study, row)}{why}"
    )
    return Found(answer, words, share, low, high, null, power)


def powerless(power: float) -> str:
    """Why a planted direction that was found at this strength, or at none, is too little power; empty where it is not.

    Examples
    --------
    >>> powerless(0.3), powerless(3.0)
    ('', '; a planted direction is only found at 3 times the spread of music: too little power')
    """
    if not np.isfinite(power):
        return "; no planted direction is found in music: too little power"
    if power > POWER:
        return f"; a planted direction is only found at {power:g} times the spread of music: too little power"
    return ""


def _judged(
    ends: tuple[float, float], at: tuple[float, float], shuffled: float, power: float
) -> tuple[str, str]:
    """The answer, and what kept it from being another."""
    low, high = ends
    if not defined(low, high, *at):
        return UNDETERMINED, "; no interval over pieces"
    if low > FEW and at[1] > FEW:
        if shuffled < low:
            return NOT_SUPPORTED, ""
        return UNDETERMINED, "; shuffled labels read as much, or were not tried"
    if high <= FEW and at[0] <= FEW:
        reason = powerless(power)
        return (UNDETERMINED, reason) if reason else (SUPPORTED, "")
    return UNDETERMINED, f"; it lies on both sides of {percent(FEW)} within its interval, or as κ is judged"


def _anatomy(study: Study, row: pd.Series) -> str:
    """How many frequencies the view cannot tell apart, whatever is learned."""
    if not study.has("verdicts"):
        return ""
    n = int((study.table("verdicts", ("site",))["site"] == row["site"]).sum())
    short = n - int(row["n_resolvable"])
    return f"; {short} of {n} frequencies are too close for its view: there it is anatomy" if short else ""
