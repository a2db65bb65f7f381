"""A finished ceiling on a terminal: how well each band is reported, beside chance and random weights."""

from __future__ import annotations

import numpy as np
from rich.console import Console

from tonotopy.judgement.ceiling import CONTROL_R2
from tonotopy.training.ceiling_record import BandR2, CeilingRecord
from tonotopy.views.terminal import plain_text, print_whole, table_of
from tonotopy.views.words import DASH, count, missing

COLUMNS = ("band (Hz)", "level R²", "chance", "random", "phase R²", "chance", "random", "")


def render_ceiling(record: CeilingRecord, console: Console) -> None:
    """Print a ceiling: one row a band, and what it comes to.

    Parameters
    ----------
    record : CeilingRecord
        What is told of it.
    console : rich.console.Console
        Where to.
    """
    steps = f"{record.steps:,} steps, {record.seconds / 60:.1f} minutes"
    console.print(plain_text(f"ceiling of {record.encoder} · {steps} · {record.music}", style="bold"))
    told = any(band.below_carrier_limit for band in record.bands)
    print_whole(table_of(COLUMNS, [_row(band, told) for band in record.bands]), console)
    console.print()
    for line in sentences(record):
        console.print(plain_text(line))


def sentences(record: CeilingRecord) -> list[str]:
    """What the table comes to, and with what it must be read."""
    level = [np.nan if band.level_r2 is None else band.level_r2 for band in record.bands]
    good = int(np.sum(np.array(level) > CONTROL_R2))
    median = _r2(float(np.nanmedian(level)))
    pieces = count(record.held_out_pieces, "held-out piece")
    frames = f"{record.held_out_frames:,} frames of {pieces} and of synthetic contexts"
    bands = count(len(level), "band")
    lines = [f"Level: R² above {CONTROL_R2:g} in {good} of {bands}, median {median}, on {frames}."]
    wanted = 3 * len(level)
    if record.units < wanted:
        lines.append(
            f"The end of the stack has {record.units} units for {wanted} numbers: not all can be linear in it at once."
        )
    above = sum(not band.below_carrier_limit for band in record.bands)
    if above:
        many = "All bands lie" if above == len(level) else f"{count(above, 'band')} (marked ~)"
        lines.append(
            f"{many} above half the frame rate: a frame's phase is its own there; from one to the next it turns as an "
            "alias."
        )
    short = sum(not band.resolvable for band in record.bands)
    if short:
        lines.append(f"{count(short, 'band')} unresolvable in a view of {record.view:,} samples (marked ×).")
    return lines


def _row(band: BandR2, mixed: bool) -> tuple[str, ...]:
    # A mark on every row would say nothing.
    marks = ("" if band.resolvable else "×") + ("~" if mixed and not band.below_carrier_limit else "")
    return (
        f"{band.centre_hz:,.0f}",
        *(_r2(v) for v in (band.level_r2, band.level_chance, band.random_level_r2)),
        *(_r2(v) for v in (band.phase_r2, band.phase_chance, band.random_phase_r2)),
        marks,
    )


def _r2(value: float | None) -> str:
    return DASH if missing(value) else f"{float(value):.2f}"  # type: ignore[arg-type]
