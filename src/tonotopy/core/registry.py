"""Finds plug-ins by listing a folder; reads what they declare without importing them.

A plug-in is one file in a plug-in folder. At module top level it assigns literals to ``NAMES`` (spelled
with hyphens), ``CITATION`` and ``LICENCE``. Adding a plug-in is adding a file: nothing central is edited.
"""

from __future__ import annotations

import ast
import difflib
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from tonotopy.core.errors import InputError


@dataclass(frozen=True)
class Plugin:
    """What a plug-in file declares: one row for each of its names."""

    name: str
    module: str
    summary: str
    citation: str
    licence: str


@cache
def plugins(package: str) -> dict[str, Plugin]:
    """Every plug-in of a package by name, without importing any of them.

    Examples
    --------
    >>> "scores" in plugins("tonotopy.sound.sources")
    True
    """
    spec = find_spec(package)
    assert spec is not None and spec.submodule_search_locations, package
    found: dict[str, Plugin] = {}
    for path in sorted(Path(spec.submodule_search_locations[0]).glob("*.py")):
        if path.name.startswith("_"):
            continue
        for plugin in _declared(path, f"{package}.{path.stem}"):
            assert plugin.name not in found, f"{plugin.name} is declared twice"
            found[plugin.name] = plugin
    return found


def find(package: str, name: str, *, kind: str) -> Plugin:
    """One plug-in by name, or an error that lists the legal names, nearest first."""
    known = plugins(package)
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    cause = f"a misspelt name (did you mean {near[0]!r}?)" if near else "a name that no plug-in declares"
    raise InputError(f"a known {kind}", repr(name), cause, sorted(known))


def load(package: str, name: str, *, kind: str) -> ModuleType:
    """Import the module that declares ``name``."""
    return import_module(find(package, name, kind=kind).module)


def _declared(path: Path, module: str) -> list[Plugin]:
    """What one file declares, read from its syntax tree."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    literals: dict[str, object] = {}
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        if (
            isinstance(target, ast.Name)
            and target.id in {"NAMES", "CITATION", "LICENCE"}
            and value is not None
        ):
            literals[target.id] = ast.literal_eval(value)
    names = literals.get("NAMES", ())
    assert isinstance(names, tuple | list), f"{module}: NAMES is a tuple of strings"
    summary = (ast.get_docstring(tree) or "").split("\n", 1)[0]
    citation, licence = str(literals.get("CITATION", "")), str(literals.get("LICENCE", ""))
    return [Plugin(str(name), module, summary, citation, licence) for name in names]
