"""Stage *head*: what adding a partial does to each logit, in all contexts, and the weight vectors that read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from tonotopy.measures.head import HeadProfile, HeadWeights, head_profile, head_weights
from tonotopy.recording.recording import Recording
from tonotopy.runs.stages.codes_record import design_of
from tonotopy.runs.stages.music import level_function
from tonotopy.runs.stages.record import load_families
from tonotopy.sound.trials import out_of_band

if TYPE_CHECKING:
    from tonotopy.runs.bench import Bench
    from tonotopy.runs.engine import Unit

#: Classes that are told one by one; of more, so many, evenly spread in their order.
CLASSES: Final = 512
LEVEL: Final = 0.05
OF_BOTH: Final = (
    "strength",
    "signed",
    "consistency",
    "consistency_low",
    "consistency_high",
    "consistency_p",
    "consistency_q",
    "sign_agreement",
    "sign_agreement_p",
)
OF_TARGET: Final = ("consistency_null", "consistency_null_high", "sign_agreement_null", "n_pieces")
OF_CLASS: Final = ("best_hz", "concentration", "concentration_p")


def run(bench: Bench, unit: Unit) -> None:
    """Profile of all classes over the trials of partials of all families."""
    p, music, records = unit.values, unit.needs[0], list(unit.needs[1:])
    encoder = bench.encoder(p["floor_seed"], music)
    weights = head_weights(encoder, seed=p["seed"])
    families = load_families(bench.store, records, p["number"]).values()
    recording = Recording.concatenate([Recording(part.trials, part.core) for part in families])
    profile = head_profile(recording, weights.weight, seed=p["seed"])
    design = design_of(records[0])
    drowned = out_of_band(
        level_function(bench.store, music), design.frequency_hz, design.sample_rate_hz, design.kind
    )
    hz = _output_hz(encoder, len(weights.weight))
    tables = {
        "head": _classes(profile, np.isin(profile.target_hz, design.frequency_hz[drowned]), hz),
        "head_sites": _site(weights, profile, hz),
    }
    bench.store.write(unit.address, {"stage": "head"}, tables=tables)


def _output_hz(encoder: Any, n_classes: int) -> np.ndarray:
    """The frequency that each class stands for, NaN where it stands for none."""
    told = encoder.output_hz
    return np.full(n_classes, np.nan) if told is None else told.cpu().numpy().astype(np.float64)


def _classes(profile: HeadProfile, drowned: np.ndarray, hz: np.ndarray) -> pd.DataFrame:
    """One row a class and target; without numbers where a target would drown in the dither."""
    n_classes, n_targets = profile.strength.shape
    chosen = np.unique(np.linspace(0, n_classes - 1, min(n_classes, CLASSES)).round().astype(np.int64))
    told: dict[str, Any] = {
        "class": np.repeat(chosen, n_targets),
        "class_hz": np.repeat(hz[chosen], n_targets),
        "frequency_hz": np.tile(profile.target_hz, len(chosen)),
    }
    values = {name: getattr(profile, name)[chosen] for name in OF_BOTH}
    for array in values.values():
        array[:, drowned] = np.nan
    told |= {name: array.reshape(-1) for name, array in values.items()}
    told |= {name: np.tile(getattr(profile, name), len(chosen)) for name in OF_TARGET}
    told |= {name: np.repeat(getattr(profile, name)[chosen], n_targets) for name in OF_CLASS}
    return pd.DataFrame(told)


def _site(weights: HeadWeights, profile: HeadProfile, hz: np.ndarray) -> pd.DataFrame:
    """The one row of the head: medians over classes and targets beside those of random directions."""
    known = np.isfinite(profile.consistency_q)
    sure = profile.consistency_q[known] <= LEVEL
    row = {
        "n_classes": len(weights.weight),
        "dimension": weights.dimension,
        "neighbour_cosine": weights.neighbour_cosine,
        "neighbour_cosine_null": weights.neighbour_cosine_null,
        "neighbour_p": weights.neighbour_p,
        "consistency": _median(profile.consistency),
        "consistency_null": _median(profile.consistency_null),
        "share_consistent": float(sure.mean()) if len(sure) else np.nan,
        "sign_agreement": _median(profile.sign_agreement),
        "sign_agreement_null": _median(profile.sign_agreement_null),
        "concentration": _median(profile.concentration),
        "concentration_null": profile.concentration_null,
        "share_concentrated": _share(profile.concentration_p),
        "best_hz_rho": _order(profile.best_hz, hz),
        "n_contexts": int(profile.n_pieces.max(initial=0)),
    }
    return pd.DataFrame([row])


def _median(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")


def _share(p: np.ndarray) -> float:
    known = p[np.isfinite(p)]
    return float(np.mean(known <= LEVEL)) if len(known) else float("nan")


def _order(best_hz: np.ndarray, hz: np.ndarray) -> float:
    """Rank correlation of the frequency that a class answers to most and the one that it stands for."""
    from scipy.stats import spearmanr

    known = np.isfinite(best_hz) & np.isfinite(hz)
    if len(np.unique(best_hz[known])) < 2 or len(np.unique(hz[known])) < 2:
        return float("nan")
    return float(spearmanr(best_hz[known], hz[known]).statistic)
