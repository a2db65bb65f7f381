"""Numbers as words: shares with their intervals, lists, plurals. Undefined is a word, never a zero."""

from __future__ import annotations

import math
from collections.abc import Sequence

DASH = "–"


def percent(value: float | None) -> str:
    """A share in per cent.

    Examples
    --------
    >>> percent(0.714), percent(0.0), percent(0.0037), percent(0.9999), percent(float("nan"))
    ('71 %', '0 %', '0.4 %', '99.9 %', 'undefined')
    """
    return "undefined" if missing(value) else f"{_hundredths(float(value))} %"  # type: ignore[arg-type]


def share_with_interval(value: float | None, low: float | None, high: float | None) -> str:
    """A share with its interval over pieces, where there is one.

    Examples
    --------
    >>> share_with_interval(0.71, 0.64, 0.8), share_with_interval(0.71, None, None)
    ('71 % [64, 80]', '71 %')
    >>> share_with_interval(0.0, 0.0, 0.0037)
    '0 % [0, 0.4]'
    """
    if missing(value) or missing(low) or missing(high):
        return percent(value)
    return f"{percent(value)} [{_hundredths(float(low))}, {_hundredths(float(high))}]"  # type: ignore[arg-type]


def _hundredths(share: float) -> str:
    """Per cent without its sign; a little more than nothing is no zero, a little less than all is not all."""
    found = 100.0 * share
    if 99.5 <= found < 100.0:
        return f"{min(found, 99.9):.1f}"
    return f"{found:.1g}" if 0.0 < found < 0.95 else f"{found:.0f}"


def number(value: float | None, digits: int = 3) -> str:
    """A number for reading.

    Examples
    --------
    >>> number(5184.0), number(0.32412), number(None), number(float("inf"))
    ('5,184', '0.324', 'undefined', 'never')
    """
    if missing(value):
        return "undefined"
    found = float(value)  # type: ignore[arg-type]
    if math.isinf(found):
        return "never"
    return f"{found:,.0f}" if abs(found) >= 10 ** (digits - 1) else f"{found:.{digits}g}"


def decimal(value: float | None) -> str:
    """A correlation, share of variance or the like: two decimals, three figures above ten.

    Examples
    --------
    >>> decimal(0.00776), decimal(-0.0048), decimal(0.3), decimal(11.93), decimal(float("nan"))
    ('0.01', '0.00', '0.30', '11.9', 'undefined')
    """
    if missing(value) or abs(float(value)) >= 10.0:  # type: ignore[arg-type]
        return number(value)
    words = f"{float(value):.2f}"  # type: ignore[arg-type]
    return "0.00" if words == "-0.00" else words


def p_words(value: float | None) -> str:
    """A p value with its sign.

    Examples
    --------
    >>> p_words(0.861), p_words(0.0004), p_words(1.0), p_words(None)
    ('p = 0.86', 'p < 0.001', 'p = 1', 'p undefined')
    """
    if missing(value):
        return "p undefined"
    return "p < 0.001" if float(value) < 0.001 else f"p = {number(value, 2)}"  # type: ignore[arg-type]


def count(many: int, one: str, more: str = "") -> str:
    """A number of things.

    Examples
    --------
    >>> count(1, "piece"), count(4, "piece"), count(2, "copy", "copies")
    ('1 piece', '4 pieces', '2 copies')
    """
    return f"{many:,} {one if many == 1 else more or one + 's'}"


def listed(words: Sequence[str]) -> str:
    """Words as a list in a sentence.

    Examples
    --------
    >>> listed(["a", "b", "c"]), listed(["a"])
    ('a, b and c', 'a')
    """
    return ", ".join(words) if len(words) < 2 else f"{', '.join(words[:-1])} and {words[-1]}"


def missing(value: float | None) -> bool:
    """Whether a number is undefined.

    Examples
    --------
    >>> missing(None), missing(float("nan")), missing(0.0)
    (True, True, False)
    """
    return value is None or math.isnan(float(value))


def printable(text: object) -> str:
    r"""Any value as text in which nothing is hidden: what does not print is spelled out.

    Control characters, escape sequences and marks that turn the direction of writing come from files too.

    Examples
    --------
    >>> printable("a\x1b[1m\nb") == "a" + chr(92) + "x1b[1m b"
    True
    """
    return "".join(mark if mark.isprintable() else repr(mark)[1:-1] for mark in str(text).replace("\n", " "))
