"""The calibration asks every phantom once a seed, together only where their family opens as one encoder."""

from __future__ import annotations

from importlib import import_module

from tonotopy.core.registry import plugins
from tonotopy.runs.calibrate import PACKAGE, plan_tasks


def test_every_phantom_is_in_a_task_that_can_be_opened() -> None:
    """No phantom is left out or asked twice, and phantoms that share a study are sites of one encoder."""
    tasks = plan_tasks((0, 1), None, "scores", "quick", {})
    for seed in (0, 1):
        asked = [name for task in tasks if task.seed == seed for name in task.phantoms]
        assert sorted(asked) == sorted(plugins(PACKAGE))
    for task in tasks:
        module = import_module(task.module)
        if len(task.phantoms) > 1:
            sites = {site.name for site in module.open_family(seed=0).sites}
            assert set(task.phantoms) <= sites, task.module
        else:
            assert hasattr(module, "open_encoder")
