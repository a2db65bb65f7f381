"""Figures as text, and what a model card needs beside words: ``figures.json`` and sounds before and after."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from tonotopy.encoders import load_encoder
from tonotopy.encoders.encodec import EncodecEncoder
from tonotopy.sound.sources import open_music
from tonotopy.training.excerpts import Excerpts, Track, prepare

#: Seconds of a sound on a card, and how many pieces are heard.
HEARD_S, HEARD = 6.0, 3


def render(figures: dict[str, Any]) -> str:
    """Figures as lines of text."""
    return "\n".join(_codec_lines(figures) if figures["kind"] == "codec" else _classifier_lines(figures))


def _codec_lines(figures: dict[str, Any]) -> list[str]:
    rates = figures["bit_rates_kbps"]
    lines = [f"{figures['encoder']} ({figures['weights']}) on {figures['music']}"]
    for split, found in figures["splits"].items():
        for name, row in [(split, found), *((f"  {k}", v) for k, v in found["packages"].items())]:
            best = row[f"si_sdr_db@{rates[-1]:g}"]
            near, dull = row[f"spectral@{rates[-1]:g}"], row["spectral_low_passed"]
            lines.append(
                f"{name:32} {best['pieces']:3} pieces  SI-SDR {_figure(best, 2)} dB at {rates[-1]:g} kb/s  "
                f"spectral distance {_figure(near, 3)} (original low-passed at 4 kHz: {_figure(dull, 3)})"
            )
        by_rate = ", ".join(f"{r:g} kb/s {found[f'si_sdr_db@{r:g}']['mean']:.2f} dB" for r in rates)
        lines.append(f"  by bit rate: {by_rate}")
    perplexity = ", ".join(f"{p:.0f}" for p in figures["perplexity_by_stage"])
    lines.append(f"perplexity by stage, of {figures['codebook_size']} entries: {perplexity}")
    return lines


def _classifier_lines(figures: dict[str, Any]) -> list[str]:
    head = f"{figures['encoder']} ({figures['weights']}) on {figures['music']}: {len(figures['classes'])} classes"
    lines = [
        f"{head}, {figures['pieces']} held-out pieces, {figures['clips']} clips, chance {figures['chance']:.1%}"
    ]
    for name in ("model", "log_mel_baseline"):
        row = figures[name]
        within, even = (_share(row[f"{word}_within_package"]) for word in ("errors", "expected"))
        lines.append(
            f"{name:18} accuracy over pieces {_figure(row['accuracy'], 3)}, over classes "
            f"{row['balanced_accuracy']:.3f}; of {row['errors']} errors {within} stay within the package "
            f"({even} if errors fell evenly)"
        )
        lines += [f"  {package:30} {_figure(found, 3)}" for package, found in row["by_package"].items()]
    return lines


def _figure(found: dict[str, Any], digits: int) -> str:
    if found["low"] is None:
        return f"{found['mean']:.{digits}f}"
    return f"{found['mean']:.{digits}f} [{found['low']:.{digits}f}, {found['high']:.{digits}f}]"


def _share(value: float | None) -> str:
    return "none" if value is None else f"{value:.0%}"


def write_card(
    target: Path, encoder: str, figures: dict[str, Any], *, music: str, folder: str | Path, seed: int
) -> None:
    """``figures.json``, and for a codec ``NAME-before.ogg`` and ``NAME-after.ogg`` of held-out pieces."""
    target.mkdir(parents=True, exist_ok=True)
    text = json.dumps(figures, indent=1, ensure_ascii=False, default=float) + "\n"
    (target / "figures.json").write_text(text, encoding="utf-8")
    opened = load_encoder(encoder)
    if not isinstance(opened, EncodecEncoder):
        return
    excerpts = prepare(open_music(music), Path(folder), opened.sample_rate_hz, seed=seed)
    for track in _heard(excerpts):
        n = round(HEARD_S * excerpts.sample_rate_hz)
        before = excerpts.read(track, max(0, (track.samples - n) // 2), n)
        after = _through(opened, before)
        for word, sound in (("before", before), ("after", after)):
            name = f"{Path(track.name).stem}-{word}.ogg"
            soundfile.write(target / name, np.clip(sound, -1, 1), excerpts.sample_rate_hz, format="OGG")


def _heard(excerpts: Excerpts) -> list[Track]:
    """One held-out piece of each of the first groups."""
    by_group: dict[str, Track] = {}
    for track in excerpts.part("test").tracks:
        by_group.setdefault(track.group or "", track)
    return list(by_group.values())[:HEARD]


def _through(encoder: EncodecEncoder, sound: np.ndarray) -> np.ndarray:
    """Sound ``[time]`` through the codec at its highest bit rate."""
    import torch

    audio = torch.from_numpy(sound[None])
    segments = encoder.encode(audio, max(encoder.config.target_bandwidths))
    return np.asarray(encoder.decode_codes(segments, audio.shape[1]).mean(dim=1)[0])
