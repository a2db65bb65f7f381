"""The template for a source keeps the contract, so that a copy of it starts from something that works."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from tonotopy.core.registry import _declared

TEMPLATE = Path(__file__).parents[3] / "templates" / "source.py"


@pytest.mark.skipif(not TEMPLATE.is_file(), reason="no templates beside the tests: an installed package")
def test_template(tmp_path: Path) -> None:
    """The template declares a plug-in, opens its example, and reads a part as the whole has it."""
    (plugin,) = _declared(TEMPLATE, "template")
    assert plugin.name == "my-source"
    spec = importlib.util.spec_from_file_location("template_source", TEMPLATE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    source = module.open_source(module.write_example(tmp_path, name=plugin.name), name=plugin.name)
    (clip,) = source.clips()
    assert list(source.clips()) == [clip]
    whole, part = source.read(clip, 16000), source.read(clip, 16000, start_s=0.5, duration_s=0.25)
    assert whole.shape == (1, round(16000 * clip.duration_s))
    np.testing.assert_allclose(part, whole[:, 8000:12000], atol=2e-6)
    assert source.ledger() == ()
    assert len(source.fingerprint()) == 64
