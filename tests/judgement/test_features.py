"""What is undefined stands in no share of a site's features, neither above nor below the line."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tonotopy.judgement.features import site_row
from tonotopy.measures.features import LABELS

NAN = float("nan")


def result(stabilised: list[str], kind: list[str], label: list[str], p_lift: list[float]) -> Any:
    """What :func:`site_row` reads of a result, of features with these answers."""
    n, p = len(stabilised), np.array(p_lift)
    answers = np.array(stabilised)
    stability = SimpleNamespace(
        stabilised=answers == "yes",
        spectrally_stable=np.nan_to_num(p, nan=1.0) < 0.05,
        p_waveform=p,
        p_lift=p,
        share=lambda x: float(np.nanmean(x <= 0.05)),
    )
    return SimpleNamespace(
        features=range(n),
        found=SimpleNamespace(stabilised=answers),
        stabilised=answers == "yes",
        stability=stability,
        tuned={"partial": SimpleNamespace(variation=None)},
        answers=SimpleNamespace(label=np.array(label), counts={name: label.count(name) for name in LABELS}),
        against=SimpleNamespace(found=np.zeros(n, bool)),
        order=SimpleNamespace(order=NAN, order_p=NAN, coverage=NAN, coverage_null=NAN, coverage_p=NAN),
        kinds=SimpleNamespace(kind=kind, r2=np.full(n, NAN)),
        fields=SimpleNamespace(r=np.full(n, NAN), r_null=np.full(n, NAN)),
    )


def site(label: list[str]) -> Any:
    """A site whose random directions answer so."""
    return SimpleNamespace(random_answers=SimpleNamespace(label=np.array(label)))


def test_shares_are_of_what_is_defined() -> None:
    """Two of four features have an answer, one of them yes: a half, not a quarter."""
    found = result(
        ["yes", "no", "undefined", "undefined"],
        ["unexplained", "shape", "undefined", "undefined"],
        ["partial", "none", "undefined", "undefined"],
        [0.01, 0.5, NAN, NAN],
    )
    row = site_row(found, site(["partial", "none", "undefined", "undefined"]))
    assert (row["n"], row["n_defined"], row["n_stabilised"]) == (4, 2, 1)
    assert row["share_stabilised"] == row["share_unexplained"] == row["share_partial_random"] == 0.5
    assert row["share_mixture_random"] == 0.0
    assert row["low_stabilised"] == pytest.approx(0.0945, abs=1e-3)
    assert row["spectral_given_stabilised"] == 1.0


def test_shares_of_nothing_are_undefined() -> None:
    """Where no feature has an answer no share is 0."""
    names = ["undefined"] * 3
    row = site_row(result(names, names, names, [NAN] * 3), site(names))
    assert (row["n"], row["n_defined"], row["n_stabilised"]) == (3, 0, 0)
    undefined = ("share_stabilised", "low_stabilised", "share_unexplained", "share_partial_random")
    assert all(np.isnan(row[name]) for name in (*undefined, "spectral_given_stabilised"))
