"""The AUC of pitch probes against scikit-learn's, and what has none."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import roc_auc_score

from tonotopy.measures.natural.pitch_probe import LEAST_FRAMES, auc_of


def test_auc_is_that_of_another_implementation() -> None:
    """With ties, column by column."""
    rng = np.random.default_rng(0)
    answers = rng.integers(0, 7, (300, 5)).astype(np.float64)
    labels = rng.random((300, 5)) < np.array([0.1, 0.3, 0.5, 0.7, 0.9])
    wanted = [roc_auc_score(labels[:, k], answers[:, k]) for k in range(5)]
    assert np.allclose(auc_of(answers, labels), wanted)


def test_too_few_frames_on_a_side_have_no_auc() -> None:
    """One fewer than the least is undefined, on either side."""
    answers = np.arange(100.0)[:, None].repeat(3, axis=1)
    labels = np.zeros((100, 3), bool)
    labels[: LEAST_FRAMES - 1, 0] = True
    labels[:LEAST_FRAMES, 1] = True
    labels[LEAST_FRAMES - 1 :, 2] = True
    found = auc_of(answers, labels)
    assert np.isnan(found).tolist() == [True, False, True]
    assert found[1] == 0.0
    assert np.isnan(auc_of(np.zeros((0, 2)), np.zeros((0, 2), bool))).all()
