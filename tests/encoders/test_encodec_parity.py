"""Every layer of our EnCodec equals transformers' EncodecModel on the same weights: sound to codes and back.

Tolerance: the largest difference at a layer is at most 1e-5 of the layer's largest value, in float32. Codes are
equal, except where two entries of a codebook are as near as rounding: such ties are counted, and few.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from tonotopy.core.errors import InputError
from tonotopy.encoders import load_encoder
from tonotopy.encoders._codec import Segment, overlap_add
from tonotopy.encoders._seanet_weights import decoder_names, encoder_names
from tonotopy.encoders._taps import Tap, read
from tonotopy.encoders.encodec import EncodecEncoder

RELATIVE = 1e-5
"""Of the largest value at a layer: what float32 sums in another order may differ by."""

TIE = 1e-5
"""Share of a squared distance by which two entries that are told apart by rounding may differ."""

SMALL = {"num_filters": 4, "hidden_size": 16, "codebook_dim": 16, "codebook_size": 64, "num_lstm_layers": 1}
MONO: dict[str, Any] = {"target_bandwidths": [1.5, 3.0, 6.0]}
STEREO: dict[str, Any] = {
    "sampling_rate": 48_000,
    "audio_channels": 2,
    "normalize": True,
    "norm_type": "time_group_norm",
    "use_causal_conv": False,
    "chunk_length_s": 1.0,
    "overlap": 0.01,
    "target_bandwidths": [3.0, 6.0, 12.0],
}
VARIANTS = {  # what published models leave at its default, each changed once
    "residual layers": MONO | {"num_residual_layers": 2, "residual_kernel_size": 5},
    "plain shortcut": MONO | {"use_conv_shortcut": False, "compress": 4},
    "padding by zeros": MONO | {"pad_mode": "constant"},
    "padding by the edge": MONO | {"pad_mode": "replicate"},
    "trimmed on both sides": MONO | {"trim_right_ratio": 0.5, "upsampling_ratios": [5, 3, 2]},
    "odd ratios, looking ahead": STEREO | {"upsampling_ratios": [7, 5, 3], "norm_type": "weight_norm"},
    "one ratio of one": MONO
    | {"upsampling_ratios": [16, 1], "kernel_size": 3, "last_kernel_size": 1, "target_bandwidths": [20.0]},
    "two recurrent layers": STEREO | {"num_lstm_layers": 2, "audio_channels": 1},
}
LENGTHS = [1, 2, 3, 6, 7, 13, 113, 319, 320, 321, 641, 997, 2560, 4801]
"""Samples: less than any padding, primes, a hop and its neighbours, more than a view."""


@dataclass(frozen=True)
class Pair:
    """One set of weights, twice."""

    theirs: Any
    ours: EncodecEncoder

    @property
    def channels(self) -> int:
        """Channels of sound."""
        return int(self.theirs.config.audio_channels)

    def sound(self, n_samples: int, *, rows: int = 2, seed: int = 0) -> torch.Tensor:
        """Noise of several levels, channels that differ, ``[batch, channel, time]``."""
        generator = torch.Generator().manual_seed(seed)
        loudness = torch.logspace(-0.5, -2, rows)[:, None, None]
        return loudness * torch.randn(rows, self.channels, n_samples, generator=generator)


def pair_of(name: str, config: dict[str, Any], folder: Path, seed: int = 0) -> Pair:
    """A model of transformers with random weights, and ours from the folder that it saved."""
    transformers = pytest.importorskip("transformers", reason="the extra encodec is not installed")
    transformers.utils.logging.disable_progress_bar()
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        theirs = transformers.EncodecModel(transformers.EncodecConfig(**config)).eval()
        for key, value in theirs.named_parameters():
            if key.endswith(("original0", "norm.weight", "norm.bias")):  # norms as training leaves them
                value.mul_(1 + 0.3 * torch.rand_like(value)).add_(0.05 * torch.rand_like(value))
        # Entries around the latent of noise, finer from stage to stage, so that all stages have a choice.
        channels, rate = theirs.config.audio_channels, theirs.config.sampling_rate
        spread = theirs.encoder(torch.randn(2, channels, rate // 4)).std()
        for i, layer in enumerate(theirs.quantizer.layers):
            layer.codebook.embed.normal_(std=float(spread) * 0.9**i)
    theirs.save_pretrained(folder)
    ours = load_encoder(name, weights=str(folder))
    assert isinstance(ours, EncodecEncoder)
    return Pair(theirs, ours)


@pytest.fixture(scope="module")
def mono(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """The causal model, small."""
    return pair_of("encodec-24khz", SMALL | MONO, tmp_path_factory.mktemp("mono"))


@pytest.fixture(scope="module")
def stereo(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """The stereo model, small, in segments of a tenth of a second for speed."""
    config = SMALL | STEREO | {"chunk_length_s": 0.1, "overlap": 0.1}
    return pair_of("encodec-48khz", config, tmp_path_factory.mktemp("stereo"))


@pytest.fixture(params=["mono", "stereo"])
def pair(request: pytest.FixtureRequest) -> Pair:
    """Each of the two."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Pair)
    return found


def gap(found: torch.Tensor, wanted: torch.Tensor) -> float:
    """Largest difference, as a share of the largest value."""
    assert found.shape == wanted.shape
    return float((found - wanted).abs().max() / wanted.abs().max().clamp(min=1e-30))


def layers_of(names: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Our layer and theirs: convolutions with their norm, sums of blocks, recurrent layers, each once."""
    pairs = {name.rpartition(".")[0]: theirs.rpartition(".")[0] for name, theirs in names.items()}
    for name, theirs in dict(pairs).items():
        if ".block." in theirs:
            pairs.setdefault(name.rpartition(".")[0], theirs.partition(".block.")[0])
    yield from pairs.items()


def heard_by_theirs(module: Any, paths: list[str], run: Callable[[], Any]) -> dict[str, torch.Tensor]:
    """Outputs of transformers' modules during a run."""
    kept: dict[str, torch.Tensor] = {}

    def keep(path: str) -> Callable[..., None]:
        return lambda _module, _inputs, out: kept.update({path: out})

    handles = [module.get_submodule(path).register_forward_hook(keep(path)) for path in paths]
    with torch.no_grad():
        run()
    for handle in handles:
        handle.remove()
    return kept


def worst_layer(pair: Pair, audio: torch.Tensor) -> tuple[float, str, int]:
    """The largest gap over all layers of encoder and decoder, where it is, and how many layers there are."""
    theirs, ours = pair.theirs, pair.ours
    with torch.no_grad():
        latent = theirs.encoder(audio)
    gaps: dict[str, float] = {}
    for names, part, net, run, again in (
        (encoder_names(ours._net), "encoder", ours._net, audio, audio),
        (decoder_names(ours._decoder), "decoder", ours._decoder, latent, latent.unsqueeze(2)),
    ):
        layers = dict(layers_of(names))
        kinds = ("EncodecConv1d", "EncodecConvTranspose1d", "EncodecResnetBlock", "EncodecLSTM")
        modules = getattr(theirs, part).named_modules(prefix=part)
        assert {path for path, module in modules if type(module).__name__ in kinds} <= set(layers.values())
        wanted = heard_by_theirs(
            theirs, list(layers.values()), lambda part=part, run=run: getattr(theirs, part)(run)
        )
        taps = {name: Tap(name, frame_axis=3) for name in layers}
        with torch.no_grad():
            found = read(net, lambda net=net, again=again: net(again), taps)
        for name, place in layers.items():
            gaps[f"{part}: {name}"] = gap(found[name], wanted[place].transpose(1, 2))
    worst = max(gaps, key=lambda name: gaps[name])
    return gaps[worst], worst, len(gaps)


@dataclass
class Ties:
    """What was compared, and what differed for no reason but rounding."""

    codes: int = 0
    ties: int = 0

    def compare(self, pair: Pair, latent: torch.Tensor, found: torch.Tensor, wanted: torch.Tensor) -> None:
        """Codes ``[frame, stage]`` of a latent ``[frame, unit]``: a first difference must be a tie.

        What a frame's later stages choose, once one has chosen otherwise, is another question.
        """
        assert found.shape == wanted.shape
        self.codes += found.numel()
        books = pair.ours._quantiser.codebooks.double()
        for i in (found != wanted).any(dim=1).nonzero()[:, 0].tolist():
            rest = latent[i].double()
            for stage, (a, b) in enumerate(zip(found[i].tolist(), wanted[i].tolist(), strict=True)):
                far = [float((rest - books[stage, code]).square().sum()) for code in (a, b)]
                if a != b:
                    scale = float(rest.square().sum()) + max(far)  # of the terms that rounding is a share of
                    assert abs(far[0] - far[1]) <= TIE * scale, (i, stage, far)
                    self.ties += 1
                    break
                rest = rest - books[stage, a]


def test_every_layer_equals(pair: Pair) -> None:
    """All convolutions with their norms, block sums, recurrent layers and ends of both halves, channels apart."""
    worst, where, layers = worst_layer(pair, pair.sound(4801, rows=3))
    assert layers == 2 * (18 + 4 + 1)  # convolutions, sums of blocks, recurrent layers of each half
    assert worst <= RELATIVE, where


def test_every_site_equals(pair: Pair) -> None:
    """What the protocol gives from mono sound equals transformers' layers, hearing it as its encoder does."""
    mono = pair.sound(4801, rows=3)[:, 0]
    level = mono.square().mean(dim=1).sqrt()[:, None, None] + 1e-8 if pair.theirs.config.normalize else 1
    heard = mono[:, None].expand(-1, pair.channels, -1) / level
    layers = dict(layers_of(encoder_names(pair.ours._net)))
    wanted = heard_by_theirs(pair.theirs, list(layers.values()), lambda: pair.theirs.encoder(heard))
    sites = [site.name for site in pair.ours.sites if site.role != "codes"]
    assert set(sites) == set(layers)
    found = pair.ours.activations(mono, sites)
    gaps = {name: gap(found[name], wanted[layers[name]].transpose(1, 2)) for name in sites}
    assert max(gaps.values()) <= RELATIVE, gaps


@pytest.mark.parametrize("n_samples", LENGTHS)
def test_every_length(pair: Pair, n_samples: int) -> None:
    """From one sample on, every layer, the codes at every bit rate, and the decoded sound agree."""
    worst, where, _ = worst_layer(pair, pair.sound(n_samples))
    assert worst <= RELATIVE, where
    codec_equals(pair, pair.sound(n_samples))


def codec_equals(pair: Pair, audio: torch.Tensor) -> Ties:
    """Codes, scales, summed entries and decoded sound agree at every bit rate; ties are counted."""
    ties = Ties()
    for rate in pair.theirs.config.target_bandwidths:
        with torch.no_grad():
            told = pair.theirs.encode(audio, bandwidth=rate)
            sound = pair.theirs.decode(told.audio_codes, told.audio_scales, last_frame_pad_length=told[-1])[0]
        found = pair.ours.encode(audio, rate)
        assert len(found) == len(told.audio_codes)
        wanted = []
        hop = pair.ours._config.segment_hop or audio.shape[2]
        length = pair.ours._config.segment_length or audio.shape[2]
        for i, (ours, codes, scale) in enumerate(
            zip(found, told.audio_codes, told.audio_scales, strict=True)
        ):
            heard = audio[..., i * hop : i * hop + length]
            n = ours.codes.shape[1]
            wanted.append(Segment(codes[..., :n].transpose(1, 2), None if scale is None else scale[:, 0]))
            if scale is None:
                assert ours.scale is None
            else:
                assert ours.scale is not None
                assert gap(ours.scale, scale[:, 0]) <= RELATIVE
                heard = heard / scale[:, :, None]
            with torch.no_grad():
                latent = pair.theirs.encoder(heard)
                entries = pair.theirs.quantizer.decode(codes[..., :n].transpose(0, 1)).transpose(1, 2)
            assert gap(pair.ours._quantiser.entries(wanted[-1].codes), entries) <= RELATIVE
            ties.compare(
                pair,
                latent.transpose(1, 2).flatten(0, 1),
                ours.codes.flatten(0, 1),
                wanted[-1].codes.flatten(0, 1),
            )
        assert gap(pair.ours.decode_codes(wanted), sound) <= RELATIVE
        assert pair.ours.decode_codes(wanted, audio.shape[2]).shape == audio.shape
    return ties


@pytest.mark.parametrize("n_samples", [4320, 4321, 4800, 4801, 6000, 9610])
def test_stereo_in_segments(stereo: Pair, n_samples: int) -> None:
    """Segments, their levels, their codes and the faded sum, also for a last one of few samples."""
    codec_equals(stereo, stereo.sound(n_samples))


def test_stereo_in_segments_of_a_second(tmp_path: Path) -> None:
    """The same in segments as long as the published model's, and hardly a code that rounding decides."""
    pair = pair_of("encodec-48khz", SMALL | STEREO, tmp_path)
    ties = codec_equals(pair, pair.sound(48_001))
    assert ties.codes > 5000
    assert ties.ties <= ties.codes // 1000


def test_a_segment_before_the_last_may_be_short(stereo: Pair) -> None:
    """Sound that ends inside the overlap leaves two short segments, which transformers cannot stack."""
    audio = stereo.sound(2 * 4320 + 5)
    with torch.no_grad(), pytest.raises(RuntimeError, match="stack expects each tensor to be equal size"):
        stereo.theirs.encode(audio, bandwidth=6.0)
    segments = stereo.ours.encode(audio, 6.0)
    assert [segment.codes.shape[1] for segment in segments] == [15, 14, 1]
    decoded = stereo.ours.decode_codes(segments, audio.shape[2])
    assert decoded.shape == audio.shape
    assert decoded.isfinite().all()


def test_overlap_add_returns_a_constant() -> None:
    """Pieces of one sound, cut with overlap and faded together, give the sound."""
    sound = torch.arange(1.0, 101.0).expand(2, 1, 100)
    pieces = [sound[..., i : i + 30] for i in range(0, 100, 20)]
    assert torch.allclose(overlap_add(pieces, 20), sound)


def test_codes_travel(pair: Pair) -> None:
    """What we encode transformers decodes, to the same sound of the same length."""
    audio = pair.sound(9611, rows=3)
    segments = pair.ours.encode(audio, 6.0)
    last = segments[0].codes.shape[1] - segments[-1].codes.shape[1]
    codes = [segment.codes.transpose(1, 2) for segment in segments]
    codes[-1] = torch.nn.functional.pad(codes[-1], (0, last))
    scales = [segment.scale for segment in segments]
    mask = torch.ones_like(audio).bool()
    with torch.no_grad():
        wanted = pair.theirs.decode(torch.stack(codes), scales, mask, last_frame_pad_length=last).audio_values
    assert gap(pair.ours.decode_codes(segments, 9611), wanted) <= RELATIVE


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_other_configurations(variant: str, tmp_path: Path) -> None:
    """Each field of the configuration, away from its usual value, does what it does in transformers."""
    config = SMALL | VARIANTS[variant]
    name = "encodec-24khz" if config.get("sampling_rate") is None else "encodec-48khz"
    if config.get("audio_channels") == 1:
        config["sampling_rate"], name = 24_000, "encodec-24khz"
    pair = pair_of(name, config, tmp_path)
    for n_samples in (17, 320, 2003):
        worst, where, _ = worst_layer(pair, pair.sound(n_samples))
        assert worst <= RELATIVE, (where, n_samples)
    codec_equals(pair, pair.sound(2003))


@pytest.mark.parametrize("size", [1, 2, 7, 319, 320, 321, 997, 2880, 3001, 9000])
def test_chunks_of_any_size(mono: Pair, size: int) -> None:
    """The latent from chunks of one sample, of a prime, of a hop, of everything, equals transformers' whole one."""
    audio = mono.sound(8317 if size > 2 else 3517)
    chunked_equals(mono, audio, size)


def chunked_equals(pair: Pair, audio: torch.Tensor, size: int) -> None:
    """The latent in chunks equals transformers' whole one."""
    with torch.no_grad():
        whole = pair.theirs.encoder(audio).transpose(1, 2)
    chunked = torch.cat(list(pair.ours.encode_chunks(audio[:, 0].split(size, dim=1))), dim=1)
    assert gap(chunked, whole) <= RELATIVE


@pytest.mark.parametrize("n_samples", [1, 319, 320, 2879, 2880, 2881, 3200])
def test_chunks_of_short_sounds(mono: Pair, n_samples: int) -> None:
    """Sounds around the least that is gathered before a pass, in pieces of 100 samples."""
    chunked_equals(mono, mono.sound(n_samples), 100)


@pytest.mark.parametrize(
    "config",
    [
        {"last_kernel_size": 1},
        {"last_kernel_size": 15},
        {"num_residual_layers": 3, "dilation_growth_rate": 4},
        {"kernel_size": 31, "upsampling_ratios": [4, 4], "target_bandwidths": [20.0]},
    ],
)
def test_chunks_of_other_configurations(config: dict[str, Any], tmp_path: Path) -> None:
    """Wider kernels and views need more context: the least that is gathered follows them."""
    pair = pair_of("encodec-24khz", SMALL | MONO | config, tmp_path)
    for size in (333, 4001):
        chunked_equals(pair, pair.sound(30 * 320), size)


def test_a_row_is_the_same_in_any_batch(pair: Pair) -> None:
    """Rows of a batch do not touch: each equals itself alone."""
    audio = pair.sound(2003, rows=4)
    together = pair.ours.encode(audio)[0]
    for i in range(4):
        alone = pair.ours.encode(audio[i : i + 1])[0]
        assert torch.equal(alone.codes[0], together.codes[i])


def test_gradients_equal(pair: Pair) -> None:
    """The path that training takes: derivatives through both halves by the sound equal transformers'."""
    found, wanted = (pair.sound(1283).requires_grad_() for _ in range(2))
    with torch.enable_grad():
        decoded = pair.ours._decoder(pair.ours._net(found))
        decoded.square().sum().backward()
        pair.theirs.decoder(pair.theirs.encoder(wanted)).square().sum().backward()
    assert found.grad is not None
    assert wanted.grad is not None
    assert gap(found.grad, wanted.grad) <= 1e-4


def test_codes_that_are_none_are_refused(pair: Pair) -> None:
    """Wrong axes, codes out of range, a scale too many or too few, and a bit rate that there is not."""
    codec, audio = pair.ours, pair.sound(700)
    (good,) = codec.encode(audio)
    other = None if good.scale is not None else torch.ones(2)
    for bad, message in (
        (
            Segment(good.codes[0], good.scale),
            r"^expected codes \[batch, frame, stage\] as integers, of 1 to \d+ ",
        ),
        (
            Segment(good.codes.float(), good.scale),
            r"^expected codes \[batch, frame, stage\] as integers, of 1 to",
        ),
        (
            Segment(good.codes + 64, good.scale),
            r"^expected codes from 0 to 63; got \d+ to \d+; likely cause: anoth",
        ),
        (
            Segment(good.codes, other),
            r"^expected (a scale with every segment|segments without a scale); got ",
        ),
    ):
        with pytest.raises(InputError, match=message):
            codec.decode_codes([bad])
    with pytest.raises(InputError, match=r"^expected a bit rate of encodec-\d+khz in kb/s; got 5; "):
        codec.encode(audio, 5)
    with pytest.raises(InputError, match=r"^expected audio \[batch, \d, time\] or \[batch, time\]; got "):
        codec.encode(torch.zeros(2, 3, 700))
    if pair.channels == 1:
        with pytest.raises(
            InputError, match=r"^expected one segment; got 2; likely cause: this model codes "
        ):
            codec.decode_codes([good, good])


@pytest.mark.prove
@pytest.mark.parametrize("name", ["encodec-24khz", "encodec-48khz"])
def test_the_published_shapes(name: str, tmp_path: Path) -> None:
    """Every layer, codes at every bit rate, and sound, with as many filters, layers and codes as published."""
    config: dict[str, Any] = {}
    if name == "encodec-48khz":
        config = STEREO | {"target_bandwidths": [3.0, 6.0, 12.0, 24.0]}
    pair = pair_of(name, config, tmp_path)
    assert len(pair.ours._quantiser.codebooks) == {"encodec-24khz": 32, "encodec-48khz": 16}[name]
    worst, where, _ = worst_layer(pair, pair.sound(24_001))
    assert worst <= RELATIVE, where
    ties = codec_equals(pair, pair.sound(60_001, rows=1))
    assert ties.codes > 5000
    assert ties.ties <= ties.codes // 1000, ties
