"""The question and the answer of a study in plain words, from its numbers."""

from __future__ import annotations

from math import isfinite
from typing import Any

QUESTION = (
    "Do partials become stable features here: directions in activation space that isolate a partial across "
    "musical contexts?"
)


def answer(sites: list[dict[str, Any]], n_pieces: int) -> str:
    """One or two sentences on the best site and the last, each with its interval and its nulls."""
    best = max(sites, key=lambda s: s["shares"]["stable"])
    last = sites[-1]
    if len(sites) > 1 and not best["shares"]["stable"] > 0:
        told = f"at {last['site']}, the last, {_share(last, n_pieces)}"
        return f"No partial is stable at any of {len(sites)} sites; {told}."
    text = f"At {best['site']}, the site with most, {_share(best, n_pieces)}"
    if best is not last:
        text += f"; at {last['site']}, the last, {_share(last, n_pieces)}"
    return text + "."


def _share(site: dict[str, Any], n_pieces: int) -> str:
    """A share with its interval and nulls."""
    share, between = site["shares"]["stable"], site["intervals"]["stable"]
    band = f" [{between[0] * 100:.0f}, {between[1] * 100:.0f}]" if between else ""
    undefined = "" if between else f" (interval undefined with {n_pieces} pieces)"
    floor = site["floor_shares"]
    nulls = [f"random weights {percent(floor['stable'])}"] if floor else []
    if isfinite(site["shuffled_stable"]):
        nulls.append(f"shuffled labels {percent(site['shuffled_stable'])}")
    against = f" against {' and '.join(nulls)}" if nulls else ""
    return f"{percent(share)}{band}{undefined} of partials are stable{against}"


def percent(share: float) -> str:
    """A share as a whole percentage."""
    return f"{share * 100:.0f} %"
