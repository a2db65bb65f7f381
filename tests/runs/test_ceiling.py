"""A study below its ceiling: one more set of weights in the graph, told beside the floor, resumed like it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tomli_w

from tonotopy.core.errors import RunError, WeightsError
from tonotopy.judgement.ceiling import CEILING_STATES
from tonotopy.runs import study
from tonotopy.runs.other_weights import positive_control
from tonotopy.runs.plan import Plan
from tonotopy.runs.sentence import answer

WORDS: dict[str, Any] = {
    "music": "scores",
    "preset": "quick",
    "frequencies": 3,
    "pieces": 8,
    "brief": True,
    "floor_seeds": 1,
}
MODEL = """
import torch
from torch import nn


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv1d(1, 8, 64, 16), nn.ReLU(), nn.Conv1d(8, 12, 16, 4))

    def forward(self, audio):
        return self.layers(audio)
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model in a file, and other weights for it: what stands in for a trained ceiling, and a record of them."""
    import torch
    from safetensors.torch import save_file

    from tonotopy.encoders import load_encoder

    folder = tmp_path_factory.mktemp("model")
    (folder / "model.py").write_text(MODEL, encoding="utf-8")
    spelling = f"{folder / 'model.py'}:Small"
    encoder = load_encoder(spelling, seed=1, trust=True, sample_rate=8000)
    state = encoder.trainable().state(torch.zeros(1, 4000))
    save_file(state, str(folder / "ceiling.safetensors"))
    return folder


@pytest.fixture(scope="module")
def below(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A study by name, in two processes, below that ceiling."""
    out = tmp_path_factory.mktemp("below") / "run"
    return study(
        f"{model / 'model.py'}:Small",
        ceiling=model,
        out=out,
        trust=True,
        sample_rate=8000,
        workers=2,
        **WORDS,
    )


def test_the_ceiling_is_told_beside_the_floor(below: Any) -> None:
    """One row a site and frequency in its table; every verdict lies somewhere; shares sum to 1."""
    ceiling, verdicts = below.table("ceiling"), below.verdicts()
    assert len(ceiling) == len(verdicts) == 3 * len(below.plan.sites)
    assert set(ceiling["site"]) == set(below.plan.sites)
    assert set(verdicts["against_ceiling"]) <= set(CEILING_STATES)
    joined = verdicts.merge(ceiling, on=["site", "frequency_hz"], suffixes=("", "_ceiling"))
    could = (joined["line"] != "passes") & (joined["line_ceiling"] == "passes")
    assert ((joined["against_ceiling"] == "could, does not") == could).all()
    for entry in below.verdict["sites"]:
        assert sum(entry["against_ceiling"].values()) == pytest.approx(1)
        assert sum(entry["ceiling_shares"].values()) == pytest.approx(1)
    assert "Below its ceiling, the same architecture fitted to report partials" in below.verdict["sentence"]
    assert below.plan.ceiling == "ceiling.safetensors"
    assert below.plan.ceiling_id.startswith("sha256:")
    assert "positive_control" not in below.verdict  # no record of R^2 beside these weights
    assert below.table("ceiling")["level_r2"].isna().all()


def test_other_weights_were_measured(below: Any, model: Path) -> None:
    """What the ceiling reads is what a study of these weights reads."""
    own = study(
        f"{model / 'model.py'}:Small",
        weights=str(model / "ceiling.safetensors"),
        out=below.path.parent / "own",
        trust=True,
        sample_rate=8000,
        workers=1,
        floor=False,
        **{key: value for key, value in WORDS.items() if key != "floor_seeds"},
    ).verdicts()
    ceiling = below.table("ceiling")
    for name in ("line_detection", "line_specificity", "line_consistency"):
        np.testing.assert_allclose(own[name], ceiling[name], atol=1e-6)
    assert (own["verdict"].to_numpy() == ceiling["verdict"].to_numpy()).all()


def test_the_same_words_find_the_same_run(below: Any, model: Path) -> None:
    """Nothing is measured again; without the ceiling, or with another, the folder is refused."""
    done: list[str] = []
    words = WORDS | {"out": below.path, "trust": True, "sample_rate": 8000, "workers": 1}
    spelling = f"{model / 'model.py'}:Small"
    again = study(spelling, ceiling=model, progress=lambda *a: done.append(a[2]), **words)
    assert done == []
    assert again.plan == below.plan
    with pytest.raises(RunError, match="a run whose plan differs in: ceiling, ceiling_id"):
        study(spelling, **words)
    with pytest.raises(WeightsError, match=r"a ceiling: a folder with ceiling\.safetensors, or a file"):
        study(spelling, ceiling=model / "nowhere", **words)


def test_plans_from_before_have_no_ceiling(below: Any) -> None:
    """A plan without the two keys is read as one without a ceiling; with them it survives TOML."""
    assert Plan.from_toml(below.plan.to_toml()) == below.plan
    import tomllib

    values = tomllib.loads(below.plan.to_toml())
    old = {key: value for key, value in values.items() if key not in ("ceiling", "ceiling_id")}
    assert Plan.from_toml(tomli_w.dumps(old)) == replace(below.plan, ceiling="", ceiling_id="")


def test_without_a_ceiling_nothing_is_said(finished: Any) -> None:
    """The table is empty, the column missing, the sentence as before."""
    assert finished.table("ceiling").empty
    assert finished.verdicts()["against_ceiling"].isna().all()
    assert all("against_ceiling" not in entry for entry in finished.verdict["sites"])
    assert "ceiling" not in finished.verdict["sentence"]


def test_the_control_warns_in_the_sentence(below: Any, model: Path) -> None:
    """Where bands are reported well and do not read stable, the answer says that the instrument is wrong."""
    from tonotopy.encoders import load_encoder

    encoder = load_encoder(f"{model / 'model.py'}:Small", trust=True, sample_rate=8000)
    end = next(site.name for site in encoder.sites if site.role == "stack_end")
    ceiling = pd.DataFrame(
        {
            "site": end,
            "frequency_hz": [100.0, 200.0, 400.0],
            "verdict": ["stable", "absent", "entangled"],
            "level_r2": [0.95, 0.93, 0.5],
        }
    )
    told = positive_control(ceiling, encoder)
    assert told == json.loads(json.dumps(told))
    assert (told["frequencies"], told["stable"], told["passes"]) == (2, 1, False)
    sites = [site | {"shuffled_stable": float("nan")} for site in below.verdict["sites"]]
    sentence = answer(sites, 8, told)
    assert "Warning: of 2 frequencies that the ceiling reports with R² above 0.9" in sentence
    assert "the instrument reads 1 as stable" in sentence
    assert "Warning" not in answer(sites, 8, told | {"passes": None})


def test_a_ceiling_that_learned_too_little_forbids_nothing(below: Any) -> None:
    """Without a band that the ceiling reports well, the answer says what its `cannot` is worth."""
    sites = [site | {"shuffled_stable": float("nan")} for site in below.verdict["sites"]]
    told = {"r2_above": 0.9, "frequencies": 0, "stable": 0, "passes": None, "best_r2": 0.712}
    sentence = answer(sites, 8, told)
    assert "this ceiling reports no band with R² above 0.9 (at most 0.71): cannot says" in sentence
    assert "not what the architecture forbids" in sentence
    assert "this ceiling reports no band" not in answer(sites, 8, told | {"frequencies": 3, "passes": True})


def test_views_show_it(below: Any) -> None:
    """On a terminal, in the report's table of sites and in the figure's data, without a word on random weights lost."""
    from rich.console import Console

    from tonotopy.views import render_show
    from tonotopy.views.figures import verdict_map
    from tonotopy.views.tables import RunTables

    console = Console(width=200, record=True, file=None)
    with console.capture() as text:
        render_show(below.path, console)
    assert "stable where the architecture was fitted for it (ceiling): " in text.get()
    assert "it is no positive control here" in text.get()
    cells = verdict_map.data(RunTables.read(below.path))
    assert cells["ceiling"].notna().all()
    assert "strip above each row is the ceiling" in verdict_map.caption(RunTables.read(below.path))
