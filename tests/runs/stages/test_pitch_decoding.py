"""What pitch is decoded from: a dictionary is trained once, and is the one that a second training would have given."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tonotopy.features.dictionaries.training import train_dictionary
from tonotopy.features.sources import ArrayActivations, find_features
from tonotopy.runs.estimate import DICTIONARY_S, FEATURE_S, FOLDS, ONCE_S, SITE_S, TRAINING_S, _features
from tonotopy.runs.feature_graph import PITCH_STEPS, STEPS
from tonotopy.runs.stages.pitch_decoding import MOST_FEATURES, _found


@pytest.mark.parametrize("units", [16, 300])
def test_a_dictionary_is_trained_once(units: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of few units with four latents each, of many with as many as can be probed, bit by bit as by two trainings."""
    frames = np.random.default_rng(0).standard_normal((400, units)).astype(np.float32)
    heard, trained = ArrayActivations(frames), []

    def counted(*args: Any, **options: Any) -> Any:
        trained.append(args[2].features)
        return train_dictionary(*args, **options)

    monkeypatch.setattr("tonotopy.features.sources._dictionary.train_dictionary", counted)
    encoder: Any = SimpleNamespace()
    found = _found("topk", heard, encoder=encoder, site="made", seed=3, options={"steps": 2})
    latents = min(4 * units, MOST_FEATURES)
    assert trained == [latents]
    expected = find_features("topk", heard, count=latents, seed=3, steps=2)
    assert found.names == expected.names
    np.testing.assert_array_equal(found.directions, expected.directions)
    np.testing.assert_array_equal(found.of(frames), expected.of(frames))


def test_the_estimate_knows_how_many_latents_are_trained() -> None:
    """Where four latents a unit are too many, dictionaries of pitch cost as their units grow, not as the square."""

    def seconds(width: int) -> float:
        unit = SimpleNamespace(values={"site": "made", "sources": ["topk"]})
        graph: Any = SimpleNamespace(
            features=SimpleNamespace(natural={}, features={"made": unit}), design=SimpleNamespace(n_pieces=8)
        )
        plan: Any = SimpleNamespace(features=("topk",), dictionary_seeds=0, sites=(), frames_a_piece=100)
        encoder: Any = SimpleNamespace(site=lambda _: SimpleNamespace(units=width))
        spent, _ = _features(graph, plan, encoder)
        rest = SITE_S + ONCE_S + FEATURE_S * 4 * width
        return (spent - rest) / (FOLDS * PITCH_STEPS / STEPS) - DICTIONARY_S

    assert seconds(256) == pytest.approx(TRAINING_S)
    assert seconds(128) == pytest.approx(TRAINING_S / 4)
    assert seconds(1024) == pytest.approx(4 * TRAINING_S)
