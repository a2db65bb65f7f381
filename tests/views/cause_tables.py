"""Tables of interventions made up for drawing: known effects and nulls, an undefined frequency, hostile words, FLAC."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from tests.views.feature_tables import flac

from tonotopy.views._cause_schema import SOUNDS as KINDS_OF_SOUNDS

STRENGTHS = (-2.0, -1.0, 0.5, 1.0, 2.0)
HZ = (100.0, 400.0, 1000.0, 2500.0, 6000.0)
#: The frequency of which nothing is defined, and why.
UNDEFINED_HZ, REASON = 400.0, "in music it evokes nothing along its own line"
NAN = float("nan")
#: Of dose 1 at every other frequency: own, random, the partial itself.
LEVEL = {"own": 0.8, "random": 0.1, "other 3000 Hz": 0.05, "wrong sign": 0.7, "wrong site": 0.2}
GAIN = {"own": 12.0, "random": 1.0, "other 3000 Hz": 0.5, "wrong sign": -12.0, "wrong site": 2.0}
ADDED_LEVEL, ADDED_DB = 0.9, 15.0
#: What is lost: own line, random directions, other targets' lines, in an untrained copy.
LOST, LOST_RANDOM, LOST_OTHER, LOST_FLOOR = 0.6, 0.05, 0.1, 0.25


def cause_tables(
    sites: Sequence[str], hostile: Sequence[str] = (), *, few: bool = False
) -> dict[str, pd.DataFrame]:
    """All tables by name: sound at the last two sites, outputs at the last, reuse from the first two."""
    found = {
        "steering": steering_rows(sites),
        "reuse": reuse_rows(sites),
        "steered_sounds": sound_rows(sites, hostile),
    }
    for table in found.values() if few else ():
        ends = [name for name in table.columns if name.endswith(("_low", "_high"))]
        table[ends] = NAN
    return found


def steering_rows(sites: Sequence[str]) -> pd.DataFrame:
    """One row a site, direction and dose; gains grow with dose, of the wrong sign they fall."""
    names = ("own", "wrong sign", "other 3000 Hz", "wrong site", *(f"random {k}" for k in range(4)))
    rows = []
    for heard, site in (("sound", sites[-2]), ("sound", sites[-1]), ("outputs", sites[-1])):
        for hz in HZ:
            for name in ("own",) if hz == UNDEFINED_HZ else names:
                for strength in STRENGTHS:
                    head = {"weights": "trained", "seed": 0, "site": site, "order": list(sites).index(site)}
                    head |= {"heard": heard, "frequency_hz": hz, "direction": name, "strength": strength}
                    rows.append(head | _effects(name, strength, heard, defined=hz != UNDEFINED_HZ))
    return pd.DataFrame(rows)


def _effects(name: str, strength: float, heard: str, *, defined: bool) -> dict[str, Any]:
    kind = name.split(" ", maxsplit=1)[0] if name.startswith(("other", "random")) else name
    key = name if name in GAIN else kind
    jitter = 0.2 * int(name[-1]) if kind == "random" else 0.0
    gain, level = GAIN[key] * strength + jitter, LEVEL[key]
    sound = heard == "sound"
    row: dict[str, Any] = {
        "specificity": level / 2, "specificity_low": level / 2 - 0.02, "specificity_high": level / 2 + 0.02,
        "p": 0.2 if kind == "own" else NAN, "sign": 1.0 if kind == "own" else 0.5, "monotonicity": 0.9,
        "necessity": 0.7, "necessity_low": 0.5, "necessity_high": 0.9, "damage": 0.1,
        "specificity_level": level, "specificity_level_low": level - 0.05, "specificity_level_high": level + 0.05,
        "p_level": 0.2 if kind == "own" else NAN, "specificity_partials": level, "gain_db": gain,
        "gain_db_low": gain - 1, "gain_db_high": gain + 1, "gain_partials_db": NAN, "quality": 0.5,
        "leakage": 0.02 * abs(strength) * (1 if kind == "own" else 3), "sufficiency_latent": 0.4,
        "sufficiency_spectrum": 0.3, "present_gain_db": ADDED_DB, "present_specificity": 0.5,
        "present_specificity_level": ADDED_LEVEL, "gain": NAN, "gain_low": NAN, "gain_high": NAN, "near": NAN,
        "sufficiency_outputs": NAN,
    }  # fmt: skip
    if not sound:
        of_sound = [
            c for c in row if c not in ("specificity", "specificity_low", "specificity_high", "p", "sign")
        ]
        row |= dict.fromkeys(of_sound, NAN)
        row |= {"gain": gain / 12, "gain_low": gain / 12 - 0.1, "gain_high": gain / 12 + 0.1, "near": 0.3}
        row["monotonicity"] = 0.9
    row = row if defined else dict.fromkeys(row, NAN)
    return row | {"kind": kind, "n_pieces": 12, "reason": "" if defined else REASON}


def reuse_rows(sites: Sequence[str]) -> pd.DataFrame:
    """From the first two sites to all behind; at the site itself all is lost."""
    rows = []
    for weights, seed, lost in (("trained", 0, LOST), ("floor", 1000, LOST_FLOOR + LOST_RANDOM)):
        for order, site in enumerate(sites[:2]):
            for later_order, later in enumerate(sites[order:], order):
                for hz in HZ:
                    own = NAN if hz == UNDEFINED_HZ else 1.0 if later == site else lost
                    null = NAN if np.isnan(own) else LOST_RANDOM
                    rows.append(
                        {"weights": weights, "seed": seed, "site": site, "order": order, "later_site": later,
                         "later_order": later_order, "frequency_hz": hz, "lost": own, "lost_low": own - 0.1,
                         "lost_high": own + 0.1, "lost_random": null, "lost_other": null * 2, "p": 0.2 + 0 * own,
                         "lost_energy": own / 2, "lost_energy_low": own / 2, "lost_energy_high": own / 2,
                         "lost_energy_random": null, "lost_energy_other": null, "p_energy": 0.2 + 0 * own,
                         "detection": 0.7 + 0 * own, "detection_random": 0.9 + 0 * own,
                         "detection_intact": 0.9 + 0 * own, "structure": "partial", "n_pieces": 12,
                         "reason": REASON if np.isnan(own) else ""},
                    )  # fmt: skip
    return pd.DataFrame(rows)


def sound_rows(sites: Sequence[str], hostile: Sequence[str]) -> pd.DataFrame:
    """A set of sounds of two frequencies, in an order of their own."""
    rng = np.random.default_rng(5)
    words = (*hostile, "", "")
    rows = [
        {"weights": "trained", "seed": 0, "site": sites[-1], "order": len(sites) - 1, "frequency_hz": hz,
         "sound": sound, "piece": piece, "title": words[0] or f"Piece {piece}", "artist": words[1] or None,
         "licence": "CC BY 4.0", "near_gain_db": 0.0 if sound == "before" else 12.0, "turned_up_db": 3.0,
         "loudness_lkfs": -23.0, "seconds": 0.1, "audio": flac(rng)}
        for piece, hz in enumerate((2500.0, 100.0)) for sound in reversed(KINDS_OF_SOUNDS)
    ]  # fmt: skip
    return pd.DataFrame(rows)
