"""What directions do, in numbers and sentences: each beside random directions and what the partial itself does.

A row of :func:`steering_rows` is a site and what was read of the push, medians over frequencies at one dose; of
:func:`reuse_rows` a site and a later one. Medians, since a frequency of which nothing is answered gives a quotient that
is noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tonotopy.views.tables import RunTables
from tonotopy.views.words import count, decimal, listed, missing, number, p_words

#: The dose of sentences and tables: as adding the partial itself.
DOSE = 1.0

MEANS = (
    "Activations of music without a partial are pushed along the line that reads it, by as much as the "
    "partial itself would move them (dose 1), and what comes of it is decoded and analysed again, or "
    "read off the head's outputs. Specificity is the share of the change that lies within ±1 ERB of the "
    "partial's frequency: of power, and of levels in dB, where a change of the bass does not outweigh "
    "all of a high partial. Of outputs it is the share of the change that lies along what the partial "
    "itself evokes. A direction means something to the model where it does more than random directions "
    "of equal norm and variance; adding the partial itself says what could be reached."
)
REUSE_MEANS = (
    "With the line projected out at a site, how much of the answer to the partial is lost along a later "
    "site's own line. A direction that nothing later reads is no variable of the model. Random "
    "directions of equal variance and other targets' lines are projected out alike; what these lose is "
    "lost without meaning. Below 0 the later line answers more, above 100 % it answers the other way "
    "round."
)


@dataclass(frozen=True)
class Pushed:
    """Medians over frequencies of one site; NaN where nothing is defined."""

    site: str
    heard: str
    n: int
    reasons: dict[str, int]  # of frequencies that are undefined
    own: dict[str, float]
    controls: dict[
        str, dict[str, float]
    ]  # kind: measure: median over frequencies of the mean over directions
    added: dict[str, float]  # what adding the partial itself does
    least_p: float  # the least p that so many random directions allow
    n_least: int  # frequencies that reach it, by specificity of levels, or of outputs

    @property
    def defined(self) -> bool:
        """Whether any frequency could be steered."""
        return self.n > sum(self.reasons.values())


def pushed_rows(run: RunTables) -> list[Pushed]:
    """What steering did, site by site, at dose 1."""
    table = run.steering[run.steering["strength"] == DOSE]
    return [
        _pushed(str(site), str(heard), own)
        for (site, heard), own in table.groupby(["site", "heard"], sort=False)
    ]


MEASURES = {
    "sound": ("specificity", "specificity_level", "gain_db", "leakage", "sign", "necessity"),
    "outputs": ("specificity", "gain", "near", "sign", "necessity"),
}


def _pushed(site: str, heard: str, rows: pd.DataFrame) -> Pushed:
    measures = MEASURES[heard]
    own = rows[rows["kind"] == "own"]
    known = own[own["specificity"].notna()]
    unknown = own[own["specificity"].isna()]
    reasons = unknown["reason"].fillna("").replace("", "nothing changed").value_counts()
    controls = {}
    for kind in ("wrong sign", "wrong site", "other", "random"):
        of_kind = rows[rows["kind"] == kind]
        if len(of_kind):
            by_target = of_kind.groupby("frequency_hz")[list(measures)].mean()
            controls[kind] = {name: _median(by_target[name]) for name in measures}
    added = {"specificity": 1.0, "gain": 1.0}
    if heard == "sound":
        names = ("specificity", "specificity_level", "gain_db")
        added = {name: _median(known[f"present_{name}"]) for name in names}
    p = known["p_level" if heard == "sound" else "p"]
    draws = rows.loc[rows["kind"] == "random"].groupby("frequency_hz")["direction"].nunique()
    least = 1.0 / (1 + int(draws.max())) if len(draws) else float("nan")
    return Pushed(
        site,
        heard,
        len(own),
        {str(reason): int(many) for reason, many in reasons.items()},
        {name: _median(known[name]) for name in measures},
        controls,
        added,
        least,
        int((p <= least + 1e-9).sum()),
    )


def reuse_rows(run: RunTables, weights: str = "trained") -> pd.DataFrame:
    """One row a site and later site: medians over frequencies of what is lost, and how many are surely read.

    Columns ``site``, ``later_site``, ``n`` (of frequencies), ``n_defined``, ``lost``, ``lost_random``, ``lost_other``,
    ``beyond`` (own less random, median of the differences), ``n_read`` (frequencies whose interval lies above random
    and other; not-a-number without intervals).
    """
    table = run.reuse[(run.reuse["weights"] == weights) & (run.reuse["later_site"] != run.reuse["site"])]
    rows = []
    for (site, later), own in table.groupby(["site", "later_site"], sort=False):
        null = own[["lost_random", "lost_other"]].max(axis=1)
        sure = own["lost_low"] > null
        rows.append(
            {
                "site": site,
                "order": int(own["order"].iloc[0]),
                "later_site": later,
                "later_order": int(own["later_order"].iloc[0]),
                "n": own["frequency_hz"].nunique(),
                "n_defined": int(own["lost"].notna().sum()),
                "lost": _median(own["lost"]),
                "lost_random": _median(own["lost_random"]),
                "lost_other": _median(own["lost_other"]),
                "beyond": _median(own["lost"] - own["lost_random"]),
                "n_read": float(sure.sum()) if own["lost_low"].notna().any() else float("nan"),
            }
        )
    columns = [
        "site",
        "order",
        "later_site",
        "later_order",
        "n",
        "n_defined",
        "lost",
        "lost_random",
        "lost_other",
    ]
    found = pd.DataFrame(rows, columns=[*columns, "beyond", "n_read"])
    return found.sort_values(["order", "later_order"], kind="stable", ignore_index=True)


def steering_sentences(run: RunTables) -> list[str]:
    """What steering did at each site, its nulls in the same sentence."""
    return [_steered(found) for found in pushed_rows(run)]


def _steered(found: Pushed) -> str:
    what = "decoded sound" if found.heard == "sound" else "outputs"
    left = [
        f"{count(many, 'frequency', 'frequencies')} undefined ({why})" for why, many in found.reasons.items()
    ]
    if not found.defined:
        return f"{found.site}, {what}: undefined. {listed(left)}."
    n = found.n - sum(found.reasons.values())
    random, other = found.controls.get("random", {}), found.controls.get("other", {})
    head = f"{found.site}, {what}, dose 1, median of {count(n, 'frequency', 'frequencies')}: "
    if found.heard == "sound":
        words = [
            _beside("specificity of power", "specificity", found, random, other),
            _beside("of levels", "specificity_level", found, random, other),
            _gain(found, random),
        ]
    else:
        words = [
            _beside("specificity", "specificity", found, random, other),
            f"gain {decimal(found.own['gain'])} of what the partial evokes (random {decimal(random.get('gain'))})",
        ]
        if not missing(found.own["near"]):
            words.append(
                f"share of the change in outputs within ±1 ERB {decimal(found.own['near'])} "
                f"(random {decimal(random.get('near'))})"
            )
    signed = f"{percent_of(found.own['sign'])} (random {percent_of(random.get('sign', float('nan')))})"
    words.append(f"of doses {signed} gain with their sign")
    p = f"{p_words(found.least_p)}, the least that so many random directions allow, at {found.n_least} of {n}"
    tail = f" {listed(left)}." if left else ""
    return f"{head}{'; '.join(words)}; {p}.{tail}"


def _gain(found: Pushed, random: dict[str, float]) -> str:
    nulls = f"random {_db(random.get('gain_db'))}, partial itself {_db(found.added['gain_db'])}"
    return f"gain at f {_db(found.own['gain_db'])} ({nulls})"


def _beside(words: str, name: str, found: Pushed, random: dict[str, float], other: dict[str, float]) -> str:
    """A measure with its nulls and what adding the partial itself reads."""
    nulls = [f"random {decimal(random.get(name))}"]
    nulls += [f"other targets {decimal(other[name])}"] if name in other else []
    nulls += [f"partial itself {decimal(found.added[name])}"] if found.heard == "sound" else []
    return f"{words} {decimal(found.own[name])} ({', '.join(nulls)})"


def reuse_sentences(run: RunTables) -> list[str]:
    """What later sites lose: of each site the later one that loses most beyond random, and the last one."""
    rows, untrained = reuse_rows(run), beyond_random(run, "floor")
    lines = []
    for site, own in rows.groupby("site", sort=False):
        known = own[own["beyond"].notna()]
        if known.empty:
            lines.append(f"{site}: what later sites lose is undefined.")
            continue
        most, last = known.iloc[int(known["beyond"].to_numpy(dtype=np.float64).argmax())], known.iloc[-1]
        told = [_lost(most, untrained)]
        if last["later_site"] != most["later_site"]:
            told.append(_lost(last, untrained))
        lines.append(f"Without the lines of {site}, {'; '.join(told)}.")
    return lines


def beyond_random(run: RunTables, weights: str) -> dict[tuple[str, str], float]:
    """What is lost beyond random directions, by site and later site."""
    rows = reuse_rows(run, weights)
    pairs = zip(rows["site"].astype(str), rows["later_site"].astype(str), strict=True)
    return dict(zip(pairs, rows["beyond"].astype(float), strict=True))


def _lost(row: pd.Series, untrained: dict[tuple[str, str], float]) -> str:
    floor = untrained.get((str(row["site"]), str(row["later_site"])), float("nan"))
    nulls = [f"random {percent_of(row['lost_random'])}", f"other targets {percent_of(row['lost_other'])}"]
    nulls.append("no untrained copy" if missing(floor) else f"untrained: own less random {percent_of(floor)}")
    read = (
        ""
        if missing(row["n_read"])
        else f", surely more than either at {row['n_read']:.0f} of {row['n_defined']}"
    )
    return f"{row['later_site']} loses {percent_of(row['lost'])} of its answer ({', '.join(nulls)}){read}"


def percent_of(value: float) -> str:
    """A share that may lie beyond 0 and 1.

    Examples
    --------
    >>> percent_of(-0.421), percent_of(1.2), percent_of(float("nan"))
    ('-42 %', '120 %', 'undefined')
    """
    return "undefined" if missing(value) else f"{100 * value:.0f} %".replace("-0 %", "0 %")


def causes_lines(run: RunTables) -> list[str]:
    """The block on a terminal."""
    return [*steering_sentences(run), *reuse_sentences(run)] if run.has_causes else []


def _db(value: float | None) -> str:
    return "undefined" if missing(value) else f"{number(value)} dB"


def _median(values: pd.Series) -> float:
    known = values.dropna()
    return float(np.median(known)) if len(known) else float("nan")
