"""Constants out of a TensorFlow Lite model, de-quantised: weights, without running anything.

The file is parsed with the package tflite (an extra). It is a table of offsets, any of which may be wrong in a
damaged file, and thousands of operators may name one buffer. So the caller says which operators with constants of
which shapes it expects: nothing else is de-quantised, and whatever the parser raises becomes one error.

Offers :func:`constants_of`, :func:`require_tflite`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tonotopy.core.errors import InputError, WeightsError

MAX_BYTES = 64 * 2**20
"""A model larger than this is refused unread; those of Lyra v2 have 2 MB."""
MAX_COUNT = 10_000
"""Tensors, operators or subgraphs of one model."""
MAX_AXES = 8
"""Axes of one tensor."""
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

Expected = tuple[str, Sequence[tuple[int, ...]]]
"""Kind of an operator (``CONV_2D``), and the shapes of its constants."""


def constants_of(
    path: Path, subgraph: str, places: Mapping[str, tuple[int, ...]], expected: Sequence[Expected]
) -> list[list[np.ndarray]]:
    """Constant inputs of a subgraph's operators, float32, in the order in which these run.

    Parameters
    ----------
    path
        The model, ``.tflite``.
    subgraph
        Its name: ``main`` unless the model has several entries.
    places
        Kinds of operators that are looked for, each with the positions of the inputs that are constants.
    expected
        All operators of these kinds, in their order.

    Returns
    -------
    list
        The constants of each expected operator. Quantised numbers q become (q − zero point) · scale.

    Raises
    ------
    InputError
        The package tflite is absent.
    WeightsError
        The file is damaged, larger than :data:`MAX_BYTES`, a wanted input is no constant, or operators or shapes
        are not those expected; the first that differs ends the reading.
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
        operators = _operators(model, subgraph, places, tflite)
        return list(_constants(model, operators, expected, tflite, path.name))
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


def _operators(
    model: Any, subgraph: str, places: Mapping[str, tuple[int, ...]], tflite: Any
) -> Iterator[tuple[str, list[Any]]]:
    """Kind and constant inputs, not yet read, of each operator of the kinds that are looked for."""
    graphs = [model.Subgraphs(i) for i in range(_count(model.SubgraphsLength()))]
    named = [graph for graph in graphs if graph.Name() == subgraph.encode()]
    if len(named) != 1:
        raise ValueError(subgraph)
    graph = named[0]
    kinds = {getattr(tflite.BuiltinOperator, kind): kind for kind in places}
    for i in range(_count(graph.OperatorsLength())):
        operator = graph.Operators(i)
        code = model.OperatorCodes(_index(operator.OpcodeIndex(), model.OperatorCodesLength()))
        # Kinds beyond 127 do not fit the older of the two fields, which then holds less.
        kind = kinds.get(max(code.BuiltinCode(), code.DeprecatedBuiltinCode()))
        if kind is None:
            continue
        inputs = operator.InputsAsNumpy()
        yield (
            kind,
            [graph.Tensors(_index(inputs[place], graph.TensorsLength())) for place in places[kind]],
        )


def _constants(
    model: Any,
    operators: Iterator[tuple[str, list[Any]]],
    expected: Sequence[Expected],
    tflite: Any,
    file: str,
) -> Iterator[list[np.ndarray]]:
    """The numbers of each operator, whose kind and shapes are held against those expected before they are read."""
    another = "another network's model"
    count = 0
    for kind, tensors in operators:
        if count == len(expected):
            raise WeightsError(f"{count} operators with constants in {file!r}", "more", another)
        shapes = [_shape(tensor) for tensor in tensors]
        wanted = expected[count][0], list(expected[count][1])
        if (kind, shapes) != wanted:
            raise WeightsError(
                f"{_told(*wanted)} as operator {count} in {file!r}", _told(kind, shapes), another
            )
        yield [_constant(model, tensor, tflite) for tensor in tensors]
        count += 1
    if count < len(expected):
        raise WeightsError(f"{len(expected)} operators with constants in {file!r}", f"{count}", another)


def _told(kind: str, shapes: Sequence[tuple[int, ...]]) -> str:
    return f"{kind} of {', '.join(map(str, shapes))}"[:120]


def _shape(tensor: Any) -> tuple[int, ...]:
    if tensor.ShapeLength() > MAX_AXES:
        raise ValueError(tensor.ShapeLength())
    return tuple(int(n) for n in tensor.ShapeAsNumpy())


def _constant(model: Any, tensor: Any, tflite: Any) -> np.ndarray:
    """One tensor's numbers as float32; a tensor that is computed has none and is refused."""
    names = {getattr(tflite.TensorType, name): dtype for name, dtype in _DTYPES.items()}
    dtype, shape = names[tensor.Type()], _shape(tensor)
    raw = model.Buffers(_index(tensor.Buffer(), model.BuffersLength())).DataAsNumpy()
    if min(shape) < 1 or np.size(raw) != dtype.itemsize * np.prod(shape, dtype=object):
        raise ValueError(shape)
    numbers = raw.view(dtype).reshape(shape)
    return numbers.astype(np.float32) if dtype.kind == "f" else _dequantised(numbers, tensor.Quantization())


def _dequantised(numbers: np.ndarray, how: Any) -> np.ndarray:
    """Whole numbers with one scale, or one for each place along an axis."""
    scale, zero = np.atleast_1d(how.ScaleAsNumpy()), np.atleast_1d(how.ZeroPointAsNumpy())
    axis = _index(how.QuantizedDimension(), numbers.ndim)
    if scale.shape != zero.shape or len(scale) not in {1, numbers.shape[axis]}:
        raise ValueError(scale.shape)
    along = [1] * numbers.ndim
    along[axis] = len(scale)
    zeros, scales = (values.astype(np.float64).reshape(along) for values in (zero, scale))
    return ((numbers - zeros) * scales).astype(np.float32)


def _count(n: int) -> int:
    if not 0 <= n <= MAX_COUNT:
        raise ValueError(n)
    return n


def _index(i: int, n: int) -> int:
    if not 0 <= i < min(n, MAX_COUNT):
        raise IndexError(i)
    return int(i)
