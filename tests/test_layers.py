"""The architecture is what it says: one map, one direction, independent plug-ins, a light import."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import tonotopy

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "tonotopy"
HEAVY = ("matplotlib", "pandas", "scipy", "torch", "transformers", "xarray", "zarr")

# Siblings that a plug-in may build on, by folder: any torch module is wrapped by the same encoder.
SHARED = {"encoders": {"module"}}


def layers() -> list[str]:
    """Names of the layers in pyproject.toml, highest first."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = next(c for c in config["tool"]["importlinter"]["contracts"] if c["id"] == "map")
    return [name for layer in contract["layers"] for name in re.findall(r"\w+", layer)]


def the_map() -> list[str]:
    """Names in the docstring of the package, in the order data flow."""
    return re.findall(r"^ {4}(\w+) {2,}\S", tonotopy.__doc__ or "", flags=re.MULTILINE)


def test_layers_equal_the_map() -> None:
    """The list that import-linter checks is the map that a reader sees, turned round."""
    assert layers() == the_map()[::-1]
    assert the_map()[-1] == "cli"


def test_map_names_every_package() -> None:
    """No package of the source tree is missing from the map."""
    packages = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    assert packages <= set(the_map())


# ---- independent plug-ins


def is_plugin(tree: ast.Module) -> bool:
    """Whether a module declares NAMES, as every plug-in does."""
    targets = (t for node in tree.body if isinstance(node, ast.Assign) for t in node.targets)
    annotated = (node.target for node in tree.body if isinstance(node, ast.AnnAssign))
    return any(isinstance(t, ast.Name) and t.id == "NAMES" for t in (*targets, *annotated))


def imported(tree: ast.Module) -> Iterator[str]:
    """Every dotted name that a module imports, at its top or inside a function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def entangled(source: Path) -> list[str]:
    """Plug-ins that import another plug-in of their folder, as ``importer -> imported``."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(source.rglob("*.py"))}
    plugins = {path for path, tree in trees.items() if is_plugin(tree)}
    found = []
    for path in sorted(plugins):
        folder = ".".join((source.name, *path.parent.relative_to(source).parts))
        shared = SHARED.get(path.parent.relative_to(source).as_posix(), set())
        siblings = {p.stem for p in plugins if p.parent == path.parent and p != path} - shared
        names = set(imported(trees[path]))
        found += [f"{folder}.{path.stem} -> {s}" for s in sorted(siblings) if f"{folder}.{s}" in names]
    return found


def test_plugins_do_not_import_one_another() -> None:
    """Removing one plug-in cannot break another."""
    assert entangled(SOURCE) == []


@pytest.mark.parametrize(
    ("line", "caught"),
    [
        ("from package.measures import first", ["package.measures.second -> first"]),
        ("def f():\n    from package.measures.first import x", ["package.measures.second -> first"]),
        ("from package.measures._contract import Measure", []),
    ],
)
def test_an_entangled_plugin_is_caught(tmp_path: Path, line: str, caught: list[str]) -> None:
    """The check above sees an import at the top and inside a function, and allows the contract."""
    folder = tmp_path / "package" / "measures"
    folder.mkdir(parents=True)
    (folder / "_contract.py").write_text("class Measure: ...\n")
    (folder / "first.py").write_text('NAMES = ("first",)\n')
    (folder / "second.py").write_text(f'NAMES = ("second",)\n{line}\n')
    assert entangled(tmp_path / "package") == caught


# ---- a light import


def heavy_after(statement: str) -> list[str]:
    """Heavy packages loaded by a fresh interpreter that runs only this statement."""
    code = f"import sys\n{statement}\nprint(*(name for name in {HEAVY!r} if name in sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return run.stdout.split()


def test_import_is_light() -> None:
    """``import tonotopy`` alone loads none of the heavy packages."""
    assert heavy_after("import tonotopy") == []


def test_a_heavy_import_is_seen() -> None:
    """The check above can fail: it names a heavy package that was loaded."""
    assert "pandas" in heavy_after("import tonotopy, pandas")
