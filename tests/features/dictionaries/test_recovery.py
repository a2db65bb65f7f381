"""Recovery: a planted dictionary is found again, by TopK and by others, over seeds; shuffled units lose it."""

from __future__ import annotations

import numpy as np
import pytest

from tonotopy.features.dictionaries.consistency import consistency
from tonotopy.features.sources import ArrayActivations, find_features

UNITS, CAUSES = 24, 36


def planted(frames: int = 12_000) -> tuple[np.ndarray, np.ndarray]:
    """Frames ``[frame, unit]`` with three of many causes each, and their directions ``[cause, unit]``."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((CAUSES, UNITS))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    chosen = np.argsort(rng.random((frames, CAUSES)), axis=1)[:, :3]
    strength = np.zeros((frames, CAUSES))
    np.put_along_axis(strength, chosen, rng.uniform(0.5, 2, chosen.shape), axis=1)
    x = strength @ rows + 0.01 * rng.standard_normal((frames, UNITS)) + 3
    return x.astype(np.float32), rows


def share(frames: np.ndarray, rows: np.ndarray, source: str, **options: object) -> float:
    """Share of the planted directions that have a feature of their own at a cosine of .9."""
    found = find_features(source, ArrayActivations(frames), **options)  # type: ignore[arg-type]
    return float((consistency(rows, found).cosine >= 0.9).mean())


OPTIONS = {"count": 48, "steps": 700, "batch": 256, "learning_rate": 4e-3}


def test_topk_finds_the_planted_directions_and_shuffled_units_lose_them() -> None:
    frames, rows = planted()
    assert share(frames, rows, "topk", k=3, **OPTIONS) >= 0.8
    rng = np.random.default_rng(1)
    shuffled = np.stack([rng.permutation(frames[:, unit]) for unit in range(UNITS)], axis=1)
    assert share(shuffled, rows, "topk", k=3, **OPTIONS) <= 0.1
    assert share(frames, rows, "random", count=48) == 0


@pytest.mark.prove
@pytest.mark.parametrize(
    ("source", "options"),
    [("batch-topk", {"k": 3}), ("relu-l1", {}), ("jumprelu", {}), ("matryoshka", {"k": 3})],
)
def test_every_variant_finds_most_of_them(source: str, options: dict[str, float]) -> None:
    frames, rows = planted()
    assert share(frames, rows, source, **options, **{**OPTIONS, "steps": 3000}) >= 0.5


def test_two_seeds_agree_where_there_is_something_to_find() -> None:
    frames, _ = planted()
    words = {**OPTIONS, "steps": 400, "k": 3, "seeds": 2}
    told = find_features("topk", ArrayActivations(frames), **words).attributes  # type: ignore[arg-type]
    assert told["consistency"][0]["mean_max_cosine"] > told["consistency"][0]["null_mean_max_cosine"] + 0.3
    assert len(told["recurrence"]) == 48
