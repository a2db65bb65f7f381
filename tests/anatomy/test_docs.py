"""The page on anatomy computes what it claims."""

from __future__ import annotations

import doctest
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "anatomy.md"


def test_the_examples_by_hand_agree_with_the_code() -> None:
    """Every example of the page runs and prints what stands there."""
    found = doctest.testfile(str(PAGE), module_relative=False)
    assert found.attempted > 5
    assert found.failed == 0
