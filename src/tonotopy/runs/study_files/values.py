"""Values of a study file, read and checked one by one: whatever is not asked for is refused.

Each check takes where a value stands, for the error, and the value, and gives it back or raises InputError.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tonotopy.core.errors import InputError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")


class Table:
    """A table that knows which of its keys were asked for."""

    def __init__(self, values: Any, where: str) -> None:
        if not isinstance(values, Mapping):
            raise InputError(f"a table for {where}", repr(values)[:80])
        self.values, self.where = dict(values), where
        self.asked: list[str] = []

    def take(self, key: str, check: Callable[[str, Any], Any], default: Any = None) -> Any:
        """A checked value, or a default."""
        self.asked.append(key)
        return check(f"{key} in {self.where}", self.values[key]) if key in self.values else default

    def need(self, key: str, check: Callable[[str, Any], Any]) -> Any:
        """A checked value that must be there."""
        if key not in self.values:
            raise InputError(f"{key} in {self.where}", "none", "a key that every such table needs")
        return self.take(key, check)

    def tables(self, key: str) -> list[Table]:
        """An array of tables."""
        self.asked.append(key)
        found = self.values.get(key, [])
        if not isinstance(found, list):
            raise InputError(
                f"[[{key}]] tables in {self.where}", f"a {type(found).__name__}", "[…] for [[…]]"
            )
        return [
            Table(values, f"{key} {number} of {self.where}") for number, values in enumerate(found, start=1)
        ]

    def done(self) -> None:
        """Refuse what was not asked for."""
        unknown = sorted(set(self.values) - set(self.asked))
        if unknown:
            came = ", ".join(key[:40] for key in unknown[:5])
            raise InputError(f"keys of {self.where}", came, "a misspelt key", sorted(self.asked))


def text(where: str, value: Any) -> str:
    """Text that is there, of at most 2000 characters."""
    if not isinstance(value, str) or not value or len(value) > 2000:
        raise InputError(f"text for {where}", repr(value)[:80])
    return value


def name(where: str, value: Any) -> str:
    """The name of a folder."""
    return plain(text(where, value), where)


def plain(value: str, where: str) -> str:
    """Letters, digits, dots and hyphens."""
    if not _NAME.fullmatch(value):
        raise InputError(f"letters, digits, dots and hyphens for {where}", repr(value)[:80])
    return value


def flag(where: str, value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise InputError(f"true or false for {where}", repr(value)[:80])
    return value


def whole(where: str, value: Any) -> int:
    """A whole number from 1; seeds start at 0."""
    return at_least(where, value, 0 if where.startswith("seeds") else 1)


def whole_or_0(where: str, value: Any) -> int:
    """A whole number from 0."""
    return at_least(where, value, 0)


def at_least(where: str, value: Any, least: int) -> int:
    """A whole number, and no truth value."""
    if type(value) is not int or value < least:
        raise InputError(f"a whole number from {least} for {where}", repr(value)[:80])
    return value


def positive(where: str, value: Any) -> float:
    """A positive, finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise InputError(f"a positive number for {where}", repr(value)[:80])
    return float(value)


def list_of(check: Callable[[str, Any], Any]) -> Callable[[str, Any], tuple[Any, ...]]:
    """A list of checked values, as a tuple."""

    def checked(where: str, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise InputError(f"a list for {where}", repr(value)[:80])
        return tuple(check(where, one) for one in value)

    return checked


def words_of(known: Sequence[str] | None) -> Callable[[str, Any], dict[str, Any]]:
    """A table of words; those that are not known are errors, where it is known which are."""

    def checked(where: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict) or any(not key.isidentifier() for key in value):
            raise InputError(f"a table of words for {where}", repr(value)[:80])
        unknown = sorted(set(value) - set(known)) if known is not None else []
        if unknown:
            raise InputError(f"words for {where}", unknown[0][:40], "a misspelt word", known or ())
        return value

    return checked
