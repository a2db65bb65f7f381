"""Each claim comes out either way, and undetermined where nothing was measured or power is lacking."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.judgement.claims import tables as t

from tonotopy.core.errors import InputError
from tonotopy.core.registry import plugins
from tonotopy.judgement.claims import (
    ANSWERS,
    COLUMNS,
    NOT_SUPPORTED,
    SUPPORTED,
    UNDETERMINED,
    Answer,
    anatomy_tables,
    answers,
    claim,
    list_claims,
)
from tonotopy.judgement.claims._contract import HOW

YES, NO, OPEN = SUPPORTED, NOT_SUPPORTED, UNDETERMINED
MID = t.sites(names=("mid",))
ALL_STABLE = t.sites(0.6, names=("mid",)) | t.verdicts(12)
STABLE = {"n_stabilised": 80, "share_stabilised": 0.4, "low_stabilised": 0.33, "high_stabilised": 0.47}
MIXED = {"n_mixture": 20.0, "variation": 0.3, "low_variation": 0.2, "high_variation": 0.4}


def spectral(value: float) -> dict[str, float]:
    """Stabilised features of which so many are stable as spectra too."""
    ends = {"low_spectral_given": value - 0.1, "high_spectral_given": value + 0.1}
    return STABLE | {"spectral_given_stabilised": value} | ends


def of_codes(auc: float, blank: int, *names: str) -> dict[str, pd.DataFrame]:
    """Codes of which some columns are undefined at the first ``blank`` frequencies."""
    table = t.codes(auc)["codes"]
    table.loc[table["frequency_hz"].isin(t.GRID[:blank]), list(names)] = np.nan
    return {"codes": table}


def random_vary(variation: float) -> dict[str, pd.DataFrame]:
    """Mixtures that vary, and those of random directions by so much."""
    table = t.features(**MIXED)["feature_sites"]
    table.loc[table["source"] == "random", "variation"] = variation
    return {"feature_sites": table}


def of_pitch(*scores: tuple[float, str], half: float = 0.03) -> dict[str, pd.DataFrame]:
    """Several dictionaries, whose random directions decode nothing."""
    parts = [t.pitch(score, source=name, random=0.5, half=half)["pitch_decoding"] for score, name in scores]
    return {"pitch_decoding": pd.concat(parts, ignore_index=True)}


def one(name: str, found: dict[str, pd.DataFrame], site: str) -> pd.Series:
    """The answer of one claim at one site."""
    table = answers(found, model="m", names=[name])
    rows = table[table["site"] == site]
    assert len(rows) == 1, table
    return rows.iloc[0]


#: claim, where, what it must come out as, and the tables that say so: each side, then what is too little.
CASES: list[tuple[str, str, str, dict[str, pd.DataFrame]]] = [
    ("first-layer-filters", "first_conv", YES, t.sites(0.05)),
    ("first-layer-filters", "first_conv", NO, t.sites(0.9)),
    ("first-layer-filters", "first_conv", OPEN, t.sites(0.2)),  # on both sides of its threshold
    ("first-layer-filters", "first_conv", OPEN, t.sites(0.05, power_stable=t.NAN)),  # a plant was not found
    ("first-layer-filters", "first_conv", YES, t.sites(0.05, power_stable=1.0)),
    (
        "first-layer-filters",
        "first_conv",
        OPEN,
        t.sites(0.05, power_stable=3.0),
    ),  # found beyond the music's spread
    ("first-layer-filters", "first_conv", OPEN, t.sites(0.05, n_pieces=7)),
    (
        "first-layer-filters",
        "first_conv",
        OPEN,
        t.sites(0.05, stable_kappa_75=0.4),
    ),  # turns on how κ is judged
    ("first-layer-filters", "first_conv", OPEN, t.sites(0.9, shuffled_stable=0.9)),  # the null reads as much
    ("first-layer-filters", "first_conv", OPEN, t.sites(0.0, share_undefined=1.0)),  # a dead site
    ("first-layer-filters", "–", OPEN, MID),
    ("end-of-stack", "stack_end", YES, t.sites(0.0)),
    ("end-of-stack", "stack_end", NO, t.sites(0.6)),
    ("end-of-stack", "stack_end", OPEN, t.sites(0.0, n_pieces=4)),
    ("codes-and-head", "head", YES, t.sites(0.0)),
    ("codes-and-head", "head", NO, t.sites(0.6)),
    ("codes-and-head", "codes", YES, t.sites(0.0) | t.codes(0.6)),
    ("codes-and-head", "codes", NO, t.sites(0.0) | t.codes(0.97)),  # no direction, but the choice of code
    ("codes-and-head", "codes", NO, t.sites(0.7)),  # a direction, whatever codes do
    (
        "codes-and-head",
        "codes",
        YES,
        t.sites(0.0) | t.codes(0.97, 0.6),
    ),  # hears that something was added, not what
    ("codes-and-head", "codes", OPEN, t.sites(0.0)),  # codes not measured one by one
    ("codes-and-head", "codes", OPEN, t.sites(0.0) | t.codes(0.97, floor=0.97)),  # so does an untrained copy
    ("codes-and-head", "codes", OPEN, t.sites(0.0) | t.codes(0.6, bits=0.5)),  # too many codes to tell
    ("codes-and-head", "codes", OPEN, t.sites(0.0) | t.codes(0.6, bits=t.NAN)),
    ("codes-and-head", "codes", OPEN, t.sites(0.0) | of_codes(0.6, 20, "auc_p")),  # all p undefined
    ("codes-and-head", "codes", OPEN, t.sites(0.0) | of_codes(0.6, 20, "auc")),
    ("codes-and-head", "codes", OPEN, t.sites(0.0) | of_codes(0.6, 11, "foil_auc_low", "foil_auc_high")),
    ("codes-and-head", "codes", YES, t.sites(0.0) | of_codes(0.6, 5, "auc_p")),
    ("codes-and-head", "codes", NO, t.sites(0.0) | of_codes(0.97, 10, "auc")),  # the other half is isolated
    ("codes-and-head", "–", OPEN, MID),
    ("sparse-spectrum", "mid", YES, MID | t.law(0.8, 0.2)),
    ("sparse-spectrum", "mid", NO, MID | t.law(0.9, 0.8)),
    ("sparse-spectrum", "mid", OPEN, MID | t.law(0.3, 0.2)),  # nothing isolated: nothing to ask
    ("sparse-spectrum", "mid", OPEN, MID | t.law(0.8, 0.48)),
    ("sparse-spectrum", "mid", OPEN, t.sites(names=("mid",), power_stable=t.NAN) | t.law(0.8, 0.2)),
    ("sparse-spectrum", "mid", OPEN, t.sites(names=("mid",), power_stable=3.0) | t.law(0.8, 0.2)),
    ("persistence", "mid", YES, MID | t.verdicts(1)),
    ("persistence", "mid", NO, t.sites(0.6, names=("mid",)) | t.verdicts(12)),
    ("persistence", "mid", NO, t.sites(0.6, names=("mid",)) | t.verdicts(12) | t.reuse(0.6)),
    (
        "persistence",
        "mid",
        YES,
        t.sites(0.6, names=("mid",)) | t.verdicts(12) | t.reuse(0.0),
    ),  # read by nothing
    (
        "persistence",
        "mid",
        NO,
        t.sites(0.6, names=("mid",)) | t.verdicts(12) | t.reuse(0.6, asked=6),
    ),  # of frequencies that were not asked nothing is known: they are not unread
    ("persistence", "mid", OPEN, t.sites(0.6, names=("mid",)) | t.verdicts(12, borderline=12)),
    ("persistence", "mid", OPEN, t.sites(names=("mid",), power_stable=3.0) | t.verdicts(1)),
    # Reuse that is undefined was not seen, and is not unread: contexts alone answer where too little of it is known.
    ("persistence", "mid", NO, ALL_STABLE | t.reuse(0.0, asked=4)),
    ("persistence", "mid", NO, ALL_STABLE | t.reuse(0.0, asked=0)),
    ("persistence", "mid", NO, ALL_STABLE | t.reuse(0.0, asked=0, blank=("lost_low", "lost_high"))),
    ("persistence", "mid", NO, ALL_STABLE | t.reuse(0.0, asked=0, blank=("lost_random",))),
    ("persistence", "mid", NO, ALL_STABLE | t.reuse(0.6, asked=5)),
    ("persistence", "mid", YES, ALL_STABLE | t.reuse(0.0, asked=5)),
    ("persistence", "mid", NO, ALL_STABLE | t.reuse(0.6, random_high=0.5)),
    ("persistence", "mid", YES, ALL_STABLE | t.reuse(0.4, random_high=0.5)),  # an ordinary random direction
    ("persistence", "mid", NO, ALL_STABLE | t.reuse(0.125)),
    (
        "persistence",
        "mid",
        OPEN,
        ALL_STABLE | t.reuse(0.125, 0.0, 0.0, 0.0, 0.0),
    ),  # one of five places may be chance
    ("persistence", "mid", OPEN, MID | t.verdicts(0, isolated=3)),
    ("shifting-mixtures", "mid", YES, MID | t.features(**MIXED)),
    (
        "shifting-mixtures",
        "mid",
        NO,
        MID | t.features(**MIXED | {"variation": 0.05, "low_variation": 0.02, "high_variation": 0.08}),
    ),
    ("shifting-mixtures", "mid", OPEN, MID | t.features(**MIXED | {"n_mixture": 2.0})),
    ("shifting-mixtures", "mid", OPEN, MID | t.features(**MIXED, floor={"variation": 0.25})),  # so do copies
    ("shifting-mixtures", "mid", YES, MID | t.features(**MIXED, floor={"variation": 0.15})),
    ("shifting-mixtures", "mid", OPEN, MID | random_vary(0.3)),
    ("shifting-mixtures", "mid", OPEN, t.sites(names=("mid",), n_pieces=6) | t.features(**MIXED)),
    ("waveform-basis", "mid", YES, MID | t.features(**STABLE)),
    ("waveform-basis", "mid", NO, MID | t.features()),
    (
        "waveform-basis",
        "mid",
        NO,
        MID | t.features(**STABLE, floor={"share_stabilised": 0.6}),
    ),  # no more than a copy
    (
        "waveform-basis",
        "mid",
        OPEN,
        MID | t.features(share_p05_waveform=0.3),
    ),  # many hint at it, none can be named
    ("waveform-basis", "mid", OPEN, MID | t.features(**STABLE, floor={"share_stabilised": t.NAN})),
    ("spectral-basis", "mid", YES, MID | t.features(**spectral(0.2))),
    ("spectral-basis", "mid", NO, MID | t.features(**spectral(0.8))),
    ("spectral-basis", "mid", OPEN, MID | t.features(**spectral(0.5))),
    ("spectral-basis", "mid", OPEN, MID | t.features()),  # nothing is stabilised
    ("many-to-many", "–", YES, MID | t.ambiguity(0.95, 0.6)),
    ("many-to-many", "–", NO, MID | t.ambiguity(0.95, 0.95, half=0.01)),  # no less as the view grows
    ("many-to-many", "–", NO, MID | t.ambiguity(0.95, 0.3, other=0.2)),  # many-to-one
    ("many-to-many", "–", OPEN, MID | t.ambiguity(0.95, 0.9, half=0.05)),
    ("many-to-many", "–", OPEN, MID | t.ambiguity(0.95, 0.6, n=5)),
    ("architecture", "stack_end", YES, t.sites(names=("stack_end",)) | t.ceiling(4, 5)),
    ("architecture", "stack_end", NO, t.sites(names=("stack_end",)) | t.ceiling(4, 16)),
    (
        "architecture",
        "stack_end",
        OPEN,
        t.sites(names=("stack_end",)) | t.ceiling(4, 5, r2=0.6),
    ),  # fit may fail
    (
        "architecture",
        "stack_end",
        OPEN,
        t.sites(names=("stack_end",)) | t.ceiling(18, 20),
    ),  # nothing limits it
    ("architecture", "mid", OPEN, MID | t.ceiling(4, 5, site="mid")),  # a ceiling cannot say so there
    ("architecture", "mid", NO, MID | t.ceiling(4, 16, site="mid")),
    ("alias-classes", "first_conv", YES, t.aliases(0.97, 0.2, 0.001)),
    ("alias-classes", "first_conv", NO, t.aliases(0.1, 0.2, 0.001)),  # not as predicted
    ("alias-classes", "first_conv", NO, t.aliases(0.97, -0.05, 0.99)),  # what does not fold is more alike
    ("alias-classes", "first_conv", OPEN, t.aliases(0.97, 0.01, 0.3)),
    ("alias-classes", "first_conv", OPEN, t.aliases(0.97, 0.2, 0.001, pairs=5)),
    ("alias-classes", "first_conv", OPEN, t.aliases(t.NAN, t.NAN, t.NAN, stride=1, pairs=0)),
    ("log-like-axis", "first_conv", YES, t.first_layer(0.7, 0.005)),
    ("log-like-axis", "first_conv", NO, t.first_layer(-0.5, 0.9)),
    ("log-like-axis", "first_conv", NO, t.first_layer(0.1, 0.4)),
    ("log-like-axis", "first_conv", OPEN, t.first_layer(0.1, 0.4, null_high=0.95)),  # too few filters to tell
    ("log-like-axis", "first_conv", OPEN, t.first_layer(t.NAN, t.NAN, filters=3.0)),
    ("pitch-decoding", "codes", YES, t.sites() | t.pitch(0.8)),
    ("pitch-decoding", "codes", NO, t.sites() | t.pitch(0.53)),
    ("pitch-decoding", "codes", OPEN, t.sites() | t.pitch(0.57)),
    ("pitch-decoding", "codes", OPEN, t.sites() | t.pitch(0.8, random=0.79)),  # the dictionary is not why
    ("pitch-decoding", "codes", OPEN, t.sites() | t.pitch(0.8, random=t.NAN)),
    # One that speaks for the claim suffices, with its interval widened; against it all must speak.
    ("pitch-decoding", "codes", YES, t.sites() | of_pitch((0.8, "topk"), (0.53, "jumprelu"))),
    ("pitch-decoding", "codes", OPEN, t.sites() | of_pitch((0.6, "topk"), (0.53, "jumprelu"), half=0.045)),
    ("pitch-decoding", "codes", YES, t.sites() | of_pitch((0.6, "topk"), half=0.045)),
    ("pitch-decoding", "codes", NO, t.sites() | of_pitch((0.53, "topk"), (0.52, "jumprelu"))),
    ("pitch-decoding", "codes", OPEN, t.sites() | of_pitch((0.53, "topk"), (0.57, "jumprelu"))),
    ("pitch-decoding", "codes", OPEN, t.sites() | t.pitch(0.8, floor=None)),
    ("pitch-decoding", "codes", OPEN, t.sites() | t.pitch(0.8, source="channels")),  # no dictionary
    ("pitch-decoding", "–", OPEN, MID | t.pitch(0.8)),  # no codec
    ("scale", "–", YES, t.series((0.2, 0.8), 0.3, (0.1, 0.5))),
    ("scale", "–", NO, t.series((0.2, 0.8), 0.0)),  # the entanglement is gone
    ("scale", "–", NO, t.series((0.8, 0.2), 0.3)),  # coverage worsens
    ("scale", "–", OPEN, t.series((0.2, 0.8), 0.3)),  # reuse is not measured
    ("scale", "–", OPEN, t.series((0.2, 0.25), 0.3, (0.1, 0.5))),
    ("transitions", "first_conv", YES, t.transitions(0.05, 0.04)),
    (
        "transitions",
        "first_conv",
        NO,
        t.transitions(0.05, 0.001, half=0.002),
    ),  # no more than an untrained copy
    ("transitions", "first_conv", OPEN, t.transitions(0.05, 0.015, half=0.02)),
    ("transitions", "first_conv", OPEN, t.transitions(0.05, t.NAN)),
    ("transitions", "first_conv", OPEN, t.transitions(0.05, 0.04, n=7)),
]


@pytest.mark.parametrize(("name", "site", "expected", "found"), CASES)
def test_either_way(name: str, site: str, expected: str, found: dict[str, pd.DataFrame]) -> None:
    """Tables that speak for a claim, against it, and for neither."""
    answer = one(name, found, site)
    assert answer["answer"] == expected, answer["why"]
    assert answer["why"]


def test_every_claim_has_all_three_sides() -> None:
    """No claim is left out of the cases above, and none lacks a side."""
    sides = {(name, expected) for name, _, expected, _ in CASES}
    assert sides == {(name, expected) for name in list_claims() for expected in ANSWERS}


def test_fifteen_claims_in_order() -> None:
    """The ledger of SPEC § 11 is there, each claim complete, numbers and thresholds told."""
    claims = [claim(name) for name in list_claims()]
    assert [one.number for one in claims] == list(range(1, 16))
    for one_claim in claims:
        for field in dataclasses.fields(one_claim):
            told = getattr(one_claim, field.name)
            assert told or field.name == "thresholds", (one_claim.number, field.name)
        for name in one_claim.thresholds:
            assert f"`{name}`" in one_claim.rule + one_claim.measure, (one_claim.number, name)
    assert all(plugin.citation and plugin.licence for plugin in plugins("tonotopy.judgement.claims").values())


def test_nothing_measured() -> None:
    """Without tables every claim is undetermined, says so and has no number."""
    found = answers({}, model="m")
    assert (
        list(found.columns) == list(COLUMNS) == ["number", *(one.name for one in dataclasses.fields(Answer))]
    )
    assert set(found["answer"]) == {UNDETERMINED}
    assert len(found) == 15
    assert found[["effect", "low", "high", "null", "power"]].isna().to_numpy().all()
    assert found["why"].str.contains("run|no table").all()


def test_what_to_run_is_told() -> None:
    """A study without features says how to ask for them."""
    why = one("waveform-basis", t.sites(), "–")["why"]
    assert "--features" in why


def test_how_names_options_that_exist() -> None:
    """Each option that a reason tells to add is one of `study`, or is wired there under that name."""
    from tonotopy.cli.study import command

    options = {option.opts[0] for option in command.params} | {"--causes"}
    told = {word.strip(",;:") for words in HOW.values() for word in words.split() if word.startswith("--")}
    assert {"--codes", "--features", "--causes", "--ceiling"} <= told <= options
    assert {HOW["reuse"], HOW["steering"]} == {"run the study again with --causes"}


def test_what_is_left_out_is_told() -> None:
    """Reuse that is known of a few frequencies, and an advantage that is undefined, stand in the reason."""
    few = one("persistence", ALL_STABLE | t.reuse(0.0, asked=4), "mid")["why"]
    assert "is known of 4: too few to count" in few
    some = one("persistence", ALL_STABLE | t.reuse(0.0, asked=7), "mid")
    assert (some["effect"], some["high"]) == (0.0, 0.0)
    assert "of 7 frequencies" in some["why"]
    assert "of 5 more it is not known" in some["why"]
    why = one("transitions", t.transitions(0.05, t.NAN), "first_conv")["why"]
    assert why.endswith("; an advantage or an end of its interval is undefined")
    assert "7 pieces" in one("transitions", t.transitions(0.05, 0.04, n=7), "first_conv")["why"]
    codes = one("codes-and-head", t.sites(0.0) | of_codes(0.97, 10, "auc"), "codes")
    assert codes["effect"] == 1.0
    assert codes["power"] == 0.7
    assert "10 of 20 have numbers" in codes["why"]


@pytest.mark.parametrize("damage", ["many", None, [1.0]])
def test_a_damaged_table_costs_an_answer_and_no_study(damage: Any) -> None:
    """Whatever stands in a column that a rule reads, the claim is answered; most often it is undetermined."""
    whole = {name: table for _, _, _, tables in CASES for name, table in tables.items()} | t.sites(0.05)
    found = []
    for name in list_claims():
        for table, columns in claim(name).tables.items():
            for column in columns:
                broken = whole[table].assign(**{column: [damage] * len(whole[table])})
                found.append(answers(whole | {table: broken}, model="m", names=[name]))
    assert all(len(one) and one["answer"].isin(ANSWERS).all() for one in found)
    assert np.mean([(one["answer"] == UNDETERMINED).all() for one in found]) > 0.5


def test_damage_is_told() -> None:
    """Words where a number is needed: undetermined, with the table's name."""
    found = t.sites(0.05) | {"sites": t.sites(0.05)["sites"].assign(share_stable="many")}
    answer = one("first-layer-filters", found, "–")
    assert answer["answer"] == UNDETERMINED
    assert "the table 'sites' is damaged or of another version (ValueError)" in answer["why"]


def test_a_table_of_another_version() -> None:
    """A table that lacks a column is not read as zero."""
    found = MID | {"feature_sites": t.features()["feature_sites"].drop(columns="share_p05_waveform")}
    answer = one("waveform-basis", found, "–")
    assert answer["answer"] == UNDETERMINED
    assert "share_p05_waveform" in answer["why"]


def test_further_structures_do_not_count() -> None:
    """Rows of pitches stand in the same tables and are no answer about partials."""
    both = [
        t.sites(0.0)["sites"].assign(structure="partial"),
        t.sites(0.9)["sites"].assign(structure="pitch"),
    ]
    found = answers({"sites": pd.concat(both, ignore_index=True)}, names=["first-layer-filters"])
    assert found["answer"].tolist() == [SUPPORTED]


def test_unknown_claim() -> None:
    """A misspelt name is told the legal ones."""
    with pytest.raises(InputError, match="first-layer-filters"):
        claim("first-layer-filter")


@given(
    share=st.floats(0, 1),
    half=st.floats(0, 0.5),
    pieces=st.integers(1, 20),
    power=st.sampled_from([0.1, t.NAN]),
)
def test_an_answer_never_changes_side_as_power_shrinks(
    share: float, half: float, pieces: int, power: float
) -> None:
    """A wider interval, fewer pieces or less power make an answer undetermined, and never its opposite."""
    sure = t.sites(share, low_stable=share, high_stable=share, stable_kappa_75=share, stable_kappa_85=share)
    ends = {"low_stable": max(share - half, 0.0), "high_stable": min(share + half, 1.0)}
    unsure = t.sites(
        share, n_pieces=pieces, power_stable=power, stable_kappa_75=share, stable_kappa_85=share, **ends
    )
    a, b = (one("first-layer-filters", found, "first_conv")["answer"] for found in (sure, unsure))
    assert b in (a, UNDETERMINED)


def test_anatomy_as_tables() -> None:
    """Numbers of anatomy become columns, undefined ones not-a-number."""
    order = dict.fromkeys(("filters", "log_likeness", "log_likeness_p", "r2_erb", "r2_hz"))
    told = {
        "layers": [{"name": "conv1", "role": "first_conv"}],
        "first_layer": {"order": order | {"log_likeness_null": []}},
        "aliases": [{"site": "conv1", "stride": 2, "observed": [0.5, 0.7]} | dict.fromkeys(
            ("correlation", "correlation_p", "folding_effect", "folding_p", "agreement", "share_collapsed"), 0.5
        )],
    }  # fmt: skip
    found = anatomy_tables(told)
    assert found["first_layer"]["site"].tolist() == ["conv1"]
    assert np.isnan(found["first_layer"].loc[0, "log_likeness"])
    assert found["aliases"].loc[0, "pairs"] == 2


def test_docs_tell_every_claim() -> None:
    """The page holds what the code says of each claim, word for word."""
    page = (Path(__file__).resolve().parents[3] / "docs" / "claims.md").read_text(encoding="utf-8")
    for name in list_claims():
        told: Any = claim(name)
        effect = told.effect[1:]  # its first letter is a capital there
        for words in (told.sentence, told.measure, told.rule, effect, told.supported_by, told.refuted_by):
            assert words in page, (name, words)
        assert all(null in page for null in told.nulls), name
        assert all(f"`{key}` = {value:g}" in page for key, value in told.thresholds.items()), name
        assert f"`{name}` · {told.source}" in page, name
