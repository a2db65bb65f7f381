"""One forward pass, watched: which layers ran, in which order, on what shapes, along which path.

Offers :class:`Call`, one run of one module, and :func:`trace`, which lists them in the order they finished.
Hooks live only inside the pass. See ``_dataflow`` for paths.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakTensorKeyDictionary

from tonotopy.encoders._contract import Operator
from tonotopy.encoders._dataflow import Path, Step, follow, tensors_in

_STATEFUL = (torch.nn.RNNBase, torch.nn.MultiheadAttention, torch.nn.TransformerEncoderLayer)


@dataclass(frozen=True)
class Call:
    """One run of one module: shapes of its first input and output, and the path that its output took.

    ``index`` counts the runs of the same module from 1. ``source`` is the position, in the list of calls, of
    the leaf whose output is this call's very input. ``changed``: the output was later changed in place.
    ``lost``: where ``path`` is None, the first operator without a rule, and the layer it ran in.
    """

    name: str
    index: int
    module: torch.nn.Module
    input_shape: tuple[int, ...]
    shape: tuple[int, ...]
    path: Path | None
    source: int | None
    changed: bool
    lost: str = ""

    @property
    def leaf(self) -> bool:
        """Whether the module holds no others (parametrisations aside)."""
        return all(name == "parametrizations" for name, _ in self.module.named_children())


def trace(model: torch.nn.Module, forward: Callable[[torch.Tensor], Any], audio: torch.Tensor) -> list[Call]:
    """Run ``forward(audio)``, whose last axis is time, and list what ran inside ``model``.

    Examples
    --------
    >>> model = torch.nn.Sequential(torch.nn.Conv1d(1, 4, 7, stride=2), torch.nn.ReLU())
    >>> [(call.name, call.shape) for call in trace(model, model, torch.randn(2, 1, 99))]
    [('0', (2, 4, 47)), ('1', (2, 4, 47)), ('', (2, 4, 47))]
    """
    tracker = _Tracker(model)
    audio = audio.detach().clone().requires_grad_(True)
    # With a gradient wanted, pooling takes the way that the dispatcher sees.
    with torch.enable_grad(), _hooks(model, tracker), tracker:
        tracker.paths[audio] = Path(axis=audio.dim() - 1)
        forward(audio)
    return tracker.finished()


class _Tracker(TorchDispatchMode):
    """Carries paths through operators, and notes the calls that the hooks report."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.paths: Any = WeakTensorKeyDictionary()
        self.names: dict[torch.nn.Module | None, str] = {
            module: name or "model" for name, module in model.named_modules()
        }
        self.stack: list[torch.nn.Module] = []
        self.lost = ""
        self.counts: Counter[torch.nn.Module] = Counter()
        self.calls: list[tuple[Call, torch.Tensor, torch.Tensor, int]] = []  # tensors kept: ids stay unique

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        inputs = [tensor for tensor in tensors_in(args) if tensor in self.paths]
        known = [self.paths[tensor] for tensor in inputs]
        out = func(*args, **kwargs)
        if inputs:
            name, pointwise = func.overloadpacket.__name__, torch.Tag.pointwise in func.tags
            step = Step(name, pointwise, args, kwargs, out, self._layer, self._parameters, self.paths.get)
            after = follow(step) if all(path is not None for path in known) else None
            if after is None and not self.lost and not isinstance(self._module, torch.nn.Linear):
                self.lost = f"{name} in {self._layer}"
            for tensor in tensors_in((out,)):
                self.paths[tensor] = after
        return out

    @property
    def _module(self) -> torch.nn.Module | None:
        return self.stack[-1] if self.stack else None

    @property
    def _layer(self) -> str:
        return self.names.get(self._module, "model")

    @property
    def _parameters(self) -> int:
        return sum(p.numel() for p in self._module.parameters()) if self._module is not None else 0

    def enter(self, module: torch.nn.Module, args: tuple[Any, ...]) -> None:
        self.stack.append(module)

    def leave(self, module: torch.nn.Module, args: tuple[Any, ...], output: Any) -> None:
        self.stack.pop()
        source, out = next(tensors_in(args), None), next(tensors_in((output,)), None)
        if source is None or out is None or module not in self.names:
            return
        if isinstance(module, _STATEFUL):
            self._whole(module, source, out, "lstm" if isinstance(module, torch.nn.RNNBase) else "attention")
        elif isinstance(module, torch.nn.Linear):
            self._whole(module, source, out, "linear")
        self.counts[module] += 1
        name = self.names[module] if module is not next(iter(self.names)) else ""
        made = [i for i, (call, _, made, _) in enumerate(self.calls) if made is source and call.leaf]
        call = Call(
            name,
            self.counts[module],
            module,
            tuple(source.shape),
            tuple(out.shape),
            self.paths.get(out),
            made[-1] if made else None,
            changed=False,
            lost=self.lost,
        )
        self.calls.append((call, source, out, out._version))

    def _whole(self, module: torch.nn.Module, source: torch.Tensor, out: torch.Tensor, kind: str) -> None:
        """A layer whose operators are not followed one by one: frames keep their place.

        Those with state or attention may depend on all of time; a linear layer mixes the last axis only.
        """
        path: Path | None = self.paths.get(source)
        if path is None or (kind == "linear" and path.axis in {None, source.dim() - 1}):
            return
        name, parameters = self.names[module], sum(p.numel() for p in module.parameters())
        leak = path.leak if kind == "linear" else path.leak or name
        units = source.shape[-1], out.shape[-1]
        operator = Operator(name, kind, in_units=units[0], out_units=units[1], parameters=parameters)
        self.paths[out] = replace(path, leak=leak).then(operator)

    def finished(self) -> list[Call]:
        return [replace(call, changed=out._version != version) for call, _, out, version in self.calls]


@contextmanager
def _hooks(model: torch.nn.Module, tracker: _Tracker) -> Iterator[None]:
    handles = []
    try:
        for module in model.modules():
            handles.append(module.register_forward_pre_hook(tracker.enter))
            handles.append(module.register_forward_hook(tracker.leave))
        yield
    finally:
        for handle in handles:
            handle.remove()
