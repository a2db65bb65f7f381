"""Numbers as words: shares with their intervals, lists, plurals. Undefined is a word, never a zero."""

from __future__ import annotations

import math
from collections.abc import Sequence

DASH = "–"


def percent(value: float | None) -> str:
    """A share in per cent.

    Examples
    --------
    >>> percent(0.714), percent(0.0), percent(float("nan"))
    ('71 %', '0 %', 'undefined')
    """
    return "undefined" if missing(value) else f"{100.0 * float(value):.0f} %"  # type: ignore[arg-type]


def share_with_interval(value: float | None, low: float | None, high: float | None) -> str:
    """A share with its interval over pieces, where there is one.

    Examples
    --------
    >>> share_with_interval(0.71, 0.64, 0.8), share_with_interval(0.71, None, None)
    ('71 % [64, 80]', '71 %')
    """
    if missing(value) or missing(low) or missing(high):
        return percent(value)
    return f"{percent(value)} [{100.0 * float(low):.0f}, {100.0 * float(high):.0f}]"  # type: ignore[arg-type]


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
