"""The template for a figure is a figure: it declares what the registry reads and keeps the contract."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tonotopy.core.registry import _declared
from tonotopy.views import RunTables
from tonotopy.views.export import rendered

TEMPLATE = Path(__file__).resolve().parents[2] / "templates" / "figure.py"


@pytest.mark.parametrize("kind", ["plain", "hostile", "minimal"])
def test_the_template_draws(kind: str, run_folders: dict[str, Path]) -> None:
    """Copied as it is, it draws any run and says what it shows."""
    spec = importlib.util.spec_from_file_location("template_figure", TEMPLATE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    run = RunTables.read(run_folders[kind])
    assert rendered(module.draw(run), "svg") == rendered(module.draw(run), "svg")
    assert len(module.data(run, "codes")) == len(run.frequencies_hz)
    assert "Null" in module.caption(run)
    assert len(module.describe(run)) == len(run.site_names)


def test_the_template_declares_itself() -> None:
    """The registry finds its name, licence and summary without importing it."""
    (plugin,) = _declared(TEMPLATE, "template")
    assert plugin.name == "spread-of-detection"
    assert plugin.licence == "MIT"
    assert plugin.summary
