"""Where a frame looks: hop, view and offset of any waveform function, measured.

Conventions
-----------
A function maps audio ``[batch, time]`` to activations ``[batch, frame, unit]``; frame ``t`` sees the samples
``[offset + t * hop, offset + t * hop + view)``. Lengths are in samples of the input.

Three measurements, none of which looks inside the function:

- *gradient*: the samples on which a random sign projection of one frame's units has a nonzero derivative, on
  noise, in float64, over several inputs (a maximum or a dead rectifier hides a sample from any one input);
- *replacement*: everything outside that span is replaced by other noise; a frame that changes depends on more
  than its gradient says (a statistic that was detached, a quantised one);
- *impulse*: where the span fills the probe, how far outside the view an impulse still has an effect.

Offers :class:`Geometry`, :func:`measure`, :func:`dependence`, :func:`impulse_pair`, :func:`effective_view`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import torch

ModelFunction = Callable[[torch.Tensor], torch.Tensor]

TAIL_SHARE = 1e-4
"""Share of an impulse's effect (energy) that may fall outside the effective view."""

IMPULSE_BY_RMS = 4.0
"""Height of the impulse over the RMS of the background: about the peaks of music."""

BACKGROUND_RMS = 0.0501
"""RMS of the background, full scale 1: the level at which contexts are presented (-26 dBFS)."""


@dataclass(frozen=True)
class Geometry:
    """Hop, view and offset in samples; ``bounded`` is False where a frame depends on more than its view."""

    hop: int
    view: int
    offset: int
    bounded: bool = True
    effective_view: int | None = None
    note: str = ""

    @property
    def interval(self) -> tuple[int, int, int]:
        """``(hop, view, offset)``: what two geometries are compared by."""
        return self.hop, self.view, self.offset

    def clipped(self, window: int, t: int) -> Geometry:
        """The geometry of frame ``t`` in a window of so many samples, less what lies over its ends."""
        first = self.offset + t * self.hop
        last = min(window, first + self.view)
        first = max(0, first)
        return replace(self, view=max(0, last - first), offset=first - t * self.hop)


def measure(
    model_fn: ModelFunction,
    n_samples: int,
    *,
    seed: int = 0,
    rounds: int = 6,
    expected: Geometry | None = None,
    dtype: torch.dtype = torch.float64,
) -> Geometry:
    """Measure the geometry of a function from its gradients, and confirm it by replacement.

    Parameters
    ----------
    model_fn
        Audio ``[batch, time]`` to activations ``[batch, frame, unit]``, differentiable, rows independent.
    n_samples
        Length of the probe; it must hold the view of two middle frames with room on both sides.
    seed
        Of the noise.
    rounds
        At most so many batches of noise; fewer where two in a row add nothing.
    expected
        Geometry predicted from the operators: measuring stops as soon as it is reached, and an unbounded
        site, whose view cannot be seen in the probe, keeps its hop and view.
    dtype
        Of the noise; float64 makes zero gradients exact.

    Returns
    -------
    Geometry
        ``bounded`` is False where the dependence touches an end of the probe, where it does not move by the
        same hop from frame to frame, or where samples outside it matter; ``note`` says which.

    Examples
    --------
    >>> conv = torch.nn.Conv1d(1, 2, 5, stride=3, padding=2).double().requires_grad_(False)
    >>> measure(lambda audio: conv(audio[:, None]).transpose(1, 2), 64).interval
    (3, 5, -2)
    """
    generator = torch.Generator().manual_seed(seed)
    n_frames = _count_frames(model_fn, n_samples, dtype)
    middle = n_frames // 2
    frames = [t for t in (middle - 1, middle, middle + 2) if 0 <= t < n_frames]
    spans = _gradient_spans(model_fn, n_samples, frames, generator, rounds, expected, dtype)
    geometry = _fit(frames, spans, n_samples, n_frames)
    if not geometry.bounded:
        local = expected or geometry
        return replace(local, bounded=False, note=geometry.note)
    if _outside_matters(model_fn, n_samples, middle, geometry, generator, dtype):
        return replace(geometry, bounded=False, note="samples outside the gradient's span change a frame")
    return geometry


def dependence(model_fn: ModelFunction, n_samples: int, t: int, *, seed: int = 0) -> tuple[int, int]:
    """First and last sample that frame ``t`` depends on, in a probe that need not hold its whole view.

    For one frame of an encoder that reads fixed windows; ``(n_samples, -1)`` where it depends on nothing.
    """
    generator = torch.Generator().manual_seed(seed)
    return _gradient_spans(model_fn, n_samples, [t], generator, 6, None, torch.float64)[t]


def _count_frames(model_fn: ModelFunction, n_samples: int, dtype: torch.dtype) -> int:
    with torch.no_grad():
        return int(model_fn(torch.zeros(1, n_samples, dtype=dtype)).shape[1])


def _gradient_spans(
    model_fn: ModelFunction,
    n_samples: int,
    frames: list[int],
    generator: torch.Generator,
    rounds: int,
    expected: Geometry | None,
    dtype: torch.dtype,
) -> dict[int, tuple[int, int]]:
    """First and last sample with a nonzero derivative, for each frame; each frame has its own batch rows."""
    rows_per_frame = 4
    spans: dict[int, tuple[int, int]] = dict.fromkeys(frames, (n_samples, -1))
    unchanged = 0
    for _ in range(rounds):
        shape = (rows_per_frame * len(frames), n_samples)
        noise = torch.randn(*shape, generator=generator, dtype=dtype)
        audio = (noise * BACKGROUND_RMS).requires_grad_(True)
        with torch.enable_grad():
            out = model_fn(audio)
            signs = torch.randint(0, 2, (out.shape[-1],), generator=generator).to(out) * 2 - 1
            rows = out.unflatten(0, (len(frames), rows_per_frame))
            answer = torch.stack([(rows[i, :, t] * signs).sum() for i, t in enumerate(frames)]).sum()
            (gradient,) = torch.autograd.grad(answer, audio)
        before = dict(spans)
        _widen(spans, frames, gradient.unflatten(0, (len(frames), rows_per_frame)))
        if expected is not None and all(spans[t] == _span_of(expected, t) for t in frames):
            break
        unchanged = unchanged + 1 if spans == before else 0
        if unchanged == 2:
            break
    return spans


def _widen(spans: dict[int, tuple[int, int]], frames: list[int], gradient: torch.Tensor) -> None:
    """Widen each frame's span by where its rows of the gradient ``[frame, row, time]`` are not zero."""
    size = gradient.abs()
    # Float64 zeros are exact; in float32 some kernels leave rounding where there is no dependence.
    floor = 0.0 if gradient.dtype == torch.float64 else 1e-7 * float(size.max())
    for i, t in enumerate(frames):
        touched = (size[i] > floor).any(dim=0).nonzero()
        if len(touched):
            first, last = spans[t]
            spans[t] = (min(first, int(touched[0])), max(last, int(touched[-1])))


def _span_of(geometry: Geometry, t: int) -> tuple[int, int]:
    start = geometry.offset + t * geometry.hop
    return start, start + geometry.view - 1


def _fit(frames: list[int], spans: dict[int, tuple[int, int]], n_samples: int, n_frames: int) -> Geometry:
    """One hop, view and offset from the spans of a few frames, or an unbounded geometry that says why."""
    whole = Geometry(max(1, round(n_samples / n_frames)), n_samples, 0, bounded=False)
    if any(last < 0 for _, last in spans.values()):
        return replace(whole, note="the output does not depend on the input")
    if any(first == 0 or last == n_samples - 1 for first, last in spans.values()):
        return replace(whole, note=f"a frame depends on an end of a probe of {n_samples} samples")
    if len(frames) < 2:
        return replace(whole, note="fewer than two frames in the probe")
    hops = {(spans[b][side] - spans[a][side]) / (b - a) for a, b in pairwise(frames) for side in (0, 1)}
    hop = hops.pop()
    if hops or hop != int(hop) or hop < 1:
        return replace(whole, note="the hop varies from frame to frame")
    first, last = spans[frames[0]]
    return Geometry(int(hop), last - first + 1, first - frames[0] * int(hop))


def _outside_matters(
    model_fn: ModelFunction,
    n_samples: int,
    t: int,
    geometry: Geometry,
    generator: torch.Generator,
    dtype: torch.dtype,
) -> bool:
    """Whether frame ``t`` changes when every sample outside its span is replaced by other noise."""
    first, last = _span_of(geometry, t)
    audio = torch.randn(2, n_samples, generator=generator, dtype=dtype) * BACKGROUND_RMS
    audio[1, first : last + 1] = audio[0, first : last + 1]
    with torch.no_grad():
        frames = model_fn(audio)[:, t]
    tolerance = 1e-9 if dtype == torch.float64 else 1e-4
    return bool((frames[0] - frames[1]).abs().max() > tolerance * frames.abs().max())


def pink_noise(rows: int, n_samples: int, generator: torch.Generator) -> torch.Tensor:
    """Noise that falls by 3 dB an octave, ``[row, time]``, at :data:`BACKGROUND_RMS`, float64.

    It has the spectrum that music has on average.
    """
    spectrum = torch.fft.rfft(torch.randn(rows, n_samples, generator=generator, dtype=torch.float64))
    noise = torch.fft.irfft(spectrum / torch.arange(1, spectrum.shape[-1] + 1).sqrt(), n=n_samples)
    return BACKGROUND_RMS * noise / noise.square().mean(dim=1, keepdim=True).sqrt()


def impulse_pair(
    n_samples: int, *, rows: int = 4, seed: int = 0, dtype: torch.dtype = torch.float32
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Backgrounds ``[row, time]``, the same with one impulse each, and the impulses' positions ``[row]``.

    The background is pink noise; impulses sit around the middle, at random places within a hop.

    Examples
    --------
    >>> without, having, position = impulse_pair(1000)
    >>> [(a - b).nonzero().flatten().tolist() == [p] for a, b, p in zip(having, without, position.tolist())]
    [True, True, True, True]
    """
    generator = torch.Generator().manual_seed(seed)
    background = pink_noise(rows, n_samples, generator).to(dtype)
    reach = max(1, n_samples // 16)
    position = n_samples // 2 + torch.randint(-reach, reach, (rows,), generator=generator)
    struck = background.clone()
    struck[torch.arange(rows), position] += IMPULSE_BY_RMS * BACKGROUND_RMS
    return background, struck, position


def effective_view(
    without: torch.Tensor, having: torch.Tensor, position: torch.Tensor, geometry: Geometry
) -> tuple[int, int]:
    """Span that holds all but :data:`TAIL_SHARE` of the energy of an impulse's effect.

    Parameters
    ----------
    without, having
        Activations ``[row, frame, unit]`` to the two sounds of :func:`impulse_pair`.
    position
        Sample of each row's impulse, ``[row]``.
    geometry
        Hop, view and offset of the site, as if it were bounded.

    Returns
    -------
    view
        Effective view in samples, at least ``geometry.view``, grown on the side of the past.
    future
        Samples after a frame's end that are needed for the same share; 0 for a causal site.
    """
    energy = (having.double() - without.double()).square().sum(dim=2)  # [row, frame]
    total = float(energy.sum())
    if not total > 0:
        return geometry.view, 0
    starts = geometry.offset + geometry.hop * torch.arange(energy.shape[1])
    past = starts[None] - position[:, None]  # how far before the view the impulse lies
    future = position[:, None] - (starts[None] + geometry.view - 1)  # how far after it
    margin_past = _margin(energy, past, total)
    margin_future = _margin(energy, future, total)
    return geometry.view + margin_past, margin_future


def _margin(energy: torch.Tensor, distance: torch.Tensor, total: float) -> int:
    """Smallest distance beyond which no more than the tail's share of the energy lies."""
    outside = distance > 0
    order = distance[outside].argsort(descending=True)
    tail = energy[outside][order].cumsum(0)
    kept = int((tail <= TAIL_SHARE * total).sum())  # so many of the farthest may be left out
    if kept == len(order):
        return 0
    return int(distance[outside][order][kept])
