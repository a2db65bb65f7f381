"""Area under the ROC curve from wins between pieces, so that a bootstrap over pieces is a bilinear form.

With u[p, q] the wins of piece p's positives over piece q's negatives (ties half) and n[p, q] the pairs,
AUC(w) = sum w_p w_q u[p, q] / sum w_p w_q n[p, q] for any weights w of pieces: the pooled AUC when all are 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def wins(
    positive: NDArray[np.floating],
    negative: NDArray[np.floating],
    positive_piece: NDArray[np.int64],
    negative_piece: NDArray[np.int64],
    n_pieces: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Wins and pairs between pieces, each ``[piece, piece]`` (positives by rows).

    Values that are not finite take no part.

    Examples
    --------
    >>> u, n = wins(np.array([2.0, 0.0]), np.array([1.0]), np.array([0, 1]), np.array([0]), 2)
    >>> float(auc(u, n, np.ones((1, 2)))[0])
    0.5
    """
    ok_p, ok_n = np.isfinite(positive), np.isfinite(negative)
    positive, positive_piece = positive[ok_p], positive_piece[ok_p]
    negative, negative_piece = negative[ok_n], negative_piece[ok_n]
    score = np.sign(positive[:, None] - negative[None, :]) * 0.5 + 0.5
    pieces = np.arange(n_pieces)
    won = np.equal.outer(pieces, positive_piece) @ score @ np.equal.outer(negative_piece, pieces)
    count_p = np.bincount(positive_piece, minlength=n_pieces)
    count_n = np.bincount(negative_piece, minlength=n_pieces)
    return np.asarray(won, dtype=np.float64), np.outer(count_p, count_n).astype(np.float64)


def auc(
    won: NDArray[np.float64], pairs: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Pooled AUC under weights of pieces; NaN without pairs.

    Parameters
    ----------
    won, pairs : ``[..., piece, piece]``
    weights : ``[resample, piece]``

    Returns
    -------
    ``[resample, ...]``
    """
    top = np.einsum("rp,...pq,rq->r...", weights, won, weights, optimize=True)
    bottom = np.einsum("rp,...pq,rq->r...", weights, pairs, weights, optimize=True)
    return np.divide(top, bottom, out=np.full_like(top, np.nan), where=bottom > 0)
