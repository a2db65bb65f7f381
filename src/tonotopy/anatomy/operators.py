"""The operators between the waveform and a site: one row each, with the view and hop that they add up to.

Conventions
-----------
Lengths are in samples of the encoder's input. Along a path, a window of kernel k, dilation d and stride s at
a hop of j widens the view by d (k - 1) j and turns the hop into s j. A transposed convolution makes frames
that differ in their view: behind it both are undefined, with the reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tonotopy.encoders._contract import Operator, Site

WITH_UNITS = (
    "conv",
    "conv_transpose",
    "linear",
    "pool",
    "lstm",
    "gru",
    "attention",
)  # a layer's main operator
Occurrence = tuple[Operator, int]
UPSAMPLING = ("conv_transpose", "upsample", "interpolate")


@dataclass(frozen=True)
class OperatorRow:
    """One operator, the site it leads to, and view and hop behind it in samples.

    ``view`` and ``hop`` are ``None`` where undefined, with the reason in ``undefined``.
    """

    site: str
    operator: Operator
    view: int | None
    hop: int | None
    undefined: dict[str, str] = field(default_factory=dict)


def operator_rows(sites: Sequence[Site]) -> tuple[OperatorRow, ...]:
    """Every operator of an encoder once, in order, under the first site that it leads to.

    Parameters
    ----------
    sites : sequence of Site
        An encoder's sites in order.

    Returns
    -------
    tuple of OperatorRow
        Empty where the encoder lists no operators.

    Examples
    --------
    >>> conv = Operator("a", "conv", kernel=7, stride=2)
    >>> two = (conv, Operator("b", "conv", kernel=3))
    >>> sites = [
    ...     Site("a", "conv", 2, 7, 0, 4, operators=two[:1]),
    ...     Site("b", "conv", 2, 11, 0, 4, operators=two),
    ... ]
    >>> [(row.site, row.operator.name, row.view, row.hop) for row in operator_rows(sites)]
    [('a', 'a', 7, 2), ('b', 'b', 11, 2)]
    """
    rows: list[OperatorRow] = []
    seen: set[Occurrence] = set()
    for site in sites:
        steps = cumulative(site.operators)
        rows.extend(
            OperatorRow(
                site.name, site.operators[at], *steps[at], undefined={} if steps[at][0] else _upsampled()
            )
            for at in own_operators(site.operators, seen)
        )
        seen |= occurrences(site.operators)
    return tuple(rows)


def cumulative(operators: Sequence[Operator]) -> list[tuple[int | None, int | None]]:
    """View and hop behind each operator of one path; ``None`` from the first transposed convolution on.

    Examples
    --------
    >>> cumulative([Operator("a", "conv", kernel=7, stride=2), Operator("b", "conv", kernel=3, dilation=4)])
    [(7, 2), (23, 2)]
    """
    view, hop = 1, 1
    steps: list[tuple[int | None, int | None]] = []
    for operator in operators:
        if operator.kind in UPSAMPLING:
            return steps + [(None, None)] * (len(operators) - len(steps))
        view += operator.dilation * (operator.kernel - 1) * hop
        hop *= operator.stride
        steps.append((view, hop))
    return steps


def occurrences(operators: Sequence[Operator]) -> set[Occurrence]:
    """Every operator of a path with how often it has come before on that path.

    Examples
    --------
    >>> sorted(count for _, count in occurrences([Operator("a", "conv"), Operator("a", "conv")]))
    [0, 1]
    """
    return set(_numbered(operators))


def own_operators(operators: Sequence[Operator], seen: set[Occurrence]) -> list[int]:
    """Positions of the operators on a path that are on no earlier one.

    Paths branch around residual blocks, so a later one need not begin like the one before it.

    Examples
    --------
    >>> a, b = Operator("a", "conv"), Operator("b", "conv")
    >>> own_operators([a, b, a], occurrences([a]))
    [1, 2]
    """
    return [at for at, one in enumerate(_numbered(operators)) if one not in seen]


def _numbered(operators: Sequence[Operator]) -> list[Occurrence]:
    counts: Counter[Operator] = Counter()
    numbered = []
    for operator in operators:
        numbered.append((operator, counts[operator]))
        counts[operator] += 1
    return numbered


def main_operator(operators: Sequence[Operator]) -> Operator | None:
    """The operator that gives a layer its kernel: the widest of those that have one.

    Examples
    --------
    >>> main_operator([Operator("a", "conv", kernel=3), Operator("b", "activation")]).name
    'a'
    """
    wide = [operator for operator in operators if operator.kind in WITH_UNITS]
    return max(wide, key=lambda operator: (operator.kernel, operator.stride)) if wide else None


def nonlinearities(operators: Sequence[Operator]) -> str:
    """Names of the nonlinearities on a path, in order.

    Examples
    --------
    >>> nonlinearities(
    ...     [Operator("a", "conv", nonlinearity="elu"), Operator("b", "activation", nonlinearity="relu")]
    ... )
    'elu, relu'
    """
    return ", ".join(operator.nonlinearity for operator in operators if operator.nonlinearity)


def _upsampled() -> dict[str, str]:
    return dict.fromkeys(("view", "hop"), "behind a transposed convolution frames differ in their view")
