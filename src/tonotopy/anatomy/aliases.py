"""Alias classes: which pairs of partials a site's stride should confuse, and which it does.

Definitions
-----------
- *observed* similarity of a pair: cosine of the two phase-averaged answers at the site (`answers`). A pair
  *collapses* where it is at least .95.
- *predicted* similarity: the same cosine of what came before the folding. Where the site runs at the first
  convolution's own stride, that is |H_k(f)| over its filters k, from the weights. Further on it is the
  phase-averaged answer at the first site with the same stride, where the folding happened. If that is the
  site itself, it is the answer at the last site with a smaller stride, which leaves the strided layer's own
  kernel out and so predicts less well; failing that, the first convolution again.
- *control*: the observed similarity of f and a frequency near f' that does not fold onto f (`alias_pairs`).
  If controls collapse as often as aliases, the filters are broad and the folding itself costs nothing.
- *correlation* (Pearson) of predicted and observed over pairs. Null: predictions shuffled over pairs;
  one-sided p-value.
- *folding effect*: mean of observed less control. Null: their labels swapped at random within pairs;
  one-sided p-value.

arXiv 2607.08545 reports collapsed shares of 31-35 % and a correlation of about 0.99. These two numbers are
taken here at second hand, from a summary, and are compared with nothing in this code.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from tonotopy.anatomy.alias_pairs import alias_pairs
from tonotopy.anatomy.answers import LONGEST_S, cosines, phase_averaged, samples_needed
from tonotopy.anatomy.first_layer import validate
from tonotopy.anatomy.response import Array, response_at
from tonotopy.encoders._contract import Encoder, Site

COLLAPSED = 0.95
PAIRS = 48
DRAWS = 999
FEWEST = 8  # pairs with both similarities, below which nothing is correlated


def _none() -> Array:
    return np.empty(0)


@dataclass(frozen=True)
class Aliases:
    """Alias pairs at one site; numbers are ``None`` where undefined, with the reason in ``undefined``.

    Attributes
    ----------
    site, stride
        Where, and its cumulative stride in samples.
    predicted_from
        "first-layer weights", or "answers at" another site.
    pairs_hz
        ``[pair, 3]``: frequency, alias, control, in Hz.
    predicted, observed, control
        Cosines ``[pair]``; not-a-number where an answer is all zero.
    share_collapsed, share_predicted, share_control
        Shares of pairs at .95 or more, by observation, prediction and control.
    agreement
        Share of pairs of which prediction and observation both say the same.
    correlation, correlation_p, correlation_null
        Of predicted and observed; null ``[draw]``.
    folding_effect, folding_p
        Observed less control.
    """

    site: str
    stride: int | None
    predicted_from: str = ""
    pairs_hz: Array = field(default_factory=lambda: np.empty((0, 3)), repr=False)
    predicted: Array = field(default_factory=_none, repr=False)
    observed: Array = field(default_factory=_none, repr=False)
    control: Array = field(default_factory=_none, repr=False)
    share_collapsed: float | None = None
    share_predicted: float | None = None
    share_control: float | None = None
    agreement: float | None = None
    correlation: float | None = None
    correlation_p: float | None = None
    folding_effect: float | None = None
    folding_p: float | None = None
    correlation_null: Array = field(default_factory=_none, repr=False)
    undefined: dict[str, str] = field(default_factory=dict)


PREDICTED = ("share_predicted", "agreement", "correlation", "correlation_p")
NUMBERS = ("share_collapsed", "share_control", "folding_effect", "folding_p", *PREDICTED)


def aliases_at(encoder: Encoder, site: Site, *, seed: int, pairs: int = PAIRS, draws: int = DRAWS) -> Aliases:
    """Predict and observe alias pairs at one site.

    Parameters
    ----------
    encoder : Encoder
        Any encoder.
    site : Site
        One of its sites.
    seed : int
        Of the pairs and the nulls.
    pairs : int
        Pairs to try.
    draws : int
        Draws of each null.

    Returns
    -------
    Aliases
        The record; undefined with a reason where nothing folds or nothing answers.

    Raises
    ------
    InputError
        Where the site answers with what is not a number.
    """
    stride = cumulative_stride(encoder, site)
    if stride is None:
        return _undefined(site, None, "one frame a window: it has no stride of its own")
    if stride == 1:
        return _undefined(site, 1, "stride 1: nothing folds")
    triples = alias_pairs(pairs, encoder.sample_rate_hz, stride, seed=seed)
    if len(triples) < FEWEST:
        return _undefined(site, stride, f"{len(triples)} pairs to fold: fewer than {FEWEST}")
    return _compared(encoder, site, stride, triples, np.random.default_rng(seed), draws)


def cumulative_stride(encoder: Encoder, site: Site) -> int | None:
    """Samples per position of a site's layer; None for one that has no positions (a framewise head)."""
    return None if encoder.frame_length is not None and site.role == "head" else site.hop


def _compared(
    encoder: Encoder, site: Site, stride: int, triples: Array, rng: np.random.Generator, draws: int
) -> Aliases:
    """The record for pairs that fold."""
    earlier = _earlier_site(encoder, site, stride)
    sites = [site] if earlier is None else [earlier, site]
    samples = samples_needed(encoder, sites)
    if samples > LONGEST_S * encoder.sample_rate_hz:
        return _undefined(site, stride, f"steady only after {samples:,} samples: more than {LONGEST_S:g} s")
    answers = phase_averaged(encoder, sites, triples.ravel())
    observed, control = _similarities(answers[site.name])
    answered = int(np.isfinite(observed + control).sum())
    if answered < FEWEST:
        return _undefined(site, stride, f"{answered} pairs have an answer: fewer than {FEWEST}")
    predicted, source = _predicted(encoder, earlier, answers, triples)
    record = Aliases(site.name, stride, source, triples, predicted, observed, control)
    return _with_agreement(_with_folding_effect(record, rng, draws), rng, draws)


def _similarities(answers: Array) -> tuple[Array, Array]:
    """Cosines of first with second, and of first with third, of every three rows."""
    first, second, third = answers[0::3], answers[1::3], answers[2::3]
    return cosines(first, second), cosines(first, third)


def _earlier_site(encoder: Encoder, site: Site, stride: int) -> Site | None:
    """The site that predicts: where the stride was first reached, else the last before; None for weights."""
    first = encoder.first_layer()
    if first is not None and first.stride == stride:
        return None
    before = encoder.sites[: [one.name for one in encoder.sites].index(site.name)]
    strides = [(one, cumulative_stride(encoder, one)) for one in before]
    folding = next((one for one, equal in strides if equal == stride), None)
    return folding or next(
        (one for one, less in reversed(strides) if less is not None and less < stride), None
    )


def _predicted(
    encoder: Encoder, earlier: Site | None, answers: dict[str, Array], triples: Array
) -> tuple[Array, str]:
    """Predicted cosines ``[pair]`` and what they come from; none at all where nothing came before."""
    if earlier is not None:
        return _similarities(answers[earlier.name])[0], f"answers at {earlier.name}"
    first = encoder.first_layer()
    if first is None:
        return np.full(len(triples), np.nan), ""
    response = response_at(validate(first, encoder.name), triples.ravel(), encoder.sample_rate_hz)
    return _similarities(np.abs(response).T)[0], "first-layer weights"


def _with_folding_effect(record: Aliases, rng: np.random.Generator, draws: int) -> Aliases:
    """Shares that collapse, and how much more alike aliases are than their controls."""
    both = np.isfinite(record.observed + record.control)
    difference = (record.observed - record.control)[both]
    null = (rng.choice([-1.0, 1.0], (draws, len(difference))) * difference).mean(axis=1)
    return replace(
        record,
        share_collapsed=float((record.observed[both] >= COLLAPSED).mean()),
        share_control=float((record.control[both] >= COLLAPSED).mean()),
        folding_effect=float(difference.mean()),
        folding_p=_p_value(null, float(difference.mean())),
    )


def _with_agreement(record: Aliases, rng: np.random.Generator, draws: int) -> Aliases:
    """How far prediction and observation agree."""
    both = np.isfinite(record.predicted + record.observed)
    if both.sum() < FEWEST:
        known = int(np.isfinite(record.predicted).sum())
        reason = (
            f"{both.sum()} pairs can be predicted: fewer than {FEWEST}" if known else "nothing comes before"
        )
        return replace(record, undefined=dict.fromkeys(PREDICTED, reason))
    x, y = record.predicted[both], record.observed[both]
    record = replace(
        record,
        share_predicted=float((x >= COLLAPSED).mean()),
        agreement=float(((x >= COLLAPSED) == (y >= COLLAPSED)).mean()),
    )
    if min(np.ptp(x), np.ptp(y)) < 1e-9:
        return replace(record, undefined=dict.fromkeys(PREDICTED[2:], "every pair is equally similar"))
    null = np.array([_pearson(rng.permutation(x), y) for _ in range(draws)])
    value = _pearson(x, y)
    return replace(record, correlation=value, correlation_p=_p_value(null, value), correlation_null=null)


def _pearson(x: Array, y: Array) -> float:
    return float(np.corrcoef(x, y)[0, 1])


def _p_value(null: Array, value: float) -> float:
    return float((1 + (null >= value - 1e-12).sum()) / (1 + len(null)))


def _undefined(site: Site, stride: int | None, reason: str) -> Aliases:
    names = NUMBERS if stride is not None else (*NUMBERS, "stride")
    return Aliases(site.name, stride, undefined=dict.fromkeys(names, reason))
