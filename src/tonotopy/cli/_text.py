"""Text on its way to a terminal: whatever came from a file is shown, never obeyed."""

from __future__ import annotations

import math
import unicodedata
from typing import Any

#: How numbers that JSON does not have are written: not defined, and never (an audiogram that is not reached).
NOT_A_NUMBER, NEVER = None, "inf"


def one_line(text: object) -> str:
    r"""One printable line: no control characters, no escape sequences, no reversed text.

    Examples
    --------
    >>> one_line("a\x1b[31m red\nherring ")
    'a[31m red herring'
    """
    spaced = "".join(" " if mark in "\t\r\n\v\f\x85\u2028\u2029" else mark for mark in str(text))
    # Category C: control, format (also bidirectional overrides), surrogates, unassigned.
    return "".join(mark for mark in spaced if unicodedata.category(mark)[0] != "C").rstrip()


def plain(value: Any) -> Any:
    """Any record as JSON has it: undefined numbers are null, infinite ones the string ``"inf"``.

    Examples
    --------
    >>> plain({"detection": float("nan"), "audiogram_db": float("inf"), "sites": ("a", "b")})
    {'detection': None, 'audiogram_db': 'inf', 'sites': ['a', 'b']}
    """
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):  # numpy's scalars and arrays
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return NOT_A_NUMBER if math.isnan(value) else NEVER if value > 0 else f"-{NEVER}"
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


def share(value: float | None) -> str:
    """A share as a percentage, or a dash where it is undefined.

    Examples
    --------
    >>> share(0.714), share(None), share(float("nan"))
    ('71 %', '–', '–')
    """
    return "–" if value is None or not math.isfinite(value) else f"{value:.0%}".replace("%", " %")
