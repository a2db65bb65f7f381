"""EnCodec in plain layers equals transformers' EnCodec, whole and in chunks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tonotopy.core.errors import InputError, WeightsError
from tonotopy.encoders import load_encoder
from tonotopy.encoders._geometry import measure
from tonotopy.encoders.encodec import EncodecEncoder

SMALL = {"num_filters": 4, "hidden_size": 16, "codebook_size": 64, "num_lstm_layers": 1}
KINDS: dict[str, dict[str, Any]] = {
    "encodec-24khz": {"target_bandwidths": [1.5, 6.0]},
    "encodec-48khz": {
        "target_bandwidths": [3.0, 6.0],
        "sampling_rate": 48_000,
        "audio_channels": 2,
        "normalize": True,
        "norm_type": "time_group_norm",
        "use_causal_conv": False,
        "chunk_length_s": 1.0,
        "overlap": 0.01,
    },
}


@pytest.fixture(scope="module", params=sorted(KINDS))
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Any, EncodecEncoder]:
    """A small model of transformers, and ours from the folder that it saved."""
    transformers = pytest.importorskip("transformers", reason="the extra encodec is not installed")
    transformers.utils.logging.disable_progress_bar()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = transformers.EncodecConfig(**SMALL, codebook_dim=16, **KINDS[request.param])
        theirs = transformers.EncodecModel(config).eval()
        for layer in theirs.quantizer.layers:
            layer.codebook.embed.normal_(std=0.1)
    folder = tmp_path_factory.mktemp(request.param)
    theirs.save_pretrained(folder)
    ours = load_encoder(request.param, weights=str(folder))
    assert isinstance(ours, EncodecEncoder)
    return theirs, ours


@pytest.fixture(scope="module")
def small() -> EncodecEncoder:
    """The causal model, small, with random weights."""
    encoder = load_encoder("encodec-24khz", weights="random:0", config=SMALL)
    assert isinstance(encoder, EncodecEncoder)
    return encoder


def noise(rows: int, n_samples: int) -> torch.Tensor:
    """Seeded noise, ``[batch, time]``."""
    return 0.1 * torch.randn(rows, n_samples, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("n_samples", [9600, 9700, 700])
def test_equals_transformers(pair: tuple[Any, EncodecEncoder], n_samples: int) -> None:
    """Latent, codes, quantised latent and decoded sound agree, also for lengths that are no whole hops."""
    theirs, ours = pair
    audio = noise(2, n_samples)
    level = audio.square().mean(dim=1, keepdim=True).sqrt() + 1e-8 if theirs.config.normalize else 1
    with torch.no_grad():
        latent = theirs.encoder((audio / level)[:, None].expand(-1, theirs.config.audio_channels, -1))
        codes = theirs.quantizer.encode(latent, 6.0)
        quantised = theirs.quantizer.decode(codes)
        sound = theirs.decoder(latent).mean(dim=1)
    found = ours.activations(audio, ["stack_end", "codes"])
    scale = float(latent.abs().max())
    assert torch.allclose(found["stack_end"], latent.transpose(1, 2), atol=1e-5 * scale)
    assert torch.equal(ours.codes(audio), codes.permute(1, 2, 0))
    assert torch.allclose(found["codes"], quantised.transpose(1, 2), atol=1e-5)
    assert torch.allclose(ours.decode(found["stack_end"]), sound, atol=1e-5 * float(sound.abs().max()))


def test_plain_and_fast_convolutions_agree(small: EncodecEncoder) -> None:
    """The first convolution as a matrix product equals the one that gradients take."""
    audio = noise(2, 1000)
    fast = small.activations(audio, ["first_conv"])["first_conv"]
    with torch.enable_grad():
        plain = small._net.first_conv(audio[:, None, None])
    assert torch.allclose(fast, plain[:, :, 0].transpose(1, 2), atol=1e-6)


@pytest.mark.parametrize(
    "cuts",
    [[4000] * 6, [24_000], [100, 300, 5000, 7, 18_593], [9999, 1, 14_000], [24_123], [3000] * 7 + [555]],
)
def test_chunks_equal_one_pass(small: EncodecEncoder, cuts: list[int]) -> None:
    """Long audio in pieces of any length gives the latent of one whole pass within 1e-5."""
    audio = noise(2, sum(cuts))
    pieces = list(small.encode_chunks(audio.split(cuts, dim=1)))
    whole = small.activations(audio, ["stack_end"])["stack_end"]
    chunked = torch.cat(pieces, dim=1)
    assert chunked.shape == whole.shape
    assert (chunked - whole).abs().max() <= 1e-5 * whole.abs().max()
    assert len(pieces) >= min(3, len(cuts))


def test_chunks_need_a_causal_model() -> None:
    """The 48 kHz model looks at its whole segment and says so."""
    encoder = load_encoder("encodec-48khz", weights="random:0", config=SMALL)
    assert isinstance(encoder, EncodecEncoder)
    message = (
        "^expected a causal encoder; got encodec-48khz; likely cause: its frames depend on their whole segment: "
        "cut the audio into segments of one second instead$"
    )
    with pytest.raises(InputError, match=message):
        encoder.encode_chunks([noise(1, 48_000)])


def test_geometry_of_the_24khz_model(small: EncodecEncoder) -> None:
    """Strides 2·4·5·8 make a hop of 320; every causal frame ends with its own hop; state begins at the LSTM."""
    assert [small.site(f"down{i}").hop for i in (1, 2, 3, 4)] == [2, 8, 40, 320]
    assert all(site.offset + site.view == site.hop for site in small.sites)
    assert [site.name for site in small.sites if not site.bounded] == ["lstm", "stack_end", "codes"]
    assert small.site("stack_end").note == "lstm.lstm lets a frame depend on more than its view"
    assert (small.site("codes").effective_view or 0) >= small.site("codes").view == 2718


def test_measured_equals_predicted(small: EncodecEncoder) -> None:
    """Gradients through the network find the hop, view and offset that its operators say, at every site."""
    net = type(small._net)(small._config).double().requires_grad_(False)
    for name in ("first_conv", "block1", "down2", "block3.conv1", "down4"):
        site = small.site(name)

        def run(audio: torch.Tensor, name: str = name) -> torch.Tensor:
            kept: dict[str, torch.Tensor] = {}
            layer = net.get_submodule(name)
            handle = layer.register_forward_hook(lambda _, __, out: kept.update(out=out))
            net.front(audio[:, None])
            handle.remove()
            return kept["out"].squeeze(2).transpose(1, 2)

        measured = measure(run, 2 * site.view + 8 * site.hop, rounds=3)
        assert measured.bounded, (name, measured.note)
        assert measured.interval == (site.hop, site.view, site.offset), name


def test_codes_follow_the_bit_rate() -> None:
    """A bit rate decides how many codebooks are summed; one that the model lacks is refused."""
    stages = {
        rate: load_encoder("encodec-24khz", weights="random:0", bandwidth_kbps=rate, config=SMALL)
        for rate in (1.5, 6.0)
    }
    # 75 frames a second of 6 bits: 450 bits a second a stage.
    assert {rate: encoder.codes(noise(1, 3200)).shape[2] for rate, encoder in stages.items()} == {
        1.5: 3,
        6.0: 13,
    }
    message = (
        "^expected a bit rate of encodec-24khz in kb/s; got 5; likely cause: a bit rate that the model was not "
        "trained for; legal values: 1.5, 3, 6, 12, 24$"
    )
    with pytest.raises(InputError, match=message):
        load_encoder("encodec-24khz", weights="random:0", bandwidth_kbps=5, config=SMALL)


def test_the_wrong_folder_is_refused(pair: tuple[Any, EncodecEncoder], tmp_path: Path) -> None:
    """A folder without a config, of the other model, or lacking weights is refused in one line."""
    theirs, ours = pair
    with pytest.raises(
        WeightsError, match=r"^expected config\.json beside the weights; got none in 'test_the"
    ):
        load_encoder(ours.name, weights=str(tmp_path))
    theirs.config.save_pretrained(tmp_path)
    other = next(name for name in KINDS if name != ours.name)
    with pytest.raises(
        WeightsError, match=f"^expected weights of {other}: .* likely cause: the folder of the other"
    ):
        load_encoder(other, weights=str(tmp_path))
    with pytest.raises(
        WeightsError, match=r"^expected a file of weights; got 'model\.safetensors'; likely cause: no"
    ):
        load_encoder(ours.name, weights=str(tmp_path))


def test_no_network_says_what_else_to_give() -> None:
    """Without a local copy and without network, the default weights name the two ways out."""
    pytest.importorskip("huggingface_hub", reason="the extra encodec is not installed")
    message = (
        r"^expected weights of facebook/encodec_24khz; got none on this machine; likely cause: no network; "
        r"give a local folder with config\.json and model\.safetensors, or weights random:0 \(\w+\)$"
    )
    with pytest.raises(InputError, match=message):
        load_encoder("encodec-24khz")
