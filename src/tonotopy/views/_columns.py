"""Kinds of value that a column of a run's tables may hold, and names of columns in families."""

from __future__ import annotations

from typing import Final

NUMBER: Final = "number"  # float64, not-a-number where undefined
WHOLE: Final = "whole"  # an integer, always there
FLAG: Final = "flag"  # true or false, always there
TEXT: Final = "text"  # a string, or missing


def numbers(*names: str) -> dict[str, str]:
    """Columns of numbers."""
    return dict.fromkeys(names, NUMBER)


def intervals(*names: str) -> dict[str, str]:
    """Each number with both ends of its interval.

    Examples
    --------
    >>> list(intervals("gain"))
    ['gain', 'gain_low', 'gain_high']
    """
    return numbers(*(name + end for name in names for end in ("", "_low", "_high")))
