"""Reads tensors out of a model by forward hooks, in one pass that stops after the last one wanted, or changes one.

Offers :class:`Tap`, the place of one tensor, :func:`read`, :func:`picking`, which keeps chosen frames alone, and
:func:`replaced`. Hooks are removed whatever happens (the pattern is ``Trace`` in baukit's ``nethook.py``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch

from tonotopy.core.errors import InputError
from tonotopy.encoders._dataflow import tensors_in


@dataclass(frozen=True)
class Tap:
    """Which tensor a site reads, and how it is laid out.

    ``module`` is a module path, ``call`` counts the runs of that module from 1, ``of_input`` reads what goes
    in instead of what comes out. ``frame_axis`` is None where the tensor has one frame a batch row; every
    axis but batch and frame is a unit. ``clone``: a later layer works in place on this tensor.
    """

    module: str
    call: int = 1
    of_input: bool = False
    frame_axis: int | None = 2
    batch_axis: int = 0
    clone: bool = False

    def frames(self, tensor: torch.Tensor) -> torch.Tensor:
        """The tensor as ``[batch, frame, unit]``.

        Examples
        --------
        >>> Tap("conv").frames(torch.zeros(2, 16, 50)).shape
        torch.Size([2, 50, 16])
        """
        if self.frame_axis is None:
            return tensor.movedim(self.batch_axis, 0).flatten(1).unsqueeze(1)
        return tensor.movedim((self.batch_axis, self.frame_axis), (0, 1)).flatten(2)

    def unframed(self, frames: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        """The inverse of :meth:`frames`: ``[batch, frame, unit]`` on the axes of ``like``.

        Examples
        --------
        >>> tap, tensor = Tap("conv", frame_axis=3), torch.rand(2, 16, 1, 50)
        >>> bool((tap.unframed(tap.frames(tensor), tensor) == tensor).all())
        True
        """
        if self.frame_axis is None:
            moved = like.movedim(self.batch_axis, 0)
            return frames.reshape(moved.shape).movedim(0, self.batch_axis)
        moved = like.movedim((self.batch_axis, self.frame_axis), (0, 1))
        return frames.reshape(moved.shape).movedim((0, 1), (self.batch_axis, self.frame_axis))


Places = tuple[torch.Tensor, torch.Tensor]
"""Batch row and frame of each frame that is wanted, ``[picked]`` each."""

_picks: ContextVar[tuple[Mapping[str, Places], set[str]]] = ContextVar("picks")


@contextmanager
def picking(places: Mapping[str, Places]) -> Iterator[set[str]]:
    """While this holds, :func:`read` gives of the sites named here these frames alone, ``[1, picked, unit]``.

    They are copied as their layer runs, so that the whole tensor is free again when the layer after it needs
    memory. Yields the names of the sites that were picked so far: an encoder that has no taps picks none, and
    a site that is computed from another one's frames (codes from the end of the stack) needs those whole.

    Examples
    --------
    >>> net = torch.nn.Sequential(torch.nn.Conv1d(1, 16, 3))
    >>> audio = torch.zeros(2, 1, 52)
    >>> with picking({"conv": (torch.tensor([0, 1, 1]), torch.tensor([49, 0, 7]))}) as picked:
    ...     found = read(net, lambda: net(audio), {"conv": Tap("0")})
    >>> found["conv"].shape, picked
    (torch.Size([1, 3, 16]), {'conv'})
    """
    picked: set[str] = set()
    token = _picks.set((places, picked))
    try:
        yield picked
    finally:
        _picks.reset(token)


class _Enough(Exception):
    """Raised inside a hook once every wanted tensor has come by."""


def read(
    model: torch.nn.Module, forward: Callable[[], Any], taps: Mapping[str, Tap], *, stop: bool = True
) -> dict[str, torch.Tensor]:
    """Run ``forward`` and return each tap's tensor as ``[batch, frame, unit]`` (see :func:`picking`).

    Parameters
    ----------
    model
        The model that the taps' module paths belong to.
    forward
        Runs the model; what it returns is not used.
    taps
        By the name of their site.
    stop
        Leave the pass as soon as the last tap has been read.
    """
    found: dict[str, torch.Tensor] = {}
    with _hooked(model, taps, found, stop), suppress(_Enough):
        forward()
    assert len(found) == len(taps), f"taps that never ran: {sorted(set(taps) - set(found))}"
    return {name: found[name] for name in taps}


@contextmanager
def _hooked(
    model: torch.nn.Module, taps: Mapping[str, Tap], found: dict[str, torch.Tensor], stop: bool
) -> Iterator[None]:
    modules = dict(model.named_modules())
    handles: list[Any] = []
    try:
        for name in {tap.module for tap in taps.values()}:
            here = {site: tap for site, tap in taps.items() if tap.module == name}
            before, after = _observers(here, len(taps), found, stop)
            handles.append(modules[name].register_forward_pre_hook(before))
            handles.append(modules[name].register_forward_hook(after))
        yield
    finally:
        for handle in handles:
            handle.remove()


def _observers(
    taps: Mapping[str, Tap], wanted: int, found: dict[str, torch.Tensor], stop: bool
) -> tuple[Callable[..., None], Callable[..., None]]:
    """The two hooks of one module: before it runs and after."""
    calls: Counter[bool] = Counter()
    places, picked = _picks.get(({}, set()))

    def keep(values: Any, of_input: bool) -> None:
        calls[of_input] += 1
        for site, tap in taps.items():
            if tap.of_input is of_input and tap.call == calls[of_input]:
                tensor = next(tensors_in((values,)))
                if site in places:
                    found[site] = tap.frames(tensor)[places[site]][None]
                    picked.add(site)
                else:
                    found[site] = tap.frames(tensor.clone() if tap.clone else tensor)
        if stop and len(found) == wanted:
            raise _Enough

    def before(_module: torch.nn.Module, args: tuple[Any, ...]) -> None:
        keep(args, of_input=True)

    def after(_module: torch.nn.Module, _args: tuple[Any, ...], output: Any) -> None:
        keep(output, of_input=False)

    return before, after


@contextmanager
def replaced(
    model: torch.nn.Module, tap: Tap, change: Callable[[torch.Tensor], torch.Tensor]
) -> Iterator[None]:
    """While this lasts, what is at a tap is replaced by ``change`` of it, ``[batch, frame, unit]`` to the same.

    What runs later in the pass goes on from the replaced tensor; a :func:`read` inside sees it too, since hooks run
    in the order in which they were set.

    Raises
    ------
    InputError
        ``change`` gives another shape, or numbers that are not finite.
    """
    calls = 0

    def swap(values: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls != tap.call:
            return None  # leaves things as they are
        tensor = next(tensors_in((values,)))
        frames = tap.frames(tensor)
        return _with(values, tensor, _like(tensor, tap.unframed(checked_change(frames, change), tensor)))

    def before(_module: torch.nn.Module, args: tuple[Any, ...]) -> Any:
        return swap(args)

    def after(_module: torch.nn.Module, _args: tuple[Any, ...], output: Any) -> Any:
        return swap(output)

    module = model.get_submodule(tap.module)
    handle = module.register_forward_pre_hook(before) if tap.of_input else module.register_forward_hook(after)
    try:
        yield
    finally:
        handle.remove()


def checked_change(frames: torch.Tensor, change: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
    """``change`` of frames ``[batch, frame, unit]``, made sure to be activations of the same shape."""
    new: Any = change(frames.clone())
    if not isinstance(new, torch.Tensor) or new.shape != frames.shape:
        came = f"shape {tuple(new.shape)}" if isinstance(new, torch.Tensor) else type(new).__name__
        expected = f"a change that gives [batch, frame, unit] = {tuple(frames.shape)}"
        raise InputError(expected, came, "a change made for another site")
    new = new.to(frames)
    if not bool(torch.isfinite(new).all()):
        bad = int((~torch.isfinite(new)).sum())
        cause = "a strength that overflows float32, or a direction that is undefined; ask for less"
        raise InputError("activations that are finite", f"{bad} numbers that are not", cause)
    kept: torch.Tensor = new
    return kept


def _like(tensor: torch.Tensor, new: torch.Tensor) -> torch.Tensor:
    """New values laid out in memory as the old ones, so that layers take the same path as they did."""
    return torch.empty_like(tensor).copy_(new)


def _with(values: Any, old: torch.Tensor, new: torch.Tensor) -> Any:
    """Nested values with one tensor in the place of another."""
    if values is old:
        return new
    if isinstance(values, list | tuple):
        parts = [_with(value, old, new) for value in values]
        return type(values)(*parts) if hasattr(values, "_fields") else type(values)(parts)
    return values
