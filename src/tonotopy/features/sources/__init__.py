"""Feature sources, one file each; :func:`find_features` is the front door.

A source file declares ``NAMES``, ``CITATION``, ``LICENCE`` and
``find(activations, *, count, seed, encoder=None, site=None, **options) -> Features``.

- ``channels``: the units themselves; ``pca``, ``ica``: components
- ``relu-l1``, ``topk``, ``batch-topk``, ``jumprelu``, ``matryoshka``: sparse autoencoders
- ``codebook``: entries of an encoder's quantiser; ``classes``: rows of its last linear layer
- ``random``: random directions, the control that every other source is compared with
"""

from __future__ import annotations

import inspect
from typing import Any

from tonotopy.core.errors import InputError
from tonotopy.core.registry import find, load, plugins
from tonotopy.features.sources._contract import EXPANSION as EXPANSION
from tonotopy.features.sources._contract import Activations as Activations
from tonotopy.features.sources._contract import ArrayActivations as ArrayActivations
from tonotopy.features.sources._contract import Features as Features
from tonotopy.features.sources._contract import Projection as Projection

#: Sources that are trained, step by step.
DICTIONARIES = ("relu-l1", "topk", "batch-topk", "jumprelu", "matryoshka")

__all__ = [
    "DICTIONARIES",
    "EXPANSION",
    "Activations",
    "ArrayActivations",
    "Features",
    "Projection",
    "check_sources",
    "find_features",
    "has_features",
    "list_sources",
]


def list_sources() -> list[str]:
    """Names of all feature sources.

    Examples
    --------
    >>> "topk" in list_sources()
    True
    """
    return sorted(plugins(__name__))


def check_sources(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names of feature sources that a study is asked for, checked.

    Raises
    ------
    InputError
        A name is unknown or comes twice.

    Examples
    --------
    >>> check_sources(("channels", "topk"))
    ('channels', 'topk')
    """
    for name in names:
        find(__name__, name, kind="feature source")
    if len(set(names)) != len(names):
        raise InputError("each feature source once", ",".join(names), "a source named twice")
    return names


def has_features(source: str, role: str) -> bool:
    """Whether a source has features at sites of a role.

    Examples
    --------
    >>> has_features("channels", "layer"), has_features("classes", "layer")
    (True, False)
    """
    roles = getattr(load(__name__, source, kind="feature source"), "ROLES", None)
    return roles is None or role in roles


def find_features(
    source: str,
    activations: Activations,
    *,
    count: int | None = None,
    seed: int = 0,
    encoder: Any = None,
    site: str | None = None,
    **options: Any,
) -> Features:
    """The features of one source at one site.

    Parameters
    ----------
    source
        A name of :func:`list_sources`.
    activations
        Frames of one site, a stream that can be gone through again.
    count
        Number of features; the source's own default where absent (as many as there are units, for most).
    seed
        Of whatever the source draws.
    encoder, site
        Where the activations come from: ``codebook`` and ``classes`` read the encoder's weights.
    options
        Further options of the source.

    Raises
    ------
    InputError
        No such source, an option that it does not have, activations that it cannot use, or an encoder that
        has no codebooks or classes.

    Examples
    --------
    >>> import numpy as np
    >>> frames = np.random.default_rng(0).standard_normal((100, 8)).astype(np.float32)
    >>> found = find_features("pca", ArrayActivations(frames), count=3)
    >>> found.names, found.of(frames).shape
    (('pca-0', 'pca-1', 'pca-2'), (100, 3))
    """
    module = load(__name__, source, kind="feature source")
    known = set(inspect.signature(module.find).parameters) - {
        "activations",
        "count",
        "seed",
        "encoder",
        "site",
        "source",
    }
    if "options" not in known and (unknown := sorted(set(options) - known)):
        raise InputError(f"options of {source}", ", ".join(unknown), "a misspelt option", sorted(known))
    if count is not None and not 1 <= count <= 1_000_000:
        raise InputError("a number of features from 1 to 1,000,000", repr(count))
    if not len(activations) or not activations.units:
        raise InputError("activations of at least one frame and one unit", "none", "an empty recording")
    found: Features = module.find(activations, count=count, seed=seed, encoder=encoder, site=site, **options)
    return found
