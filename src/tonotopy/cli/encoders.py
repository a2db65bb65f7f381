"""``tonotopy encoders``: which encoders there are."""

from __future__ import annotations

import click

from tonotopy.cli import _options as options


@click.command("encoders", epilog=options.examples("tonotopy encoders", "tonotopy encoders --json"))
@options.as_json
def command(as_json: bool) -> None:
    """Which encoders can be studied?

    Any torch module can be, too, and a new one is one file: the README says how. A phantom is made by hand,
    so that its right answer is known.
    """
    from dataclasses import asdict, replace

    from tonotopy.cli._output import write_json, write_table
    from tonotopy.core.registry import plugins
    from tonotopy.encoders import list_encoders

    by_hand = plugins("tonotopy.encoders.phantoms").values()
    kinds = ["reference" if one.module.endswith(".reference") else "phantom" for one in by_hand]
    spelled = [replace(one, name=f"{kind}:{one.name}") for kind, one in zip(kinds, by_hand, strict=True)]
    rows = [asdict(plugin) for plugin in [*list_encoders(), *spelled]]
    if as_json:
        write_json(rows)
    else:
        columns = ("name", "summary", "licence")
        write_table(columns, ([row[name] for name in columns] for row in rows))
