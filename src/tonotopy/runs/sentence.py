"""The question and the answer of a study in plain words, from its numbers."""

from __future__ import annotations

from math import isfinite
from typing import Any

from tonotopy.sound.structures import structure

QUESTION = (
    "Do partials become stable features here: directions in activation space that isolate a partial across "
    "musical contexts?"
)


def answer(sites: list[dict[str, Any]], n_pieces: int, control: dict[str, Any] | None = None) -> str:
    """One or two sentences on the best site and the last, each with its interval and its nulls.

    Where there is a ceiling, a third says what it could, and a fourth warns where the instrument misses it.
    """
    found = [_answer(sites, n_pieces), _below(sites[-1]), _warning(control)]
    return " ".join(sentence for sentence in found if sentence)


def _answer(sites: list[dict[str, Any]], n_pieces: int) -> str:
    """The best site and the last."""
    if all(site["shares"]["undefined"] == 1 for site in sites):
        return "Undefined at every site and frequency; the table of verdicts gives the reasons."
    best = max(sites, key=lambda s: s["shares"]["stable"])
    last = sites[-1]
    told = f"at {last['site']}, the last, {_share(last, n_pieces)}"
    if len(sites) > 1 and not best["shares"]["stable"] > 0:
        return f"No partial is stable at any of {len(sites)} sites; {told}."
    # The best of several is chosen on the data: its null must be chosen in the same way.
    floors = [site["floor_stable"]["max"] for site in sites if site["floor_stable"]]
    chosen = f", the best of {len(sites)} sites" if len(sites) > 1 else ""
    text = f"At {best['site']}{chosen}, {_share(best, n_pieces, floors=floors)}"
    return f"{text}; {told}." if best is not last else f"{text}."


def _share(site: dict[str, Any], n_pieces: int, *, floors: list[float] | None = None) -> str:
    """A share with its interval, its neighbours at other thresholds, and its nulls."""
    share, between = site["shares"]["stable"], site["intervals"]["stable"]
    if site["shares"]["undefined"] == 1:
        return "all is undefined"
    band = f" [{between[0] * 100:.0f}, {between[1] * 100:.0f}]" if between else ""
    undefined = "" if between else f", interval undefined with {n_pieces} pieces"
    low, high = site["stable_at_kappa"]["0.75"], site["stable_at_kappa"]["0.85"]
    kappa = f" (κ .75 to .85: {percent(low)} to {percent(high)}{undefined})"
    nulls = []
    if floors:
        nulls.append(f"at most {percent(max(floors))} at any site and seed of random weights")
    elif site["floor_shares"]:
        nulls.append(f"{percent(site['floor_shares']['stable'])} with random weights")
    if isfinite(site["shuffled_stable"]):
        nulls.append(f"{percent(site['shuffled_stable'])} with shuffled labels")
    against = f", against {' and '.join(nulls)}" if nulls else ""
    return f"{percent(share)}{band} of partials are stable{kappa}{against}"


def _below(last: dict[str, Any]) -> str:
    """The last site below its ceiling."""
    states = last.get("against_ceiling")
    if not states:
        return ""
    could, cannot = percent(states["could_does_not"]), percent(states["cannot"])
    undefined = f", {percent(states['undefined'])} undefined" if states["undefined"] else ""
    return (
        f"Below its ceiling, the same architecture fitted to report partials, {last['site']} does "
        f"{percent(states['does'])}, could and does not {could}, cannot {cannot}{undefined}."
    )


def _warning(control: dict[str, Any] | None) -> str:
    """That the instrument misses what the ceiling reports, where it does, or that the ceiling learned too little."""
    if control is None:
        return ""
    if not control["frequencies"]:
        most = control["best_r2"]
        reached = f" (at most {most:.2f})" if most is not None and isfinite(most) else ""
        return (
            f"But this ceiling reports no band with R² above {control['r2_above']:g}{reached}: cannot says what its "
            "training did not reach, not what the architecture forbids."
        )
    if control["passes"] is not False:
        return ""
    return (
        f"Warning: of {control['frequencies']} frequencies that the ceiling reports with R² above "
        f"{control['r2_above']:g}, the instrument reads {control['stable']} as stable: the instrument is wrong "
        "there, and so may be its other verdicts."
    )


def percent(share: float) -> str:
    """A share as a whole percentage."""
    return f"{share * 100:.0f} %"


def ladder_sentence(partials: list[dict[str, Any]], rungs: dict[str, list[dict[str, Any]]]) -> str:
    """A sentence on the further rungs of the ladder, at the last site; empty where there is none.

    Examples
    --------
    >>> last = {
    ...     "site": "latent",
    ...     "shares": {"stable": 0.5, "undefined": 0.0},
    ...     "shuffled_stable": float("nan"),
    ... }
    >>> ladder_sentence([last], {"pitch": [last | {"shares": {"stable": 0.25, "undefined": 0.0}}]})
    ' The ladder at latent: 50 % of partials are stable, 25 % of pitches.'
    """
    if not rungs:
        return ""
    entries = {"partial": partials} | rungs
    told = [f"{_stable(sites[-1])} of {structure(name).plural}" for name, sites in entries.items()]
    first, *rest = told
    return f" The ladder at {partials[-1]['site']}: {', '.join([f'{first} are stable', *rest])}."


def _stable(site: dict[str, Any]) -> str:
    """A share, or that it is undefined."""
    return "an undefined share" if site["shares"]["undefined"] == 1 else percent(site["shares"]["stable"])
