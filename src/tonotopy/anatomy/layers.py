"""One row for each site: what it is made of, where it looks, and what that rules out.

Conventions
-----------
``view``, ``hop`` and ``offset`` are in samples, as the encoder declares them: its prediction. They are set
against the sum of its operators, and against what gradient and impulse measure (`measured`). Whatever is
undefined is ``None``, with the reason in ``undefined`` under the field's name.

Definitions
-----------
- *view and hop of the operators* = what the operators listed on the path add up to (`operators`).
- *frame rate* = sampling rate / hop; *numbers a second* = frame rate x units; *numbers per sample* = numbers
  a second over the sampling rate (above 1 the site holds more numbers than the sound).
- *bits a second*, of a site with the role ``codes``: frame rate x the sum over codebooks of log2(size).
- *resolution limit* = sampling rate / span, the span being the view, or the effective view where state makes
  that longer; *carrier limit* = frame rate / 2.
- *resolvable* = share of 48 frequencies, evenly spaced in ERB-rate, with 3 ERB(f) >= resolution limit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from tonotopy.anatomy.limits import (
    carrier_limit_hz,
    carrier_sentence,
    resolution_limit_hz,
    resolution_sentence,
)
from tonotopy.anatomy.measured import GRADIENT, IMPULSE, Measured, declared
from tonotopy.anatomy.operators import Occurrence, cumulative, main_operator, nonlinearities, own_operators
from tonotopy.anatomy.resolvable import resolvable
from tonotopy.encoders._contract import Encoder, Operator, Site
from tonotopy.signal import erb

GRID = 48  # frequencies of the standard grid, of which a share is resolvable


@dataclass(frozen=True)
class Layer:
    """A site's anatomy; see the module for definitions.

    ``mismatch`` says where measurement contradicts prediction, and is empty where nothing does.
    """

    name: str
    role: str
    units: int
    kernel: int | None
    stride: int | None
    dilation: int | None
    padding: tuple[int, int] | None
    groups: int | None
    nonlinearity: str | None
    parameters: int | None
    view: int
    hop: int
    offset: int
    view_ms: float
    hop_ms: float
    bounded: bool
    effective_view: int | None
    note: str
    view_of_operators: int | None
    hop_of_operators: int | None
    measured: Measured
    mismatch: str
    frame_rate_hz: float
    numbers_per_s: float
    numbers_per_sample: float
    bits_per_s: float | None
    resolution_limit_hz: float | None
    carrier_limit_hz: float
    resolvable: float | None
    sentences: tuple[str, ...]
    undefined: dict[str, str] = field(default_factory=dict)


def layer(encoder: Encoder, site: Site, seen: set[Occurrence], measured: Measured) -> Layer:
    """One site's row.

    Parameters
    ----------
    encoder : Encoder
        Whose site it is. An optional attribute ``codebook_sizes``, a sequence of int with one entry for each
        codebook that a frame chooses from, tells bits a second.
    site : Site
        The site.
    seen : set of (Operator, int)
        What is on the paths to earlier sites (`occurrences`): it belongs to those.
    measured : Measured
        Where its frames were measured to look.

    Returns
    -------
    Layer
        The row.
    """
    rate_hz = encoder.sample_rate_hz
    own = [site.operators[at] for at in own_operators(site.operators, seen)]
    main = main_operator(own)
    of_operators = cumulative(site.operators)[-1] if site.operators else (None, None)
    frame_rate_hz = rate_hz / site.hop
    span = site.span if site.bounded or site.effective_view is not None else None
    sizes = codebook_sizes(encoder) if site.role == "codes" else None
    return Layer(
        name=site.name,
        role=site.role,
        units=site.units,
        kernel=main.kernel if main else None,
        stride=main.stride if main else None,
        dilation=main.dilation if main else None,
        padding=main.padding if main else None,
        groups=main.groups if main else None,
        nonlinearity=nonlinearities(own) if own else None,
        parameters=sum(operator.parameters for operator in own) if own else None,
        view=site.view,
        hop=site.hop,
        offset=site.offset,
        view_ms=1000.0 * site.view / rate_hz,
        hop_ms=1000.0 * site.hop / rate_hz,
        bounded=site.bounded,
        effective_view=site.effective_view,
        note=site.note,
        view_of_operators=of_operators[0],
        hop_of_operators=of_operators[1],
        measured=measured,
        mismatch=mismatch(site, measured, window=encoder.frame_length, told=_told(encoder, site)),
        frame_rate_hz=frame_rate_hz,
        numbers_per_s=frame_rate_hz * site.units,
        numbers_per_sample=site.units / site.hop,
        bits_per_s=frame_rate_hz * sum(math.log2(size) for size in sizes) if sizes else None,
        resolution_limit_hz=resolution_limit_hz(rate_hz, span) if span else None,
        carrier_limit_hz=carrier_limit_hz(rate_hz, site.hop),
        resolvable=float(resolvable(erb.grid(GRID, rate_hz), rate_hz, span).mean()) if span else None,
        sentences=((resolution_sentence(rate_hz, span),) if span else ())
        + (carrier_sentence(rate_hz, site.hop),),
        undefined=_undefined(site, own, main, sizes) | _no_sum(site, of_operators),
    )


def codebook_sizes(encoder: Encoder) -> tuple[int, ...] | None:
    """Sizes of the codebooks that one frame chooses from, where the encoder tells them."""
    sizes = getattr(encoder, "codebook_sizes", None)
    return tuple(int(size) for size in sizes) if sizes else None


def _told(encoder: Encoder, site: Site) -> list[str]:
    """What an encoder that measured itself says about a site that it mispredicted."""
    disagreements: Sequence[str] = getattr(encoder, "disagreements", ())
    start = f"{site.name}: "
    return [sentence.removeprefix(start) for sentence in disagreements if sentence.startswith(start)]


def mismatch(site: Site, measured: Measured, *, window: int | None, told: Sequence[str] = ()) -> str:
    """Where measurement contradicts prediction, in words; empty where it does not.

    A gradient that reaches less or more than declared contradicts; an impulse only where it reaches more.
    An unbounded site may reach more. The view of a framewise site is cut at the ends of its window.

    Parameters
    ----------
    site : Site
        What the encoder declares.
    measured : Measured
        What was measured.
    window : int or None
        Samples of a framewise encoder's window.
    told : sequence of str
        Contradictions that the encoder found itself.

    Returns
    -------
    str
        The contradictions, joined.

    Examples
    --------
    >>> site = Site("conv", "conv", hop=1, view=7, offset=0, units=4)
    >>> mismatch(site, Measured(hop=1, view_gradient=9, offset_gradient=0), window=None)
    'predicted [0, 7) every 1; by gradient [0, 9) every 1'
    """
    found = [*told]
    if site.operators:
        found += _against_operators(site, *cumulative(site.operators)[-1])
    if site.bounded:
        offset, view = declared(site, window)
        found += [measured.beyond] if measured.beyond else []
        found += _against_gradient(site, offset, view, measured) + _against_impulse(offset, view, measured)
    return (
        "; ".join([f"predicted {_interval(site.offset, site.view)} every {site.hop}", *found])
        if found
        else ""
    )


def _against_operators(site: Site, view: int | None, hop: int | None) -> list[str]:
    if view is None or site.role == "head" or (site.bounded and (view, hop) == (site.view, site.hop)):
        return []
    if not site.bounded and hop == site.hop:
        return []
    return [f"the operators listed add up to {view} samples every {hop}"]


def _against_gradient(site: Site, offset: int, view: int, measured: Measured) -> list[str]:
    if (
        measured.view_gradient is None
        or measured.offset_gradient is None
        or measured.gradient_by == "encoder"
    ):
        return []
    if (measured.offset_gradient, measured.view_gradient) == (offset, view) and measured.hop in {
        None,
        site.hop,
    }:
        return []
    hop = "" if measured.hop is None else f" every {measured.hop}"
    return [f"by gradient {_interval(measured.offset_gradient, measured.view_gradient)}{hop}"]


def _against_impulse(offset: int, view: int, measured: Measured) -> list[str]:
    if measured.view_impulse is None or measured.offset_impulse is None:
        return []
    if _holds(offset, view, measured.offset_impulse, measured.view_impulse):
        return []
    return [f"by impulse {_interval(measured.offset_impulse, measured.view_impulse)}"]


def _interval(start: int, length: int) -> str:
    return f"[{start}, {start + length})"


def _holds(start: int, length: int, inner_start: int, inner_length: int) -> bool:
    return start <= inner_start and inner_start + inner_length <= start + length


def _undefined(
    site: Site, own: Sequence[Operator], main: Operator | None, sizes: Sequence[int] | None
) -> dict[str, str]:
    """Reasons, by field."""
    reasons: dict[str, str] = {}
    if not own:
        why = (
            "every operator on its path leads to an earlier site"
            if site.operators
            else "no operators are listed"
        )
        reasons |= dict.fromkeys(("nonlinearity", "parameters"), why)
    if main is None:
        why = reasons.get("parameters", "no operator of its own has a kernel")
        reasons |= dict.fromkeys(("kernel", "stride", "dilation", "padding", "groups"), why)
    if not site.bounded and site.effective_view is None:
        why = "unbounded, and no effective view was measured"
        reasons |= dict.fromkeys(("resolution_limit_hz", "resolvable"), why)
    if site.effective_view is None:
        reasons["effective_view"] = "the view is bounded" if site.bounded else "not measured by the encoder"
    if site.role != "codes":
        reasons["bits_per_s"] = "not a quantised site"
    elif sizes is None:
        reasons["bits_per_s"] = "the encoder does not tell its codebooks"
    return reasons


def _no_sum(site: Site, of_operators: tuple[int | None, int | None]) -> dict[str, str]:
    if of_operators[0] is not None:
        return {}
    why = "behind a transposed convolution frames differ" if site.operators else "no operators are listed"
    return dict.fromkeys(("view_of_operators", "hop_of_operators"), why)


def unmeasured(reason: str) -> Measured:
    """A record of measurements that were not made, and why."""
    return Measured(undefined=dict.fromkeys(GRADIENT + IMPULSE, reason))
