"""EnCodec (Défossez et al. 2022), a neural codec: residual blocks, strides of 2·4·5·8, LSTM, quantiser.

``encodec-24khz`` is causal and mono. ``encodec-48khz`` is stereo (mono is copied to both channels), looks
ahead, normalises every layer over the whole segment it is given and scales that segment to unit level: each
of its frames depends on all of its segment. The original feeds it segments of one second.

Sites: every convolution, the sum of every residual block, ``lstm``, ``stack_end`` (the tensor handed to the
quantiser) and ``codes`` (the sum of the chosen codebook vectors; computed only when asked for).

The network is written in plain layers (``_seanet``) and checked against transformers; weight norm is folded.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from tonotopy.core.errors import InputError, WeightsError
from tonotopy.encoders._change import places_of_change
from tonotopy.encoders._codec import Segment, decode_segments, encode_segments
from tonotopy.encoders._codes import checked_codes, checked_stages
from tonotopy.encoders._contract import Change, Encoder, FirstLayer, Trainable
from tonotopy.encoders._encodec_configs import BANDWIDTH_KBPS, CONFIGS, bandwidth
from tonotopy.encoders._encodec_nets import (
    FRAMES_FOR_CODES,
    Nets,
    checkpoint_nets,
    folder_nets,
    prepared,
    random_nets,
)
from tonotopy.encoders._encodec_sites import taps_and_sites
from tonotopy.encoders._seanet import Config, DecoderNet, EncoderNet, Quantiser
from tonotopy.encoders._seanet_config import changed
from tonotopy.encoders._seanet_weights import REVISIONS, hub_folder
from tonotopy.encoders._streaming import stream
from tonotopy.encoders._taps import checked_change, read, replaced
from tonotopy.encoders._weights import BUNDLED, random_seed, weights_id
from tonotopy.encoders.module import validate_audio, with_effective_views

__all__ = ["BANDWIDTH_KBPS", "CONFIGS", "NAMES", "TEST_OPTIONS", "TOY", "EncodecEncoder", "open_encoder"]

NAMES = ("encodec-24khz", "encodec-48khz", "encodec-toy")
CITATION = (
    "A. Défossez, J. Copet, G. Synnaeve, Y. Adi: High Fidelity Neural Audio Compression, TMLR 2023, "
    "arXiv 2210.13438"
)
TOY = BUNDLED / "encodec-toy"
"""Weights of ``encodec-toy``, with their card."""
LICENCE = (
    "weights: Meta's for encodec-24khz and -48khz, see the model card (none are shipped here); "
    "CC BY-SA 3.0 for encodec-toy, see its card; code: this package's"
)
TEST_OPTIONS: dict[str, Any] = {
    "config": {"num_filters": 4, "hidden_size": 16, "codebook_size": 64, "num_lstm_layers": 1}
}  # with which the contract is tested


def open_encoder(
    name: str,
    *,
    weights: str | None,
    seed: int,  # noqa: ARG001 - one signature for all
    bandwidth_kbps: float | None = None,
    config: Mapping[str, Any] | None = None,
) -> EncodecEncoder:
    """EnCodec by name.

    Parameters
    ----------
    name
        One of :data:`NAMES`; ``encodec-toy`` is a small one of our own whose weights come with the package.
    weights
        A folder that transformers saved, a checkpoint of ``tonotopy train encodec`` (one file, which names its
        own configuration), ``facebook/encodec_24khz`` (the default; from the hub at a pinned revision), or
        ``random:SEED``.
    seed
        Unused: nothing but weights is random.
    bandwidth_kbps
        Bit rate of the codes; decides how many codebooks ``codes`` sums.
    config
        Changes to the architecture, for random weights: any field of ``_seanet.Config``.
    """
    drawn = random_seed(weights)
    if drawn is not None:
        return _random(name, changed(CONFIGS[name], config), drawn, None, bandwidth_kbps)
    if config:
        raise InputError(
            "no config beside trained weights", f"{sorted(config)}", "their own config shapes them"
        )
    if weights is not None and Path(weights).suffix == ".safetensors":
        shape, nets = checkpoint_nets(name, Path(weights))
        label = Path(weights).name
        return EncodecEncoder(name, shape, *nets, weights_label=label, bandwidth_kbps=bandwidth_kbps)
    repository = f"facebook/{name.replace('-', '_')}"
    if name == "encodec-toy" and weights is None:
        weights = str(TOY)
    folder = hub_folder(repository) if weights in {None, repository} else Path(str(weights))
    if not folder.is_dir():
        cause = "give the folder that holds config.json and model.safetensors"
        raise WeightsError(
            "a folder of weights", repr(weights), cause, [repository, "random:SEED", "a folder"]
        )
    shape, nets = folder_nets(name, folder)
    label = f"{repository}@{REVISIONS[repository][:7]}" if weights in {None, repository} else folder.name
    if folder == TOY:
        label = "of the package"
    return EncodecEncoder(name, shape, *nets, weights_label=label, bandwidth_kbps=bandwidth_kbps)


class EncodecEncoder(Encoder):
    """EnCodec behind the protocol; audio is mono ``[batch, time]`` at its own rate.

    Examples
    --------
    >>> small = {"num_filters": 4, "hidden_size": 16, "codebook_size": 64, "num_lstm_layers": 1}
    >>> encoder = open_encoder("encodec-24khz", weights="random:0", seed=0, config=small)
    >>> encoder.activations(torch.zeros(2, 3200), ["stack_end"])["stack_end"].shape
    torch.Size([2, 10, 16])
    """

    preferred_batch = 12  # segments of .4 s: larger batches leave the cache

    def __init__(
        self,
        name: str,
        config: Config,
        net: EncoderNet,
        decoder: DecoderNet,
        quantiser: Quantiser,
        *,
        weights_label: str,
        bandwidth_kbps: float | None = None,
    ) -> None:
        self._config = config
        self._net, self._decoder, self._quantiser = net, decoder, quantiser
        for part in (net, decoder, quantiser):
            part.eval().requires_grad_(False)
        self._bandwidth_kbps = bandwidth(name, config, bandwidth_kbps)
        self._stages = config.stages(self._bandwidth_kbps)
        self.name = name
        self.sample_rate_hz = config.sampling_rate
        self.normalises_frames = config.normalize
        self.weights_id = weights_id(
            torch.nn.ModuleDict({"encoder": net, "decoder": decoder, "codes": quantiser})
        )
        self.weights_label = weights_label
        self.citation, self.licence = CITATION, LICENCE
        self.options = (("bandwidth_kbps", self._bandwidth_kbps),)
        self._taps, sites = taps_and_sites(net, config)
        self.sites = with_effective_views(self, sites)
        # A code depends on its own frame of the latent and on nothing else.
        self.sites = (*self.sites, replace(self.sites[-1], name="codes", role="codes"))

    def activations(self, audio: torch.Tensor, sites: Sequence[str]) -> dict[str, torch.Tensor]:
        wanted = [self.site(name).name for name in sites]
        validate_audio(audio, None)
        if not wanted:
            return {}
        with torch.no_grad():
            return self._read(audio, wanted)

    def _read(self, audio: torch.Tensor, wanted: Sequence[str]) -> dict[str, torch.Tensor]:
        tapped = ["stack_end" if name == "codes" else name for name in wanted]
        taps = {name: self._taps[name] for name in tapped}
        found = read(self._net, lambda: self._net(prepared(audio, self._config)), taps)
        if "codes" in wanted:
            found["codes"] = self._quantiser(found["stack_end"], self._stages)[1]
        return {name: found[name] for name in wanted}

    def changed(
        self, audio: torch.Tensor, site: str, change: Change, sites: Sequence[str]
    ) -> dict[str, torch.Tensor]:
        wanted = places_of_change(self, site, sites, head=False)
        validate_audio(audio, None)
        if not wanted:
            return {}
        with torch.no_grad():
            if site == "codes":  # they are not computed by the network that the hooks are on
                return {"codes": checked_change(self._read(audio, ["codes"])["codes"], change)}
            with replaced(self._net, self._taps[site], change):
                return self._read(audio, wanted)

    @property
    def config(self) -> Config:
        """What shapes the codec."""
        return self._config

    @property
    def nets(self) -> Nets:
        """Encoder, decoder and quantiser."""
        return self._net, self._decoder, self._quantiser

    def to(self, device: str) -> EncodecEncoder:
        for part in (self._net, self._decoder, self._quantiser):
            part.to(device)
        self.device = device
        return self

    @property
    def codebooks(self) -> torch.Tensor:
        return self._quantiser.codebooks[: self._stages]

    def codes(self, audio: torch.Tensor, stages: int | None = None) -> torch.Tensor:
        """Chosen codes ``[batch, frame, stage]``, as integers, of audio ``[batch, time]`` as one segment."""
        used = checked_stages(stages, self._stages)
        latent = self.activations(audio, ["stack_end"])["stack_end"]
        with torch.no_grad():
            codes: torch.Tensor = self._quantiser(latent, used)[0]
        return codes

    def entries(self, codes: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self._quantiser.entries(checked_codes(codes, self.codebooks))
        return found

    def encode(self, audio: torch.Tensor, bandwidth_kbps: float | None = None) -> list[Segment]:
        """Codes as the codec sends them: in segments of a second with their level at 48 kHz, at once at 24 kHz.

        Parameters
        ----------
        audio
            ``[batch, channel, time]`` at the model's rate, with its channels; or mono ``[batch, time]``.
        bandwidth_kbps
            Bit rate; that of ``codes`` where none is named.

        Examples
        --------
        >>> small = {"num_filters": 4, "hidden_size": 16, "codebook_size": 64, "num_lstm_layers": 1}
        >>> codec = open_encoder("encodec-48khz", weights="random:0", seed=0, config=small)
        >>> segments = codec.encode(torch.zeros(1, 2, 60_000))
        >>> [tuple(segment.codes.shape) for segment in segments]
        [(1, 150, 6), (1, 39, 6)]
        >>> codec.decode_codes(segments, 60_000).shape
        torch.Size([1, 2, 60000])
        """
        stages = self._stages
        if bandwidth_kbps is not None:
            stages = self._config.stages(bandwidth(self.name, self._config, bandwidth_kbps))
        heard = audio
        if audio.dim() == 2:
            heard = audio[:, None].expand(-1, self._config.audio_channels, -1)
        if heard.dim() != 3 or heard.shape[1] != self._config.audio_channels or not heard.numel():
            expected = f"audio [batch, {self._config.audio_channels}, time] or [batch, time]"
            raise InputError(expected, f"{tuple(audio.shape)}", "axes in another order, or no sample")
        with torch.no_grad():
            return encode_segments(heard, self._config, self._net, self._quantiser, stages)

    def decode_codes(self, segments: Sequence[Segment], n_samples: int | None = None) -> torch.Tensor:
        """Audio ``[batch, channel, time]`` from codes, cut to ``n_samples`` where the length is told."""
        with torch.no_grad():
            audio = decode_segments(segments, self._config, self._decoder, self._quantiser)
        return audio[..., :n_samples]

    def encode_chunks(self, chunks: Iterable[torch.Tensor]) -> Iterator[torch.Tensor]:
        """The latent of long audio, chunk by chunk; what comes equals one pass over the whole.

        The recurrent state is carried over, convolutions are warmed up over their view. Causal models only.

        Parameters
        ----------
        chunks
            Consecutive pieces ``[batch, time]`` of any length.

        Yields
        ------
        torch.Tensor
            Latent at ``stack_end``, ``[batch, frame, unit]``; in all, one frame every hop, the last one
            perhaps from a hop that is not full.
        """
        if not self._config.use_causal_conv:
            cause = (
                "its frames depend on their whole segment: cut the audio into segments of one second instead"
            )
            raise InputError("a causal encoder", self.name, cause)
        view = self.site(self._net.stages[-1]).view
        return stream(self._net, self._config, view, (chunk[:, None] for chunk in chunks))

    def first_layer(self) -> FirstLayer:
        layer = self._net.first_conv
        assert layer.conv.bias is not None
        filters = layer.conv.weight.sum(dim=1).double().cpu()  # mono is copied to every channel
        return FirstLayer(filters, layer.conv.stride[0], layer.padding, layer.conv.bias.double().cpu())

    def randomised(self, seed: int, calibration: torch.Tensor | None) -> EncodecEncoder:
        return _random(self.name, self._config, seed, calibration, self._bandwidth_kbps)

    def trainable(self) -> Trainable:
        net = copy.deepcopy(self._net).train().requires_grad_(True)
        quantiser = copy.deepcopy(self._quantiser)

        def stack_end(audio: torch.Tensor) -> torch.Tensor:
            latent: torch.Tensor = net(prepared(audio, self._config))
            return latent.squeeze(2).transpose(1, 2)

        def state(audio: torch.Tensor) -> dict[str, torch.Tensor]:
            with torch.no_grad():
                frames = stack_end(audio).flatten(0, 1)  # frame unit
                quantiser.fill(frames[:FRAMES_FOR_CODES], 0)
            parts = {"encoder": net, "decoder": self._decoder, "codes": quantiser}
            return torch.nn.ModuleDict(parts).state_dict()

        plain = asdict(CONFIGS["encodec-24khz"])  # a checkpoint tells what differs from this one
        own = {key: value for key, value in asdict(self._config).items() if value != plain[key]}
        return Trainable(net, stack_end, state, {"config": own})

    def decode(self, latent: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            audio: torch.Tensor = self._decoder(latent.transpose(1, 2).unsqueeze(2))
        return audio.mean(dim=1)


def _random(
    name: str, config: Config, seed: int, calibration: torch.Tensor | None, bandwidth_kbps: float | None
) -> EncodecEncoder:
    nets = random_nets(config, seed, calibration, batch=EncodecEncoder.preferred_batch)
    return EncodecEncoder(name, config, *nets, weights_label=f"random:{seed}", bandwidth_kbps=bandwidth_kbps)
