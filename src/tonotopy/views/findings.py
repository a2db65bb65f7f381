"""What a run found, in sentences that are made from its numbers and nothing else.

A share never stands alone: it carries its interval, the shares at thresholds of specificity of .75 and .85,
and what untrained copies and shuffled labels read at the same site.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pandas as pd

from tonotopy.views.figures._contract import highlights
from tonotopy.views.tables import LEAST_PIECES_FOR_INTERVALS, RunTables
from tonotopy.views.words import count, listed, missing, number, percent, share_with_interval

#: What the one word that is claimed means.
STABLE_MEANS = (
    "A frequency is stable at a site when one fixed direction of its activations finds a partial there "
    "in music that the direction was not fitted on: it tells the partial present from absent and from "
    "another partial, answers with the same sign and size whatever surrounds it, stays quiet for "
    "partials elsewhere, and grows with level. Only stable is claimed; the other verdicts say how it "
    "fails."
)


@dataclass(frozen=True)
class Finding:
    """One site's answer: the share, and everything without which it must not be read."""

    site: str
    share: str
    interval: str
    sentence: str
    nulls: str
    origin: str

    @property
    def text(self) -> str:
        """The whole, as one paragraph."""
        return " ".join(part for part in (self.sentence, self.nulls, self.origin) if part)


def findings(run: RunTables, sites: tuple[str, ...] | None = None) -> list[Finding]:
    """One finding for each of a few sites: the first, the last, the most stable, and the end of the stack."""
    chosen = highlights(run, run.sites, None) if sites is None else sites
    return [_finding(run, run.sites[run.sites["site"] == name].iloc[0]) for name in chosen]


def _finding(run: RunTables, row: pd.Series) -> Finding:
    share = percent(row["share_stable"])
    whole = share_with_interval(row["share_stable"], row["low_stable"], row["high_stable"])
    moved = (
        f"with the threshold of specificity at .75 it would be {percent(row['stable_kappa_75'])}, at .85 "
        f"{percent(row['stable_kappa_85'])}"
    )
    view = (
        f"{count(int(row['view']), 'sample')}, {number(1000.0 * row['view_s'])} ms"
        if not missing(row["view"])
        else "view undefined"
    )
    return Finding(
        site=str(row["site"]),
        share=share,
        interval=whole.removeprefix(share).strip(),
        sentence=f"At {row['site']} ({view}), {whole} of frequencies are stable; {moved}.",
        nulls=_nulls(run, row),
        origin=_origin(run, str(row["site"])),
    )


def _nulls(run: RunTables, row: pd.Series) -> str:
    """What untrained copies and shuffled labels read at a site."""
    shuffled = (
        "shuffled labels were not tried"
        if missing(row["shuffled_stable"])
        else f"shuffled labels read {percent(row['shuffled_stable'])}"
    )
    if missing(row["floor_stable_mean"]):
        return f"Nulls: no untrained copy was measured; {shuffled}."
    reach = f"{percent(row['floor_stable_min'])} to {percent(row['floor_stable_max'])}"
    seeds = f", {count(run.floor_seeds, 'seed')}" if run.floor_seeds else ""
    return f"Nulls: untrained copies read {percent(row['floor_stable_mean'])} ({reach}{seeds}); {shuffled}."


def _origin(run: RunTables, site: str) -> str:
    """How the frequencies that pass stand against the floor."""
    counted = Counter(run.verdicts.loc[run.verdicts["site"] == site, "against_floor"].dropna())
    parts = [f"{counted[word]} {word}" for word in ("learned", "inherited", "lost") if counted[word]]
    return f"Frequency by frequency against the floor: {listed(parts)}." if parts else ""


def intervals(run: RunTables) -> str:
    """What the brackets are, or why there are none."""
    if run.has_intervals:
        pieces = count(run.n_pieces, "piece")
        return f"Brackets are 95 % intervals from a bootstrap over {pieces}, the unit of evidence."
    few = f"{count(run.n_pieces, 'piece')}, fewer than {LEAST_PIECES_FOR_INTERVALS}"
    return f"Intervals are undefined: {few}. Read no share as more than an indication."


def null_sentence(run: RunTables) -> str:
    """What the two nulls are and the most that they read anywhere."""
    sites = run.sites
    most_shuffled = sites["shuffled_stable"].max()
    shuffled = (
        "shuffled labels were not tried"
        if missing(most_shuffled)
        else f"a readout trained on shuffled labels reads at most {percent(most_shuffled)} stable at any site"
    )
    if not bool(sites["floor_stable_max"].notna().any()):
        return f"No untrained copy was measured, so what comes unasked is unknown here; {shuffled}."
    most = percent(sites["floor_stable_max"].max())
    seeds = (
        count(run.floor_seeds, "untrained copy", "untrained copies")
        if run.floor_seeds
        else "untrained copies"
    )
    return (
        f"The floor is what comes unasked: {seeds} of the same network read at most {most} stable at any "
        f"site, and {shuffled}."
    )


def unresolvable(run: RunTables) -> list[str]:
    """Sites whose view is too short for some frequencies, with what is left when these are set aside."""
    lines = []
    for name, cells in run.verdicts.groupby("site", sort=False):
        short = int((~cells["resolvable"]).sum())
        if not short:
            continue
        left = len(cells) - short
        row = run.sites[run.sites["site"] == name].iloc[0]
        rest = (
            f"of the {left} resolvable ones {percent(row['share_stable_resolvable'])} are stable"
            if left
            else "none is resolvable"
        )
        lines.append(f"{name}: {short} of {len(cells)} frequencies are unresolvable; {rest}.")
    return lines


def undefined(run: RunTables) -> list[str]:
    """Sites with undefined frequencies, with the reasons, most frequent first."""
    lines = []
    for name, cells in run.verdicts[run.verdicts["verdict"] == "undefined"].groupby("site", sort=False):
        reasons = Counter(str(reason) for reason in cells["reason"].dropna() if str(reason))
        words = (
            listed([f"{reason} ({many})" for reason, many in reasons.most_common(3)]) or "no reason was given"
        )
        lines.append(f"{name}: {count(len(cells), 'frequency', 'frequencies')} undefined: {words}.")
    return lines
