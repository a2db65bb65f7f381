"""From a stream to the latents of a trained dictionary: what the five sparse autoencoders share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

from tonotopy.core.errors import InputError
from tonotopy.features.dictionaries.conditioning import condition
from tonotopy.features.dictionaries.consistency import consistency, recurrence
from tonotopy.features.dictionaries.recipe import Recipe
from tonotopy.features.dictionaries.trained import Dictionary, describe
from tonotopy.features.dictionaries.training import Progress, train_dictionary
from tonotopy.features.dictionaries.variant import Variant
from tonotopy.features.sources._contract import EXPANSION, Activations, Features, numbered

#: Frames that a training sees, where no number of steps is asked for.
FRAMES = 4_000_000
#: Frames a batch, and a batch's largest share of the recording.
BATCH, SHARE = 1024, 8


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
    known = [f.name for f in fields(make)]  # type: ignore[arg-type] # variants are dataclasses
    if unknown := sorted(set(options) - set(known)):
        raise InputError(f"options of {source}", ", ".join(unknown), "a misspelt option", known)
    if not 1 <= seeds <= 100:
        raise InputError("1 to 100 seeds", repr(seeds))
    batch = batch or max(1, min(BATCH, len(activations) // SHARE))
    features = count or EXPANSION * activations.units
    if "k" in known and "k" not in options:
        options["k"] = max(1, min(32, features // 8, activations.units // 2))
    variant = make(**options)
    conditioning = condition(activations)
    trained: list[Dictionary] = []
    for number in range(seed, seed + seeds):
        recipe = Recipe(features, steps or max(1, FRAMES // batch), number, batch, learning_rate)
        if dead_after is not None:
            recipe = Recipe(**{**_plain(recipe), "dead_after": dead_after})
        place = None if folder is None else Path(folder) / f"seed-{number}"
        trained.append(
            train_dictionary(
                activations, variant, recipe, folder=place, conditioning=conditioning, progress=progress
            )
        )
    told = {**conditioning.diagnostics, **describe(trained[0], activations), "variant": repr(variant)}
    if seeds > 1:
        told["recurrence"] = recurrence(trained).tolist()
        found = [consistency(trained[0], other) for other in trained[1:]]
        told["consistency"] = [
            {
                "mean_cosine": f.mean_cosine,
                "mean_max_cosine": f.mean_max_cosine,
                "null_mean_cosine": f.null_mean_cosine,
                "null_mean_max_cosine": f.null_mean_max_cosine,
            }
            for f in found
        ]
    first = trained[0]
    return Features(source, numbered(source, features), first.units, first.directions, first.encode, told)


def _plain(recipe: Recipe) -> dict[str, Any]:
    return {f.name: getattr(recipe, f.name) for f in fields(recipe)}
