"""An anatomy on a terminal.

Names come from models and files. They are shown as text, never read as markup: every cell is a
`rich.text.Text`, and characters that do not print are spelled out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from rich.table import Table
from rich.text import Text

from tonotopy.anatomy.limits import hz

if TYPE_CHECKING:
    from rich.console import Console

    from tonotopy.anatomy.aliases import Aliases
    from tonotopy.anatomy.first_layer import FirstLayerAnatomy
    from tonotopy.anatomy.layers import Layer
    from tonotopy.anatomy.linear_ceiling import LinearCeiling
    from tonotopy.anatomy.record import Anatomy

NOTHING = "–"  # undefined
MADE_OF = (
    *("site", "role", "kernel", "stride", "dilation", "groups", "nonlinearity", "parameters", "units"),
    *("numbers/sample", "bits/s"),
)
LOOKS = (
    *("site", "view", "gradient", "impulse", "view ms", "hop", "frames/s"),
    *("resolution", "carrier", "resolvable"),
)


def render(anatomy: Anatomy, console: Console) -> None:
    """Print an anatomy: layers, what follows, contradictions, first filters, aliases.

    Parameters
    ----------
    anatomy : Anatomy
        The record.
    console : rich.console.Console
        Where to.
    """
    rate = hz(anatomy.sample_rate_hz, digits=6)
    console.print(text(f"{anatomy.encoder} · {anatomy.weights_label} · {rate}", style="bold"))
    console.print(_table(MADE_OF, (_made_of(row) for row in anatomy.layers), left=2))
    console.print()
    console.print(_table(LOOKS, (_looks(row) for row in anatomy.layers), left=1))
    _lines(console, "What follows", _what_follows(anatomy.layers))
    notes = [f"{row.name}: {row.note}" for row in anatomy.layers if row.note]
    _lines(console, "Unbounded or otherwise noted", notes)
    _lines(
        console,
        "Predicted and measured differ",
        [f"{name}: {how}" for name, how in anatomy.mismatches.items()],
    )
    if anatomy.first_layer is None:
        _lines(console, "First filters", [anatomy.undefined["first_layer"]])
    else:
        _lines(console, "First filters", _first_layer_lines(anatomy.first_layer))
    _lines(console, "Alias pairs", [_alias_line(row) for row in anatomy.aliases])


def render_linear_ceiling(found: LinearCeiling | None, console: Console) -> None:
    """Print what any filters of the first layer's length could report; that it is undefined, where it is."""
    if found is None:
        _lines(console, "First layer, any filters", ["undefined: no first convolution, or a very long one"])
        return
    _lines(console, "First layer, any filters", [found.sentence])
    rows = zip(found.centre_hz, found.r2, found.kappa, found.could, strict=True)
    cells = (
        (f"{f:,.0f}", f"{r2:.2f}", f"{kappa:.2f}", "could" if c else "cannot") for f, r2, kappa, c in rows
    )
    console.print(_table(("band (Hz)", "R²", "largest κ", ""), cells, left=0))


def text(value: object, *, style: str = "") -> Text:
    """Any value as text that rich shows as it is.

    Examples
    --------
    >>> text("[red]" + chr(27)).plain == "[red]" + chr(92) + "x1b"
    True
    """
    clean = "".join(mark if mark.isprintable() else repr(mark)[1:-1] for mark in str(value))
    return Text(clean, style=style)


def number(value: float | None, digits: int = 3) -> str:
    """A number for reading, or a dash where it is undefined.

    Examples
    --------
    >>> number(1234567.0), number(0.123456), number(None), number(float("nan"))
    ('1,234,567', '0.123', '–', '–')
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    return f"{value:,.0f}" if abs(value) >= 10**digits else f"{value:.{digits}g}"


def _table(columns: Iterable[str], rows: Iterable[Iterable[object]], *, left: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for index, name in enumerate(columns):
        table.add_column(text(name), justify="left" if index < left else "right", overflow="fold")
    for row in rows:
        table.add_row(*(text(cell) for cell in row))
    return table


def _lines(console: Console, title: str, lines: list[str]) -> None:
    if lines:
        console.print()
        console.print(text(title, style="bold"))
        for line in lines:
            console.print(text("  " + line))


def _made_of(row: Layer) -> list[str]:
    """One cell for each of `MADE_OF`."""
    return [
        row.name,
        row.role,
        *(number(value) for value in (row.kernel, row.stride, row.dilation, row.groups)),
        row.nonlinearity or NOTHING,
        number(row.parameters),
        number(row.units),
        number(row.numbers_per_sample),
        number(row.bits_per_s),
    ]


def _looks(row: Layer) -> list[str]:
    """One cell for each of `LOOKS`; a plus sign marks a view that state makes longer."""
    limit = NOTHING if row.resolution_limit_hz is None else hz(row.resolution_limit_hz)
    return [
        row.name,
        f"{row.view:,}" + ("" if row.bounded else "+"),
        number(row.measured.view_gradient),
        number(row.measured.view_impulse),
        number(row.view_ms),
        f"{row.hop:,}",
        number(row.frame_rate_hz),
        limit,
        hz(row.carrier_limit_hz),
        NOTHING if row.resolvable is None else f"{row.resolvable:.0%}",
    ]


def _what_follows(rows: Iterable[Layer]) -> list[str]:
    """Each site's sentences; sites of which the same follows share a line."""
    names: dict[tuple[str, ...], list[str]] = {}
    for row in rows:
        names.setdefault(row.sentences, []).append(row.name)
    more = {key: f" (and {len(same) - 1} more)" if len(same) > 1 else "" for key, same in names.items()}
    return [f"{same[0]}{more[key]}: {'. '.join(key)}" for key, same in names.items()]


def _first_layer_lines(found: FirstLayerAnatomy) -> list[str]:
    """A first layer in a few lines."""
    bands, order = found.bands, found.order
    dead = sum("dead" in reasons.get("centroid_hz", "") for reasons in bands.undefined)
    size = f"{len(found.filters)} filters of {found.taps} samples, stride {found.stride}; {dead} dead"
    width = (
        f"medians: -3 dB bandwidth {_median(bands.bandwidth_hz)} Hz, "
        f"{_median(found.limit_ratio)} of the resolution limit; Q {_median(bands.q)}; "
        f"{_median(bands.pass_bands)} pass bands; gain at DC {_median(bands.dc_db)} dB"
    )
    lined_up = (
        f"log-likeness {number(order.log_likeness)} (p {number(order.log_likeness_p)}, random filters); "
        f"spatial order {number(order.spatial)} (p {number(order.spatial_p)}, shuffled filters)"
    )
    lines = [size, width, lined_up]
    lines += sorted({f"undefined: {why}" for why in order.undefined.values()})
    if found.folding is None:
        return [*lines, found.undefined["folding"]]
    ranks = found.folding.rank
    tells = f"{int(ranks.min())} of {found.folding.stride}" if len(ranks) else NOTHING
    return [*lines, f"all filters together tell apart at least {tells} members of every alias class"]


def _median(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> str:
    known = values[np.isfinite(values)]
    return number(float(np.median(known))) if known.size else NOTHING


def _alias_line(row: Aliases) -> str:
    if row.share_collapsed is None or row.share_control is None:
        return f"{row.site}: {row.undefined['share_collapsed']}"
    line = (
        f"{row.site} (stride {row.stride}): of {len(row.pairs_hz)} pairs {row.share_collapsed:.0%} collapse, "
        f"of controls that do not fold {row.share_control:.0%}"
    )
    if row.share_predicted is None:
        return f"{line}; no prediction: {row.undefined['share_predicted']}"
    line += f"; predicted {row.share_predicted:.0%} from {row.predicted_from}"
    return f"{line}, r {number(row.correlation)} (p {number(row.correlation_p)})"
