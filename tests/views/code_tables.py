"""Tables of codes and of a head made up for drawing: known numbers, undefined ones, untrained copies beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tonotopy.signal import erb
from tonotopy.views._code_schema import CODE_TABLES

RATE = 16_000
STAGES, N_HZ, BANDS, CLASSES = 4, 4, 12, 5
COPIES = (("trained", 0), ("floor", 11), ("floor", 12))
NAN = float("nan")


def code_tables(codes: tuple[str, int], head: tuple[str, int] | None = None) -> dict[str, pd.DataFrame]:
    """All tables by name, at a site of codes and, if told, at one that a head reads, each with its order."""
    rng = np.random.default_rng(5)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in CODE_TABLES}
    for weights, seed in COPIES:
        own = {"weights": weights, "seed": seed, "site": codes[0], "order": codes[1]}
        known = 1.0 if weights == "trained" else 0.0
        found["codes"] += _codes(own, known)
        found["code_stages"] += _stages(own, known)
        found["code_peaks"] += _peaks(own, known)
        if weights == "trained":
            found["code_swaps"] += [
                {**own, "stage": stage, "code": 1, "other": 2, "piece": 0, "frames": 9, "predicted_hz": 440.0,
                 "in_band": 0.5, "in_band_null": 0.25, "partial_in_band": NAN if stage else 0.4,
                 "partial_in_band_null": 0.2, "sign": 0.3}
                for stage in range(2)
            ]  # fmt: skip
        if head is not None:
            own = own | {"site": head[0], "order": head[1]}
            found["head"] += _head(own, known, rng)
            found["head_sites"].append(_head_site(own, known))
    return {
        name: pd.DataFrame(rows).reindex(columns=list(CODE_TABLES[name]))
        for name, rows in found.items()
        if rows
    }


def _codes(own: dict[str, Any], known: float) -> list[dict[str, Any]]:
    """Stage 2 tells most; at the lowest frequency nothing is isolated, at the highest all is undefined."""
    rows = []
    for at, hz in enumerate(erb.grid(N_HZ, RATE)):
        auc = NAN if at == 3 else 0.5 + known * (0.45 if at else 0.1)
        ends = {"auc_low": auc - 0.02, "auc_high": min(auc + 0.02, 1.0), "auc_p": 0.05 if known else 0.5}
        foil = {f"foil_{name}": value for name, value in ({"auc": auc, "auc_null": 0.5} | ends).items()}
        for stage in range(-1, STAGES):
            row = (
                own
                | {"stage": stage, "frequency_hz": float(hz), "n_pieces": 8, "auc": auc, "auc_null": 0.5}
                | ends
            )
            row |= foil
            if stage < 0:
                row |= {"best_stage": 2.0, "chosen_excess_bits": 0.4 * known, "chosen_attainable_bits": 0.7}
            else:
                row |= {"excess_bits": NAN if at == 3 else known * 0.1 * (1 + (stage == 2)), "p": 0.05}
                row |= {"attainable_bits": 0.7, "flip_level_db": float("-inf") if stage else float("inf")}
            rows.append(row)
    return rows


def _stages(own: dict[str, Any], known: float) -> list[dict[str, Any]]:
    rows = []
    for stage in range(-1, STAGES):
        row = own | {"stage": stage, "n_frames": 1000, "n_codes": 16, "n_pieces": 8}
        if stage < 0:
            row |= {"entropy_bound_bits": 12.0, "distinct": 900.0, "collision_bits": float("inf")}
        else:
            row |= {"perplexity": 8.0 + stage, "perplexity_null": 15.9, "dead": 1.0, "dead_expected": 0.0}
            row |= {"used": 15.0, "usage": 15 / 16, "told_bits": 0.2 if stage else NAN, "entropy_bits": 3.0}
            row |= {"peak_bits": 0.01 * known * stage, "peak_low": -0.01, "peak_high": 0.05, "peak_p": 0.05}
            row |= {"rsa": 0.5 * known, "rsa_null": 0.0, "rsa_p": 0.01 if known else 0.5, "explained": 0.5}
            row |= {"explained_null": 0.4}
        rows.append(row)
    return rows


def _peaks(own: dict[str, Any], known: float) -> list[dict[str, Any]]:
    """Each stage tells of its own bands; the highest band is undefined."""
    rows = []
    for stage in range(STAGES):
        for at, hz in enumerate(erb.grid(BANDS, RATE)):
            tells = known * (at // 3 == stage)
            row = own | {
                "stage": stage,
                "band_hz": float(hz),
                "excess_bits": 0.05 * tells - 0.001,
                "null_bits": 0.01,
            }
            row |= {"information_bits": 0.06, "p": 0.05 if tells else 0.6, "entropy_bits": 0.9}
            rows.append(row | (dict.fromkeys(("excess_bits", "p"), NAN) if at == BANDS - 1 else {}))
    return rows


def _head(own: dict[str, Any], known: float, rng: np.random.Generator) -> list[dict[str, Any]]:
    rows = []
    for number in range(CLASSES):
        for at, hz in enumerate(erb.grid(N_HZ, RATE)):
            signed = known * (2.0 if number == at else -0.3) + 0.05 * rng.standard_normal()
            row = own | {
                "class": number,
                "class_hz": 100.0 * 2**number,
                "frequency_hz": float(hz),
                "signed": signed,
            }
            row |= {"strength": abs(signed), "consistency": 0.7 * known + 0.05, "consistency_null": 0.1}
            row |= {"consistency_null_high": 0.4, "consistency_q": 0.04 if known and number == at else 0.5}
            row |= {"consistency_p": 0.01, "n_pieces": 32, "concentration": 0.4}
            rows.append(
                row | (dict.fromkeys(("signed", "consistency", "consistency_q"), NAN) if at == 3 else {})
            )
    return rows


def _head_site(own: dict[str, Any], known: float) -> dict[str, Any]:
    return own | {
        "n_classes": CLASSES, "n_contexts": 32, "dimension": 3.0, "neighbour_cosine": 0.9, "neighbour_cosine_null": 0.1,
        "neighbour_p": 0.01, "consistency": 0.7 * known + 0.05, "consistency_null": 0.1,
        "share_consistent": 0.25 * known, "sign_agreement": 0.8, "sign_agreement_null": 0.5,
        "concentration": 0.4, "concentration_null": 0.3,
        "share_concentrated": 0.2, "best_hz_rho": NAN,
    }  # fmt: skip
