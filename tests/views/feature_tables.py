"""Tables of features made up for drawing: known shares, undefined ones, nulls beside them, hostile words, real FLAC."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import soundfile

from tonotopy.signal import erb

RATE = 16_000
SOURCES = {"channels": 32, "topk": 48, "random": 40}
KINDS = ("shape", "level", "partials", "noisiness", "unexplained")
SENTENCES = {
    "shape": "answers to the slope and curvature of a few samples",
    "level": "answers to how loud it is",
    "partials": "answers to partials that last",
}
LABELS = ("partial", "mixture", "pitch", "chord", "broad", "none")
NAN = float("nan")
#: The site with these known numbers, of `channels`: 12 of 32 are stabilised, 3 of these spectrally stable.
KNOWN = "stack_end"
STABILISED = {"first_conv": 0, "stack_end": 12}
#: The site at which nothing is defined.
UNDEFINED = "codes"


def feature_tables(
    sites: Sequence[str], hostile: Sequence[str] = (), *, few: bool = False
) -> dict[str, pd.DataFrame]:
    """All tables by name, for these sites in depth order."""
    rng = np.random.default_rng(11)
    features = feature_rows(rng, sites, hostile)
    found = {
        "features": features,
        "feature_sites": site_rows(features),
        "kinds": kind_rows(features, hostile),
        "readability": readability_rows(rng, sites),
        "pitch_decoding": pitch_rows(sites),
        "instantiation": instantiation_rows(sites),
        "transitions": transition_rows(sites),
        "ambiguity": ambiguity_rows(),
        "players": player_rows(rng, features),
    }
    for table in found.values() if few else ():
        ends = [
            name
            for name in table.columns
            if name.startswith(("low_", "high_")) or name.endswith(("_low", "_high"))
        ]
        table[ends] = NAN
    return found


def whose(sites: Sequence[str]) -> list[dict[str, Any]]:
    """The first columns of every table but two: trained, then two untrained copies, for each site."""
    copies = (("trained", 0), ("floor", 11), ("floor", 12))
    return [
        {"weights": weights, "seed": seed, "site": site, "order": order}
        for order, site in enumerate(sites)
        for weights, seed in copies
    ]


def feature_rows(rng: np.random.Generator, sites: Sequence[str], hostile: Sequence[str]) -> pd.DataFrame:
    """One row a feature: right of its null where it is stabilised, above it where spectrally stable."""
    rows = []
    for head in whose(sites):
        trained = head["weights"] == "trained"
        for source, n in SOURCES.items():
            null = source == "random" or not trained
            stabilised = 1 if null else STABILISED.get(head["site"], 4 + 2 * head["order"])
            for number in range(n):
                yes, spectral = number < stabilised, number % 4 == 0
                rows.append(
                    head | feature_row(rng, head["order"], source, number, yes=yes, spectral=spectral)
                )
                if head["site"] == UNDEFINED and source == "channels":
                    rows[-1] |= undefined_row()
                if hostile and number == 1:
                    rows[-1] |= {"feature": hostile[1], "kind": hostile[0]}
    return pd.DataFrame(rows)


def feature_row(
    rng: np.random.Generator, order: int, source: str, number: int, *, yes: bool, spectral: bool
) -> dict[str, Any]:
    """What is measured of one feature."""
    null = float(rng.normal(0.42, 0.03))
    waveform = null + (0.3 if yes else 0.0) + float(rng.normal(0.0, 0.05))
    around = float(rng.normal(0.55, 0.03))
    spectrum = around + (0.2 if yes and spectral else -0.05) + float(rng.normal(0.0, 0.05))
    row: dict[str, Any] = {
        "source": source, "feature": f"{source}[{number}]", "number": number, "stabilised": "yes" if yes else "no",
        "recurrence": 0.9, "spectrally_stable": "yes" if yes and spectral else "no",
        "waveform": np.clip(waveform, 0, 1), "null_waveform": null, "p_waveform": 0.01 if yes else 0.4,
        "spectral": np.clip(spectrum, 0, 1), "null_spectral": around, "p_spectral": 0.01 if spectral else 0.5,
        "lift": spectrum + 0.4, "null_lift": around + 0.4, "p_lift": 0.01 if spectral else 0.5,
        "centre_hz": 100.0 * 1.06**number, "label": LABELS[(number + order) % len(LABELS)],
        "best_hz": 200.0 + 40 * number, "width_erb": 1.2, "lobes": 1.0, "specificity": 0.6,
        "largest_lobe": 0.4, "detection": 0.9,
        "identification": 0.8, "consistency": 0.5, "gradedness": 0.7, "variation": 0.4, "variation_noise": 0.1,
        "p_specificity": 0.2, "p_identification": 0.2, "components": "440 Hz, 1320 Hz",
        "kind": KINDS[min(number % 7, len(KINDS) - 1)], "r2": 0.4, "unique": 0.2, "p_kind": 0.01,
        "field_hz": 440.0, "field_width_erb": 2.0, "field_latency_ms": 4.0, "field_r": 0.3,
    }  # fmt: skip
    return row


def undefined_row() -> dict[str, Any]:
    """Nothing could be asked of a feature that never changes."""
    numbers = (
        "waveform",
        "null_waveform",
        "p_waveform",
        "spectral",
        "null_spectral",
        "p_spectral",
        "lift",
        "null_lift",
        "p_lift",
        "r2",
        "best_hz",
    )
    words = dict.fromkeys(("stabilised", "spectrally_stable", "label", "kind"), "undefined")
    return dict.fromkeys(numbers, NAN) | words


def site_rows(features: pd.DataFrame) -> pd.DataFrame:
    """One row a site and source, counted from the features; the site `UNDEFINED` has no shares of channels."""
    rows = []
    for keys, own in features.groupby(["weights", "seed", "site", "order", "source"], sort=False):
        n, known = len(own), own[own["stabilised"] != "undefined"]
        stable = own[own["stabilised"] == "yes"]
        share = len(stable) / n if len(known) else NAN
        given = float((stable["spectrally_stable"] == "yes").mean()) if len(stable) else NAN
        row = dict(zip(("weights", "seed", "site", "order", "source"), keys, strict=True))
        row |= {"n": n, "n_defined": len(known), "n_stabilised": len(stable), "share_stabilised": share}
        row |= {"low_stabilised": max(share - 0.1, 0.0), "high_stabilised": min(share + 0.1, 1.0)}
        row |= {"share_p05_waveform": share, "share_p05_spectral": float((own["p_spectral"] <= 0.05).mean())}
        row |= {
            "spectral_given_stabilised": given,
            "low_spectral_given": given - 0.2 if given >= 0.2 else given * 0.5,
        }
        row |= {"high_spectral_given": min(given + 0.2, 1.0)}
        row |= {f"n_{label}": float((own["label"] == label).sum()) for label in LABELS}
        row |= {"share_partial_random": 0.05, "variation": 0.42, "low_variation": 0.3, "high_variation": 0.5}
        row |= {
            "variation_noise": 0.1,
            "order_rho": 0.8,
            "order_p": 0.01,
            "coverage": 0.6,
            "coverage_null": 0.4,
            "share_mixture_random": 0.07,
            "coverage_p": 0.03,
        }
        row |= {"share_unexplained": float((own["kind"] == "unexplained").mean())}
        if not len(known):
            row |= {"share_unexplained": NAN}
            row |= dict.fromkeys(("variation", "order_rho", "order_p", "coverage", "coverage_p"), NAN)
            row |= dict.fromkeys(("share_p05_waveform", "share_p05_spectral", "low_stabilised"), NAN)
        rows.append(row)
    return pd.DataFrame(rows)


def kind_rows(features: pd.DataFrame, hostile: Sequence[str]) -> pd.DataFrame:
    """Counts of kinds among all features and among stabilised ones."""
    rows = []
    for among in ("all", "stabilised"):
        of = features if among == "all" else features[features["stabilised"] == "yes"]
        for keys, own in of.groupby(["weights", "seed", "site", "order", "source"], sort=False):
            head = dict(zip(("weights", "seed", "site", "order", "source"), keys, strict=True))
            for kind, many in own["kind"].value_counts().items():
                sentence = hostile[1] if hostile else SENTENCES.get(str(kind))
                rows.append(
                    head
                    | {"kind": kind, "among": among, "count": int(many), "share": many / len(own)}
                    | {"r2": 0.4 if kind in SENTENCES else NAN, "sentence": sentence}
                )
    return pd.DataFrame(rows)


def readability_rows(rng: np.random.Generator, sites: Sequence[str]) -> pd.DataFrame:
    """All features read more than the best one, both more than untrained copies; the highest band is undefined."""
    rows = []
    for head in whose(sites):
        gain = 1.0 if head["weights"] == "trained" else 0.4
        for at, band_hz in enumerate(erb.grid(24, RATE)):
            hill = np.exp(-(((at - 11) / 9.0) ** 2))
            every = gain * (0.3 + 0.08 * head["order"]) * hill + float(rng.normal(0, 0.01))
            best = 0.5 * every - 0.05
            row = {
                "band_hz": band_hz, "r2_all": every, "r2_all_low": every - 0.08, "r2_all_high": every + 0.06,
                "r2_best": best, "best": "channels[3]", "gap": every - best, "gap_low": every - best - 0.05,
                "gap_high": every - best + 0.05, "r2_baseline": 0.75 * hill, "r2_control": 0.05,
                "selectivity": every - 0.05, "r2_null": -0.02 if at else -2.0, "delay_ms": 3.0,
            }  # fmt: skip
            if at == 23:
                row |= dict.fromkeys(set(row) - {"band_hz", "best"}, NAN)
            rows.append(head | row)
    return pd.DataFrame(rows)


def pitch_rows(sites: Sequence[str]) -> pd.DataFrame:
    """Trained features decode pitch classes .1 above their floor, their control task and random directions."""
    rows = []
    for head in whose(sites):
        trained = head["weights"] == "trained"
        for task, chance in (("class", 0.5), ("height", 0.0)):
            beside = {
                "floor": chance,
                "best_floor": chance,
                "control": chance,
                "shifted": chance,
                "random": chance,
                "levels": 0.7,
            }
            above = {
                "above_floor": 0.1,
                "above_best_floor": 0.1,
                "selectivity": 0.1,
                "above_random": 0.1,
                "above_levels": chance - 0.6,
            }
            row = {"source": "topk", "truth": "estimated", "task": task, "probe": "all", "window_s": 0.0}
            row |= {"n_pieces": 12, "above_baselines": "yes" if trained and task == "class" else None}
            for name, value in ({"score": chance + 0.1} | beside | above).items():
                known = trained or "floor" not in name
                row |= {name: value if known else NAN}
                row |= {f"{name}_{end}": row[name] + way for end, way in (("low", -0.05), ("high", 0.05))}
            rows.append(head | row)
    return pd.DataFrame(rows)


def instantiation_rows(sites: Sequence[str]) -> pd.DataFrame:
    """Three pieces and their summary, which alone has intervals."""
    rows = []
    for head in whose(sites):
        for piece in (-1, 0, 1, 2):
            value = 8.0 + head["order"] + 0.1 * piece
            own = {
                "dimension": value,
                "held": 2 * value,
                "share_of_noise": 0.3,
                "share_of_stimuli": 0.5,
                "shared": 0.8,
            }
            row = head | {"piece": piece} | own
            for name, number in own.items():
                ends = (0.9 * number, 1.1 * number) if piece < 0 else (NAN, NAN)
                row |= {f"{name}_low": ends[0], f"{name}_high": ends[1]}
            rows.append(row)
    return pd.DataFrame(rows)


def transition_rows(sites: Sequence[str]) -> pd.DataFrame:
    """Music is sparser and more repeatable than its nulls; at the site `UNDEFINED` it is undefined."""
    levels = {"music": 0.7, "phase-scrambled": 0.5, "shuffled": 0.2}
    rows = []
    for head in whose(sites):
        for clusters in (16, 64):
            for sound, level in levels.items():
                value = level - 0.02 * head["order"] - (0.25 if head["weights"] == "floor" else 0.0)
                value -= 0.05 * (clusters == 64)
                value = NAN if head["site"] == UNDEFINED and sound == "music" else value
                row = head | {"clusters": clusters, "sound": sound}
                for name, number in (("sparsity", value), ("repeatability", value - 0.1)):
                    row |= {name: number, f"{name}_low": number - 0.05, f"{name}_high": number + 0.05}
                rows.append(row)
    return pd.DataFrame(rows)


def ambiguity_rows() -> pd.DataFrame:
    """Less is left open as the view grows; the longest view was not measured with many clusters."""
    rows = []
    for direction, slope in (("spectrum given fragment", 0.1), ("fragment given spectrum", 0.04)):
        for clusters in (16, 64, 256):
            null = 0.99 - 0.01 * np.log2(clusters / 16)
            for at, view in enumerate((8, 32, 128, 512, 2048, 8192)):
                ratio = null - slope * at - 0.02
                ratio = NAN if clusters == 256 and at == 5 else ratio
                rows.append(
                    {"view": view, "view_s": view / RATE, "clusters": clusters, "direction": direction, "ratio": ratio,
                     "ratio_low": ratio - 0.03, "ratio_high": min(ratio + 0.03, 1.0), "null": null}
                )  # fmt: skip
    return pd.DataFrame(rows)


def player_rows(rng: np.random.Generator, features: pd.DataFrame) -> pd.DataFrame:
    """Two fragments of the first feature of each kind, of the network's own features, with their sound."""
    own = features[(features["weights"] == "trained") & (features["source"] == "channels")]
    first = own.drop_duplicates(["site", "kind"])
    rows = [
        {"site": row.site, "order": row.order, "source": row.source, "kind": row.kind, "feature": row.feature,
         "number": row.number, "piece": piece, "start_s": 1.25 + piece, "seconds": 0.1, "audio": flac(rng)}
        for row in first.itertuples() for piece in (0, 1)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def flac(rng: np.random.Generator, seconds: float = 0.1) -> bytes:
    """A short burst of noise as a FLAC file."""
    buffer = io.BytesIO()
    soundfile.write(buffer, 0.1 * rng.normal(size=int(seconds * RATE)), RATE, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()
