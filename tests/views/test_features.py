"""What features are, in sentences and tables: every share with its interval and its nulls, undefined as a word."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pandas as pd
from tests.views.feature_tables import KNOWN, UNDEFINED
from tests.views.seen import shown

from tonotopy.views import RunTables
from tonotopy.views.feature_grids import feature_sites_grid, instantiation_grid, kinds_grid
from tonotopy.views.features import feature_findings


def told(run: RunTables, site: str, source: str = "channels") -> str:
    """All that is said of a source at a site."""
    (finding,) = (found for found in feature_findings(run, [site]) if found.source == source)
    return finding.text


def without_floor(run: RunTables) -> RunTables:
    """The same run, no untrained copy measured."""
    names = ("features", "feature_sites", "kinds", "readability", "instantiation", "transitions")
    kept = {name: getattr(run, name)[getattr(run, name)["weights"] == "trained"] for name in names}
    return dataclasses.replace(run, **kept)


def test_a_share_never_stands_alone(featured: dict[str, RunTables]) -> None:
    """How many stabilise comes with interval, chance, untrained copies and random directions."""
    text = told(featured["plain"], KNOWN)
    assert "At stack_end, 12 of 32 features (channels) are stabilised, 38 % [28, 48];" in text
    assert "38 % have p ≤ .05, which 5 % have by chance" in text
    assert "Of these, 25 % [5, 45] are spectrally stable too (in untrained copies 100 % (2 seeds);" in text
    assert "Nulls: of untrained copies 3 % (2 seeds) are stabilised, 3 % have p ≤ .05;" in text
    assert "of random directions 2 % are stabilised." in text
    for share in re.findall(r"\d+ % (?!\[|of|have|are|\(|stabilised)", text):
        raise AssertionError(share)


def test_what_features_answer_to(featured: dict[str, RunTables]) -> None:
    """Counts by label, partial features beside random directions and copies; order and variation beside chance."""
    text = told(featured["plain"], KNOWN)
    assert "Of 32, 5 answer to one partial (16 %; random directions 5 %, untrained copies 16 %)" in text
    assert "5 to a mixture of partials (16 %; random directions 7 %, untrained copies 16 %)" in text
    assert "and 6 to none of these (19 %; untrained copies 19 %)." in text
    assert "varies with context by 0.42 [0.30, 0.50] beyond noise (noise alone 0.10)." in text
    assert "ρ = 0.80 (p = 0.01 against shuffled order)" in text
    assert "Partial features cover 60 % of the axis, as many random directions 40 % (p = 0.03)." in text


def test_without_a_partial_feature_nothing_is_covered(featured: dict[str, RunTables]) -> None:
    """No sentence on coverage, no p of it in the table; shares are of the features that could be asked."""
    run = featured["plain"]
    rows = run.feature_sites.assign(coverage=0.0, coverage_null=float("nan"), coverage_p=float("nan"))
    own = (rows["site"] == KNOWN) & (rows["source"] == "channels") & (rows["weights"] == "trained")
    rows.loc[own, ["n", "n_defined", "n_partial", "n_mixture"]] = 40, 36, 0, 10
    changed = dataclasses.replace(run, feature_sites=rows)
    text = told(changed, KNOWN)
    assert "12 of 36 features (channels) are stabilised, 38 % [28, 48] (for 4 more it is undefined);" in text
    assert "none answers to one partial (random directions 5 %, untrained copies 16 %)" in text
    assert "; for 8 more this is undefined." in text
    assert "axis" not in text
    assert "p undefined" not in text
    (row,) = (row for row in feature_sites_grid(changed).rows if row[:2] == (KNOWN, "channels"))
    assert row[-2] == "–"


def test_kinds_are_told_by_count(featured: dict[str, RunTables]) -> None:
    """Kinds of the stabilised, of all where none is: what nothing explains stands where its count puts it."""
    first = "Kinds of the stabilised 12: unexplained 4 (33 %; untrained copies 0 %), level 2 (17 %;"
    assert first in told(featured["plain"], KNOWN)
    assert "Kinds of the 32: unexplained 12 (38 %; untrained copies 38 %), level 5 (16 %;" in told(
        featured["plain"], "first_conv"
    )


def test_kinds_that_are_undefined_stand_in_no_share(featured: dict[str, RunTables]) -> None:
    """Of four features whose kind is undefined for two, one is half; where it is for all there is no kind."""
    run = featured["plain"]
    row = run.kinds[(run.kinds["site"] == KNOWN) & (run.kinds["source"] == "channels")].iloc[[0] * 3]
    kinds = row.assign(kind=["undefined", "shape", "level"], count=[2, 1, 1], among="all", share=0.5)
    text = told(dataclasses.replace(run, kinds=kinds), KNOWN)
    assert "Kinds of the 2: level 1 (50 %;" in text
    assert "; for 2 more it is undefined." in text
    grid = {row[2]: row[3] for row in kinds_grid(dataclasses.replace(run, kinds=kinds)).rows}
    assert grid == {"level": "1 of 2 (50 %)", "shape": "1 of 2 (50 %)", "undefined": "2"}
    assert "What kind the 2 are is undefined." in told(dataclasses.replace(run, kinds=kinds.iloc[:1]), KNOWN)


def test_undefined_is_a_word(featured: dict[str, RunTables]) -> None:
    """No share of a site where nothing is defined, no share of none, no interval that a run does not have."""
    nothing = told(featured["plain"], UNDEFINED)
    assert "how many of 32 features (channels) are stabilised is undefined." in nothing
    assert "What they answer to is undefined." in nothing
    assert "of untrained copies it is undefined too" in nothing
    assert "With none stabilised, how many of these are spectrally stable is undefined; of all" in told(
        featured["plain"], "first_conv"
    )
    few = told(featured["few"], KNOWN)
    assert "are stabilised, 38 % (interval undefined);" in few
    assert "varies with context by 0.42 (interval undefined) beyond noise" in few
    assert "[" not in few
    assert "nan" not in f"{nothing}{few}".split()


def test_copies_that_were_not_measured_are_said_to_be_missing(featured: dict[str, RunTables]) -> None:
    """Without a floor the sentence says so instead of leaving it out."""
    text = told(without_floor(featured["plain"]), KNOWN)
    assert "Nulls: no untrained copy was measured; of random directions 2 % are stabilised." in text
    assert "untrained copies undefined" in text


def test_random_directions_are_no_features(featured: dict[str, RunTables]) -> None:
    """They are in the table as the null that they are, and in no finding."""
    assert {finding.source for finding in feature_findings(featured["plain"])} == {"channels", "topk"}
    assert "random" in {row[1] for row in feature_sites_grid(featured["plain"]).rows}


def test_findings_single_out_few_sites(featured: dict[str, RunTables]) -> None:
    """First, last, most stable and end of the stack, each with both sources."""
    sites = [finding.site for finding in feature_findings(featured["plain"])]
    assert len(sites) == 8
    assert {"first_conv", "stack_end", "codes"} <= set(sites)


def test_grids_hold_what_is_there(featured: dict[str, RunTables]) -> None:
    """One row a site and source, one a kind with counts, copies and sentence, one a site for what is used of it."""
    run = featured["plain"]
    assert len(feature_sites_grid(run).rows) == 6 * 3
    (nothing,) = (row for row in feature_sites_grid(run).rows if row[:2] == (UNDEFINED, "channels"))
    assert set(nothing[8:14]) == {"–"}
    (row,) = (row for row in kinds_grid(run).rows if row[:3] == (KNOWN, "channels", "shape"))
    assert row[3:] == (
        "5 of 32 (16 %)",
        "16 %",
        "2 of 12 (17 %)",
        "100 %",
        "0.40",
        "answers to the slope and curvature of a few samples",
    )
    counts = [int(row[3].split()[0]) for row in kinds_grid(run).rows if row[:2] == (KNOWN, "channels")]
    assert counts == sorted(counts, reverse=True)
    (used,) = (row for row in instantiation_grid(run).rows if row[0] == KNOWN)
    assert used[1:3] == ("11.9 [10.7, 13.1]", "11.9")
    assert "[" not in "".join(cell for row in instantiation_grid(featured["few"]).rows for cell in row)


def test_a_terminal_has_a_line_a_site(featured: dict[str, RunTables]) -> None:
    """Features, share and interval, floor, spectral, partial against random, most frequent kind."""
    text = shown(featured["plain"])
    pattern = r"stack_end · channels +32 +38 % \[28, 48\] +3 % +25 % \[5, 45\] +16 % +5 % +unexplained 4\n"
    assert re.search(pattern, text)
    assert re.search(r"codes · channels +32 +undefined +– +– +– +5 % +undefined 32\n", text)
    assert "random · " not in text
    assert "have no interval" in shown(featured["few"])


def test_a_line_a_site_fits_80_columns(featured: dict[str, RunTables]) -> None:
    """With one source a site is its name alone; nothing is wider than a terminal."""
    run = featured["plain"]
    rows = run.feature_sites[run.feature_sites["source"] == "channels"]
    lines = shown(dataclasses.replace(run, feature_sites=rows), width=80).splitlines()
    assert max(len(line) for line in lines) <= 80
    assert "channels" not in "".join(lines)


def test_hostile_words_are_not_obeyed(featured: dict[str, RunTables]) -> None:
    """Kinds and sites from anywhere are shown on a terminal as they are."""
    run = featured["hostile"]
    rows = run.kinds.assign(kind=run.kinds["kind"].replace("unexplained", "[red]\x1b[31m"))
    text = shown(dataclasses.replace(run, kinds=rows), width=200)
    assert "[red]\\x1b[31m " in text
    assert "\x1b[31m" not in text


def test_a_run_without_features_shows_nothing_of_them(run_folders: dict[str, Path]) -> None:
    """The terminal ends where it did."""
    run = RunTables.read(run_folders["plain"])
    assert "stabilised" not in shown(run)
    assert feature_findings(run) == []
    assert feature_sites_grid(run).rows == kinds_grid(run).rows == instantiation_grid(run).rows == ()


def test_what_was_not_asked_is_left_out(featured: dict[str, RunTables]) -> None:
    """A study that did not ask what features answer to says nothing of it, and no zero."""
    run = featured["plain"]
    counted = ("n_stabilised", "n_defined")
    names = [name for name in run.feature_sites.columns if name.startswith("n_") and name not in counted]
    rows = run.feature_sites.assign(
        **dict.fromkeys([*names, "order_rho", "coverage", "variation"], float("nan"))
    )
    text = told(
        dataclasses.replace(run, feature_sites=rows, kinds=pd.DataFrame(columns=run.kinds.columns)), KNOWN
    )
    assert "answer to one partial" not in text
    assert "ρ" not in text
    assert "Kinds of" not in text
