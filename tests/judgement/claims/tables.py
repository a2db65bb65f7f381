"""Hand-written tables with the schema of a run: each has what one side of a claim needs, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

NAN = float("nan")
GRID = np.linspace(100.0, 5000.0, 20)
ROLES = {
    "first_conv": "first_conv",
    "mid": "conv",
    "stack_end": "stack_end",
    "codes": "codes",
    "head": "head",
}
Tables = dict[str, pd.DataFrame]


def sites(share: float = 0.0, *, names: tuple[str, ...] = tuple(ROLES), **columns: Any) -> Tables:
    """One row a site: so much is stable, a twentieth to either side; shuffled labels and copies read nothing."""
    row = {
        "share_stable": share, "low_stable": max(share - 0.05, 0.0), "high_stable": min(share + 0.05, 1.0),
        "share_undefined": 0.0, "stable_kappa_75": min(share + 0.02, 1.0), "stable_kappa_85": max(share - 0.02, 0.0),
        "floor_stable_max": 0.0, "shuffled_stable": 0.0, "power_stable": 0.3, "n_resolvable": 20, "n_pieces": 12,
    }  # fmt: skip
    rows = [{"site": name, "order": at, "role": ROLES[name]} | row | columns for at, name in enumerate(names)]
    return {"sites": pd.DataFrame(rows)}


def verdicts(
    stable: int, *, isolated: int = 12, borderline: int = 0, site: str = "mid", **columns: Any
) -> Tables:
    """Twenty frequencies, of which some are isolated in silence and tone, and the first of these stable in music."""
    at = np.arange(len(GRID))
    good = at < isolated
    table = pd.DataFrame({"site": site, "frequency_hz": GRID})
    table["verdict"] = np.where(at < stable, "stable", "entangled")
    table["borderline"] = at < borderline
    for name in ("detection", "identification", "consistency", "specificity"):
        table[f"sparse_{name}"] = np.where(good, 0.95, 0.3)
    table["sparse_largest_lobe"] = np.where(good, 0.2, 1.0)
    return {"verdicts": table.assign(**columns)}


def codes(
    auc: float, foil: float | None = None, *, floor: float = 0.5, site: str = "codes", bits: float = 0.7
) -> Tables:
    """Two stages, the second of which hears nothing; an untrained copy beside them."""
    rows = [
        {"weights": weights, "seed": seed, "site": site, "stage": stage, "frequency_hz": hz, "auc_p": 0.05}
        | {"attainable_bits": bits}
        | _ends("auc", level if stage == 0 else 0.5)
        | _ends("foil_auc", (foil or level) if stage == 0 else 0.5)
        for weights, seed, level in (("trained", 0, auc), ("floor", 1000, floor))
        for stage in (0, 1)
        for hz in GRID
    ]
    return {"codes": pd.DataFrame(rows)}


def _ends(name: str, value: float, half: float = 0.02) -> dict[str, float]:
    return {name: value, f"{name}_low": value - half, f"{name}_high": value + half}


def reuse(
    *lost: float,
    site: str = "mid",
    random: float = 0.05,
    random_high: float | None = None,
    other: float = 0.1,
    asked: int = 20,
    blank: tuple[str, ...] = ("lost", "lost_low", "lost_high"),
) -> Tables:
    """How much sites behind lose with each frequency's direction; the site itself loses all.

    Only the first ``asked`` frequencies have the numbers ``blank``; without ``random_high`` there is no such column.
    """
    rows = [
        {"weights": "trained", "site": site, "later_site": later, "frequency_hz": hz}
        | _ends("lost", value)
        | {"lost_random": random, "lost_other": other}
        | ({} if random_high is None else {"lost_random_high": random_high})
        | (dict.fromkeys(blank, NAN) if at >= asked else {})
        for later, value in ((site, 1.0), *((f"later{k}", one) for k, one in enumerate(lost)))
        for at, hz in enumerate(GRID)
    ]
    return {"reuse": pd.DataFrame(rows)}


def law(sparse: float, dense: float, *, site: str = "mid", half: float = 0.05) -> Tables:
    """Specificity falls from the sparsest bin to the densest along a straight line of bins."""
    edges = (1.0, 1.3, 3.0, 6.5, 9.0, 12.0)
    values = (sparse, sparse, (sparse + dense) / 2, dense, dense)
    rows = [
        {"site": site, "occupancy": low + 0.1, "low": low, "trials": 50.0} | _ends("specificity", value, half)
        for low, value in zip(edges[:-1], values, strict=True)
    ]
    return {"sparsity": pd.DataFrame(rows)}


def features(*, floor: dict[str, Any] | None = None, site: str = "mid", **columns: Any) -> Tables:
    """Channels and a dictionary that has nothing; an untrained copy of each, and random directions."""
    nothing = {
        "n": 200, "n_stabilised": 0, "share_stabilised": 0.0, "low_stabilised": 0.0, "high_stabilised": 0.02,
        "share_p05_waveform": 0.05, "share_p05_spectral": 0.05, "spectral_given_stabilised": NAN,
        "low_spectral_given": NAN, "high_spectral_given": NAN, "n_mixture": 0.0, "variation": NAN,
        "low_variation": NAN, "high_variation": NAN, "variation_noise": NAN,
    }  # fmt: skip
    heads = [("trained", 0, "channels", columns), ("trained", 0, "topk", {}), ("trained", 0, "random", {})]
    heads += [("floor", 1000, "channels", floor or {}), ("floor", 1000, "topk", {})]
    rows = [
        {"weights": weights, "seed": seed, "source": source, "site": site} | nothing | own
        for weights, seed, source, own in heads
    ]
    return {"feature_sites": pd.DataFrame(rows)}


def ambiguity(
    short: float, long: float, *, other: float | None = None, half: float = 0.02, n: int = 12
) -> Tables:
    """What stays open falls from the shortest view to the longest; ``other`` is the second direction's start."""
    rows = [
        {"view": view, "clusters": clusters, "direction": direction, "null": 0.5, "n_pieces": n}
        | {name: 0.5 * value for name, value in _ends("ratio", level, half).items()}
        for direction, start in (
            ("spectrum given fragment", short),
            ("fragment given spectrum", other or short),
        )
        for clusters in (16, 64, 256)
        for view, level in ((4, start), (64, (start + long) / 2), (1024, long))
    ]
    return {"ambiguity": pd.DataFrame(rows)}


def ceiling(
    model: int, under: int, *, r2: float = 0.95, site: str = "stack_end", borderline: int = 0
) -> Tables:
    """The model carries the first few frequencies, the same architecture fitted to report them some more."""
    at = np.arange(len(GRID))
    states = np.where(at < model, "does", np.where(at < under, "could, does not", "cannot"))
    table = verdicts(model, site=site, borderline=borderline)["verdicts"].assign(against_ceiling=states)
    fitted = pd.DataFrame({"site": site, "frequency_hz": GRID, "level_r2": r2})
    return {"verdicts": table, "ceiling": fitted}


def aliases(correlation: float, effect: float, p: float, *, stride: int = 4, pairs: int = 48) -> Tables:
    """One strided site."""
    row = {
        "site": "first_conv",
        "stride": stride,
        "pairs": pairs,
        "correlation": correlation,
        "correlation_p": 0.001,
    }
    return {"aliases": pd.DataFrame([row | {"folding_effect": effect, "folding_p": p}])}


def first_layer(likeness: float, p: float, *, null_high: float = 0.3, filters: float = 64.0) -> Tables:
    """The order of a first layer's filters."""
    row = {"site": "first_conv", "filters": filters, "log_likeness": likeness, "log_likeness_p": p}
    return {"first_layer": pd.DataFrame([row | {"null_high": null_high}])}


def pitch(
    score: float,
    *,
    floor: float | None = 0.55,
    control: float = 0.52,
    random: float = 0.6,
    source: str = "topk",
    half: float = 0.03,
) -> Tables:
    """Pitch classes decoded from a dictionary, beside its nulls; other windows and probes stand in the table, too."""
    row: dict[str, Any] = {
        "weights": "trained",
        "site": "codes",
        "source": source,
        "task": "class",
        "probe": "all",
    }
    row |= {"window_s": 0.2, "score": score, "best_floor": np.nan, "control": control, "random": random}
    row |= _ends("selectivity", score - control, half) | _ends("above_random", score - random, half)
    if floor is None:
        row |= dict.fromkeys(("above_best_floor", "above_best_floor_low", "above_best_floor_high"), np.nan)
    else:
        row |= {"best_floor": floor} | _ends("above_best_floor", score - floor, half)
    others = [row | {"window_s": 0.0}, row | {"probe": "best"}, row | {"task": "note"}]
    wrong = [other | _ends("above_best_floor", -0.5, 0.01) for other in others]
    return {"pitch_decoding": pd.DataFrame([row, *wrong])}


def series(coverage: tuple[float, ...], entangled: float, reuse: tuple[float, ...] | None = None) -> Tables:
    """Models of one width more each, on the same music."""
    rows = []
    for at, covered in enumerate(coverage):
        row = {"parameters": 10.0 ** (4 + at), "hours": 1.0}
        row |= _ends("coverage", covered, 0.05) | _ends("entangled", entangled, 0.03)
        rows.append(row | (_ends("reuse", reuse[at], 0.05) if reuse else {}))
    return {"anywhere": pd.DataFrame(rows)}


def transitions(against_scrambled: float, against_floor: float, *, half: float = 0.01, n: int = 12) -> Tables:
    """By how much music is sparser than phase-scrambled sound and than an untrained copy; repeats ten times it."""
    head = {"site": "first_conv", "clusters": 32, "n_pieces": n}
    rows: list[dict[str, Any]] = [head | {"weights": "trained", "sound": "music"}]
    for weights, sound, by in (
        ("trained", "phase-scrambled", against_scrambled),
        ("floor", "music", against_floor),
    ):
        ends = _ends("sparser_by", by, half) | _ends("repeats_more_by", 10 * by, 10 * half)
        rows.append(head | {"weights": weights, "sound": sound} | ends)
    return {"transitions": pd.DataFrame(rows)}
