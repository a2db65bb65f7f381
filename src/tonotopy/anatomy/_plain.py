"""Records as plain data: dictionaries, lists, numbers, strings and null."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np


def plain(value: Any) -> Any:
    """A record as what JSON can hold; what is not a finite number becomes null.

    Examples
    --------
    >>> plain({"a": np.array([1.0, np.nan]), "b": (1, "x", None)})
    {'a': [1.0, None], 'b': [1, 'x', None]}
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    assert value is None or isinstance(value, bool | int | str), type(value)
    return value
