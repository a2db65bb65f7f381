"""What one frame of a tensor depends on, and how each operator changes that: geometry as predicted.

A :class:`Path` says which samples frame 0 of a tensor sees, how far its frames are apart, which axis is
time, and which operators lie on the longest way from the input. :func:`follow` carries paths through one
tensor operator. Explicit padding, cropping and residual sums are operators like any other, so they count;
hooks on modules would not see them. An operator without a rule ends the path: the geometry behind it can
only be measured.

Operators go by their ATen names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import torch

from tonotopy.encoders._contract import Operator
from tonotopy.encoders._geometry import Geometry


@dataclass(frozen=True)
class Path:
    """Frame ``t`` depends on samples ``first + t * hop`` to ``last + t * hop``, both included.

    ``axis`` is the time axis, None once time has been folded away; ``leak`` names the first layer that lets
    a frame depend on more (state, statistics over time): the samples are then those without that leak.
    """

    hop: int = 1
    first: int = 0
    last: int = 0
    axis: int | None = 1
    leak: str = ""
    operators: tuple[Operator, ...] = ()
    pending: tuple[int, int] = (0, 0)  # padding that no convolution has claimed yet

    @property
    def geometry(self) -> Geometry:
        """The same as hop, view and offset."""
        note = f"{self.leak} lets a frame depend on more than its view" if self.leak else ""
        view = self.last - self.first + 1
        return Geometry(self.hop, view, self.first, bounded=not self.leak, note=note)

    def then(self, operator: Operator) -> Path:
        """One more operator, which changes neither hop nor view."""
        return replace(self, operators=(*self.operators, operator))

    def padded(self, left: int, right: int) -> Path:
        """So many samples of the tensor more at each end; fewer where negative."""
        pending = (self.pending[0] + left, self.pending[1] + right)
        shift = left * self.hop
        return replace(self, first=self.first - shift, last=self.last - shift, pending=pending)

    def windowed(self, operator: Operator) -> Path:
        """A window that slides: convolution or pooling."""
        left, right = operator.padding
        reach = operator.dilation * (operator.kernel - 1)
        claimed = replace(operator, padding=(left + self.pending[0], right + self.pending[1]))
        return replace(
            self.then(claimed),
            hop=self.hop * operator.stride,
            first=self.first - left * self.hop,
            last=self.last + (reach - left) * self.hop,
            pending=(0, 0),
        )


@dataclass(frozen=True)
class Step:
    """One tensor operator as it ran: its arguments, its output, and the layer it ran in."""

    name: str
    pointwise: bool
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    out: Any
    layer: str
    parameters: int
    paths: Callable[[torch.Tensor], Path | None]

    def operator(self, kind: str, **fields: Any) -> Operator:
        """The record that anatomy reads."""
        owned = self.parameters if kind in {"conv", "norm"} else 0
        return Operator(self.layer, kind, parameters=owned, **fields)


def tensors_in(values: Sequence[Any]) -> Iterator[torch.Tensor]:
    """Every tensor in nested arguments."""
    for value in values:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from tensors_in(value)


def follow(step: Step) -> Path | None:
    """The path of an operator's output; None where no rule says."""
    rule = _RULES.get(step.name)
    inputs = [(t, step.paths(t)) for t in tensors_in(step.args)]
    known = [(tensor, path) for tensor, path in inputs if path is not None]
    assert known, "an operator is followed only where an input has a path"
    if rule is not None:
        return rule(step, known[0][1])
    if not step.pointwise:
        return None
    after = _merge([path for _, path in known], known[0][0].dim() == step.out.dim())
    name = step.name.rstrip("_")
    if after is not None and name in _NONLINEARITIES:
        return after.then(step.operator("activation", nonlinearity=name))
    return after


def _merge(paths: list[Path], same_axes: bool) -> Path | None:
    """Union of the paths of a pointwise operator's inputs; None where they do not move together."""
    leak = next((path.leak for path in paths if path.leak), "")
    moving = [path for path in paths if path.axis is not None]
    if len(moving) < len(paths):  # one side is a statistic over all of time
        return replace(moving[0], leak=leak) if moving else replace(paths[0], leak=leak)
    if not same_axes or len({(path.hop, path.axis) for path in paths}) > 1:
        return None
    longest = max(paths, key=lambda path: (len(path.operators), path.last - path.first))
    first, last = min(path.first for path in paths), max(path.last for path in paths)
    return replace(longest, first=first, last=last, leak=leak)


def _entry(values: Any, axis: int, dims: int, default: int) -> int:
    """The entry of a per-axis option that belongs to one axis of a tensor of so many."""
    if isinstance(values, int):
        return values
    values = list(values)
    if not values:
        return default
    return int(values[axis - dims] if len(values) > 1 else values[0])


def _convolution(step: Step, path: Path) -> Path | None:
    data, weight, _, stride, padding, dilation, transposed, _, groups = step.args
    axis, dims = path.axis, data.dim()
    if transposed or axis is None or axis < 2:
        return None
    if any(step.out.shape[i] != 1 for i in range(2, dims) if i != axis):
        return None  # both axes move: no single time axis
    pad = _entry(padding, axis, dims, 0)
    operator = step.operator(
        "conv",
        kernel=int(weight.shape[axis]),
        stride=_entry(stride, axis, dims, 1),
        dilation=_entry(dilation, axis, dims, 1),
        padding=(pad, pad),
        groups=int(groups),
        in_units=int(data.shape[1]),
        out_units=int(step.out.shape[1]),
    )
    return path.windowed(operator)


def _pool(step: Step, path: Path) -> Path | None:
    if path.axis is None:
        return None
    data = step.args[0]
    given = dict(zip(("kernel", "stride", "padding", "dilation"), step.args[1:], strict=False))
    kernel = _entry(given["kernel"], path.axis, data.dim(), 1)
    pad = _entry(given.get("padding", 0), path.axis, data.dim(), 0)
    dilation = given.get("dilation", 1)  # average pooling has a flag in this place
    operator = step.operator(
        "pool",
        kernel=kernel,
        stride=_entry(given.get("stride", []), path.axis, data.dim(), kernel),
        dilation=1 if isinstance(dilation, bool) else _entry(dilation, path.axis, data.dim(), 1),
        padding=(pad, pad),
        in_units=int(data.shape[1]),
        out_units=int(data.shape[1]),
    )
    return path.windowed(operator)


def _pad(step: Step, path: Path) -> Path | None:
    data, pads = step.args[0], list(step.args[1])
    if path.axis is None:
        return path
    place = 2 * (data.dim() - 1 - path.axis)
    return path.padded(*(pads[place : place + 2] or (0, 0)))


def _slice(step: Step, path: Path) -> Path | None:
    data = step.args[0]
    given = list(step.args[1:])
    dim, start, _, hop = given + [0, None, None, 1][len(given) :]
    if path.axis is None or dim % data.dim() != path.axis:
        return path
    start = start or 0
    cut = start if start >= 0 else max(0, data.shape[dim] + start)
    return replace(path.padded(-cut, 0), hop=path.hop * hop)


def _cat(step: Step, path: Path) -> Path | None:
    tensors = list(step.args[0])
    dim = (step.args[1] if len(step.args) > 1 else 0) % step.out.dim()
    paths = [step.paths(tensor) for tensor in tensors]
    followed = [p for p in paths if p is not None]
    if dim != path.axis:
        return _merge(followed, same_axes=True)
    if len(followed) != 1:
        return None
    place = next(i for i, p in enumerate(paths) if p is not None)
    left = sum(tensor.shape[dim] for tensor in tensors[:place])
    return path.padded(int(left), int(sum(tensor.shape[dim] for tensor in tensors[place + 1 :])))


def _reshape(step: Step, path: Path) -> Path | None:
    """Time survives a change of shape if what lies before it multiplies to the same number."""
    old, new = tuple(step.args[0].shape), tuple(step.out.shape)
    if path.axis is None:
        return path
    before, size = prod(old[: path.axis]), old[path.axis]
    for axis in range(len(new)):
        if prod(new[:axis]) == before and new[axis] == size:
            return replace(path, axis=axis)
    return None


def _permute(step: Step, path: Path) -> Path | None:
    if path.axis is None:
        return path
    order = [dim % step.args[0].dim() for dim in step.args[1]]
    return replace(path, axis=order.index(path.axis))


def _transpose(step: Step, path: Path) -> Path | None:
    if path.axis is None:
        return path
    dims = step.args[0].dim()
    a, b = (step.args[1] % dims, step.args[2] % dims) if len(step.args) > 1 else (0, 1)
    return replace(path, axis={a: b, b: a}.get(path.axis, path.axis))


def _batch_norm(step: Step, path: Path) -> Path | None:
    by_sample = len(step.args) > 5 and step.args[5] is True  # statistics of what passes: InstanceNorm
    return _normalised(step, path, by_sample)


def _group_norm(step: Step, path: Path) -> Path | None:
    return _normalised(step, path, over_time=True)


def _layer_norm(step: Step, path: Path) -> Path | None:
    over_time = path.axis is not None and path.axis >= step.args[0].dim() - len(step.args[1])
    return _normalised(step, path, over_time)


def _normalised(step: Step, path: Path, over_time: bool) -> Path:
    return replace(path, leak=path.leak or (step.layer if over_time else "")).then(step.operator("norm"))


def _reduce(step: Step, path: Path) -> Path | None:
    """A mean, sum or maximum: harmless over units, the end of frames over time."""
    data = step.args[0]
    dims = step.args[1] if len(step.args) > 1 else step.kwargs.get("dim")
    dims = [dims] if isinstance(dims, int) else list(dims or range(data.dim()))
    reduced = {dim % data.dim() for dim in dims}
    if path.axis is None or path.axis in reduced:
        return replace(path, axis=None, leak=path.leak or step.layer)
    keeps = next(tensors_in((step.out,))).dim() == data.dim()
    return replace(path, axis=path.axis - (0 if keeps else sum(dim < path.axis for dim in reduced)))


def _same(_: Step, path: Path) -> Path | None:
    return path


_Rule = Callable[[Step, Path], Path | None]


def _named(rule: _Rule, names: str) -> dict[str, _Rule]:
    return dict.fromkeys(names.split(), rule)


_RULES: dict[str, _Rule] = {
    **_named(_convolution, "convolution"),
    **_named(_pool, "max_pool2d_with_indices avg_pool2d avg_pool1d"),
    **_named(_pad, "constant_pad_nd reflection_pad1d reflection_pad2d replication_pad1d replication_pad2d"),
    **_named(_reshape, "view _unsafe_view _reshape_alias unsqueeze squeeze expand"),
    **_named(_same, "clone detach alias contiguous _to_copy lift_fresh"),
    **_named(_batch_norm, "native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training"),
    **_named(_group_norm, "native_group_norm"),
    **_named(_layer_norm, "native_layer_norm"),
    **_named(_reduce, "mean sum amax amin var std linalg_vector_norm"),
    **_named(_slice, "slice"),
    **_named(_cat, "cat"),
    **_named(_permute, "permute"),
    **_named(_transpose, "transpose t"),
}

_NONLINEARITIES = frozenset(
    ("relu", "elu", "gelu", "selu", "celu", "leaky_relu", "prelu", "hardtanh", "hardswish", "tanh", "sigmoid")
) | {"silu", "softplus", "mish", "sin"}
