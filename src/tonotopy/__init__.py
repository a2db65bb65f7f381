"""tonotopy: do partials become stable features inside neural audio models?

The map, in the order data flow (imports point upwards in this list only)::

    core        records, errors, registry: what travels between the stages
    signal      ERB-rate scale, notch, gammatone, additive synthesis: pure functions
    statistics  accumulators and bootstrap over pieces
    sound       music sources, context families, structures, trials
    encoders    waveform models behind one protocol; phantoms with known answers
    training    models of our own: a codec, a classifier, the ceiling of an architecture
    anatomy     what an architecture can express, before any data
    recording   trials through encoders: activations aligned to samples
    features    what may stabilise: channels, components, dictionaries, codes, random directions
    readouts    line, plane, window: fitted on a recording
    measures    detection, consistency, specificity, ... with pieces as the unit
    interventions  steer, ablate, substitute: what a direction does, and who reads it
    judgement   the ordered verdict, floor, calibration
    runs        plan, work units, store, resume
    views       figures and the report
    cli         one thin file a verb

Front doors: :func:`study`, :func:`open_run`, :func:`anatomy_of`, :func:`list_encoders`.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tonotopy.anatomy import anatomy_of as anatomy_of
    from tonotopy.core.errors import TonotopyError as TonotopyError
    from tonotopy.encoders import list_encoders as list_encoders
    from tonotopy.encoders import load_encoder as load_encoder
    from tonotopy.runs import Run as Run
    from tonotopy.runs import open_run as open_run
    from tonotopy.runs import study as study

try:
    __version__ = version("tonotopy")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"

__all__ = [
    "Run",
    "TonotopyError",
    "anatomy_of",
    "list_encoders",
    "load_encoder",
    "open_run",
    "study",
]

# Where each public name lives; loaded on first use, so that importing the package stays light.
_HOMES = {
    "Run": "tonotopy.runs",
    "TonotopyError": "tonotopy.core.errors",
    "anatomy_of": "tonotopy.anatomy",
    "list_encoders": "tonotopy.encoders",
    "load_encoder": "tonotopy.encoders",
    "open_run": "tonotopy.runs",
    "study": "tonotopy.runs",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'tonotopy' has no attribute {name!r}; it has {', '.join(__all__)}")
