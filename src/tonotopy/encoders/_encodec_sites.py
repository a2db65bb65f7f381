"""Where EnCodec's encoder is read: every convolution, the sum of every residual block, ``lstm``, ``stack_end``."""

from __future__ import annotations

import torch

from tonotopy.encoders._contract import Role, Site
from tonotopy.encoders._seanet import Config, EncoderNet, Residual
from tonotopy.encoders._taps import Tap
from tonotopy.encoders._trace import trace


def taps_and_sites(net: EncoderNet, config: Config) -> tuple[dict[str, Tap], list[Site]]:
    """Taps and sites in the order in which layers finish, geometry from the operators."""
    net.eval()
    silence = torch.zeros(1, config.audio_channels, 4 * config.hop)
    calls = {call.name: call for call in trace(net, net, silence)}
    taps: dict[str, Tap] = {}
    sites: list[Site] = []
    for name, role in _layers(net):
        path, units = calls[name].path, calls[name].shape[1]
        assert path is not None, f"no rule follows the signal to {name}"
        note = path.geometry.note
        if config.normalize:
            note = "the segment is scaled to unit level, and every layer normalised over it"
        geometry = path.geometry.interval
        taps[name] = Tap(name, frame_axis=3)
        sites.append(
            Site(name, role, *geometry, units, bounded=not note, note=note, operators=path.operators)
        )
    return taps, sites


def _layers(net: EncoderNet) -> list[tuple[str, Role]]:
    """Every layer that is a site, in the order in which they finish."""
    layers: list[tuple[str, Role]] = []
    for name in net.stages:
        layer = net.get_submodule(name)
        if isinstance(layer, Residual):
            convs = [part for part in ("conv1", "conv2", "shortcut") if hasattr(getattr(layer, part), "conv")]
            layers += [(f"{name}.{part}", "conv") for part in convs]
            layers.append((name, "layer"))
        else:
            layers.append((name, "first_conv" if name == "first_conv" else "conv"))
    return [*layers, ("lstm", "layer"), ("stack_end", "stack_end")]
