"""Stage *codes_trials*: what codes tell of added partials, under one set of weights.

One row a stage and frequency, and one a frequency for all stages jointly (stage -1). A target that would drown in the
dither has rows without numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from tonotopy.measures.codes.agreement import Agreement, agreement
from tonotopy.measures.codes.flip import FlipLevel, flip_level
from tonotopy.measures.codes.present import Presence, presence
from tonotopy.recording.codes import TrialCodes
from tonotopy.recording.recording import Recording
from tonotopy.runs.stages.codes_record import design_of
from tonotopy.runs.stages.music import level_function
from tonotopy.runs.stages.record import load
from tonotopy.sound.trials import out_of_band

if TYPE_CHECKING:
    from tonotopy.runs.bench import Bench
    from tonotopy.runs.engine import Unit

#: The row of all stages jointly.
JOINTLY: Final = -1
#: Columns of one stage, and what the measures call them.
PRESENT: Final = {
    "information_bits": "information_bits",
    "null_bits": "null_bits",
    "excess_bits": "excess_bits",
    "excess_low": "excess_low_bits",
    "excess_high": "excess_high_bits",
    "p": "p",
    "attainable_bits": "attainable_bits",
}
AUC: Final = ("auc", "auc_null", "auc_low", "auc_high", "auc_p")
FOIL: Final = {"foil_excess_bits": "excess_bits", "foil_p": "p"}
AGREEMENT: Final = {
    "agreement": "agreement",
    "agreement_null": "null",
    "agreement_excess": "excess",
    "agreement_low": "excess_low",
    "agreement_high": "excess_high",
    "agreement_p": "p",
    "changed": "changed",
}
FLIP: Final = {
    "flip_level_db": "flip_level_db",
    "changed_by_target": "changed_by_target",
    "changed_by_foil": "changed_by_foil",
    "specific": "specific",
    "specific_low": "specific_low",
    "specific_high": "specific_high",
    "specific_p": "p",
}
KEYS: Final = ("stage", "frequency_hz", "n_pieces")


def run(bench: Bench, unit: Unit) -> None:
    """Presence against absent and against the foil, agreement, flip level."""
    music, records = unit.needs[0], list(unit.needs[1:])
    recording = Recording.concatenate([load(bench.store, record, 0) for record in records])
    trials, seed = TrialCodes.of(recording), unit.values["seed"]
    there, foil = presence(trials, seed=seed), presence(trials, against="foil", seed=seed)
    found = rows(there, foil, agreement(trials, seed=seed), flip_level(trials, seed=seed))
    design = design_of(records[0])
    drowned = out_of_band(
        level_function(bench.store, music), design.frequency_hz, design.sample_rate_hz, design.kind
    )
    outside = found["frequency_hz"].isin(design.frequency_hz[drowned])
    found.loc[outside, [name for name in found.columns if name not in KEYS]] = np.nan
    bench.store.write(unit.address, {"stage": "codes_trials"}, tables={"codes": found})


def rows(there: Presence, foil: Presence, agreed: Agreement, flips: FlipLevel) -> pd.DataFrame:
    """One row a stage and target, stages outermost, then one a target for all stages."""
    n_stages, n_targets = there.excess_bits.shape
    told: dict[str, Any] = {
        "stage": np.repeat(np.arange(n_stages), n_targets),
        "frequency_hz": np.tile(there.target_hz, n_stages),
        "n_pieces": np.tile(there.n_pieces, n_stages),
    }
    columns = {name: getattr(there, own) for name, own in PRESENT.items()}
    columns |= {name: getattr(there, name) for name in AUC}
    columns |= {name: getattr(foil, own) for name, own in FOIL.items()}
    columns |= {f"foil_{name}": getattr(foil, name) for name in AUC}
    columns |= {name: getattr(agreed, own) for name, own in AGREEMENT.items()}
    columns |= {name: getattr(flips, own) for name, own in FLIP.items()}
    each = pd.DataFrame(told | {name: values.reshape(-1) for name, values in columns.items()})
    joint: dict[str, Any] = {
        "stage": np.full(n_targets, JOINTLY),
        "frequency_hz": there.target_hz,
        "n_pieces": there.n_pieces,
        "best_stage": np.where(there.best_stage >= 0, there.best_stage, np.nan),
        "chosen_excess_bits": there.best_excess_bits,
        "chosen_attainable_bits": _of_best(there),
    }
    joint |= {name: getattr(there, f"joint_{name}") for name in AUC}
    joint |= {f"foil_{name}": getattr(foil, f"joint_{name}") for name in AUC}
    return pd.concat([each, pd.DataFrame(joint)], ignore_index=True)


def _of_best(there: Presence) -> np.ndarray:
    """What as many frames of a perfect code could show at the best stage, ``[target]``."""
    at = np.maximum(there.best_stage, 0)[None]
    found = np.take_along_axis(there.attainable_bits, at, axis=0)[0]
    return np.where(there.best_stage >= 0, found, np.nan)
