"""Finds the sites of a module: what it accepts, which layers run, and how their outputs are laid out.

Two passes of different batch and length tell the axes apart: the axis that shrinks with the batch is the
batch, the one that grows with the length is time, all others are units.

Offers :class:`Input`, :func:`accepted_input`, :class:`Found`, :func:`survey`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from tonotopy.core.errors import InputError
from tonotopy.encoders._contract import Role
from tonotopy.encoders._dataflow import Path
from tonotopy.encoders._taps import Tap
from tonotopy.encoders._trace import Call, trace

CONVOLUTIONS = (torch.nn.Conv1d, torch.nn.Conv2d)
_TRANSPOSED = (torch.nn.ConvTranspose1d, torch.nn.ConvTranspose2d)
_MIXING = (*CONVOLUTIONS, *_TRANSPOSED, torch.nn.Linear, torch.nn.Bilinear, torch.nn.RNNBase)
_REFUSALS = (RuntimeError, ValueError, TypeError, LookupError, AssertionError, AttributeError)

Forward = Callable[[torch.Tensor], Any]


@dataclass(frozen=True)
class Input:
    """How a model takes audio: ``channels`` is None for ``[batch, time]``; ``extra`` adds a unit axis."""

    words: str
    channels: int | None
    extra: int | None = None

    def shape(self, audio: torch.Tensor) -> torch.Tensor:
        """Audio ``[batch, time]`` as the model wants it; mono is copied to every channel."""
        if self.channels is None:
            return audio
        audio = audio[:, None].expand(-1, self.channels, -1)
        return audio if self.extra is None else audio.unsqueeze(self.extra)


@dataclass(frozen=True)
class Found:
    """A site before its geometry is known: where to tap it, what it is, and the path as predicted."""

    name: str
    role: Role
    tap: Tap
    units: int
    frames: int  # in the first pass
    path: Path | None
    module: torch.nn.Module
    lost: str = ""  # where the path is None: the operator that ended it


def accepted_input(model: torch.nn.Module, window: int | None, channels: int | None) -> tuple[Input, int]:
    """The layout that the model accepts, and a length in samples that it accepts, by trying."""
    lengths = [window] if window is not None else [2**k for k in range(12, 19)]
    forms = _forms(model, channels)
    refusals: list[tuple[int, str]] = []
    for n_samples in lengths:
        for form in forms:
            refused = _refused(model, form, n_samples, window)
            if refused is None:
                return form, n_samples
            refusals.append(refused)
    _, refusal = max(refusals, key=lambda row: row[0])  # of the layout that got furthest
    tried = f"{len(forms)} layouts refused ({'; '.join(form.words for form in forms)})"
    cause = f"it said: {refusal}"
    if window is None:
        cause = f"a model of fixed length (it flattens, or ends in a linear layer): pass window=…; {cause}"
    raise InputError(f"a model that accepts audio of {lengths[0]} to {lengths[-1]} samples", tried, cause)


def _forms(model: torch.nn.Module, channels: int | None) -> list[Input]:
    if channels is not None:
        return [Input(f"[batch, {channels}, time]", channels)]
    forms = [Input("[batch, 1, time]", 1), Input("[batch, time]", None)]
    first = next((m for m in model.modules() if isinstance(m, CONVOLUTIONS)), None)
    if first is not None and first.in_channels > 1:
        forms.append(Input(f"[batch, {first.in_channels}, time]", first.in_channels))
    if isinstance(first, torch.nn.Conv2d):
        forms += [Input("[batch, 1, time, 1]", 1, extra=3), Input("[batch, 1, 1, time]", 1, extra=2)]
    return forms


def _refused(
    model: torch.nn.Module, form: Input, n_samples: int, window: int | None
) -> tuple[int, str] | None:
    """How many layers ran, and why the model then failed, in its own words; None where it did not."""
    ran: list[None] = []
    handles = [m.register_forward_hook(lambda *_: ran.append(None)) for m in model.modules()]
    longer = n_samples if window is not None else n_samples + n_samples // 2
    try:
        with torch.no_grad():
            model(form.shape(torch.zeros(5, n_samples)))
            model(form.shape(torch.zeros(4, longer)))
    except _REFUSALS as error:
        return len(ran), str(error).strip().split("\n", 1)[0][:160] or type(error).__name__
    finally:
        for handle in handles:
            handle.remove()
    return None


def survey(
    model: torch.nn.Module, form: Input, n_samples: int, window: int | None, extra: Sequence[str]
) -> list[Found]:
    """Every convolution in execution order, its ``.out``, the head, and the layers asked for by name."""
    longer = n_samples if window is not None else n_samples + n_samples // 2
    calls = _trace(model, form, 3, n_samples)
    other = {(call.name, call.index): call for call in _trace(model, form, 2, longer)}
    places = {i: _place(call, other.get((call.name, call.index)), window) for i, call in enumerate(calls)}
    stop = next((i for i, call in enumerate(calls) if isinstance(call.module, _TRANSPOSED)), len(calls))
    convs = [i for i in range(stop) if isinstance(calls[i].module, CONVOLUTIONS) and places[i] is not None]
    if not convs:
        raise InputError(
            "a model with a 1-D convolution", type(model).__name__, "none ran on a sequence of samples"
        )
    found = _default_sites(calls, places, convs)
    if window is not None:
        found += _head(calls, n_samples)
    return _with_extra(found, calls, places, extra)


def _trace(model: torch.nn.Module, form: Input, batch: int, n_samples: int) -> list[Call]:
    noise = torch.randn(batch, n_samples, generator=torch.Generator().manual_seed(0)) * 0.05
    return trace(model, model, form.shape(noise))


def _place(call: Call, other: Call | None, window: int | None) -> tuple[int, int | None] | None:
    """Batch axis and frame axis of a call's output; None where it is no sequence of frames."""
    if other is None or len(call.shape) != len(other.shape):
        return None
    pairs = list(enumerate(zip(call.shape, other.shape, strict=True)))
    batch = [axis for axis, (a, b) in pairs if (a, b) == (3, 2)]
    grown = [axis for axis, (a, b) in pairs if b > a]
    if len(batch) != 1 or sum(a != b for _, (a, b) in pairs) != 1 + len(grown):
        return None
    if window is not None:
        guess = len(call.shape) - 1 if isinstance(call.module, CONVOLUTIONS) else None
        return batch[0], call.path.axis if call.path is not None else guess
    return (batch[0], grown[0]) if len(grown) == 1 else None


def _default_sites(
    calls: list[Call], places: dict[int, tuple[int, int | None] | None], convs: list[int]
) -> list[tuple[int, Found]]:
    found: list[tuple[int, Found]] = []
    for i in convs:
        name = _label(calls[i])
        after = _last_follower(calls, i)
        followed = after != i and places[after] is not None
        last = i == convs[-1]
        role: Role = "first_conv" if i == convs[0] else "stack_end" if last and not followed else "conv"
        found.append((i, _found(name, role, calls[i], places[i])))
        if followed:
            role = "stack_end" if last else "layer"
            found.append((after, _found(f"{name}.out", role, calls[after], places[after])))
    return found


def _last_follower(calls: list[Call], i: int) -> int:
    """The last of the elementwise and norm layers that directly follow call ``i``."""
    while True:
        following = [
            j for j, call in enumerate(calls) if call.source == i and j > i and _elementwise(call, calls[i])
        ]
        if not following:
            return i
        i = following[0]


def _elementwise(call: Call, before: Call) -> bool:
    if not call.leaf or isinstance(call.module, _MIXING) or call.shape != before.shape:
        return False
    if call.path is None or before.path is None:
        return type(call.module).__module__ == "torch.nn.modules.activation"
    return call.path.geometry.interval == before.path.geometry.interval


def _head(calls: list[Call], window: int) -> list[tuple[int, Found]]:
    """The first linear layer's input, flattened: one frame a window."""
    for i, call in enumerate(calls):
        if isinstance(call.module, torch.nn.Linear):
            units = torch.Size(call.input_shape[1:]).numel()
            tap = Tap(call.name, call.index, of_input=True, frame_axis=None)
            path = Path(hop=window, last=window - 1, axis=None)
            return [(i, Found("head", "head", tap, units, 1, path, call.module))]
    return []


def _with_extra(
    found: list[tuple[int, Found]],
    calls: list[Call],
    places: dict[int, tuple[int, int | None] | None],
    extra: Sequence[str],
) -> list[Found]:
    legal = {_label(call): i for i, call in enumerate(calls) if places[i] is not None and call.name}
    known = {site.name for _, site in found}
    for name in extra:
        if name in known:
            continue
        if name not in legal:
            cause = "a misspelt layer, or one that does not run"
            raise InputError("a layer with a time axis", repr(name), cause, sorted(legal))
        i = legal[name]
        found.append((i, _found(name, "layer", calls[i], places[i])))
    return [site for _, site in sorted(found, key=lambda row: row[0])]


def _label(call: Call) -> str:
    """Module path, with the number of the run where a module runs again."""
    name = call.name or "model"
    return name if call.index == 1 else f"{name}#{call.index}"


def _found(name: str, role: Role, call: Call, place: tuple[int, int | None] | None) -> Found:
    assert place is not None
    batch_axis, frame_axis = place
    tap = Tap(call.name, call.index, frame_axis=frame_axis, batch_axis=batch_axis, clone=call.changed)
    frames = 1 if frame_axis is None else call.shape[frame_axis]
    units = torch.Size(call.shape).numel() // (frames * call.shape[batch_axis])
    return Found(name, role, tap, units, frames, call.path, call.module, call.lost)
