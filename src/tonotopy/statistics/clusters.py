"""Clusters of directions: which of a few typical shapes a vector has, whatever its length.

Spherical k-means in the form of k-means on unit vectors (Dhillon and Modha 2001 keep the centres on the sphere,
too; the plain mean is kept here: it leads to the same assignments but where clusters differ much in spread).
Seeded from random rows, in small batches: with many clusters and long vectors the usual start costs more than
the whole fit and finds clusters that are no tighter.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonotopy.core.errors import InputError

#: Rows a batch, and how many times all rows are gone through at most.
BATCH = 2048
PASSES = 20


def directions(rows: NDArray[np.floating], silent: float = 0.0) -> NDArray[np.float32]:
    """Rows ``[row, axis]`` scaled to unit norm; NaN where the norm is not above ``silent``.

    Examples
    --------
    >>> directions(np.array([[3.0, 4.0], [0.0, 0.0]])).round(1).tolist()
    [[0.6..., 0.8...], [nan, nan]]
    """
    norm = np.linalg.norm(np.asarray(rows, np.float64), axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(norm > silent, rows / norm, np.nan).astype(np.float32)


def fit_clusters(rows: NDArray[np.floating], count: int, *, seed: int) -> Any:
    """Clusters of unit-norm rows ``[row, axis]``; ``.predict(rows)`` gives the cluster of others.

    Raises
    ------
    InputError
        Fewer rows than clusters.
    """
    from sklearn.cluster import MiniBatchKMeans

    if len(rows) < count:
        raise InputError(f"at least {count} rows", f"{len(rows)}", "more clusters than the sound can fill")
    found = MiniBatchKMeans(
        count, init="random", n_init=1, batch_size=BATCH, max_iter=PASSES, random_state=seed
    )
    return found.fit(np.ascontiguousarray(rows, dtype=np.float32))
