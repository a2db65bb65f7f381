"""Audio files: what one holds, whether it tells the truth about itself, and any part of it at any rate.

Decoding is libsndfile's (mp3, vorbis, opus, flac, wav, aiff), resampling is soxr's at its "HQ" quality. A
part is read by seeking, with a margin around it as long as the resampler's filter, and starts on a sample of
the input that coincides with one of the output, so that a part equals the same stretch of the whole.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.sound.sources._text import tidy

FORMATS = {
    ".mp3": ("MP3",),
    ".ogg": ("OGG",),
    ".oga": ("OGG",),
    ".opus": ("OGG",),
    ".flac": ("FLAC", "OGG"),
    ".wav": ("WAV", "WAVEX", "RF64"),
    ".aiff": ("AIFF",),
    ".aif": ("AIFF",),
}
"""What libsndfile should find inside a file with this extension."""

UNREAD = frozenset({".m4a", ".aac", ".wma", ".ape", ".wv", ".mpc", ".mp4", ".mka"})
"""Extensions of music that is not decoded here; such a file gets a ledger entry."""

SILENT_PEAK = 1e-4
"""Peak below which a file counts as silent all through: -80 dB of full scale."""

LOUDEST_PEAK = 100.0
"""A peak 40 dB over full scale is no headroom: the samples were stored in another scale."""

RATES_HZ = (1_000, 768_000)
"""Lowest and highest sample rate that is believed."""

_BLOCK = 1 << 20
_MP3_PREROLL = 32 * 1152
"""Samples decoded ahead of a part of an mp3: a frame may borrow up to 511 bytes from the frames before it.
Without this the first frames after a seek come out wrong, up to full scale, in quiet variable-rate files."""

_TRUNCATED_CHUNK = re.compile(r"^\s*(?:data|SSND)\s*: (\d+) \(should be (\d+)\)", re.MULTILINE)
_TRUNCATED_OGG = re.compile(r"without an End-Of-Stream flag|lacks an end-of-stream bit")


@dataclass(frozen=True)
class Audio:
    """What one file holds, and why it cannot be used, if it cannot."""

    frames: int = 0
    sample_rate_hz: int = 1
    channels: int = 0
    title: str | None = None
    artist: str | None = None
    licence: str | None = None
    fault: str | None = None
    dull: str | None = None
    """Nothing to hear (silence, a constant): a fault in a file by itself, but not in one stem of several."""


def content_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def examine(path: Path, *, decode: bool = True) -> Audio:
    """Look into a file; with ``decode`` every sample is decoded (700 to 1700 times faster than it plays)."""
    try:
        if path.stat().st_size == 0:
            return Audio(fault="empty file")
        with _open(path) as file:
            return _examine_open(file, path.suffix.lower(), decode)
    except soundfile.LibsndfileError as error:
        return Audio(fault=f"cannot be decoded: {_why(error)}")
    except (OSError, RuntimeError) as error:
        return Audio(fault=f"cannot be read: {getattr(error, 'strerror', None) or type(error).__name__}")


def _open(path: Path) -> soundfile.SoundFile:
    """Open by the name's bytes where names are bytes: they need not be valid text."""
    return soundfile.SoundFile(path if os.name == "nt" else os.fsencode(path))


def _why(error: soundfile.LibsndfileError) -> str:
    """The library's reason without its prefix, which would carry the absolute path."""
    # Codes 1 and 7 ("file does not exist") are what it says of bytes that no decoder of its own accepts.
    if error.code in (1, 7):
        return "the content is of no format that is read"
    return error.error_string.strip().rstrip(".") or "damaged stream"


def _examine_open(file: soundfile.SoundFile, suffix: str, decode: bool) -> Audio:
    """Everything about an opened file."""
    fault, dull = _header_fault(file, suffix), None
    if fault is None and decode:
        fault, dull = _content_fault(file)
    tags = file.copy_metadata()
    return Audio(
        frames=file.frames,
        sample_rate_hz=file.samplerate,
        channels=file.channels,
        title=tidy(tags.get("title")),
        artist=tidy(tags.get("artist")),
        licence=tidy(tags.get("license")) or tidy(tags.get("copyright")),
        fault=fault,
        dull=dull,
    )


def _header_fault(file: soundfile.SoundFile, suffix: str) -> str | None:
    """What the header alone gives away."""
    if suffix in FORMATS and file.format not in FORMATS[suffix]:
        return f"extension says {suffix[1:]} but the content is {file.format}"
    log = file.extra_info
    for promised, there in _TRUNCATED_CHUNK.findall(log):
        if int(promised) > int(there):
            return f"truncated: the header promises {promised} bytes of sound, {there} are there"
    if _TRUNCATED_OGG.search(log):
        return "truncated: the stream ends without its end mark"
    if file.frames == 0:
        return "no samples"
    if not RATES_HZ[0] <= file.samplerate <= RATES_HZ[1]:
        return f"implausible sample rate of {file.samplerate} Hz"
    return None


def _content_fault(file: soundfile.SoundFile) -> tuple[str | None, str | None]:
    """What decoding every sample gives away: a fault, or a reason to find it dull."""
    frames, low, high = 0, np.inf, -np.inf
    spread = 0.0
    first: NDArray[np.float32] | None = None
    for block in _blocks(file):
        first = block[0].copy() if first is None else first
        frames += len(block)
        low, high = min(low, float(block.min())), max(high, float(block.max()))
        if not math.isfinite(low + high):
            return "samples that are not finite numbers", None
        spread = max(spread, float(np.abs(block - first).max()))
    if frames < file.frames:
        return f"truncated: the header promises {file.frames} samples, {frames} can be decoded", None
    peak = max(-low, high)
    if peak > LOUDEST_PEAK:
        return f"a peak of {peak:.3g} times full scale", None
    if peak < SILENT_PEAK:
        return None, "silent all through"
    return None, f"a constant of {high:.3g} all through" if spread < SILENT_PEAK else None


def _blocks(file: soundfile.SoundFile) -> Iterator[NDArray[np.float32]]:
    """Blocks ``[time, channel]`` of bounded size, to the end of what can be decoded."""
    size = max(1, _BLOCK // file.channels)
    while len(block := file.read(size, dtype="float32", always_2d=True)):
        yield block


def read_part(path: Path, sample_rate_hz: int, first: int, count: int) -> NDArray[np.float32]:
    """Samples ``first`` to ``first + count`` of a file as if the whole were resampled, ``[channel, time]``.

    Past the end of the file there are zeros, so that stems of slightly unequal length can be summed.
    """
    try:
        with _open(path) as file:
            part = _read_open(file, sample_rate_hz, first, count)
    except (soundfile.LibsndfileError, OSError, RuntimeError) as error:
        cause = "damaged or gone since it was listed"
        raise InputError("a readable audio file", repr(path.name), cause) from error
    short = count - part.shape[1]
    return np.pad(part, ((0, 0), (0, short))) if short > 0 else part


def _read_open(file: soundfile.SoundFile, rate: int, first: int, count: int) -> NDArray[np.float32]:
    """The part, shorter than wanted only where the file ends."""
    native = file.samplerate
    if native == rate:
        return _decode(file, first, first + count)
    # One period of the two clocks: `step_in` samples of input last exactly as long as `step_out` of output.
    common = math.gcd(native, rate)
    step_in, step_out = native // common, rate // common
    # soxr's HQ filter is shorter than 128 samples of the slower clock on either side.
    margin_s = 0.02 + 128 / min(native, rate)
    begin = max(0, math.floor((first / rate - margin_s) * common)) * step_in
    end = math.ceil(((first + count) / rate + margin_s) * native)
    sound = _decode(file, begin, end)
    resampled = soxr.resample(sound.T, native, rate, quality="HQ").T
    offset = first - begin // step_in * step_out
    return np.ascontiguousarray(resampled[:, offset : offset + count], dtype=np.float32)


def _decode(file: soundfile.SoundFile, begin: int, end: int) -> NDArray[np.float32]:
    """Samples ``begin`` to ``end`` of the file's own clock, ``[channel, time]``."""
    begin, end = min(begin, file.frames), min(end, file.frames)
    entry = max(0, begin - _MP3_PREROLL) if file.format == "MP3" else begin
    file.seek(entry)
    sound: NDArray[np.float32] = file.read(end - entry, dtype="float32", always_2d=True).T
    if sound.shape[1] < end - entry:
        raise RuntimeError("the header promises more samples than can be decoded")
    return sound[:, begin - entry :]
