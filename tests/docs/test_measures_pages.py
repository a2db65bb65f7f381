"""Worked examples of the documentation: they run, and those on measures agree with the code of a study."""

from __future__ import annotations

import dataclasses
import doctest
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tonotopy.measures import measures, sparsity
from tonotopy.measures.evoked import evoked_shares, parallelism
from tonotopy.measures.tally import Tally
from tonotopy.recording.recording import Recording, TrialTable

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = sorted((DOCS / "measures").glob("*.md"))
BLOCK = re.compile(r"^```pycon\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLES = [page for page in PAGES if page.stem != "index"]
OTHERS = [page for page in sorted(DOCS.glob("*.md")) if BLOCK.search(page.read_text(encoding="utf-8"))]


def run_page(page: Path) -> dict[str, Any]:
    """Run a page's examples in order, and return the names that they leave behind."""
    text = "\n".join(
        re.findall(r"^```pycon\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    )
    names: dict[str, Any] = {}
    test = doctest.DocTestParser().get_doctest(text, names, page.name, str(page), 0)
    heard: list[str] = []
    failed = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(
        test, out=heard.append, clear_globs=False
    )
    assert test.examples, f"{page.name} has no example"
    assert failed.failed == 0, "".join(heard)
    return test.globs


@pytest.mark.parametrize("page", [*EXAMPLES, *OTHERS], ids=lambda page: page.stem)
def test_examples_run(page: Path) -> None:
    """What a page computes by hand is what the code prints."""
    run_page(page)


@pytest.mark.parametrize("page", EXAMPLES, ids=lambda page: page.stem)
def test_pages_have_one_shape(page: Path) -> None:
    """Each page has the same four parts and is listed in the overview."""
    text = page.read_text(encoding="utf-8")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == [
        "By hand",
        "Null",
        "What goes wrong with the obvious form",
        "Where",
    ]
    assert f"({page.name})" in (DOCS / "measures" / "index.md").read_text(encoding="utf-8")


def test_pattern_shows_the_map() -> None:
    """The order of packages on the page about the pattern is the map of the package."""
    import tonotopy

    chain = re.findall(r"^(\w+(?: → \w+)+)$", (DOCS / "pattern.md").read_text(encoding="utf-8"), re.MULTILINE)
    the_map = re.findall(r"^ {4}(\w+) {2,}\S", tonotopy.__doc__ or "", flags=re.MULTILINE)
    assert [line.split(" → ") for line in chain] == [the_map]


@pytest.mark.parametrize("page", [*EXAMPLES, *sorted(DOCS.glob("*.md"))], ids=lambda page: page.stem)
def test_pages_name_what_exists(page: Path) -> None:
    """Every dotted name of the package on a page can be imported."""
    from importlib import import_module

    for name in re.findall(r"`(tonotopy(?:\.\w+)+)`", page.read_text(encoding="utf-8")):
        module, _, last = name.rpartition(".")
        try:
            import_module(name)
        except ModuleNotFoundError:
            assert hasattr(import_module(module), last), name


# ---- the by-hand numbers against the functions of a study


def tally_of(**sums: Any) -> Tally:
    """A tally with one frequency and one piece; what is not given is empty."""
    fields = {field.name: None for field in dataclasses.fields(Tally)}
    column = {name: np.array([[value]], dtype=float) for name, value in sums.items()}
    return Tally(**(fields | column))


ONE = np.ones((1, 1))


def test_consistency_agrees() -> None:
    """Consistency by hand is consistency in a study."""
    page = run_page(DOCS / "measures" / "consistency.md")
    r = page["r"]
    sums = tally_of(own_sum=r.sum(), own_square=(r**2).sum(), own_count=len(r))
    assert measures._consistency(sums, ONE)[0, 0] == pytest.approx(page["con"])


def test_specificity_agrees() -> None:
    """Specificity by hand is specificity in a study."""
    page = run_page(DOCS / "measures" / "specificity.md")
    sums = tally_of(near_square=0.64, near_count=1, far_square=0.017, far_count=1)
    sums = dataclasses.replace(
        sums, near_width_erb=np.array([page["near_width"]]), far_width_erb=np.array([page["far_width"]])
    )
    expected = page["near"] / (page["near"] + page["far"])
    assert measures._specificity(sums, ONE)[0, 0] == pytest.approx(expected)


def test_largest_lobe_agrees() -> None:
    """The largest lobe by hand is the largest lobe in a study, with probes and without."""
    page = run_page(DOCS / "measures" / "largest-lobe.md")
    n = measures.LEAST_LOBE_FRAMES
    bins = np.array(page["bins"])[:, None, None]
    probes = np.array(list(page["probes"].values()))[:, None, None]
    plain = dataclasses.replace(
        tally_of(own_square=n * page["own"] ** 2, own_count=n),
        lobe_square=n * bins**2,
        lobe_count=np.full(bins.shape, float(n)),
    )
    probed = dataclasses.replace(
        plain, probe_square=n * probes**2, probe_count=np.full(probes.shape, float(n))
    )
    assert measures._largest_lobe(plain, ONE)[0, 0] == pytest.approx(0.3 / 0.9)
    assert measures._largest_lobe(probed, ONE)[0, 0] == pytest.approx(0.54 / 0.9)


def recording(changes: dict[str, np.ndarray]) -> Recording:
    """One trial a row: family -> ``[frequency, unit]`` changes, with absent frames at zero."""
    rows = [(family, f, delta) for family, block in changes.items() for f, delta in enumerate(block)]
    n = len(rows)
    columns: dict[str, np.ndarray] = {field.name: np.zeros(n) for field in dataclasses.fields(TrialTable)}
    columns |= {
        "family": np.array([family for family, _, _ in rows]),
        "frequency_index": np.array([f for _, f, _ in rows]),
    }
    core = np.zeros((n, 3, 1, len(rows[0][2])), np.float32)
    core[:, 1, 0] = [delta for _, _, delta in rows]
    return Recording(TrialTable(**columns), core)


def test_parallelism_agrees() -> None:
    """Parallelism by hand is parallelism in a study, near and far."""
    page = run_page(DOCS / "measures" / "parallelism.md")
    blocks = {name: np.stack([page[f"f_{name}"], page[f"h_{name}"]]) for name in ("silence", "music")}
    near, far = parallelism(recording(blocks), np.array([440.0, 3000.0]))
    assert near[0] == pytest.approx(0.8)
    assert far[0] == pytest.approx(0.6)


def test_evoked_variance_agrees() -> None:
    """EV1 and EV2 by hand are those of a study."""
    page = run_page(DOCS / "measures" / "evoked-variance.md")
    train, test = (
        recording({str(k): row[None] for k, row in enumerate(page[name])}) for name in ("train", "test")
    )
    ev1, ev2 = evoked_shares(train, test, 1)
    assert ev1[0] == pytest.approx(page["ev1"])
    assert ev2[0] == pytest.approx(page["ev2"])


def test_sparsity_law_agrees() -> None:
    """The half-point by hand is the half-point of a study."""
    page = run_page(DOCS / "measures" / "sparsity-law.md")
    curve = np.array([page["sparse"], page["dense"]])
    assert sparsity._crossing(np.array([2.0, 8.0]), curve, page["null"]) == pytest.approx(page["half_point"])
