"""Any ``torch.nn.Module`` that reads waveform samples, as an encoder: nothing about it need be declared.

Layers are found in the order in which they run. Every convolution is a site, named by its module path; where
normalisation and activation follow it directly, their output is a second site, ``<path>.out``. The last
convolution's is ``stack_end``. A model of fixed input length is framewise: give its ``window``, and the
input of its first linear layer is the site ``head``. Any other layer becomes a site on request.

Hop, view and offset are predicted from the operators along the signal's path, and measured by gradients;
where the two differ, the measurement counts and :attr:`ModuleEncoder.disagreements` names the layer.
Convolutions behind a transposed one belong to a decoder and are no sites.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace

import torch

from tonotopy.core.errors import InputError
from tonotopy.encoders._change import places_of_change
from tonotopy.encoders._contract import OUTPUTS, Change, Encoder, FirstLayer, Site, Trainable
from tonotopy.encoders._geometry import (
    Geometry,
    ModelFunction,
    dependence,
    effective_view,
    impulse_pair,
    measure,
)
from tonotopy.encoders._initialise import calibrate, randomise, substitute_music
from tonotopy.encoders._survey import CONVOLUTIONS, Found, Input, accepted_input, survey
from tonotopy.encoders._taps import Tap, read, replaced
from tonotopy.encoders._weights import source_id, weights_id

MAX_PROBE = 2**14
"""Longest probe, in samples, in which a view is sought that no operator predicts."""

CALIBRATION_BATCH = 16


class ModuleEncoder(Encoder):
    """An encoder made of any module that reads waveforms.

    Parameters
    ----------
    model
        Takes ``[batch, time]``, ``[batch, 1, time]`` or ``[batch, channels, time]``; which one is found by
        trying. It is copied, and itself left as found.
    sample_rate_hz
        Rate of the audio that it was made for.
    name
        What reports call it; the name of its class where absent.
    window
        Samples of one window, for a model of fixed input length.
    channels
        Channels of its input, where trying would find another layout first; mono is copied to each.
    sites
        Paths of further modules to be read, as ``named_modules`` spells them; ``path#2`` is the second run.
    weights_label
        What a person reads about the weights.
    citation, licence
        Of the model, for reports.

    Raises
    ------
    InputError
        The model refuses every layout, runs no convolution, or has no such layer.

    Examples
    --------
    >>> model = torch.nn.Sequential(
    ...     torch.nn.Conv1d(1, 8, 7, stride=2), torch.nn.ReLU(), torch.nn.Conv1d(8, 4, 3)
    ... )
    >>> for site in ModuleEncoder(model, 16000).sites:
    ...     print(site.name, site.role, site.hop, site.view, site.offset, site.units)
    0 first_conv 2 7 0 8
    0.out layer 2 7 0 8
    2 stack_end 2 11 0 4
    """

    disagreements: tuple[str, ...]

    def __init__(
        self,
        model: torch.nn.Module,
        sample_rate_hz: int,
        *,
        name: str | None = None,
        window: int | None = None,
        channels: int | None = None,
        sites: Sequence[str] | None = None,
        weights_label: str = "as given",
        citation: str = "",
        licence: str = "",
    ) -> None:
        self._net = _frozen_copy(model)
        self._input, n_samples = accepted_input(self._net, window, channels)
        found = survey(self._net, self._input, n_samples, window, sites or ())
        self._taps = {site.name: site.tap for site in found}
        if self._gives_outputs(n_samples):
            self._taps[OUTPUTS] = Tap("", frame_axis=None)
        self._first = next(site for site in found if site.role == "first_conv")
        self.name = name or type(model).__name__
        self.sample_rate_hz = sample_rate_hz
        self.frame_length = window
        self.weights_id = weights_id(self._net)
        self.weights_label = weights_label
        self.citation, self.licence = citation, licence
        self.code_id = source_id(self._net)
        self.options = (("layout", repr(self._input)),)
        locate = _Locator(self._net, self._input, n_samples, window)
        located = [locate.site(site) for site in found]
        self.disagreements = tuple(locate.disagreements)
        self.sites = with_effective_views(self, located)

    def activations(self, audio: torch.Tensor, sites: Sequence[str]) -> dict[str, torch.Tensor]:
        taps = {name: self._taps[self.site(name).name] for name in sites}
        if not taps:
            return {}
        validate_audio(audio, self.frame_length)
        with torch.no_grad():
            return read(self._net, lambda: self._net(self._input.shape(audio)), taps)

    def changed(
        self, audio: torch.Tensor, site: str, change: Change, sites: Sequence[str]
    ) -> dict[str, torch.Tensor]:
        wanted = places_of_change(self, site, sites, head=OUTPUTS in self._taps)
        validate_audio(audio, self.frame_length)
        if not wanted:
            return {}
        taps = {name: self._taps[name] for name in wanted}
        with torch.no_grad(), replaced(self._net, self._taps[site], change):
            return read(self._net, lambda: self._net(self._input.shape(audio)), taps)

    def outputs(self, audio: torch.Tensor) -> torch.Tensor | None:
        if OUTPUTS not in self._taps:
            return None
        validate_audio(audio, self.frame_length)
        with torch.no_grad():
            logits: torch.Tensor = self._net(self._input.shape(audio))
        return logits[:, None]

    def _gives_outputs(self, n_samples: int) -> bool:
        """Whether a window becomes one row of numbers: a model with a head."""
        if not any(name == "head" for name in self._taps):
            return False
        with torch.no_grad():
            made = self._net(self._input.shape(torch.zeros(3, n_samples)))
        return isinstance(made, torch.Tensor) and made.dim() == 2 and len(made) == 3

    def to(self, device: str) -> ModuleEncoder:
        self._net.to(device)
        self.device = device
        return self

    def first_layer(self) -> FirstLayer | None:
        module, path = self._first.module, self._first.path
        assert isinstance(module, CONVOLUTIONS)
        if path is None:
            return None
        operator = next(op for op in path.operators if op.kind == "conv")
        weight = module.weight.detach().double().cpu()
        bias = None if module.bias is None else module.bias.detach().double().cpu()
        # The mono signal is copied to every channel, so the channels' filters add up.
        filters = weight.sum(dim=1).reshape(weight.shape[0], operator.kernel)
        return FirstLayer(filters, operator.stride, operator.padding, bias)

    def randomised(self, seed: int, calibration: torch.Tensor | None) -> ModuleEncoder:
        model = copy.deepcopy(self._net).cpu()
        randomise(model, seed)
        music = substitute_music(self.sample_rate_hz) if calibration is None else calibration
        music = music.float() if self.frame_length is None else frames_of(music, self.frame_length)
        calibrate(model, lambda: [model(self._input.shape(rows)) for rows in music.split(CALIBRATION_BATCH)])
        other = copy.copy(self)
        other._net, other.device = model, "cpu"
        other._first = replace(self._first, module=model.get_submodule(self._first.tap.module))
        other.weights_id, other.weights_label = weights_id(model), f"random:{seed}"
        other.sites = with_effective_views(other, list(self.sites))
        return other

    def trainable(self) -> Trainable | None:
        model = copy.deepcopy(self._net).train().requires_grad_(True)
        site = next((site for site in self.sites if site.role == "stack_end"), None)
        if site is None or next(model.parameters(), None) is None:
            return None
        tap = {"": self._taps[site.name]}
        return Trainable(
            model,
            lambda audio: read(model, lambda: model(self._input.shape(audio)), tap)[""],
            lambda _: model.state_dict(),
        )


def validate_audio(audio: torch.Tensor, frame_length: int | None) -> None:
    """Audio is ``[batch, time]`` and, for a framewise encoder, one window long."""
    if audio.dim() != 2 or not audio.is_floating_point():
        came = f"{audio.dtype} of shape {tuple(audio.shape)}"
        raise InputError("float audio [batch, time]", came, "a missing batch axis, or integers from a file")
    if frame_length is not None and audio.shape[1] != frame_length:
        cause = "a framewise encoder reads one window a batch row"
        raise InputError(f"windows of {frame_length} samples", f"{audio.shape[1]} samples", cause)


def frames_of(audio: torch.Tensor, frame_length: int, *, most: int = 128) -> torch.Tensor:
    """Windows ``[window, time]`` spread evenly over audio ``[batch, time]``, at most so many."""
    windows = audio.float().unfold(1, frame_length, max(1, frame_length // 2)).flatten(0, 1)
    return windows[torch.linspace(0, len(windows) - 1, min(most, len(windows))).long()]


def _frozen_copy(model: torch.nn.Module) -> torch.nn.Module:
    try:
        copied = copy.deepcopy(model)
    except RuntimeError as error:
        cause = f"a weight that is computed (old-style weight_norm); remove or parametrise it first ({error})"
        raise InputError("a model that can be copied", type(model).__name__, cause) from None
    return copied.float().eval().requires_grad_(False)


class _Locator:
    """Puts sites on the time axis of the input: predicts, measures, compares."""

    def __init__(self, model: torch.nn.Module, form: Input, n_samples: int, window: int | None) -> None:
        self.form, self.n_samples, self.window = form, n_samples, window
        self.model = copy.deepcopy(model).double()  # zero gradients are exact in float64
        self.disagreements: list[str] = []

    def site(self, found: Found) -> Site:
        predicted = found.path.geometry if found.path is not None else None
        if self.window is not None:
            geometry = self._in_window(found, predicted, self.window)
        else:
            geometry = self._along_time(found, predicted)
        return Site(
            found.name,
            found.role,
            geometry.hop,
            geometry.view,
            geometry.offset,
            found.units,
            bounded=geometry.bounded,
            effective_view=geometry.effective_view,
            note=geometry.note,
            centre=None if self.window is None else found.frames // 2,
            operators=found.path.operators if found.path is not None else (),
        )

    def _function(self, tap: Tap) -> ModelFunction:
        def run(audio: torch.Tensor) -> torch.Tensor:
            return read(self.model, lambda: self.model(self.form.shape(audio)), {"": tap})[""]

        return run

    def _along_time(self, found: Found, predicted: Geometry | None) -> Geometry:
        n_samples = 4096 if predicted is None else 2 * predicted.view + 8 * predicted.hop
        n_samples = max(n_samples, self.n_samples)
        measured = measure(self._function(found.tap), n_samples, expected=predicted)
        while predicted is None and not measured.bounded and n_samples < MAX_PROBE:
            n_samples *= 2
            measured = measure(self._function(found.tap), n_samples)
        if measured.bounded and predicted is not None:
            self._compare(found.name, predicted, measured)
        if not measured.bounded and (predicted is None or predicted.note):
            note = (
                f"{found.lost} lets a frame depend on more than its view"
                if predicted is None
                else predicted.note
            )
            return replace(measured, note=note)
        return measured

    def _in_window(self, found: Found, predicted: Geometry | None, window: int) -> Geometry:
        """Geometry at the position that is read; the view may reach over the window's ends."""
        centre = found.frames // 2
        first, last = dependence(self._function(found.tap), window, centre)
        hop = predicted.hop if predicted is not None else max(1, round(window / found.frames))
        measured = Geometry(hop, max(0, last - first + 1), first - centre * hop)
        if predicted is None or found.role == "head":
            return measured if found.role != "head" else Geometry(window, window, 0)
        predicted = predicted.clipped(window, centre)
        if not predicted.bounded:
            return replace(predicted, effective_view=window)
        self._compare(found.name, predicted, measured)
        return measured

    def _compare(self, name: str, predicted: Geometry, measured: Geometry) -> None:
        if predicted.interval != measured.interval:
            says = "hop {} view {} offset {}".format(*predicted.interval)
            is_so = "hop {} view {} offset {}".format(*measured.interval)
            self.disagreements.append(f"{name}: the operators say {says}, measured {is_so}")


def with_effective_views(encoder: Encoder, sites: Sequence[Site]) -> tuple[Site, ...]:
    """The sites, with the effective view of every unbounded one measured in one pass for all."""
    loose = [site for site in sites if not site.bounded]
    if not loose or encoder.frame_length is not None:
        return tuple(sites)
    key = encoder.weights_id, tuple(sites)
    if key in _EFFECTIVE:
        return _EFFECTIVE[key]
    rate = encoder.sample_rate_hz
    n_samples = min(max(rate, *(4 * site.view for site in loose)), 2 * rate)
    without, having, position = impulse_pair(n_samples)
    encoder.sites = tuple(sites)
    names = [site.name for site in loose]
    before, after = encoder.activations(without, names), encoder.activations(having, names)
    _EFFECTIVE[key] = tuple(
        site if site.bounded else _measured(site, before[site.name], after[site.name], position, n_samples)
        for site in sites
    )
    return _EFFECTIVE[key]


_EFFECTIVE: dict[tuple[str, tuple[Site, ...]], tuple[Site, ...]] = {}  # by content of the weights


def _measured(
    site: Site, before: torch.Tensor, after: torch.Tensor, position: torch.Tensor, n_samples: int
) -> Site:
    local = Geometry(site.hop, site.view, site.offset)
    view, future = effective_view(before, after, position, local)
    note = site.note.split(" (measured:", 1)[0]
    limits = [f"{future} samples after its end count too"] if future else []
    if max(view - site.view, future) > n_samples // 4:
        limits.append(f"the effect spans the probe of {n_samples} samples")
    if limits:
        note += f" (measured: {'; '.join(limits)})"
    return replace(site, effective_view=view, note=note)
