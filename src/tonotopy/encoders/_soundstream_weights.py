"""SoundStream's weights: the release brought to the layers of ``_soundstream_net``, and the file that keeps them.

The release (Lyra v2, 1.3.2; trained on speech) is three ``.tflite`` models. A folder holds either them, or the
same de-quantised by someone else: ``lyra_v2_weights_float32.npz`` with ``lyra_v2_layers.json``, a table of layers
that is held against the network here. Both give the same bits. What is read is one safetensors file, which says
what it is, in which format, and of which geometry.

Offers :func:`convert_soundstream`, :func:`read_converted`, :func:`is_released`, :func:`new_nets`,
:data:`FILE_OPTIONS`.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tonotopy.core.errors import InputError, WeightsError
from tonotopy.encoders._checkpoint import LARGEST_HEADER, Header, own_options, write
from tonotopy.encoders._initialise import undrawn
from tonotopy.encoders._soundstream_net import (
    ENTRIES,
    HOP,
    SAMPLE_RATE_HZ,
    SLOPE,
    STAGES,
    UNITS,
    Conv,
    DecoderNet,
    EncoderNet,
    Quantiser,
    Up,
)
from tonotopy.encoders._tflite import constants_of
from tonotopy.encoders._weights import fit_weights, read_weights, state_id

Nets = tuple[EncoderNet, DecoderNet, Quantiser]

FORMAT = 1
"""Raised whenever files written before can no longer be read."""
GEOMETRY = {
    "sample_rate_hz": SAMPLE_RATE_HZ,
    "hop": HOP,
    "units": UNITS,
    "stages": STAGES,
    "entries": ENTRIES,
}
FILE_OPTIONS: dict[str, Any] = {"format": FORMAT, "geometry": GEOMETRY}
"""What a file of these weights says of itself."""
NOTE = (
    "SoundStream of Lyra v2 (1.3.2), trained on speech; de-quantised from the release; "
    "Apache-2.0, (c) 2022 Google LLC"
)
OTHER_NOTE = (
    "weights of SoundStream's network that are not those of Lyra v2 (1.3.2): whose they are was not told"
)
RELEASED_ID = "sha256:29ca0b571ebb2d8c59cb8eac80a6ae462ce9f05b73d50ff0e68fd74292b27c28"
"""Content address of the released weights."""

MODELS = ("soundstream_encoder.tflite", "lyragan.tflite", "quantizer.tflite")
ARRAYS, TABLE = "lyra_v2_weights_float32.npz", "lyra_v2_layers.json"
_MAX_TABLE = 2**20  # bytes
_CODEBOOKS = "rvq.codebooks"
_AGAIN = (
    "convert the released files again: `tonotopy fetch soundstream`, or `tonotopy convert soundstream DIR`"
)
_CONVOLUTIONS = {"CONV_2D": (1, 2), "DEPTHWISE_CONV_2D": (1, 2), "TRANSPOSE_CONV": (1, 3)}  # weight, bias
_KINDS = {"CONV": "CONV_2D", "DW": "DEPTHWISE_CONV_2D", "TCONV": "TRANSPOSE_CONV"}
_CODEBOOK = "SQUARED_DIFFERENCE"  # the operator that compares a latent with the entries of one stage


def new_nets() -> Nets:
    """Encoder, decoder and quantiser, their weights not yet set."""
    with undrawn():
        return EncoderNet(), DecoderNet(), Quantiser()


def read_converted(path: Path) -> Nets:
    """The nets with the weights of a file that :func:`convert_soundstream` or a training wrote.

    Raises
    ------
    WeightsError
        No such file, or one that is damaged, of another model, of another format or of another geometry.
    """
    if path.suffix != ".safetensors":
        came = f"the folder {path.name!r}" if path.is_dir() else repr(path.name)
        raise WeightsError("a converted file, .safetensors", came, _AGAIN)
    told = own_options(path, ("soundstream",))
    if told.get("format") != FORMAT:
        came = f"{path.name!r} in format {str(told.get('format', 'unknown'))[:20]}"
        raise WeightsError(f"a file of soundstream in format {FORMAT}", came, _AGAIN)
    if told.get("geometry") != GEOMETRY:
        came = f"{path.name!r} of another geometry"
        raise WeightsError(f"a file of soundstream of geometry {GEOMETRY}", came, _AGAIN)
    nets = new_nets()
    whole = torch.nn.ModuleDict(dict(zip(("encoder", "decoder", "codes"), nets, strict=True)))
    most = 8 * sum(value.numel() for value in whole.state_dict().values()) + LARGEST_HEADER
    if path.stat().st_size > most:
        raise WeightsError(
            f"weights of soundstream, at most {most} bytes", f"{path.stat().st_size} bytes", _AGAIN
        )
    fit_weights(whole, read_weights(path), name="soundstream")
    return nets


def is_released(path: Path) -> bool:
    """Whether a converted file holds the weights of the release, to the bit.

    Raises
    ------
    WeightsError
        As :func:`read_converted`.
    """
    read_converted(path)
    return state_id(read_weights(path)) == RELEASED_ID


def convert_soundstream(folder: Path, target: Path, *, only_released: bool = False) -> bool:
    """Write the one file that ``soundstream`` opens, from a folder of the release.

    Parameters
    ----------
    folder
        Holds the release's three models (see :data:`MODELS`; read with the package tflite), or :data:`ARRAYS` and
        :data:`TABLE`, which are taken where both are there.
    target
        The file, ``.safetensors``; it is there whole, or not at all. It names its source only where these are the
        weights of the release.
    only_released
        Refuse weights that are not those of the release: for the file that ``soundstream`` opens by its bare name.

    Returns
    -------
    bool
        Whether these are the weights of the release, to the bit.

    Raises
    ------
    InputError
        No such files, files that are damaged or hold another network, or no package to read them with.
    WeightsError
        Other weights than the release's, where only these are taken; nothing is written.
    """
    if target.suffix != ".safetensors":
        raise InputError("a file to write, .safetensors", repr(target.name), "it is known by its ending")
    state = _state(_read(Path(folder)))
    released = state_id(state) == RELEASED_ID
    if only_released and not released:
        cause = (
            "weights of someone else: `tonotopy convert soundstream DIR --to FILE` puts them where you say"
        )
        raise WeightsError("the weights of Lyra v2 1.3.2, to the bit", "others of the same network", cause)
    target.parent.mkdir(parents=True, exist_ok=True)
    write(target, state, Header("soundstream", FILE_OPTIONS, note=NOTE if released else OTHER_NOTE))
    return released


def _read(folder: Path) -> dict[str, np.ndarray]:
    if (folder / ARRAYS).is_file():
        _check_table(folder / TABLE)
        return _read_arrays(folder / ARRAYS)
    missing = [name for name in MODELS if not (folder / name).is_file()]
    if missing:
        came = f"no {missing[0]} in {folder.name!r}" if folder.is_dir() else f"no folder {folder.name!r}"
        cause = (
            "the folder lyra/model_coeffs of Lyra v2 holds the three .tflite files: name it, or fetch them"
        )
        raise InputError(f"{', '.join(MODELS)}, or {ARRAYS} and {TABLE}", came, cause)
    return _read_models(folder)


@dataclass(frozen=True)
class _Layer:
    """One convolution as the release stores it: its key, where it goes, its shape, what the table says of it."""

    key: str
    place: str
    kind: str
    shape: tuple[int, ...]
    table: Mapping[str, int]
    biased: bool

    @property
    def channels(self) -> int:
        """Units that it makes, each with a bias in the release."""
        return self.shape[1] if self.kind == "TCONV" else self.shape[0]


def _layers() -> Iterator[_Layer]:
    """Every convolution in the order of the release; a grouped transposed one is stored group by group there."""
    for half, net in zip(("encoder", "decoder"), new_nets(), strict=False):
        count = 0
        for name, module in net.named_modules():
            if not isinstance(module, Conv | Up):
                continue
            conv = module.conv
            groups = conv.groups if isinstance(module, Up) else 1
            shape = conv.weight.shape[0] // groups, *conv.weight.shape[1:]
            table = {"stride": conv.stride[0]}
            if isinstance(module, Conv):
                table |= {"dilation": conv.dilation[0], "groups": conv.groups, "left_pad": module.left}
            kind = "TCONV" if groups > 1 or isinstance(module, Up) else "DW" if conv.bias is None else "CONV"
            for _ in range(groups):
                yield _Layer(
                    f"{half}.{count:02d}", f"{half}.{name}.conv", kind, shape, table, conv.bias is not None
                )
                count += 1


def _state(arrays: Mapping[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """The state of the three nets from arrays under the release's keys."""
    parts: dict[str, list[torch.Tensor]] = {}
    for layer in _layers():
        weight, bias = arrays[f"{layer.key}.w"], arrays[f"{layer.key}.b"]
        parts.setdefault(f"{layer.place}.weight", []).append(torch.from_numpy(weight.copy()))
        if layer.biased:
            parts.setdefault(f"{layer.place}.bias", []).append(torch.from_numpy(bias.copy()))
        elif bias.any():
            cause = "another network than SoundStream's"
            raise WeightsError("a depthwise convolution without bias", f"one at {layer.key}", cause)
    state = {place: torch.cat(tensors) for place, tensors in parts.items()}
    state["codes.codebooks"] = torch.from_numpy(arrays[_CODEBOOKS].copy())
    return state


def _checked(arrays: Mapping[str, np.ndarray], file: str) -> dict[str, np.ndarray]:
    """The arrays, each float32, finite and of the network's shape."""
    for key, shape in _shapes().items():
        array = arrays[key]
        if array.shape != shape or array.dtype != np.float32:
            came = f"{key} of {array.dtype} {array.shape} in {file!r}"
            raise WeightsError(f"{key} of float32 {shape}", came, "another network than SoundStream's")
        if not np.isfinite(array).all():
            raise WeightsError(f"finite numbers in {file!r}", f"others in {key}", "a damaged file")
    return dict(arrays)


def _shapes() -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {_CODEBOOKS: (STAGES, ENTRIES, UNITS)}
    for layer in _layers():
        shapes |= {f"{layer.key}.w": layer.shape, f"{layer.key}.b": (layer.channels,)}
    return shapes


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    shapes = _shapes()
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            assert archive.zip is not None  # it is open
            names = {f"{key}.npy": 4 * int(np.prod(shape)) + 4096 for key, shape in shapes.items()}
            for info in archive.zip.infolist():  # before anything is unpacked
                if info.file_size > names.get(info.filename, 0):
                    came = f"{info.filename[:60]!r} of {info.file_size} bytes in {path.name!r}"
                    raise WeightsError(
                        "only arrays of the network", came, "another network's, or a damaged file"
                    )
            arrays = {key: archive[key] for key in shapes}
    except KeyError as error:
        raise WeightsError(
            f"all arrays in {path.name!r}", f"no {error.args[0]!r}"[:120], "a damaged file"
        ) from None
    except (*_DAMAGE, zipfile.BadZipFile, zlib.error) as error:
        cause = f"damaged: {type(error).__name__}"
        raise WeightsError(f"an archive of arrays, {path.name}", "one that cannot be read", cause) from None
    return _checked(arrays, path.name)


_DAMAGE = (OSError, EOFError, ValueError, TypeError, OverflowError, MemoryError, RuntimeError, SyntaxError)


def _check_table(path: Path) -> None:
    """Hold the table of layers against the network: another stride or dilation would go unnoticed in shapes."""
    try:
        size = path.stat().st_size
        if size > _MAX_TABLE:
            raise WeightsError(f"{TABLE} of at most {_MAX_TABLE} bytes", f"{size} bytes")
        table = json.loads(path.read_text(encoding="utf-8"))
        rows = [row for half in ("encoder", "decoder") for row in table[half]]
        stored = [
            (row["key"], row["kind"], tuple(row["weight_shape"]), {k: row[k] for k in layer.table})
            for row, layer in zip((row for row in rows if "key" in row), _layers(), strict=True)
        ]
        slopes = {row["negative_slope"] for row in rows if row["kind"] == "LEAKY"}
        whole = table["sampling_rate"], table["hop"], table["feature_dim"], table["rvq"]
    except FileNotFoundError:
        raise WeightsError(f"{TABLE} beside {ARRAYS}", "none", "a folder that is not complete") from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        cause = f"damaged, or another network's: {type(error).__name__}"
        raise WeightsError(f"a table of layers, {TABLE}", "one that cannot be used", cause) from None
    rvq = {"stages": STAGES, "codebook_size": ENTRIES}
    if whole != (SAMPLE_RATE_HZ, HOP, UNITS, rvq) or slopes != {SLOPE}:
        raise WeightsError("the table of SoundStream", f"another in {TABLE!r}", "another network's")
    for found, layer in zip(stored, _layers(), strict=True):
        if found != (layer.key, layer.kind, layer.shape, layer.table):
            expected = f"{layer.kind} {layer.shape} {dict(layer.table)} at {layer.key}"
            raise WeightsError(expected, f"another layer in {TABLE!r}", "another network's table")


def _read_models(folder: Path) -> dict[str, np.ndarray]:
    """The arrays from the release itself: convolutions in the order in which they run, codebooks likewise."""
    arrays: dict[str, np.ndarray] = {}
    for half, name in zip(("encoder", "decoder"), MODELS, strict=False):
        layers = [layer for layer in _layers() if layer.key.startswith(half)]
        expected = [(_KINDS[layer.kind], _stored(layer)) for layer in layers]
        found = constants_of(folder / name, "main", _CONVOLUTIONS, expected)
        for layer, (weight, bias) in zip(layers, found, strict=True):
            arrays |= {f"{layer.key}.w": _as_torch(layer.kind, weight), f"{layer.key}.b": bias}
    stored = [(_CODEBOOK, [(1, ENTRIES, UNITS)])] * STAGES
    books = constants_of(folder / MODELS[2], "encode", {_CODEBOOK: (1,)}, stored)
    arrays[_CODEBOOKS] = np.concatenate([book for (book,) in books])
    return _checked(arrays, "the .tflite files")


def _stored(layer: _Layer) -> list[tuple[int, ...]]:
    """Shapes of a layer's weight and bias as the models hold them: ``[out, time, 1, in]``."""
    first, second, time = layer.shape
    out, into = {"CONV": (first, second), "DW": (second, first), "TCONV": (second, first)}[layer.kind]
    return [(out, time, 1, into), (layer.channels,)]


def _as_torch(kind: str, weight: np.ndarray) -> np.ndarray:
    """A weight ``[out, time, 1, in]`` (depthwise: ``[1, time, 1, out]``) with torch's order of axes."""
    axes = {"CONV": (0, 2, 1), "DW": (2, 0, 1), "TCONV": (2, 0, 1)}[kind]
    return np.ascontiguousarray(weight[:, :, 0, :].transpose(axes))
