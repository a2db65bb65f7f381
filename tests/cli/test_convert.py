"""``tonotopy convert`` and ``fetch soundstream``: the file on stdout, remarks on stderr, every mistake one line."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from tonotopy.encoders import _soundstream_weights as files
from tonotopy.encoders import fetch, load_encoder
from tonotopy.encoders._soundstream_weights import ARRAYS, TABLE


def test_the_cache_is_where_soundstream_looks(call, lyra_dir: Path, tmp_path: Path, monkeypatch) -> None:
    """What is converted without --to is opened by its bare name, and says what it was trained on."""
    for name in ("XDG_CACHE_HOME", "HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path))
    result = call("anatomy", "soundstream")
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
    assert "tonotopy fetch soundstream" in result.stderr
    result = call("convert", "soundstream", lyra_dir)
    assert result.exit_code == 0, result.output
    assert Path(result.stdout.strip()).is_relative_to(tmp_path)
    said = ["the weights of Lyra v2 1.3.2, trained on speech", "to use it: soundstream"]
    assert result.stderr.splitlines() == said
    assert load_encoder("soundstream").weights_label == "Lyra v2 1.3.2 (trained on speech)"


def test_a_file_of_ones_own(call, lyra_dir: Path, tmp_path: Path) -> None:
    """With --to the file lies where it was asked for, and the line that is printed uses it."""
    for name in (ARRAYS, TABLE):
        shutil.copyfile(lyra_dir / name, tmp_path / name)
    file = tmp_path / "mine" / "speech.safetensors"
    result = call("convert", "soundstream", tmp_path, "--to", file)
    assert (result.exit_code, result.stdout) == (0, f"{file}\n")
    assert result.stderr.splitlines()[-1] == f"to use it: soundstream --weights {file}"


def test_weights_of_others_need_a_name(call, tmp_path: Path, monkeypatch) -> None:
    """Without --to, weights that are not the release's are refused and the cache stays as it was."""
    cache, other = tmp_path / "cache" / "soundstream.safetensors", tmp_path / "mine.safetensors"
    monkeypatch.setattr(fetch, "soundstream_cache", lambda: cache)
    rng = np.random.default_rng(0)
    arrays = {key: rng.standard_normal(shape).astype(np.float32) for key, shape in files._shapes().items()}
    arrays |= {f"{one.key}.b": np.zeros(one.channels, np.float32) for one in files._layers()}
    monkeypatch.setattr(files, "_read", lambda _: arrays)
    result = call("convert", "soundstream", tmp_path)
    assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (2, "", 1)
    assert "--to FILE" in result.stderr
    assert not cache.exists()
    result = call("convert", "soundstream", tmp_path, "--to", other)
    assert (result.exit_code, result.stdout) == (0, f"{other}\n")
    assert result.stderr.splitlines()[0] == "weights of the same network, but not those of Lyra v2 1.3.2"


def test_mistakes_are_one_line(call, tmp_path: Path, monkeypatch) -> None:
    """An empty folder, another ending, no connection."""
    for words in (
        ("convert", "soundstream", tmp_path),
        ("convert", "soundstream", tmp_path, "--to", "a.bin"),
    ):
        result = call(*words)
        assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (2, "", 1)
    monkeypatch.setattr("tonotopy.encoders._tflite.require_tflite", lambda: None)
    monkeypatch.setattr(fetch, "soundstream_cache", lambda: tmp_path / "none" / "soundstream.safetensors")
    monkeypatch.setattr(fetch, "LYRA_FILES", "http://example.invalid/")
    result = call("fetch", "soundstream")
    assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (2, "", 1)
