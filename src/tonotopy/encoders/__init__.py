"""Waveform models behind one protocol: bundled ones, any module of yours, phantoms with known answers.

A model is opened by the way it is spelled::

    crepe-tiny                  a plug-in of this folder, with its trained weights
    encodec-24khz               the same, with weights="random:0", a path, or a name
    phantom:cochlea             an encoder built by hand, whose right answer is known
    RUN/step-0001000.safetensors   a checkpoint that says what it is: what ``tonotopy train`` writes
    path/to/model.py:MyModel    a class of yours; runs its code, so it needs trust=True

See ``_contract`` for the protocol, ``module`` for how a module's sites are found.
"""

from __future__ import annotations

from typing import Any

from tonotopy.core.registry import Plugin, load, plugins
from tonotopy.encoders._contract import Encoder, FirstLayer, Operator, Role, Site

__all__ = ["Encoder", "FirstLayer", "Operator", "Role", "Site", "encoders", "list_encoders", "load_encoder"]


def list_encoders() -> list[Plugin]:
    """Every bundled encoder, by name; nothing heavy is imported.

    Examples
    --------
    >>> "crepe-tiny" in [plugin.name for plugin in list_encoders()]
    True
    """
    return sorted(plugins("tonotopy.encoders").values(), key=lambda plugin: plugin.name)


encoders = list_encoders


def load_encoder(
    spelling: str,
    *,
    weights: str | None = None,
    seed: int = 0,
    trust: bool = False,
    window: int | None = None,
    sample_rate: int | None = None,
    **options: Any,
) -> Encoder:
    """Open an encoder.

    Parameters
    ----------
    spelling
        A name of :func:`list_encoders`, ``phantom:NAME``, ``reference:NAME``, a checkpoint of
        ``tonotopy train``, or ``path/to/file.py:Class``.
    weights
        A name that the encoder knows, a path, or ``random:SEED``; the trained weights where absent.
    seed
        Of whatever an encoder draws besides its weights (phantoms), and of what the constructor of a class of
        yours draws with torch.
    trust
        Allow a class of yours to be imported, which runs the code of its file.
    window
        Samples of one window, for a class of yours that takes a fixed length.
    sample_rate
        Sampling rate in Hz: required for a class of yours, optional where an encoder works at any rate.
    options
        Further options of the encoder.

    Raises
    ------
    InputError
        No such encoder, an option it does not know, a missing extra, or a file that is not trusted.
    WeightsError
        Weights are missing, damaged or of another architecture.

    Examples
    --------
    >>> load_encoder("samplecnn-3-7", weights="random:0").sample_rate_hz
    22050
    """
    from tonotopy.encoders._open import named_by, open_class, open_phantom, open_plugin

    kind, _, name = spelling.partition(":")
    if kind in {"phantom", "reference"} and name:
        return open_phantom(kind, name, seed=seed, sample_rate_hz=sample_rate, weights=weights, **options)
    if kind.endswith(".py"):
        return open_class(
            kind,
            name,
            trust=trust,
            weights=weights,
            seed=seed,
            window=window,
            sample_rate_hz=sample_rate,
            **options,
        )
    if spelling.endswith(".safetensors"):
        spelling, weights = named_by(spelling, weights), spelling
    module = load("tonotopy.encoders", spelling, kind="encoder")
    if window is not None:
        options["window"] = window
    if sample_rate is not None:
        options["sample_rate_hz"] = sample_rate
    return open_plugin(module, spelling, weights=weights, seed=seed, **options)
