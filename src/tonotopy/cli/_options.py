"""Options that several verbs share, spelled once."""

from __future__ import annotations

from pathlib import Path

import click


def examples(*lines: str) -> str:
    """The end of a help text: commands to try, one a line."""
    # Click reads the backspace as "keep the line breaks of this paragraph".
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of a table.")

music = click.option(
    "--music",
    default="scores",
    show_default=True,
    metavar="SOURCE",
    help="Where music comes from: scores (built in), folder:PATH, fma-small:PATH.",
)

preset = click.option(
    "--preset",
    default="standard",
    show_default=True,
    metavar="NAME",
    help="How much is measured: quick, standard or thorough.",
)

weights = click.option(
    "--weights",
    metavar="WHICH",
    help="Which weights: random:SEED, a checkpoint file, or a name that the encoder knows.",
)

workers = click.option(
    "--workers", type=click.IntRange(min=1), metavar="N", help="Processes at a time; by default one a core."
)

run_folder = click.argument("run", type=click.Path(path_type=Path))
