"""Text that came from a file's tags or name: untrusted, so stripped of control characters and bounded."""

from __future__ import annotations

import unicodedata

LONGEST_TAG = 200
"""Characters kept of a tag; a title or an artist is never longer than this in good faith."""


def tidy(tag: str | None) -> str | None:
    r"""A tag as one bounded line of printable text, or None where nothing is left.

    Examples
    --------
    >>> tidy("Fu\x1b[31mgue\n in  D")
    'Fu[31mgue in D'
    """
    if not tag:
        return None
    spaced = " ".join(tag[: 8 * LONGEST_TAG].split())
    # Category C holds control, format (bidirectional overrides too), surrogate and unassigned characters.
    kept = "".join(c for c in spaced if unicodedata.category(c)[0] != "C").strip()
    return kept[:LONGEST_TAG] or None


def printable(name: str) -> str:
    """A file name with control characters and undecodable bytes escaped: still unique, and printable."""
    return "".join(c if unicodedata.category(c) not in ("Cc", "Cf", "Cs") else ascii(c)[1:-1] for c in name)
