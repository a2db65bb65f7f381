"""Training of an EnCodec: encoder, decoder and residual quantiser, on waveform and spectral losses.

After Défossez et al. (2022). Loss = spectral distance at five resolutions (``spectral``) + :data:`WAVEFORM` ×
level of the error re the signal in dB / 10 + :data:`L1` × mean absolute error re the signal's + commitment.
Deviations from the paper: magnitudes in place of mel bands; the level of the error in dB, which weighs quiet
and loud excerpts alike; no discriminators unless asked for (``discriminator``); no balancer (three terms of like size);
AdamW with a cosine; weight norm is folded, as in ``_seanet``, so the optimiser moves plain weights.

Excerpts are scaled to a level drawn from :data:`LEVELS_DBFS`: a codec is to work at any. Weights start
orthogonal, layer by layer at unit variance on the first batch (``start_at_unit_variance``); with
PyTorch's own start the signal dies out on its way down and the codec stays silent for thousands of steps. For the
first :data:`UNQUANTISED` steps the latent goes round the quantiser, whose entries then start from it.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import nn

from tonotopy.core.errors import InputError
from tonotopy.encoders._checkpoint import Header
from tonotopy.encoders._initialise import randomise, undrawn
from tonotopy.encoders._seanet import Config, Conv, DecoderNet, EncoderNet, Quantiser, Residual, Up
from tonotopy.sound.music import level_dbfs
from tonotopy.training.discriminator import Adversary
from tonotopy.training.excerpts import Excerpts
from tonotopy.training.quantise import TrainedQuantiser
from tonotopy.training.spectral import residual_ratio_db, si_sdr, spectral_distance
from tonotopy.training.task import Batch, generator

WAVEFORM, L1, COMMITMENT = 1.0, 1.0, 0.25
LEVELS_DBFS = (-34.0, -16.0)
#: Share of the steps that use every stage; the others use the first n, n drawn.
WHOLE = 0.5
TOY: dict[str, Any] = {
    "num_filters": 8,
    "hidden_size": 64,
    "num_lstm_layers": 1,
    "codebook_size": 256,
    "target_bandwidths": [1.2, 2.4, 4.8, 9.6, 19.2],
}
"""``encodec-toy``: what differs from the 24 kHz model."""
#: Steps before the quantiser is put in.
UNQUANTISED = 200
#: Steps before an adversary, where there is one, is listened to.
ADVERSARY_FROM = 2000
#: Standard deviations that layers start at: a residual's inner path, the decoder's output, all others.
INNER_SD, OUTPUT_SD, LAYER_SD = 0.3, 0.05, 1.0
#: Excerpts of held-out pieces that are looked at during training.
VALIDATION_EXCERPTS, VALIDATION_S = 16, 2.0


class CodecModule(nn.Module):
    """All that is saved."""

    def __init__(self, config: Config, *, adversarial: bool = False) -> None:
        super().__init__()
        self.encoder, self.decoder = EncoderNet(config), DecoderNet(config)
        self.quantiser = TrainedQuantiser(Quantiser(config))
        self.adversary = Adversary() if adversarial else None


class CodecTask:
    """See the module's docstring.

    Parameters
    ----------
    config : of the codec; mono, causal
    music : decoded at the codec's rate
    batch, frames : excerpts a step and latent frames of each
    """

    name = "encodec"
    largest_gradient = 100.0

    def __init__(
        self,
        config: Config,
        music: Excerpts,
        *,
        encoder: str = "encodec-24khz",
        batch: int = 8,
        frames: int = 48,
        learning_rate: float = 1e-3,
        adversarial: bool = False,
        seed: int = 0,
    ) -> None:
        if config.audio_channels != 1 or config.normalize:
            raise InputError("a mono EnCodec without normalisation", "another", "train the 24 kHz kind")
        if not music.training.tracks:
            raise InputError("pieces to train on", "none", "every piece of this source is held out")
        self.config, self.music, self.encoder = config, music.training, encoder
        self.validation = music.validation
        self.batch_size, self.samples = batch, frames * config.hop
        self.learning_rate, self.seed = learning_rate, seed
        with undrawn():
            self.module: CodecModule = CodecModule(config, adversarial=adversarial)
        for i, part in enumerate((self.module.encoder, self.module.decoder, self.module.adversary)):
            if part is not None:
                randomise(part, 3 * seed + i)
        start_at_unit_variance(self.module, self.batch(0).audio, seed)

    def header(self, step: int) -> Header:
        shape = {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self.config).items()}
        plain = asdict(Config())
        changed = {key: value for key, value in shape.items() if value != _listed(plain[key])}
        return Header(self.encoder, {"config": changed}, step, self.seed, self.music.fingerprint)

    def snapshot(self) -> dict[str, torch.Tensor]:
        parts = {
            "encoder": self.module.encoder,
            "decoder": self.module.decoder,
            "codes": self.module.quantiser.quantiser,
        }
        return {f"{name}.{key}": v for name, part in parts.items() for key, v in part.state_dict().items()}

    def batch(self, step: int) -> Batch:
        rng = generator(self.seed, step, 1)
        audio, tracks = self.music.draw(rng, self.batch_size, self.samples)
        for index in range(len(audio)):
            level = rng.uniform(*LEVELS_DBFS)
            audio[index] *= 10 ** ((level - max(level_dbfs(audio[index]), -70.0)) / 20)
        device = next(self.module.parameters()).device
        return Batch(torch.from_numpy(audio).to(device), tuple(track.name for track in tracks))

    def loss(self, batch: Batch, step: int) -> tuple[torch.Tensor, dict[str, float]]:
        rng = generator(self.seed, step, 2)
        whole = self.module.quantiser.stages
        stages = whole if rng.random() < WHOLE else int(rng.integers(1, whole + 1))
        target = batch.audio
        latent = self.module.encoder(target[:, None]).squeeze(2).transpose(1, 2)  # batch frame unit
        if step < UNQUANTISED:
            quantised, commitment, measured = latent, latent.new_zeros(()), {}
        else:
            quantised, commitment, measured = self.module.quantiser(latent, stages, rng)
        output = self.module.decoder(quantised.transpose(1, 2).unsqueeze(2)).squeeze(1)
        spectral = spectral_distance(output, target)
        ratio = residual_ratio_db(output, target).mean()
        level = target.abs().mean(dim=1) + 1e-4
        absolute = ((output - target).abs().mean(dim=1) / level).mean()
        loss = spectral + WAVEFORM * ratio / 10 + L1 * absolute + COMMITMENT * commitment
        told = {"spectral": float(spectral.detach()), "snr_db": -float(ratio.detach())}
        if self.module.adversary is not None and step >= ADVERSARY_FROM:
            added, judged = self.module.adversary.losses(output, target)
            loss, told = loss + added, told | judged
        return loss, told | {"commitment": float(commitment.detach()), "stages": float(stages), **measured}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """SI-SDR and spectral distance with all stages, on the same excerpts each time."""
        if not self.validation.tracks:
            return {}
        rng = np.random.default_rng([self.seed, 13])
        samples = round(VALIDATION_S * self.config.sampling_rate) // self.config.hop * self.config.hop
        audio, _ = self.validation.draw(rng, VALIDATION_EXCERPTS, samples)
        target = torch.from_numpy(audio).to(next(self.module.parameters()).device)
        output = self.reconstruct(target)
        return {
            "si_sdr_db": float(si_sdr(output, target).mean()),
            "spectral": float(spectral_distance(output, target)),
        }

    @torch.no_grad()
    def reconstruct(self, audio: torch.Tensor, stages: int | None = None) -> torch.Tensor:
        """Audio ``[batch, time]`` through encoder, codes and decoder."""
        quantiser = self.module.quantiser.quantiser
        latent = self.module.encoder(audio[:, None]).squeeze(2).transpose(1, 2)
        quantised = quantiser(latent, stages or quantiser.codebooks.shape[0])[1]
        output: torch.Tensor = self.module.decoder(quantised.transpose(1, 2).unsqueeze(2))
        return output.squeeze(1)


@torch.no_grad()
def start_at_unit_variance(module: CodecModule, audio: torch.Tensor, seed: int) -> None:
    """Orthogonal weights, each layer scaled to a set standard deviation on ``audio`` ``[batch, time]``, in place.

    Layer-sequential unit variance (Mishkin & Matas 2016). Biases start at nothing.
    """
    convs = [layer for layer in module.modules() if isinstance(layer, Conv | Up)]
    inner = {id(layer.conv2) for layer in module.modules() if isinstance(layer, Residual)}
    last = id(module.decoder.layers[-1])
    drawn = torch.Generator().manual_seed(seed)
    for layer in convs:
        weight = torch.empty(layer.conv.weight.shape)
        nn.init.orthogonal_(weight, generator=drawn)
        layer.conv.weight.copy_(weight)
        assert layer.conv.bias is not None
        layer.conv.bias.zero_()

    def scale(layer: nn.Module, _: Any, output: torch.Tensor) -> torch.Tensor:
        wanted = OUTPUT_SD if id(layer) == last else INNER_SD if id(layer) in inner else LAYER_SD
        factor = wanted / (float(output.std()) + 1e-8)
        assert isinstance(layer, Conv | Up)
        layer.conv.weight.mul_(factor)
        return output * factor

    hooks = [layer.register_forward_hook(scale) for layer in convs]
    try:
        module.decoder(module.encoder(audio[:, None]))
    finally:
        for hook in hooks:
            hook.remove()


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
