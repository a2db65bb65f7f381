"""``tonotopy calibrate``: the instrument tried on encoders whose right answer is known."""

from __future__ import annotations

import click

from tonotopy.cli import _options as options


@click.command(
    "calibrate",
    epilog=options.examples(
        "tonotopy calibrate",
        "tonotopy calibrate --phantom cochlea --phantom linear-stack --seeds 0,1,2",
    ),
)
@click.option("--seeds", default="0", show_default=True, metavar="0,1,2", help="Seeds to repeat it with.")
@options.preset
@click.option("--phantom", "phantoms", multiple=True, metavar="NAME", help="Only this one; may be repeated.")
@options.music
@options.workers
@options.as_json
def command(
    seeds: str, preset: str, phantoms: tuple[str, ...], music: str, workers: int | None, as_json: bool
) -> int:
    """Does the instrument read what it must on known encoders?

    Phantoms are encoders built by hand, so that the right answer is known. Exit code 1 when one of them
    reads otherwise.

    It takes about five minutes a seed on two cores. --preset quick is a smoke test: with so few trials the
    superposed cochlea may read below its line.
    """
    from tonotopy.cli._door import NO
    from tonotopy.cli._output import say, write_json, write_table
    from tonotopy.cli._progress import progress
    from tonotopy.runs import calibrate

    numbers = _numbers(seeds)
    with progress("calibrate") as callback:
        rows = calibrate(
            seeds=numbers,
            preset=preset,
            phantoms=phantoms or None,
            music=music,
            progress=callback,
            workers=workers,
        )
    failed = sum(not row["pass"] for row in rows)
    if as_json:
        write_json({"phantoms": rows})
    else:
        columns = ("phantom", "site", "readout", "seed", "must read", "reads", "")
        keys = ("phantom", "site", "readout", "seed", "expected", "observed")
        cells = ([*(row[key] for key in keys), "ok" if row["pass"] else "FAILS"] for row in rows)
        write_table(columns, cells)
        say(f"{len(rows) - failed} of {len(rows)} as they must be")
    return NO if failed else 0


def _numbers(text: str) -> tuple[int, ...]:
    """Seeds from a comma-separated list."""
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if not numbers or min(numbers) < 0:
        raise click.BadParameter(
            f"{text!r} is no list of whole numbers from 0, such as 0,1,2", param_hint="--seeds"
        )
    return numbers
