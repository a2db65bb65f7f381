"""Checks that every encoder makes before it changes what is at a site.

Offers :func:`places_of_change`.
"""

from __future__ import annotations

from collections.abc import Sequence

from tonotopy.core.errors import InputError
from tonotopy.encoders._contract import OUTPUTS, Encoder


def places_of_change(encoder: Encoder, site: str, sites: Sequence[str], *, head: bool) -> list[str]:
    """Names to be read after a change at ``site``, made sure to lie at it or behind it.

    Parameters
    ----------
    head
        Whether the encoder has outputs that may be read too.

    Raises
    ------
    InputError
        No such site, or one that is computed before the change.

    Examples
    --------
    >>> from tonotopy.encoders import load_encoder
    >>> small = load_encoder("samplecnn-3-7", weights="random:0")
    >>> places_of_change(small, "conv7", ["stack_end", "outputs"], head=True)
    ['stack_end', 'outputs']
    """
    order = [known.name for known in encoder.sites]
    legal = order[order.index(encoder.site(site).name) :] + ([OUTPUTS] if head else [])
    for name in sites:
        if name == OUTPUTS and not head:
            cause = "the model has no head: read the sound that its decoder makes, or a later site"
            raise InputError(f"a site of {encoder.name}", repr(name), cause, legal)
        if name != OUTPUTS:
            encoder.site(name)
        if name not in legal:
            cause = f"it is computed before {site!r}: read a later site, or make the change at an earlier one"
            raise InputError(f"{site!r} or what comes after it", repr(name), cause, legal)
    return list(sites)
