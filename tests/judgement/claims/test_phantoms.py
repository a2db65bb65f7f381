"""Encoders whose right answer is known, through a whole study: the ledger says of each what it must."""

from __future__ import annotations

from pathlib import Path

import pytest

SUPPORTED, NOT_SUPPORTED = "supported", "not supported"


@pytest.mark.prove
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("phantom", "expected"),
    [
        ("cochlea", dict.fromkeys(("end-of-stack", "sparse-spectrum", "persistence"), NOT_SUPPORTED)),
        ("sparse-only-cochlea", dict.fromkeys(("end-of-stack", "sparse-spectrum", "persistence"), SUPPORTED)),
        ("loudness", {"end-of-stack": SUPPORTED}),
    ],
)
def test_phantom(phantom: str, expected: dict[str, str], tmp_path: Path) -> None:
    """A cochlea isolates partials in any context, a sparse-only one in sparse spectra alone, loudness none."""
    from tonotopy.runs import study

    words = {"music": "scores", "preset": "quick", "workers": 1, "frequencies": 8, "pieces": 8}
    run = study(f"phantom:{phantom}", out=tmp_path / "run", **words)
    found = run.table("claims").set_index("claim")
    assert {name: found.loc[name, "answer"] for name in expected} == expected, found["why"].to_dict()
