"""Folders of EnCodec weights: what we write transformers reads, and what either writes we read, or refuse in a line."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tonotopy.core.errors import InputError, WeightsError
from tonotopy.encoders._initialise import randomise
from tonotopy.encoders._seanet import Config, DecoderNet, EncoderNet, Quantiser
from tonotopy.encoders._seanet_weights import load_folder, read_config, save_folder
from tonotopy.encoders._weights import weights_id
from tonotopy.encoders.encodec import CONFIGS

Nets = tuple[EncoderNet, DecoderNet, Quantiser]
SMALL = {
    "num_filters": 4,
    "hidden_size": 16,
    "codebook_size": 64,
    "num_lstm_layers": 1,
    "target_bandwidths": (3.0, 6.0),
}


def small(name: str) -> Config:
    """A small network of one of the two kinds."""
    return replace(CONFIGS[name], **SMALL)


def nets_of(config: Config, seed: int = 0) -> Nets:
    """Networks with random weights and codebooks."""
    nets = EncoderNet(config), DecoderNet(config), Quantiser(config)
    for i, net in enumerate(nets):
        randomise(net, seed + i)
    generator = torch.Generator().manual_seed(seed)
    nets[2].codebooks.copy_(0.1 * torch.randn(nets[2].codebooks.shape, generator=generator))
    return nets


def read_back(folder: Path) -> Nets:
    """What our reader makes of a folder."""
    config = read_config(folder)
    nets = EncoderNet(config), DecoderNet(config), Quantiser(config)
    load_folder(folder, "encodec", nets)
    return nets


def model_of(folder: Path) -> Any:
    """What transformers makes of a folder; any complaint fails."""
    transformers = pytest.importorskip("transformers", reason="the extra encodec is not installed")
    transformers.utils.logging.disable_progress_bar()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model, told = transformers.EncodecModel.from_pretrained(folder, output_loading_info=True)
    assert not any(told.values()), told
    return model.eval()


def close(found: torch.Tensor, wanted: torch.Tensor, relative: float = 1e-5) -> bool:
    """Equal within a share of the largest value."""
    return found.shape == wanted.shape and bool(
        (found - wanted).abs().max() <= relative * wanted.abs().max().clamp(min=1e-30)
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
@pytest.mark.parametrize("name", sorted(CONFIGS))
def test_transformers_reads_what_we_write(name: str, dtype: torch.dtype, tmp_path: Path) -> None:
    """from_pretrained finds every weight and no other; latent, codes and sound equal those of our own reader."""
    config = small(name)
    save_folder(tmp_path / "new", config, nets_of(config), dtype)
    theirs = model_of(tmp_path / "new")
    encoder, decoder, quantiser = read_back(tmp_path / "new")
    assert read_config(tmp_path / "new") == config
    assert next(theirs.parameters()).dtype == torch.float32
    audio = 0.1 * torch.randn(2, config.audio_channels, 3333, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        latent = theirs.encoder(audio)
        assert close(encoder(audio).squeeze(2), latent)
        codes = theirs.quantizer.encode(latent, 6.0)
        assert torch.equal(quantiser(latent.transpose(1, 2), config.stages(6.0))[0], codes.permute(1, 2, 0))
        assert close(decoder(latent.unsqueeze(2)), theirs.decoder(latent))


def test_float32_keeps_every_bit_and_float16_rounds_once(tmp_path: Path) -> None:
    """Saved and read, float32 weights are the same; float16 ones are the rounded weights, scaled by nothing."""
    config = small("encodec-24khz")
    nets = nets_of(config)
    save_folder(tmp_path / "single", config, nets)
    for ours, again in zip(nets, read_back(tmp_path / "single"), strict=True):
        assert weights_id(ours) == weights_id(again)
    save_folder(tmp_path / "half", config, nets, torch.float16)
    for ours, again in zip(nets, read_back(tmp_path / "half"), strict=True):
        state = again.state_dict()
        assert all(torch.equal(value.half().float(), state[key]) for key, value in ours.state_dict().items())
    sizes = [(tmp_path / kind / "model.safetensors").stat().st_size for kind in ("half", "single")]
    assert sizes[0] < 0.65 * sizes[1]  # small networks are mostly names and norms


def test_a_dead_channel_is_written(tmp_path: Path) -> None:
    """A channel of zeros has no direction: it comes back as zeros, here and in transformers, not as 0 / 0."""
    config = small("encodec-24khz")
    nets = nets_of(config)
    with torch.no_grad():
        nets[0].first_conv.conv.weight[1] = 0
    save_folder(tmp_path, config, nets, torch.float16)
    assert (read_back(tmp_path)[0].first_conv.conv.weight[1] == 0).all()
    assert (model_of(tmp_path).encoder.layers[0].conv.weight[1] == 0).all()


def test_saving_in_training(tmp_path: Path) -> None:
    """Nets that require gradients are written as they are, and saving over an older folder replaces it."""
    config = small("encodec-24khz")
    nets = nets_of(config)
    assert next(nets[0].parameters()).requires_grad
    save_folder(tmp_path, config, nets_of(config, seed=9))
    save_folder(tmp_path, config, nets)
    assert weights_id(read_back(tmp_path)[0]) == weights_id(nets[0])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "model.safetensors"]
    told = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    assert told["architectures"] == ["EncodecModel"]
    assert told["codebook_dim"] == 16
    assert "encoder.layers.0.conv.parametrizations.weight.original0" in load_file(
        tmp_path / "model.safetensors"
    )


def test_weights_that_cannot_be_stored_are_refused(tmp_path: Path) -> None:
    """Weights that are not finite, or that float16 cannot hold, leave no file; nor does an unknown dtype."""
    config = small("encodec-24khz")
    nets = nets_of(config)
    nets[2].codebooks[0, 0, 0] = 1e6
    message = (
        r"^expected finite weights; got quantizer\.layers\.0\.codebook\.embed and 1 more; likely cause: "
        r"training that diverged, or a weight beyond the range of float16$"
    )
    with pytest.raises(WeightsError, match=message):
        save_folder(tmp_path / "new", config, nets, torch.float16)
    message = r"^expected a dtype to store weights in; got torch\.int8; legal values: torch\.float32, torch\.float16$"
    with pytest.raises(InputError, match=message):
        save_folder(tmp_path / "new", config, nets, torch.int8)
    assert not (tmp_path / "new").exists()
