"""What a run found, in sentences that are made from its numbers and nothing else.

A share never stands alone: it carries its interval, the shares at thresholds of specificity of .75 and .85,
and what untrained copies and shuffled labels read at the same site. The best of several sites was picked for
being the best, so that it is set beside the most that the nulls read at any site.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pandas as pd

from tonotopy.judgement.ceiling import CEILING_STATES, CONTROL_R2, CONTROL_SHARE
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
    name, share = str(row["site"]), percent(row["share_stable"])
    whole = share_with_interval(row["share_stable"], row["low_stable"], row["high_stable"])
    view = (
        f"{count(int(row['view']), 'sample')}, {number(1000.0 * row['view_s'])} ms"
        if not missing(row["view"])
        else "view undefined"
    )
    if missing(row["share_stable"]):
        sentence = f"At {name} ({view}), every frequency is undefined: {reasons(run, name)}."
        return Finding(name, share, "", sentence, "", "")
    moved = (
        f"with the threshold of specificity at .75 it would be {percent(row['stable_kappa_75'])}, at .85 "
        f"{percent(row['stable_kappa_85'])}"
    )
    lost = row["share_undefined"]
    partly = f"; {percent(lost)} are undefined: {reasons(run, name)}" if lost > 0 else ""
    return Finding(
        site=name,
        share=share,
        interval=whole.removeprefix(share).strip(),
        sentence=f"At {name} ({view}), {whole} of frequencies are stable; {moved}{partly}.",
        nulls=_nulls(run, row),
        origin=_origin(run, name),
    )


def best(run: RunTables) -> str:
    """The site with the largest share, that it was picked, and the largest that nulls read anywhere."""
    sites = run.sites[run.sites["share_stable"].notna()]
    if sites.empty:
        return f"No site has a defined share: {reasons(run)}."
    top = sites.iloc[int(sites["share_stable"].to_numpy().argmax())]
    whole = share_with_interval(top["share_stable"], top["low_stable"], top["high_stable"])
    if not top["share_stable"] > 0:
        where = f"any of {len(sites)} sites" if len(sites) > 1 else f"{top['site']}, the only site"
        words = f"No frequency is stable at {where}"
    elif len(sites) == 1:
        words = f"{whole} at {top['site']}, the only site"
    else:
        words = (
            f"{whole} at {top['site']}, picked as the best of {len(sites)} sites, which alone makes it larger "
            "(its interval does not know of that)"
        )
    floor, shuffled = sites["floor_stable_max"].max(), sites["shuffled_stable"].max()
    nulls = [] if missing(floor) else [f"an untrained copy {percent(floor)}"]
    nulls += [] if missing(shuffled) else [f"shuffled labels {percent(shuffled)}"]
    many = " at the best of these sites" if len(sites) > 1 else ""
    beside = (
        f"set it beside the most that a null reads{many}: {listed(nulls)}"
        if nulls
        else "no null was measured"
    )
    return f"{words}; {beside}."


def reasons(run: RunTables, site: str | None = None) -> str:
    """Why frequencies are undefined, at one site or anywhere, the most frequent first."""
    cells = run.verdicts[run.verdicts["verdict"] == "undefined"]
    if site is not None:
        cells = cells[cells["site"] == site]
    counted = Counter(str(reason) for reason in cells["reason"].dropna() if str(reason))
    return listed([f"{reason} ({many})" for reason, many in counted.most_common(3)]) or "no reason was given"


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
    return (
        f"Intervals are undefined: {few}. Neither is it known how sure a single verdict is, or which are borderline. "
        "Read no share as more than an indication."
    )


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


def below_ceiling(run: RunTables) -> list[str]:
    """What the architecture could at a few sites; none without a ceiling."""
    lines = []
    for name in highlights(run, run.sites, None) if run.has_ceiling else ():
        states = run.verdicts.loc[run.verdicts["site"] == name, "against_ceiling"]
        shares = [f"{word} {percent(float((states == word).mean()))}" for word in CEILING_STATES]
        lines.append(f"Between floor and ceiling at {name}: {'; '.join(shares)}.")
    return lines


def positive_control(run: RunTables) -> list[str]:
    """Whether the instrument sees what the ceiling reports; none without a ceiling."""
    if not run.has_ceiling:
        return []
    ceiling = run.ceiling[run.ceiling["level_r2"].notna()]
    if ceiling.empty:
        return ["How well the ceiling reports each band is not known, so it is no positive control here."]
    asked = ceiling[(ceiling["level_r2"] > CONTROL_R2) & (ceiling["verdict"] != "undefined")]
    most = number(float(ceiling["level_r2"].max()))
    if asked.empty:
        known = f"the ceiling reports no band with R² above {CONTROL_R2:g} (at most {most})"
        meaning = "“cannot” says what its training did not reach, not what the architecture forbids"
        return [f"No positive control: {known}; {meaning}."]
    stable = asked["verdict"] == "stable"
    found = (
        f"Positive control: of {count(len(asked), 'frequency', 'frequencies')} that the ceiling reports with R² "
        f"above {CONTROL_R2:g}, {int(stable.sum())} read stable ({percent(float(stable.mean()))})"
    )
    missed = [f"{number(f)} Hz" for f in asked.loc[~stable, "frequency_hz"]]
    if not missed:
        return [found + "."]
    fails = stable.mean() < CONTROL_SHARE
    verdict = "WARNING: the instrument is wrong there. " if fails else ""
    return [f"{verdict}{found}; not {listed(missed)}."]


def unresolvable(run: RunTables) -> list[str]:
    """Sites whose view is too short for some frequencies, with what is left when these are set aside."""
    lines = []
    for name, cells in run.verdicts.groupby("site", sort=False):
        short = int((~cells["resolvable"]).sum())
        if not short:
            continue
        left = len(cells) - short
        row = run.sites[run.sites["site"] == name].iloc[0]
        rest = f"of the {left} resolvable ones {percent(row['share_stable_resolvable'])} are stable"
        if not left:
            rest = "none is resolvable"
        elif missing(row["share_stable_resolvable"]):
            rest = f"none of the {left} resolvable ones has a defined verdict"
        lines.append(f"{name}: {short} of {len(cells)} frequencies are unresolvable; {rest}.")
    return lines


def undefined(run: RunTables) -> list[str]:
    """Sites with undefined frequencies, with the reasons, most frequent first."""
    lines = []
    for name, cells in run.verdicts[run.verdicts["verdict"] == "undefined"].groupby("site", sort=False):
        words = reasons(run, str(name))
        lines.append(f"{name}: {count(len(cells), 'frequency', 'frequencies')} undefined: {words}.")
    return lines
