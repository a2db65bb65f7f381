"""Stage *codes_swaps*: one code swapped for another, decoded and analysed again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tonotopy.measures.codes.substitution import substitute, swaps_of

if TYPE_CHECKING:
    from tonotopy.runs.bench import Bench
    from tonotopy.runs.engine import Unit

#: What a swap is told by; spectra of changes are left out.
COLUMNS = (
    *("stage", "code", "other", "piece", "frames", "predicted_hz"),
    *("in_band", "in_band_null", "partial_in_band", "partial_in_band_null", "sign"),
)


def run(bench: Bench, unit: Unit) -> None:
    """The same swaps in the middle of some pieces."""
    p, (music, stages) = unit.values, unit.needs
    with bench.store.arrays(stages.address) as arrays:
        spectrum_db, frames = arrays["spectrum_db"].values, arrays["frames"].values
    chosen = np.unique(np.linspace(0, len(frames) - 1, p["stages"]).round().astype(np.int64))
    swaps = [
        swap for swap in swaps_of(frames, spectrum_db, swaps=p["swaps"], seed=p["seed"]) if swap[0] in chosen
    ]
    pool, encoder = bench.pool(music), bench.encoder(p["floor_seed"], music)
    length = round(p["seconds"] * pool.sample_rate_hz)
    parts = [pd.DataFrame(columns=pd.Index(COLUMNS), dtype=np.float64)] if not swaps else []
    for number in range(min(p["pieces"], len(pool.pieces)) if swaps else 0):
        audio = pool.pieces[number].audio
        first = max(0, (len(audio) - length) // 2)
        found = substitute(encoder, audio[first : first + length], swaps, spectrum_db, piece=number)
        parts.append(pd.DataFrame({name: getattr(found, name) for name in COLUMNS}))
    table = pd.concat(parts, ignore_index=True)
    bench.store.write(unit.address, {"stage": "codes_swaps"}, tables={"code_swaps": table})
