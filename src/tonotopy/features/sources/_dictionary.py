"""From a stream to the latents of a trained dictionary: what the five sparse autoencoders share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from tonotopy.core.errors import InputError
from tonotopy.features.dictionaries.conditioning import condition
from tonotopy.features.dictionaries.consistency import consistency, recurrence
from tonotopy.features.dictionaries.recipe import DEAD_AFTER, Recipe
from tonotopy.features.dictionaries.trained import Dictionary, describe
from tonotopy.features.dictionaries.training import Progress, train_dictionary
from tonotopy.features.dictionaries.variant import Variant
from tonotopy.features.sources._contract import EXPANSION, Activations, Features, numbered

#: Frames that a training sees, where no number of steps is asked for.
FRAMES = 4_000_000
#: Frames a batch, and a batch's largest share of the recording.
BATCH, SHARE = 1024, 8
#: Active latents of a frame, where no number is asked for; fewer where there are few latents or units.
MOST_ACTIVE = 32


def dictionary_features(
    source: str,
    make: Callable[..., Variant],
    activations: Activations,
    *,
    count: int | None,
    seed: int,
    steps: int | None = None,
    batch: int | None = None,
    learning_rate: float | None = None,
    dead_after: int | None = None,
    seeds: int = 1,
    folder: str | Path | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Features:
    """Latents of a dictionary trained on the stream.

    Parameters
    ----------
    count
        Number of latents; :data:`EXPANSION` a unit where absent.
    steps, batch, learning_rate, dead_after
        See :class:`~tonotopy.features.dictionaries.recipe.Recipe`.
    seeds
        Dictionaries that are trained, from ``seed`` on. The first is what is given; how well each of its latents
        recurs in the others is told in the attributes ``recurrence`` and ``consistency``.
    folder
        Where training is kept, and resumed from: one folder a seed.
    options
        Of the variant: ``k``, ``l1``, ``l0``, …

    Raises
    ------
    InputError
        An option that the variant does not have, or a recording shorter than a batch.
    """
    latents = count or EXPANSION * activations.units
    variant = _variant(source, make, options, latents, activations.units)
    if not 1 <= seeds <= 100:
        raise InputError("1 to 100 seeds", repr(seeds))
    size = batch or max(1, min(BATCH, len(activations) // SHARE))
    patience = DEAD_AFTER if dead_after is None else dead_after
    recipe = Recipe(latents, steps or max(1, FRAMES // size), seed, size, learning_rate, patience)
    conditioning = condition(activations)
    trained = [
        train_dictionary(
            activations,
            variant,
            replace(recipe, seed=number),
            folder=None if folder is None else Path(folder) / f"seed-{number}",
            conditioning=conditioning,
            progress=progress,
        )
        for number in range(seed, seed + seeds)
    ]
    first = trained[0]
    told = {**conditioning.diagnostics, **describe(first, activations), "variant": repr(variant)}
    told |= _agreement(trained)
    return Features(source, numbered(source, latents), first.units, first.directions, first.encode, told)


def _variant(
    source: str, make: Callable[..., Variant], options: dict[str, Any], latents: int, units: int
) -> Variant:
    """The variant with its options, and with as many active latents as its size allows where none is asked for."""
    known = [f.name for f in fields(make)]  # type: ignore[arg-type] # variants are dataclasses
    if unknown := sorted(set(options) - set(known)):
        raise InputError(f"options of {source}", ", ".join(unknown), "a misspelt option", known)
    if "k" in known and "k" not in options:
        return make(**options, k=max(1, min(MOST_ACTIVE, latents // 8, units // 2)))
    return make(**options)


def _agreement(trained: Sequence[Dictionary]) -> dict[str, Any]:
    """How well the latents of the first recur in the others, as plain values; nothing of one alone."""
    if len(trained) == 1:
        return {}
    found = [consistency(trained[0], other) for other in trained[1:]]
    figures = ("mean_cosine", "mean_max_cosine", "null_mean_cosine", "null_mean_max_cosine")
    return {
        "recurrence": recurrence(trained).tolist(),
        "consistency": [{name: getattr(one, name) for name in figures} for one in found],
    }
