"""SoundStream layer by layer against the released models, run by their own interpreter: an optional oracle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tonotopy.encoders._soundstream_net import HOP, Conv
from tonotopy.encoders._soundstream_weights import MODELS, convert_soundstream
from tonotopy.encoders.soundstream import SoundStreamEncoder, open_encoder

interpreter = pytest.importorskip(
    "ai_edge_litert.interpreter", reason="no ai-edge-litert here: the released models are not run"
)

FRAMES = 30
FLOAT_CONVOLUTIONS = 23
"""Those before the first quantised layer: up to the first two of block3_1."""


@pytest.fixture(scope="module")
def encoder(lyra_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> SoundStreamEncoder:
    """SoundStream with the released weights."""
    file = tmp_path_factory.mktemp("converted") / "soundstream.safetensors"
    assert convert_soundstream(lyra_dir, file)
    return open_encoder("soundstream", weights=str(file), seed=0)


@pytest.fixture(scope="module")
def speech(lyra_dir: Path) -> torch.Tensor:
    """The first frames of a recorded sentence, ``[1, time]``."""
    import soundfile

    audio, _ = soundfile.read(lyra_dir / "sample1_16kHz.wav", dtype="float32")
    return torch.from_numpy(audio[8000 : 8000 + FRAMES * HOP])[None]


def _run(path: Path, kinds: tuple[str, ...], frames: np.ndarray) -> list[np.ndarray]:
    """Outputs of a released model's operators of some kinds, each ``[time, unit]``, frame after frame."""
    plain: Any = interpreter.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    model = interpreter.Interpreter(
        str(path), experimental_preserve_all_tensors=True, experimental_op_resolver_type=plain, num_threads=1
    )
    model.allocate_tensors()
    (given,) = model.get_input_details()
    operators = [op for op in model._get_ops_details() if op["op_name"] in kinds]
    found: list[list[np.ndarray]] = [[] for _ in operators]
    for frame in frames:
        model.set_tensor(given["index"], frame.reshape(given["shape"]))
        model.invoke()
        for kept, operator in zip(found, operators, strict=True):
            kept.append(model.get_tensor(operator["outputs"][0])[0, :, 0])
    return [np.concatenate(kept) for kept in found]


def test_float_layers_are_the_release(
    encoder: SoundStreamEncoder, speech: torch.Tensor, lyra_dir: Path
) -> None:
    """Every convolution that the release computes in floating point differs by 1e-5 of its largest value at most."""
    theirs = _run(
        lyra_dir / MODELS[0],
        ("CONV_2D", "DEPTHWISE_CONV_2D"),
        speech.reshape(FRAMES, HOP).numpy(),
    )
    names = [name for name, part in encoder.nets[0].named_modules() if isinstance(part, Conv)]
    assert len(theirs) == len(names) == 32
    ours = encoder.activations(speech, names)
    worst = {}
    for name, expected in zip(names[:FLOAT_CONVOLUTIONS], theirs, strict=False):
        assert expected.dtype == np.float32
        found = ours[name][0].numpy()
        worst[name] = float(np.abs(found - expected).max() / np.abs(expected).max())
    print(f"float layers: at most {max(worst.values()):.1e} of a layer's largest value")  # noqa: T201
    assert max(worst.values()) <= 1e-5, worst
    assert theirs[FLOAT_CONVOLUTIONS].dtype == np.int8


def test_the_decoders_first_layer_is_the_release(
    encoder: SoundStreamEncoder, speech: torch.Tensor, lyra_dir: Path
) -> None:
    """The decoder's only convolution before its quantised layers agrees as well."""
    latent = encoder.activations(speech, ["codes"])["codes"]
    (theirs, *_) = _run(lyra_dir / MODELS[1], ("CONV_2D",), latent[0].numpy())
    first = encoder.nets[1].layers[0]
    ours = first(latent.transpose(1, 2).unsqueeze(2))[0, :, 0].T.numpy()
    assert np.abs(ours - theirs).max() <= 1e-5 * np.abs(theirs).max()
