"""SoundStream's weights: the release is converted to the bit, and whatever else lies there is refused in one line."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tests.shop import Shop, opened

from tonotopy.core.errors import InputError, WeightsError
from tonotopy.encoders import _soundstream_weights as files
from tonotopy.encoders import _tflite, fetch
from tonotopy.encoders._checkpoint import Header, read_header, write
from tonotopy.encoders._weights import state_id
from tonotopy.encoders.soundstream import open_encoder


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
    """Weights of the network under the release's keys; depthwise convolutions have no bias."""
    rng = np.random.default_rng(0)
    found = {
        key: rng.standard_normal(shape).astype(np.float32) for key, shape in sorted(files._shapes().items())
    }
    for layer in files._layers():
        if not layer.biased:
            found[f"{layer.key}.b"][:] = 0
    return found


@pytest.fixture(scope="module")
def table() -> dict[str, object]:
    """The table of layers that goes with them."""
    rows: dict[str, list[dict[str, object]]] = {"encoder": [], "decoder": []}
    for layer in files._layers():
        row = {"kind": layer.kind, "key": layer.key, "weight_shape": list(layer.shape), **layer.table}
        rows[layer.key.split(".")[0]] += [row, {"kind": "LEAKY", "negative_slope": 0.3}]
    rvq = {"stages": 46, "codebook_size": 16}
    return {"sampling_rate": 16_000, "hop": 320, "feature_dim": 64, "rvq": rvq, **rows}


@pytest.fixture
def folder(arrays: dict[str, np.ndarray], table: dict[str, object], tmp_path: Path) -> Path:
    """A folder of de-quantised weights."""
    made = tmp_path / "release"
    made.mkdir()
    np.savez(made / files.ARRAYS, **arrays)
    (made / files.TABLE).write_text(json.dumps(table), encoding="utf-8")
    return made


def refused(folder: Path, match: str) -> None:
    """Converting is refused in one line, and nothing is written."""
    target = folder.parent / "out" / "soundstream.safetensors"
    with pytest.raises(InputError, match=match) as caught:
        files.convert_soundstream(folder, target)
    assert "\n" not in str(caught.value)
    assert not target.exists()


def test_every_weight_arrives(folder: Path, arrays: dict[str, np.ndarray], tmp_path: Path) -> None:
    """Each convolution and codebook of the folder is in the network; the file says what it is."""
    target = tmp_path / "new" / "soundstream.safetensors"
    assert files.convert_soundstream(folder, target) is False, "not the weights of the release"
    encoder, decoder, quantiser = files.read_converted(target)
    assert np.array_equal(
        encoder.get_submodule("block3_2.conv2.conv").weight.detach(), arrays["encoder.26.w"]
    )
    assert np.array_equal(encoder.get_submodule("stack_end.conv").bias.detach(), arrays["encoder.31.b"])
    up = decoder.layers[2].conv
    assert np.array_equal(
        up.weight.detach(), np.concatenate([arrays[f"decoder.{i:02d}.w"] for i in (1, 2, 3, 4)])
    )
    assert np.array_equal(decoder.layers[-1].conv.weight.detach(), arrays["decoder.35.w"])
    assert np.array_equal(quantiser.codebooks, arrays["rvq.codebooks"])
    n_weights = sum(p.numel() for net in (encoder, decoder) for p in net.parameters())
    zeros = sum(arrays[f"{layer.key}.b"].size for layer in files._layers() if not layer.biased)
    assert n_weights + quantiser.codebooks.numel() == sum(a.size for a in arrays.values()) - zeros
    header = read_header(target)
    assert header is not None
    assert header.options == {"format": 1, "geometry": files.GEOMETRY}
    assert header.note == files.OTHER_NOTE, "nothing is said of who made weights that are not the release's"
    assert open_encoder("soundstream", weights=str(target), seed=0).weights_label == "soundstream.safetensors"


def test_both_kinds_of_release_give_the_same_bits(lyra_dir: Path, tmp_path: Path) -> None:
    """The released models, de-quantised here, are the arrays that were de-quantised elsewhere."""
    assert files.convert_soundstream(lyra_dir, tmp_path / "a.safetensors", only_released=True) is True
    header = read_header(tmp_path / "a.safetensors")
    assert header is not None
    assert header.note == files.NOTE
    assert files.is_released(tmp_path / "a.safetensors")
    pytest.importorskip("tflite", reason="no package tflite here: the released models are not parsed")
    for name in files.MODELS:
        shutil.copyfile(lyra_dir / name, tmp_path / name)
    assert files.convert_soundstream(tmp_path, tmp_path / "b.safetensors") is True


def test_weights_of_others_are_not_taken_for_the_release(folder: Path, tmp_path: Path) -> None:
    """Where only the release is wanted others are refused, and a file that is there stays as it was."""
    target = tmp_path / "soundstream.safetensors"
    target.write_bytes(b"what was there")
    message = (
        r"^expected the weights of Lyra v2 1.3.2, to the bit; got others of the same network; .*--to FILE"
    )
    with pytest.raises(WeightsError, match=message):
        files.convert_soundstream(folder, target, only_released=True)
    assert target.read_bytes() == b"what was there"
    files.convert_soundstream(folder, target)
    assert not files.is_released(target)


def test_grouped_upsampling_is_its_groups() -> None:
    """A transposed convolution with groups is the release's separate ones, side by side."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        up, x = files.DecoderNet().layers[2], torch.randn(1, 512, 1, 5)
    weights, biases = up.conv.weight.chunk(4), up.conv.bias.chunk(4)
    parts = [
        torch.nn.functional.conv_transpose1d(part.squeeze(2), w, b, stride=2)[..., :10]
        for part, w, b in zip(x.chunk(4, dim=1), weights, biases, strict=True)
    ]
    assert torch.allclose(up(x).squeeze(2), torch.cat(parts, dim=1), atol=1e-6)


def test_a_file_of_another_format_names_what_to_do(folder: Path, tmp_path: Path) -> None:
    """Another version, another geometry, a file that says nothing, another encoder's: each says how to go on."""
    again = "convert the released files again: `tonotopy fetch soundstream`, or `tonotopy convert soundstream DIR`"
    file = tmp_path / "model.safetensors"
    files.convert_soundstream(folder, file)
    state = files.read_weights(file)
    cases = {
        "in format 2": Header("soundstream", files.FILE_OPTIONS | {"format": 2}),
        "in format unknown": Header("soundstream"),
        "of another geometry": Header(
            "soundstream", {"format": 1, "geometry": files.GEOMETRY | {"hop": 160}}
        ),
    }
    for came, header in cases.items():
        write(file, state, header)
        with pytest.raises(WeightsError, match=f"got 'model.safetensors' {came}; likely cause: {again}$"):
            open_encoder("soundstream", weights=str(file), seed=0)
    write(file, state, Header("encodec-24khz"))
    with pytest.raises(WeightsError, match="a checkpoint of 'encodec-24khz'"):
        open_encoder("soundstream", weights=str(file), seed=0)
    with pytest.raises(WeightsError, match=f"got the folder '{folder.name}'; likely cause: {again}$"):
        open_encoder("soundstream", weights=str(folder), seed=0)


def test_damaged_converted_files(folder: Path, tmp_path: Path) -> None:
    """A file cut short, with a weight missing, misshapen, not finite, or far too large."""
    file = tmp_path / "model.safetensors"
    files.convert_soundstream(folder, file)
    state, header = files.read_weights(file), read_header(file)
    assert header is not None
    whole = file.read_bytes()
    for length in (0, 7, 1000, len(whole) - 1):
        file.write_bytes(whole[:length])
        with pytest.raises(WeightsError):
            open_encoder("soundstream", weights=str(file), seed=0)
    key = "encoder.first_conv.conv.weight"
    cases = {
        "1 missing": {k: v for k, v in state.items() if k != key},
        "of another shape": state | {key: state[key][:1]},
        "not finite": state | {key: state[key] * torch.nan},
        "1 unexpected": state | {"extra": torch.zeros(1)},
        "at most": state | {"extra": torch.zeros(8_000_000)},
    }
    for match, tensors in cases.items():
        write(file, tensors, header)
        with pytest.raises(WeightsError, match=match):
            open_encoder("soundstream", weights=str(file), seed=0)


def test_absent_weights_name_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With nothing fetched the error says what to run."""
    monkeypatch.setattr(
        "tonotopy.encoders.soundstream.soundstream_cache", lambda: tmp_path / "none.safetensors"
    )
    message = (
        "^expected trained weights of soundstream; got none on this machine; likely cause: they were never fetched: "
        "run `tonotopy fetch soundstream`, or `tonotopy convert soundstream DIR` on the released files, or take "
        "weights random:0$"
    )
    with pytest.raises(InputError, match=message):
        open_encoder("soundstream", weights=None, seed=0)


def test_a_folder_without_the_release(tmp_path: Path) -> None:
    """An empty folder, one with some of the files, and none at all."""
    (tmp_path / "empty").mkdir()
    refused(
        tmp_path / "empty",
        "got no soundstream_encoder.tflite in 'empty'; likely cause: the folder lyra/model_c",
    )
    (tmp_path / "empty" / files.MODELS[0]).write_bytes(b"")
    refused(tmp_path / "empty", "got no lyragan.tflite in 'empty'")
    refused(tmp_path / "nowhere", "got no folder 'nowhere'")
    with pytest.raises(InputError, match=r"^expected a file to write, .safetensors; got 'a.bin'"):
        files.convert_soundstream(tmp_path / "empty", tmp_path / "a.bin")


def test_damaged_arrays(folder: Path, arrays: dict[str, np.ndarray]) -> None:
    """An archive cut short, with something missing, misshapen, of another type, not finite, or with an object."""
    path = folder / files.ARRAYS
    whole = path.read_bytes()
    for length in (0, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        refused(folder, "an archive of arrays")
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0xFF
    path.write_bytes(flipped)
    refused(folder, "an archive of arrays")
    key = "encoder.05.w"
    cases = {
        "no 'encoder.05.w": {k: v for k, v in arrays.items() if k != key},
        rf"{key} of float32 \(64, 64\)": arrays | {key: arrays[key][..., 0]},
        f"{key} of int32": arrays | {key: arrays[key].astype(np.int32)},
        f"others in {key}": arrays | {key: np.full_like(arrays[key], np.nan)},
        "one at encoder.01": arrays | {"encoder.01.b": np.ones(64, np.float32)},
        "'extra.npy' of": arrays | {"extra": np.zeros(3, np.float32)},
    }
    for match, content in cases.items():
        np.savez(path, **content)
        refused(folder, match)
    np.savez(path, **(arrays | {"encoder.05.b": np.array([{}] * 4)}), allow_pickle=True)
    refused(folder, "an archive of arrays.*damaged: ValueError")
    np.save(path.with_suffix(".npy"), arrays[key])
    path.with_suffix(".npy").replace(path)
    refused(folder, "an archive of arrays.*damaged: TypeError")


def test_archives_that_swell_are_not_unpacked(folder: Path, arrays: dict[str, np.ndarray]) -> None:
    """A member larger than its array, and a header that promises more than follows, cost no memory."""
    path = folder / files.ARRAYS
    whole = path.read_bytes()
    for size, match in ((2**26, r"'encoder.05.w.npy' of 67\d+ bytes"), (16, "an archive of arrays")):
        header = io.BytesIO()
        told = {"descr": "<f4", "fortran_order": False, "shape": (2**40,)}
        np.lib.format.write_array_header_1_0(header, told)
        with (
            zipfile.ZipFile(io.BytesIO(whole)) as old,
            zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new,
        ):
            for info in old.infolist():
                bomb = info.filename == "encoder.05.w.npy"
                new.writestr(info.filename, header.getvalue() + bytes(size) if bomb else old.read(info))
        refused(folder, match)


def test_another_table_of_layers(folder: Path, table: dict[str, object]) -> None:
    """A stride, a slope or a rate that differ, a layer less, no JSON, JSON that nests without end, none at all."""
    path = folder / files.TABLE
    whole = json.dumps(table)
    changes = {
        "expected DW .* at encoder.04": whole.replace('"dilation": 3', '"dilation": 4', 1),
        "the table of SoundStream": whole.replace("0.3", "0.2", 1),
        "the table of SoundStream; ": whole.replace("16000", "24000"),
        "damaged, or another network's: ValueError": json.dumps(table | {"decoder": []}),
        "damaged, or another network's: KeyError": "{}",
        "damaged, or another network's: TypeError": "[]",
        "damaged, or another network's: JSONDecodeError": whole[:-1],
        "damaged, or another network's: RecursionError": "[" * 100_000,
        "at most": whole + " " * 2**20,
    }
    for match, content in changes.items():
        path.write_text(content, encoding="utf-8")
        refused(folder, match)
    path.unlink()
    refused(folder, "expected lyra_v2_layers.json beside lyra_v2_weights_float32.npz; got none")


@pytest.fixture
def release(lyra_dir: Path, tmp_path: Path) -> Path:
    """The released models alone, where they can be parsed."""
    pytest.importorskip("tflite", reason="no package tflite here: the released models are not parsed")
    made = tmp_path / "models"
    made.mkdir()
    for name in files.MODELS:
        shutil.copyfile(lyra_dir / name, made / name)
    return made


def test_damaged_models(release: Path) -> None:
    """Released models cut short, exchanged, of another kind or too large are refused, whatever the parser says."""
    path = release / files.MODELS[0]
    whole = path.read_bytes()
    for length in (0, 8, 100, len(whole) // 2):
        path.write_bytes(whole[:length])
        refused(release, "a TensorFlow Lite model|a model of 8")
    path.write_bytes(b"PK\3\4" * 100)
    refused(release, "a file of another kind")
    path.write_bytes((release / files.MODELS[1]).read_bytes())
    refused(release, r"expected CONV_2D of .* as operator 0 in 'soundstream_encoder.tflite'; got CONV_2D of")
    path.write_bytes(whole)
    with path.open("r+b") as file:
        file.truncate(_tflite.MAX_BYTES + 1)
    refused(release, "a model of 8 to")


def test_flipped_bytes_of_a_model(release: Path) -> None:
    """Numbers of the file's structure overwritten at random: an error of ours, or weights that are finite."""
    path = release / files.MODELS[2]
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    outcomes = {"refused": 0, "read": 0}
    for _ in range(60):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 40):
            damaged[place] = int(rng.integers(256))
        for place in rng.integers(0, 4096, 2):  # where the tables of the subgraphs begin
            damaged[place : place + 4] = rng.integers(0, 256, 4, dtype=np.uint8).tobytes()
        damaged[4:8] = b"TFL3"
        path.write_bytes(damaged)
        try:
            shape = (1, files.ENTRIES, files.UNITS)
            expected = [("SQUARED_DIFFERENCE", [shape])] * files.STAGES
            books = _tflite.constants_of(path, "encode", {"SQUARED_DIFFERENCE": (1,)}, expected)
            outcomes["read"] += 1
            assert [book.shape for (book,) in books] == [shape] * files.STAGES
        except WeightsError:
            outcomes["refused"] += 1
    assert outcomes["refused"] > 5


class Crowd:
    """A parsed model of so many operators that all name one buffer of codebooks, as the package tflite gives it."""

    BuiltinOperator = SimpleNamespace(SQUARED_DIFFERENCE=99)
    TensorType = SimpleNamespace(FLOAT32=0, INT8=9, INT32=2)

    def __init__(self, operators: int, shape: tuple[int, ...], kind: int = 99) -> None:
        self.read, self.shape = 0, shape
        code = SimpleNamespace(BuiltinCode=lambda: kind, DeprecatedBuiltinCode=lambda: kind)
        operator = SimpleNamespace(OpcodeIndex=lambda: 0, InputsAsNumpy=lambda: np.array([0, 0]))
        tensor = SimpleNamespace(
            Type=lambda: 0,
            ShapeLength=lambda: len(shape),
            ShapeAsNumpy=lambda: np.array(shape),
            Buffer=lambda: 0,
        )
        graph = SimpleNamespace(
            Name=lambda: b"encode",
            OperatorsLength=lambda: operators,
            Operators=lambda _: operator,
            TensorsLength=lambda: 1,
            Tensors=lambda _: tensor,
        )
        self.Model = SimpleNamespace(GetRootAs=lambda *_: self)
        self.SubgraphsLength, self.Subgraphs = (lambda: 1), (lambda _: graph)
        self.OperatorCodesLength, self.OperatorCodes = (lambda: 1), (lambda _: code)
        self.BuffersLength, self.Buffers = (lambda: 1), (lambda _: self)

    def DataAsNumpy(self) -> np.ndarray:
        """The one buffer; each call is a tensor that is kept."""
        self.read += 1
        return np.zeros(4 * int(np.prod(self.shape)), np.uint8)


@pytest.mark.parametrize(
    ("crowd", "read", "match"),
    [
        (Crowd(10_000, (1, 16, 64)), 3, "expected 3 operators with constants in 'm.tflite'; got more; "),
        (Crowd(2, (1, 16, 64)), 2, "expected 3 operators with constants in 'm.tflite'; got 2; "),
        (
            Crowd(3, (1, 16, 65)),
            0,
            r"^expected SQUARED_DIFFERENCE of \(1, 16, 64\) as operator 0 in 'm.tflite'; got ",
        ),
        (Crowd(3, (1,) * 9), 0, "got 'm.tflite'; likely cause: damaged: ValueError$"),
        (Crowd(10_001, (1, 16, 64), kind=1), 0, "damaged: ValueError"),
    ],
)
def test_nothing_is_read_beyond_what_was_expected(
    crowd: Crowd, read: int, match: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Operators beyond those expected, and tensors of another shape, are refused before they take memory."""
    path = tmp_path / "m.tflite"
    path.write_bytes(b"0000TFL3")
    monkeypatch.setattr(_tflite, "require_tflite", lambda: crowd)
    with pytest.raises(WeightsError, match=match):
        _tflite.constants_of(
            path, "encode", {"SQUARED_DIFFERENCE": (1,)}, [("SQUARED_DIFFERENCE", [(1, 16, 64)])] * 3
        )
    assert crowd.read == read


def test_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the package tflite the released models cannot be read, and the line says what to install."""
    import sys

    monkeypatch.setitem(sys.modules, "tflite", None)
    for name in files.MODELS:
        (tmp_path / name).write_bytes(b"0000TFL3")
    refused(
        tmp_path,
        r"got no such package; likely cause: the extra is not installed: pip install tonotopy\[tflite\]$",
    )
    with pytest.raises(InputError, match=r"pip install tonotopy\[tflite\]$"):
        fetch.fetch_soundstream(tmp_path / "cache")


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch, arrays: dict[str, np.ndarray]) -> Iterator[Shop]:
    """The repository on loopback, with models that stand for the real ones, their checksums pinned."""
    content = {path: f"content of {path}".encode() for path in fetch.LYRA_SHA1}
    monkeypatch.setattr(fetch, "LYRA_SHA1", {p: hashlib.sha1(c).hexdigest() for p, c in content.items()})
    monkeypatch.setattr(_tflite, "require_tflite", lambda: None)
    monkeypatch.setattr(files, "_read_models", lambda _: arrays)
    monkeypatch.setattr(files, "RELEASED_ID", state_id(files._state(arrays)))
    with opened(Shop(content)) as served:
        monkeypatch.setattr(fetch, "LYRA_FILES", served.url)
        yield served


def test_fetching_leaves_the_file_and_its_licence(shop: Shop, tmp_path: Path) -> None:
    """The converted file and the licence arrive, and nothing else; a second call asks for nothing, unless it must."""
    file = fetch.fetch_soundstream(tmp_path / "cache")
    assert sorted(path.name for path in file.parent.iterdir()) == ["LICENSE", "soundstream.safetensors"]
    assert (file.parent / "LICENSE").read_text(encoding="utf-8") == "content of LICENSE"
    assert files.is_released(file)
    asked = len(shop.asked)
    assert fetch.fetch_soundstream(tmp_path / "cache") == file
    assert len(shop.asked) == asked
    whole = state_id(files.read_weights(file))
    write(file, {"x": torch.zeros(1)}, Header("soundstream", {"format": 0}))
    assert state_id(files.read_weights(fetch.fetch_soundstream(tmp_path / "cache"))) == whole
    assert len(shop.asked) == 2 * asked
    other = {key: tensor + 1 for key, tensor in files.read_weights(file).items()}
    write(file, other, Header("soundstream", files.FILE_OPTIONS))
    assert state_id(files.read_weights(fetch.fetch_soundstream(tmp_path / "cache"))) == whole
    assert len(shop.asked) == 3 * asked


def test_fetched_models_that_are_not_the_release_are_refused(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Right checksums and other weights: a parser that reads otherwise is not taken at its word."""
    monkeypatch.setattr(files, "RELEASED_ID", "sha256:0")
    with pytest.raises(WeightsError, match="to the bit; got others of the same network"):
        fetch.fetch_soundstream(tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_a_replaced_model_is_refused(shop: Shop, tmp_path: Path) -> None:
    """A file with another checksum is not converted, and nothing is left behind."""
    shop.files["lyra/model_coeffs/quantizer.tflite"] = b"something else"
    with pytest.raises(InputError, match=r"^expected SHA-1 \w{40} of quantizer.tflite; got \w{40}"):
        fetch.fetch_soundstream(tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_the_pinned_files_are_the_released_ones(lyra_dir: Path) -> None:
    """The checksums are those of the release's files at one commit of the repository."""
    assert fetch.LYRA_FILES.startswith("https://raw.githubusercontent.com/google/lyra/47698dad")
    for path, sha1 in fetch.LYRA_SHA1.items():
        data = (lyra_dir / Path(path).name).read_bytes()
        assert hashlib.sha1(data).hexdigest() == sha1
        assert len(data) < fetch.MAX_MODEL_BYTES
