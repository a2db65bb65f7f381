"""SoundStream: geometry by hand, the golden vectors of the release, codes, decoder, what goes wrong at the door."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tonotopy.core.errors import InputError
from tonotopy.encoders import load_encoder
from tonotopy.encoders._geometry import Geometry, measure, pink_noise
from tonotopy.encoders._soundstream_weights import convert_soundstream, read_converted
from tonotopy.encoders.soundstream import STAGES_AT_KBPS, SoundStreamEncoder, open_encoder

SAMPLES = ("sample1_16kHz", "sample2_16kHz")


@pytest.fixture(scope="module")
def drawn() -> SoundStreamEncoder:
    """SoundStream with random weights."""
    encoder = load_encoder("soundstream", weights="random:0")
    assert isinstance(encoder, SoundStreamEncoder)
    return encoder


@pytest.fixture(scope="module")
def trained(lyra_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> SoundStreamEncoder:
    """SoundStream with the released weights, trained on speech."""
    file = tmp_path_factory.mktemp("converted") / "soundstream.safetensors"
    convert_soundstream(lyra_dir, file)
    return open_encoder("soundstream", weights=str(file), seed=0)


@pytest.fixture(scope="module", params=SAMPLES)
def golden(request: pytest.FixtureRequest, lyra_dir: Path) -> dict[str, torch.Tensor]:
    """A recorded sentence and what the released models make of it."""
    import soundfile

    audio, rate = soundfile.read(lyra_dir / f"{request.param}.wav", dtype="float32")
    assert rate == 16_000
    with np.load(lyra_dir / f"golden_{request.param}.npz") as archive:
        found = {name: torch.from_numpy(archive[name])[None] for name in archive.files}
    return found | {"audio": torch.from_numpy(audio)[None]}


def snr_db(expected: torch.Tensor, found: torch.Tensor) -> float:
    """Power of what was expected over that of the difference."""
    error = (expected.double() - found.double()).square().sum()
    return float(10 * torch.log10(expected.double().square().sum() / error))


def noise(rows: int, n_samples: int, seed: int = 0) -> torch.Tensor:
    return pink_noise(rows, n_samples, torch.Generator().manual_seed(seed)).float()


def test_geometry_is_that_of_the_release(drawn: SoundStreamEncoder) -> None:
    """Hop, view, offset and units by hand: k64 s16; depthwise k3 at dilations 1, 3, 9; k10 s5, k4 s2, k4 s2; k3."""
    sites = {site.name: site for site in drawn.sites}
    assert len(sites) == 42
    expected = {
        "first_conv": ("first_conv", 16, 64, 64),
        "block1_1.depthwise": ("conv", 16, 64 + 2 * 16, 64),
        "block1_1": ("layer", 16, 64 + 2 * 16, 64),
        "block1_3": ("layer", 16, 64 + 26 * 16, 64),
        "down1": ("conv", 80, 64 + 26 * 16 + 9 * 16, 128),
        "down2": ("conv", 160, 624 + 26 * 80 + 3 * 80, 256),
        "down3": ("conv", 320, 2944 + 26 * 160 + 3 * 160, 512),
        "stack_end": ("stack_end", 320, 8224, 64),
        "codes": ("codes", 320, 8224, 64),
    }
    for name, (role, hop, view, units) in expected.items():
        site = sites[name]
        assert (site.role, site.hop, site.view, site.units) == (role, hop, view, units), name
    for site in drawn.sites:
        assert site.bounded, site.name
        assert site.offset + site.view == site.hop, "the end of frame t is that of its hop: causal, no delay"


def test_the_latents_geometry_is_measured(drawn: SoundStreamEncoder) -> None:
    """Gradients of one frame of the latent reach its 8,224 samples and no other."""
    net = drawn.trainable().module.double().eval()
    site = drawn.site("stack_end")
    predicted = Geometry(site.hop, site.view, site.offset)
    found = measure(
        lambda audio: net(audio).squeeze(2).transpose(1, 2), 3 * 8224, rounds=2, expected=predicted
    )
    assert found.interval == (320, 8224, 320 - 8224)
    assert found.bounded


def test_features_are_the_release(trained: SoundStreamEncoder, golden: dict[str, torch.Tensor]) -> None:
    """The latent agrees with both of the release's kernels at 23 dB or more; these agree at 24.8 and 25.9."""
    found = trained.activations(golden["audio"], ["stack_end"])["stack_end"]
    for kernels in ("xnnpack", "reference"):
        expected = golden[f"features_{kernels}"]
        assert found.shape == expected.shape
        print(f"features, {kernels}: {snr_db(expected, found):.2f} dB")  # noqa: T201
        assert snr_db(expected, found) >= 23


def test_codes_are_the_release(trained: SoundStreamEncoder, golden: dict[str, torch.Tensor]) -> None:
    """On the release's features every code of all 46 stages is its own, and so is their sum."""
    codes, summed = trained.nets[2](golden["features_xnnpack"])
    assert torch.equal(codes, golden["codes"].long())
    assert snr_db(golden["quantised_features"], summed) > 120
    assert snr_db(golden["quantised_features"], trained.entries(golden["codes"])) > 120


def test_decoded_sound_is_the_release(trained: SoundStreamEncoder, golden: dict[str, torch.Tensor]) -> None:
    """On the release's quantised features the decoded sound agrees with both of its kernels at 24 dB or more."""
    found = trained.decode(golden["quantised_features"])
    for kernels in ("xnnpack", "reference"):
        expected = golden[f"audio_{kernels}"]
        assert found.shape == expected.shape
        print(f"decoded, {kernels}: {snr_db(expected, found):.2f} dB")  # noqa: T201
        assert snr_db(expected, found) >= 24


def test_speech_survives(trained: SoundStreamEncoder, golden: dict[str, torch.Tensor]) -> None:
    """From sound to codes to sound: the SNR falls with the bit rate, and is 7 dB or more at 9.2 kb/s."""
    reached = []
    for stages in STAGES_AT_KBPS.values():
        found = trained.decode(trained.entries(trained.codes(golden["audio"], stages)))
        reached.append(snr_db(golden["audio"][:, : found.shape[1]], found))
    assert reached == sorted(reached)
    print(f"whole codec, 3.2, 6, 9.2 kb/s: {' '.join(f'{snr:.1f}' for snr in reached)} dB")  # noqa: T201
    assert reached[-1] >= 7


def test_the_weights_say_what_they_learnt_from(trained: SoundStreamEncoder) -> None:
    """The label of the released weights, which every report shows, tells that they were trained on speech."""
    assert trained.weights_label == "Lyra v2 1.3.2 (trained on speech)"
    assert "trained on speech" in trained.citation
    assert "Apache-2.0" in trained.licence


def test_weights_of_others_are_not_credited_to_the_release(drawn: SoundStreamEncoder) -> None:
    """Random weights name the paper, not Google's weights nor their licence."""
    assert "SoundStream" in drawn.citation
    assert "Lyra" not in drawn.citation + drawn.licence


def test_codes_are_the_nearest(drawn: SoundStreamEncoder) -> None:
    """Each stage's code is the entry nearest to what the stages before left, by distances in float64."""
    audio = noise(2, 16_000)
    latent = drawn.activations(audio, ["stack_end"])["stack_end"]
    codes = drawn.codes(audio)
    assert (codes.shape, codes.dtype) == ((2, 50, 46), torch.int64)
    rest, books = latent.double().flatten(0, 1), drawn.codebooks.double()
    for stage, book in enumerate(books):
        chosen = codes[..., stage].flatten()
        distance = torch.cdist(rest, book)
        nearest = distance.min(dim=1).values
        taken = distance.gather(1, chosen[:, None])[:, 0]
        # Rounding of float32 decides between entries that are equally near, and only between these.
        assert (taken - nearest <= 1e-5 * rest.norm(dim=1).max()).all()
        rest = rest - book[chosen]


def test_entries_undo_codes(drawn: SoundStreamEncoder) -> None:
    """What codes stand for is the site ``codes``; fewer stages are the first ones of more, and stand for less."""
    audio = noise(2, 8_000)
    found = drawn.activations(audio, ["stack_end", "codes"])
    codes = drawn.codes(audio)
    scale = float(found["stack_end"].abs().max())
    assert torch.allclose(drawn.entries(codes), found["codes"], atol=1e-5 * scale)
    assert torch.equal(drawn.codes(audio, 5), codes[..., :5])
    error = [
        float((drawn.entries(codes[..., :n]) - found["stack_end"]).square().mean()) for n in (1, 5, 20, 46)
    ]
    assert error == sorted(error, reverse=True)


def test_bit_rates(drawn: SoundStreamEncoder) -> None:
    """3.2, 6 and 9.2 kb/s use 16, 30 and 46 stages of one set of codebooks; another rate is refused."""
    for rate, stages in STAGES_AT_KBPS.items():
        assert stages * 4 * 50 == pytest.approx(1000 * rate)
    assert drawn.codebook_sizes == (16,) * 46
    low = load_encoder("soundstream", weights="random:0", bandwidth_kbps=3.2)
    assert (len(low.codebooks), len(drawn.codebooks)) == (16, 46)
    assert torch.equal(low.codebooks, drawn.codebooks[:16])
    assert low.weights_id == drawn.weights_id
    assert low.identity != drawn.identity
    message = "^expected a bit rate of soundstream in kb/s; got 24; .*; legal values: 3.2, 6, 9.2$"
    with pytest.raises(InputError, match=message):
        load_encoder("soundstream", weights="random:0", bandwidth_kbps=24)


def test_the_decoder_is_causal(drawn: SoundStreamEncoder) -> None:
    """A frame of the latent changes the sound from its own 320 samples on, and nothing before."""
    latent = drawn.activations(noise(1, 12_800), ["stack_end"])["stack_end"]
    moved = latent.clone()
    moved[:, 20] += latent.abs().max()
    before, after = drawn.decode(latent), drawn.decode(moved)
    assert before.shape == (1, 12_800)
    assert torch.allclose(before[:, : 20 * 320], after[:, : 20 * 320], atol=1e-6 * float(before.abs().max()))
    assert not torch.allclose(before[:, 20 * 320 : 21 * 320], after[:, 20 * 320 : 21 * 320])


def test_frames_do_not_depend_on_what_follows(drawn: SoundStreamEncoder) -> None:
    """Sound that is longer, or not of whole hops, gives the same frames and, for each whole hop more, one more."""
    audio = noise(1, 4_800)
    whole = drawn.activations(audio, ["stack_end"])["stack_end"]
    short = drawn.activations(audio[:, : 3_200 + 319], ["stack_end"])["stack_end"]
    assert (whole.shape[1], short.shape[1]) == (15, 10)
    assert torch.allclose(whole[:, :10], short, atol=1e-6 * float(whole.abs().max()))


def test_the_codec_can_be_differentiated(drawn: SoundStreamEncoder) -> None:
    """A gradient passes from the decoded sound, straight through the codes, to the sound that went in."""
    encoder, decoder, quantiser = drawn.nets
    audio = noise(1, 6_400).requires_grad_(True)
    latent = encoder(audio).squeeze(2).transpose(1, 2)
    _, summed = quantiser(latent)
    assert torch.equal(summed.detach(), quantiser(latent.detach())[1])
    decoder(summed.transpose(1, 2).unsqueeze(2)).square().sum().backward()
    assert audio.grad is not None
    assert (audio.grad != 0).float().mean() > 0.9


def test_a_site_can_be_changed(drawn: SoundStreamEncoder) -> None:
    """What is at any site can be replaced; left as it is nothing changes, set to zero what follows does."""
    audio = noise(1, 6_400)
    plain = drawn.activations(audio, ["stack_end", "codes"])
    for site in ("first_conv", "block1_1.depthwise", "block2_3", "down3", "stack_end"):
        same = drawn.changed(audio, site, lambda x: x, ["stack_end", "codes"])
        assert all(torch.equal(same[name], plain[name]) for name in plain), site
        none = drawn.changed(audio, site, torch.zeros_like, [site, "stack_end"])
        assert not none[site].any()
        assert not torch.allclose(none["stack_end"], plain["stack_end"]), site
    assert torch.equal(drawn.changed(audio, "codes", lambda x: 2 * x, ["codes"])["codes"], 2 * plain["codes"])


def test_a_trained_copy_opens_again(drawn: SoundStreamEncoder, tmp_path: Path) -> None:
    """What a training would save of the encoder is a file that opens as this encoder, of this format."""
    from tonotopy.encoders._checkpoint import Header, write

    copy = drawn.trainable()
    file = tmp_path / "step-0000010.safetensors"
    write(file, copy.state(noise(4, 16_000)), Header("soundstream", dict(copy.options), step=10))
    assert len(read_converted(file)) == 3
    again = load_encoder(str(file))
    assert again.weights_label == "step-0000010.safetensors"
    audio = noise(1, 3_200)
    found = [encoder.activations(audio, ["stack_end"])["stack_end"] for encoder in (drawn, again)]
    assert torch.equal(*found)


def test_bad_input_is_named(drawn: SoundStreamEncoder) -> None:
    """Sound shorter than a frame, a latent of another codec, codes out of range: one line each."""
    message = (
        "^expected audio of at least 320 samples; got 319 samples; "
        "likely cause: shorter than a frame of the latent, 20 ms$"
    )
    with pytest.raises(InputError, match=message):
        drawn.activations(torch.zeros(1, 319), ["first_conv"])
    message = r"^expected a latent \[batch, frame, 64\]; got \(1, 5, 128\); likely cause: the latent of another codec"
    with pytest.raises(InputError, match=message):
        drawn.decode(torch.zeros(1, 5, 128))
    with pytest.raises(InputError, match=r"1 to 46 stages, 0 to 15; got codes from 0 to 16"):
        drawn.entries(torch.full((1, 2, 3), 16).tril())
    with pytest.raises(InputError, match=r"^expected 1 to 46 stages; got 47"):
        drawn.codes(torch.zeros(1, 320), 47)
