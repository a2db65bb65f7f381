"""Constants out of a TensorFlow Lite model, de-quantised: weights, without running anything.

The file is parsed with the package tflite (an extra). It is a table of offsets, any of which may be wrong in a
damaged file: sizes are bounded before they are used, and whatever the parser raises becomes one error.

Offers :func:`constants_of`, :func:`require_tflite`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tonotopy.core.errors import InputError, WeightsError

MAX_BYTES = 64 * 2**20
"""A model larger than this is refused unread; those of Lyra v2 have 2 MB."""
MAX_COUNT = 10_000
"""Tensors, operators or subgraphs of one model."""
_DTYPES: dict[str, np.dtype[Any]] = {
    "FLOAT32": np.dtype("<f4"),
    "INT8": np.dtype("i1"),
    "INT32": np.dtype("<i4"),
}
_DAMAGE = (
    struct.error,
    IndexError,
    ValueError,
    TypeError,
    KeyError,
    OverflowError,
    AttributeError,
    MemoryError,
)

Constants = list[tuple[str, list[np.ndarray]]]


def constants_of(path: Path, subgraph: str, wanted: Mapping[str, tuple[int, ...]]) -> Constants:
    """Constant inputs of a subgraph's operators, float32, in the order in which these run.

    Parameters
    ----------
    path
        The model, ``.tflite``.
    subgraph
        Its name: ``main`` unless the model has several entries.
    wanted
        Kind of operator (``CONV_2D``) to the positions of the inputs that are constants.

    Returns
    -------
    list
        Kind and constants of each operator of a wanted kind. Quantised numbers q become (q − zero point) · scale.

    Raises
    ------
    InputError
        The package tflite is absent.
    WeightsError
        The file is damaged, larger than :data:`MAX_BYTES`, or a wanted input is no constant.
    """
    tflite = require_tflite()
    try:
        size = path.stat().st_size
        if not 8 <= size <= MAX_BYTES:
            raise WeightsError(f"a model of 8 to {MAX_BYTES} bytes", f"{path.name!r} of {size} bytes")
        content = path.read_bytes()
        if content[4:8] != b"TFL3":
            raise WeightsError("a TensorFlow Lite model", repr(path.name), "a file of another kind")
        model = tflite.Model.GetRootAs(content, 0)
        return list(_constants(model, subgraph, wanted, tflite))
    except _DAMAGE as error:
        cause = f"damaged: {type(error).__name__}"
        raise WeightsError("a TensorFlow Lite model", repr(path.name), cause) from None


def require_tflite() -> Any:
    """The package tflite, or an error that names the extra."""
    try:
        import tflite
    except ImportError:
        cause = "the extra is not installed: pip install tonotopy[tflite]"
        raise InputError("the package tflite, to read .tflite files", "no such package", cause) from None
    return tflite


def _constants(
    model: Any, subgraph: str, wanted: Mapping[str, tuple[int, ...]], tflite: Any
) -> Iterator[tuple[str, list[np.ndarray]]]:
    graphs = [model.Subgraphs(i) for i in range(_count(model.SubgraphsLength()))]
    named = [graph for graph in graphs if graph.Name() == subgraph.encode()]
    if len(named) != 1:
        raise ValueError(subgraph)
    graph = named[0]
    kinds = {getattr(tflite.BuiltinOperator, kind): kind for kind in wanted}
    for i in range(_count(graph.OperatorsLength())):
        operator = graph.Operators(i)
        code = model.OperatorCodes(_index(operator.OpcodeIndex(), model.OperatorCodesLength()))
        # Kinds beyond 127 do not fit the older of the two fields, which then holds less.
        kind = kinds.get(max(code.BuiltinCode(), code.DeprecatedBuiltinCode()))
        if kind is None:
            continue
        inputs = operator.InputsAsNumpy()
        tensors = [graph.Tensors(_index(inputs[place], graph.TensorsLength())) for place in wanted[kind]]
        yield kind, [_constant(model, tensor, tflite) for tensor in tensors]


def _constant(model: Any, tensor: Any, tflite: Any) -> np.ndarray:
    """One tensor's numbers as float32; a tensor that is computed has none and is refused."""
    names = {getattr(tflite.TensorType, name): dtype for name, dtype in _DTYPES.items()}
    dtype, shape = names[tensor.Type()], tuple(int(n) for n in tensor.ShapeAsNumpy())
    raw = model.Buffers(_index(tensor.Buffer(), model.BuffersLength())).DataAsNumpy()
    if min(shape) < 1 or np.size(raw) != dtype.itemsize * np.prod(shape, dtype=object):
        raise ValueError(shape)
    numbers = raw.view(dtype).reshape(shape)
    return numbers.astype(np.float32) if dtype.kind == "f" else _dequantised(numbers, tensor.Quantization())


def _dequantised(numbers: np.ndarray, how: Any) -> np.ndarray:
    """Whole numbers with one scale, or one for each place along an axis."""
    scale, zero = np.atleast_1d(how.ScaleAsNumpy()).astype(np.float64), np.atleast_1d(how.ZeroPointAsNumpy())
    axis = _index(how.QuantizedDimension(), numbers.ndim)
    if scale.shape != zero.shape or len(scale) not in {1, numbers.shape[axis]}:
        raise ValueError(scale.shape)
    along = [1] * numbers.ndim
    along[axis] = len(scale)
    found = (numbers - zero.astype(np.float64).reshape(along)) * scale.reshape(along)
    return found.astype(np.float32)


def _count(n: int) -> int:
    if not 0 <= n <= MAX_COUNT:
        raise ValueError(n)
    return n


def _index(i: int, n: int) -> int:
    if not 0 <= i < min(n, MAX_COUNT):
        raise IndexError(i)
    return int(i)
