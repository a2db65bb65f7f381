"""The figures of a model card, measured again: a trained codec or classifier on held-out pieces.

Pieces are the unit: a figure is the mean over pieces (of the middle :data:`MIDDLE_S` seconds of each, for a
codec), its interval the 95 % bootstrap over them. Every figure is given for each split that was not trained
on and for each package in it (the first folder of a piece's group), since pieces of an album that a model
has met are no test of those that it has not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from tonotopy.core.errors import InputError
from tonotopy.encoders import load_encoder
from tonotopy.encoders._checkpoint import read_header
from tonotopy.encoders._contract import Encoder
from tonotopy.encoders.encodec import EncodecEncoder
from tonotopy.encoders.samplecnn import SampleCnnEncoder
from tonotopy.sound.sources import open_music
from tonotopy.sound.sources._contract import Source
from tonotopy.statistics.bootstrap import interval, piece_weights
from tonotopy.training.baseline import STEPS, LogMelBaseline
from tonotopy.training.classifier import ClassifierTask, balanced_accuracy, clips_of, votes
from tonotopy.training.excerpts import Excerpts, Track, prepare
from tonotopy.training.spectral import si_sdr, spectral_distance

MIDDLE_S, SEGMENT_S = 30.0, 2.0
LOW_PASS_HZ = 4000.0
RESAMPLES = 1000

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Figure:
    """A mean over pieces with its 95 % interval (None under 8 pieces)."""

    mean: float
    low: float | None
    high: float | None
    pieces: int

    @staticmethod
    def of(values: Sequence[float]) -> Figure:
        """From one value a piece."""
        found = np.asarray([value for value in values if np.isfinite(value)], np.float64)
        if not len(found):
            return Figure(float("nan"), None, None, 0)
        weights = piece_weights(len(found), RESAMPLES, seed=0)[1:]
        between = interval(weights @ found / weights.sum(axis=1), n_pieces=len(found))
        low, high = between or (None, None)
        return Figure(float(found.mean()), low, high, len(found))


def evaluate(
    encoder: str | Encoder,
    *,
    music: str | Source,
    folder: str | Path,
    seed: int = 0,
    baseline_steps: int = STEPS,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Figures of a codec or of a classifier of this package.

    Parameters
    ----------
    encoder : a name (``encodec-toy``, ``samplecnn-toy``) or a checkpoint of ``tonotopy train``
    music : where training and held-out pieces are; a folder without splits is held out as a whole for a codec
    folder : where decoded sound is kept (that of the training, if it is still there)
    seed : of the draw of held-out pieces; that of the training
    baseline_steps : how long the baseline of a classifier is trained

    Returns
    -------
    dict
        Plain values; see the card of a shipped model for their meaning.
    """
    opened = load_encoder(encoder) if isinstance(encoder, str) else encoder
    source = open_music(music) if isinstance(music, str) else music
    if not isinstance(opened, EncodecEncoder | SampleCnnEncoder):
        cause = "its kind is not trained here"
        raise InputError(
            "a codec or a classifier of this package", opened.name, cause, ["encodec", "samplecnn"]
        )
    excerpts = prepare(source, Path(folder), opened.sample_rate_hz, seed=seed, progress=progress)
    told = {
        "encoder": opened.name,
        "weights": opened.weights_label,
        "weights_id": opened.weights_id,
        "music": source.spelling,
        "music_fingerprint": excerpts.fingerprint,
    }
    if isinstance(opened, EncodecEncoder):
        met = isinstance(encoder, str) and _met(encoder, excerpts)
        return told | codec_figures(opened, excerpts, whole=not met, progress=progress)
    return told | classifier_figures(opened, excerpts, seed=seed, baseline_steps=baseline_steps)


# ---- a codec


def _met(encoder: str, music: Excerpts) -> bool:
    """Whether some of this music may have been trained on: it names its splits, or the checkpoint names it."""
    header = read_header(encoder) if encoder.endswith(".safetensors") else None
    return music.own_splits or (header is not None and header.music == music.fingerprint)


def codec_figures(
    encoder: EncodecEncoder, music: Excerpts, *, whole: bool = False, progress: Progress | None = None
) -> dict[str, Any]:
    """SI-SDR and spectral distance per split and package, by bit rate, and how stages are used.

    ``whole`` takes every piece, whatever its split: music that the codec has not met.
    """
    tracks = [t for t in music.tracks if whole or t.split != "training"] or list(music.tracks)
    if whole:
        tracks = [replace(t, split="all pieces") for t in tracks]
    config = encoder.config
    rates = config.target_bandwidths
    rows, counts = [], np.zeros((config.stages(max(rates)), config.codebook_size), np.int64)
    for number, track in enumerate(tracks):
        if progress is not None:
            progress(number, len(tracks), track.name)
        audio = _segments(music, track)
        rows.append({"track": track, **_codec_row(encoder, audio, rates, counts)})
    by_split: dict[str, Any] = {}
    for split in dict.fromkeys(row["track"].split for row in rows):
        mine = [row for row in rows if row["track"].split == split]
        by_split[split] = _codec_summary(mine) | {
            "packages": {
                package: _codec_summary([row for row in mine if package_of(row["track"]) == package])
                for package in dict.fromkeys(package_of(row["track"]) for row in mine)
            }
        }
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    entropy = -(share * np.log(np.maximum(share, 1e-12))).sum(axis=1)
    return {
        "kind": "codec",
        "bit_rates_kbps": list(rates),
        "codebook_size": config.codebook_size,
        "splits": by_split,
        "perplexity_by_stage": [round(float(p), 2) for p in np.exp(entropy)],
        "used_by_stage": [int(used) for used in (counts > 0).sum(axis=1)],
        "frames": int(counts[0].sum()),
    }


def _segments(music: Excerpts, track: Track) -> torch.Tensor:
    """The middle of a track, ``[segment, time]``; segments that are silent are left out where others sound."""
    n = round(SEGMENT_S * music.sample_rate_hz)
    count = max(1, min(round(MIDDLE_S / SEGMENT_S), track.samples // n))
    first = max(0, (track.samples - count * n) // 2)
    rows = np.stack([music.read(track, first + k * n, n) for k in range(count)])
    sounding = rows[np.mean(rows.astype(np.float64) ** 2, axis=1) > 1e-6]
    return torch.from_numpy(sounding if len(sounding) else rows)


def _codec_row(
    encoder: EncodecEncoder, audio: torch.Tensor, rates: Sequence[float], counts: NDArray[np.int64]
) -> dict[str, Any]:
    """One piece: means over its segments, by bit rate; codes are added to ``counts``."""
    coded = encoder.encode(audio, max(rates))
    row: dict[str, Any] = {}
    for rate in rates:
        stages = encoder.config.stages(rate)
        segments = [replace(segment, codes=segment.codes[..., :stages]) for segment in coded]
        output = encoder.decode_codes(segments, audio.shape[1]).mean(dim=1)
        row[f"si_sdr_db@{rate:g}"] = float(si_sdr(output, audio).mean())
        row[f"spectral@{rate:g}"] = float(spectral_distance(output, audio))
    for segment in coded:
        for stage in range(len(counts)):
            codes = segment.codes[..., stage].reshape(-1).numpy()
            counts[stage] += np.bincount(codes, minlength=counts.shape[1])
    low = butter(8, LOW_PASS_HZ, "low", fs=encoder.sample_rate_hz, output="sos")
    dull = torch.from_numpy(sosfiltfilt(low, audio.double().numpy(), axis=1).astype(np.float32))
    row["spectral_low_passed"] = float(spectral_distance(dull, audio))
    return row


def _codec_summary(rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    rows = list(rows)
    keys = [key for key in rows[0] if key != "track"]
    return {key: vars(Figure.of([row[key] for row in rows])) for key in keys}


# ---- a classifier


def classifier_figures(
    encoder: SampleCnnEncoder, music: Excerpts, *, seed: int, baseline_steps: int = STEPS
) -> dict[str, Any]:
    """Accuracy by vote on held-out clips, beside chance and a log-mel baseline, per package."""
    net = encoder.net
    task = ClassifierTask(net.depth, net.narrow, music, seed=seed)
    if len(task.classes) != net.head.out_features:
        came = f"{len(task.classes)} classes in this music, {net.head.out_features} in the weights"
        raise InputError("the music that the classifier was trained on", came, "another folder or seed")
    task.module.load_state_dict(net.state_dict())
    tested = [t for t in task.music.tracks if t.split in ("validation", "test")]
    baseline = LogMelBaseline(task, steps=baseline_steps, seed=seed)
    found = {}
    for name, probabilities in (("model", task.probabilities), ("log_mel_baseline", baseline.probabilities)):
        rows = votes(task, probabilities, tested)
        found[name] = _classifier_summary(rows, task)
    return {
        "kind": "classifier",
        "classes": list(task.classes),
        "chance": 1 / len(task.classes),
        "clips": sum(len(clips_of(t, task.samples, task.music.sample_rate_hz)) for t in tested),
        "pieces": len({t.piece for t in tested}),
        **found,
    }


def _classifier_summary(rows: Sequence[tuple[Track, int, int]], task: ClassifierTask) -> dict[str, Any]:
    """Accuracy per piece, class and package; how errors fall within packages and across them."""
    classes = task.classes
    pieces: dict[str, list[bool]] = {}
    for track, true, said in rows:
        pieces.setdefault(track.piece, []).append(said == true)
    package = [name.partition("/")[0] for name in classes]
    wrong = [(true, said) for _, true, said in rows if said != true]
    near = [package[true] == package[said] for true, said in wrong]
    expected = [
        np.mean([package[other] == package[true] for other in range(len(classes)) if other != true])
        for true, _ in wrong
    ]
    confusion = np.zeros((len(classes), len(classes)), int)
    for _, true, said in rows:
        confusion[true, said] += 1
    return {
        "accuracy": vars(Figure.of([float(np.mean(found)) for found in pieces.values()])),
        "balanced_accuracy": balanced_accuracy(rows, len(classes)),
        "by_package": {
            one: vars(Figure.of(_pieces_of(rows, [k for k, name in enumerate(package) if name == one])))
            for one in dict.fromkeys(package)
        },
        "errors": len(wrong),
        "errors_within_package": float(np.mean(near)) if near else None,
        "expected_within_package": float(np.mean(expected)) if expected else None,
        "confusion": confusion.tolist(),
    }


def _pieces_of(rows: Sequence[tuple[Track, int, int]], labels: Sequence[int]) -> list[float]:
    pieces: dict[str, list[bool]] = {}
    for track, true, said in rows:
        if true in labels:
            pieces.setdefault(track.piece, []).append(said == true)
    return [float(np.mean(found)) for found in pieces.values()]


def package_of(track: Track) -> str:
    """The first folder of a piece's group: the album, the package, the collection that it came in."""
    return (track.group or "").partition("/")[0] or "no folder"
