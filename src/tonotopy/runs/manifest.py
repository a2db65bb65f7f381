"""The manifest: what made the numbers of a run, and where its units are; no path, user or host."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from tonotopy.encoders._contract import Encoder
from tonotopy.runs.graph import Graph


def addresses(graph: Graph) -> dict[str, Any]:
    """Where the measures and activations of the weights under study are found in the store."""
    return {
        "music": graph.music.address,
        "records": [unit.address for unit in graph.records[None]],
        "measures": {site: unit.address for (seed, site), unit in graph.measures.items() if seed is None},
    }


def manifest(encoder: Encoder, tables: dict[str, Any], started: datetime, seconds: float) -> dict[str, Any]:
    """What made the numbers; no path, user or host."""
    libraries = ("tonotopy", "torch", "numpy", "scipy", "pandas", "xarray", "zarr")
    return {
        "versions": {name: version(name) for name in libraries} | {"python": platform.python_version()},
        "weights_id": encoder.weights_id,
        "weights_label": encoder.weights_label,
        "encoder_citation": encoder.citation,
        "encoder_licence": encoder.licence,
        "machine": {"system": platform.system(), "architecture": platform.machine()},
        "sample_rate_hz": encoder.sample_rate_hz,
        "started": started.isoformat(timespec="seconds"),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 1),
        "skipped": len(tables["ledger"]),
        "complete": True,
    }
