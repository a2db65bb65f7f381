"""One base exception for the package; each says what was expected, what came, the likely cause, the legal values."""

from __future__ import annotations

from collections.abc import Iterable


class TonotopyError(Exception):
    """Base of every error that tonotopy raises on purpose.

    Parameters
    ----------
    expected, came
        What was expected and what came instead, as short noun phrases.
    cause
        The likely cause, or what to do about it.
    legal
        Legal values, where there is a list of them.

    Examples
    --------
    >>> print(TonotopyError("a known encoder", "'crepe'", "a misspelt name", ["crepe-tiny", "crepe-full"]))
    expected a known encoder; got 'crepe'; likely cause: a misspelt name; legal values: crepe-tiny, crepe-full
    """

    def __init__(self, expected: str, came: str, cause: str = "", legal: Iterable[str] = ()) -> None:
        self.expected, self.came, self.cause, self.legal = expected, came, cause, tuple(legal)
        parts = [f"expected {expected}", f"got {came}"]
        if cause:
            parts.append(f"likely cause: {cause}")
        if self.legal:
            parts.append("legal values: " + ", ".join(self.legal))
        super().__init__("; ".join(parts))

    def __reduce__(self) -> tuple[type[TonotopyError], tuple[str, str, str, tuple[str, ...]]]:
        # The default would rebuild from the rendered message alone, which breaks across processes.
        return type(self), (self.expected, self.came, self.cause, self.legal)


class InputError(TonotopyError):
    """A user's input cannot be used: a file, a name, a number, a plan."""


class WeightsError(InputError):
    """Weights are missing, corrupt, or of another architecture."""


class RunError(InputError):
    """A run folder is absent, holds another plan, or is damaged."""


class AlignmentError(TonotopyError):
    """A layer breaks the assumption that every frame maps to an exact interval of input samples."""
