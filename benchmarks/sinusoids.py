"""The sinusoidal analysis measured: speed, errors, what is found and what is left; ends ``docs/partials.md``.

Everything below the mark in that page is written by this script. Speed runs both sides alternately in one
process on one thread (see ``run.py``). Usage: ``OMP_NUM_THREADS=1 python benchmarks/sinusoids.py [MUSIC]``,
where MUSIC is a folder of recordings; without one the parts on recorded music are left out.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import scipy.signal
from run import compare

from tonotopy.signal.additive import Partials, render_partials
from tonotopy.signal.sinusoids import Settings, agreement, analyse, residual, synthesise
from tonotopy.signal.sinusoids.settings import plan
from tonotopy.signal.sinusoids.window import parabola, reading, window
from tonotopy.sound.sources import open_music
from tonotopy.sound.sources.scores import ScoresSource

PAGE = Path(__file__).resolve().parent.parent / "docs" / "partials.md"
MARK = "<!-- below: written by benchmarks/sinusoids.py -->\n"
RATE = 24000
CHORALES = ("allein-gott", "dundee", "innsbruck", "nun-danket", "st-anne", "vom-himmel-hoch")
SECONDS = 10.0

Array = np.ndarray


def table(title: str, words: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A headed table in markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return f"### {title}\n\n{words}\n\n" + "".join(f"| {' | '.join(map(str, r))} |\n" for r in lines) + "\n"


def noise(n: int, slope: float, rng: np.random.Generator) -> Array:
    """Noise of unit RMS whose power falls as 1/f to the power ``slope``."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    spectrum[1:] *= np.arange(1, len(spectrum)) ** (-slope / 2)
    spectrum[0] = 0
    sound = np.fft.irfft(spectrum, n)
    return np.asarray(sound / sound.std())


def rms_db(sound: Array) -> float:
    """Level in dB, the mean taken off."""
    return 10 * np.log10(np.var(sound, dtype=np.float64))


# ---- speed


def speed(pieces: dict[str, Array]) -> str:
    """Times real time, beside transforms alone."""
    settings, rows = plan(Settings(), RATE), []
    seconds = sum(len(sound) for sound in pieces.values()) / RATE

    def ours() -> None:
        for sound in pieces.values():
            analyse(sound, RATE)

    def transforms(sizes: Sequence[int]) -> Callable[[], None]:
        def run() -> None:
            for sound in pieces.values():
                for size in sizes:
                    scipy.signal.stft(sound, RATE, nperseg=size, noverlap=size - settings.hop)

        return run

    for what, sizes in (
        ("one of 2,048 samples", [2048]),
        ("the three windows of the analysis", [band.size for band in settings.bands]),
    ):
        mine, theirs = compare(ours, transforms(sizes))
        rows.append(
            [
                f"`scipy.signal.stft`, {what}",
                f"{seconds / mine:.0f} ×",
                f"{seconds / theirs:.0f} ×",
                f"{mine / theirs:.2f}",
            ]
        )
    tracks = [analyse(sound, RATE) for sound in pieces.values()]
    back, _ = compare(lambda: [synthesise(t) for t in tracks], lambda: None)
    words = (
        f"{len(pieces)} recorded pieces at {RATE // 1000} kHz, hop {settings.hop}, one thread, medians of CPU time, "
        f"sides alternating. `synthesise`: {seconds / back:.0f} × real time."
    )  # fmt: skip
    return table("Speed", words, ["against", "analysis, × real time", "it, × real time", "time, ratio"], rows)


# ---- one frame


def estimators() -> str:
    """RMS error in bins of three ways to read a peak."""
    size, known, rng = 1024, reading(), np.random.default_rng(0)
    u = (np.arange(size) - size // 2) / size
    shape = window(size)
    slope_of_window = np.gradient(shape, 1 / size)
    kernel_sign = (-1.0) ** np.arange(size // 2 + 1)
    rows = []
    for name, sweep, growth, snr_db in (
        ("steady", 0, 0, None), ("noise, SNR 0 dB", 0, 0, 0), ("noise, SNR −10 dB", 0, 0, -10),
        ("sweep of 1 bin", 1, 0, None),
        ("sweep of 3 bins", 3, 0, None), ("sweep of 6 bins", 6, 0, None), ("grows e²-fold", 0, 2, None),
    ):  # fmt: skip
        bins, start = rng.uniform(100, 300, (400, 1)), rng.uniform(0, 2 * np.pi, (400, 1))
        sound = np.exp(growth * u) * np.cos(2 * np.pi * (bins * u + 0.5 * sweep * u**2) + start)
        if snr_db is not None:
            sound = sound + rng.standard_normal(sound.shape) * np.sqrt(0.5) * 10 ** (-snr_db / 20)
        spectrum = np.fft.rfft(sound * shape) * kernel_sign
        slope = np.fft.rfft(sound * slope_of_window) * kernel_sign
        near = np.rint(bins).astype(int) + np.arange(-2, 3)
        magnitude = np.take_along_axis(np.abs(spectrum), near, 1)
        top = np.take_along_axis(near, magnitude.argmax(1)[:, None], 1)
        vertex = parabola(*(np.log(np.abs(np.take_along_axis(spectrum, top + j, 1))) for j in (-1, 0, 1)))
        corrected = vertex * np.polynomial.polynomial.polyval(vertex**2, known.offset)
        ratio = np.take_along_axis(slope, top, 1) / np.take_along_axis(spectrum, top, 1)
        found = (top + vertex, top + corrected, top - ratio.imag / (2 * np.pi))
        rows.append([name, *(f"{np.sqrt(np.mean((value - bins) ** 2)):.5f}" for value in found)])
    words = "Single frames of 1,024 samples, 400 sines each; a bin is the inverse of the window's length."
    head = ["RMS error in bins", "parabola", "parabola, corrected (used)", "reassignment"]
    return table("Reading a peak", words, head, rows)


# ---- sines


def errors(sound: Array, frequency: Array, level_db: float | Array) -> tuple[float, float, float]:
    """Share of frames found, RMS error in cents and in dB, of one partial known at every sample."""
    tracks = analyse(sound, RATE)
    frames = np.arange(10, tracks.n_frames - 10)  # away from the ends
    true = frequency[frames * tracks.hop]
    cents, level = np.full(len(frames), np.nan), np.full(len(frames), np.nan)
    for k, frame in enumerate(frames):
        rows = tracks.frame == frame
        off = 1200 * np.log2(tracks.frequency_hz[rows] / true[k])
        if len(off) and np.abs(off).min() < 50:
            best = np.abs(off).argmin()
            cents[k], level[k] = off[best], 20 * np.log10(tracks.amplitude[rows][best])
    level -= np.broadcast_to(level_db, len(sound))[frames * tracks.hop]
    met = np.isfinite(cents)
    if not met.any():
        return 0.0, np.nan, np.nan
    return float(met.mean()), *(float(np.sqrt(np.nanmean(v**2))) for v in (cents, level))


def sine(frequency: Array, amplitude: float | Array = 0.1) -> Array:
    """A sine of a frequency ``[time]``."""
    return np.asarray(amplitude * np.sin(2 * np.pi * np.cumsum(frequency) / RATE))


def against_noise() -> str:
    """Sines in white noise."""
    rng, rows, n = np.random.default_rng(0), [], 4 * RATE
    for snr_db in (40, 20, 10, 0, -5, -10, -15, -20):
        row = []
        for hz in (110.0, 880.0, 3520.0, 7040.0):
            frequency = np.full(n, hz)
            sound = sine(frequency) + noise(n, 0, rng) * 0.1 / np.sqrt(2) * 10 ** (-snr_db / 20)
            found, cents, level = errors(sound, frequency, -20.0)
            row.append(f"{100 * found:.0f} % · {cents:.2f} · {level:.2f}")
        rows.append([f"{snr_db} dB", *row])
    words = (
        "One steady sine in white noise, ratio of their powers over the whole band (0 to 12 kHz): share of frames "
        "in which it is found (within 50 cents) · RMS error in cents · in dB."
    )
    return table("Against noise", words, ["SNR", "110 Hz", "880 Hz", "3,520 Hz", "7,040 Hz"], rows)


def moving() -> str:
    """Glides, vibrato, decay, and two partials near each other."""
    time, rows = np.arange(4 * RATE) / RATE, []
    cases: list[tuple[str, Array, float | Array]] = [
        (f"steady, {hz:g} Hz", np.full(len(time), hz), 0.1) for hz in (55.0, 440.0, 3520.0)
    ]
    cases += [
        (f"glide, {octaves:g} octave{'s' * (octaves != 1)} a second from 440 Hz", 440 * 2 ** (octaves * time), 0.1)
        for octaves in (0.25, 0.5, 1)
    ]  # fmt: skip
    cases += [
        (f"vibrato 6 Hz, ± {100 * depth:g} %, {hz:g} Hz", hz * (1 + depth * np.sin(12 * np.pi * time)), 0.1)
        for hz in (440.0, 1760.0)
        for depth in (0.007, 0.02)
    ]
    cases += [
        (f"decay of {rate} dB a second, 440 Hz", np.full(len(time), 440.0), 0.5 * 10 ** (-rate * time / 20))
        for rate in (10, 20)
    ]
    for name, frequency, amplitude in cases:
        sound = sine(frequency, amplitude)
        found, cents, level = errors(sound, frequency, 20 * np.log10(amplitude))
        left = rms_db(residual(sound, analyse(sound, RATE))[RATE:-RATE]) - rms_db(sound[RATE:-RATE])
        rows.append([name, f"{100 * found:.0f} %", f"{cents:.3f}", f"{level:.3f}", f"{left:.0f} dB"])
    for hz, window_hz in ((440.0, 5.86), (2000.0, 11.7)):
        for apart in (2.5, 3, 4, 6):
            one, other = np.full(len(time), hz), np.full(len(time), hz + apart * window_hz)
            sound = sine(one) + sine(other)
            found, cents, level = errors(sound, one, -20.0)
            left = rms_db(residual(sound, analyse(sound, RATE))[RATE:-RATE]) - rms_db(sound[RATE:-RATE])
            name = f"{hz:g} Hz and an equal one {apart * window_hz:.0f} Hz above ({apart} bins)"
            rows.append([name, f"{100 * found:.0f} %", f"{cents:.3f}", f"{level:.3f}", f"{left:.0f} dB"])
    words = "No noise. The residual is that of the middle, against the sound."
    return table(
        "Movement and neighbours", words, ["sound", "found", "RMS cents", "RMS dB", "residual"], rows
    )


# ---- chorales


def chorales() -> Iterator[tuple[str, Partials]]:
    """Name and truth of some pieces."""
    source = ScoresSource()
    for clip in source.clips():
        if clip.name in CHORALES:
            truth = source.truth(clip)
            yield clip.name, truth.where(truth.onset_s < SECONDS)


def judged(truth: Partials, snr_db: float | None, rng: np.random.Generator, **options: float) -> list[float]:
    """Shares, errors and residual on the first seconds of a piece."""
    sound = render_partials(truth, RATE, round(SECONDS * RATE)).astype(np.float64)
    heard = sound
    if snr_db is not None:
        heard = sound + noise(len(sound), 1, rng) * sound.std() * 10 ** (-snr_db / 20)
    tracks = analyse(heard, RATE)
    found = agreement(tracks, truth, **options)
    shares = [found.precision, found.recall, found.coverage, found.energy]
    left = rms_db(sound - synthesise(tracks)) - rms_db(sound)
    return [*shares, found.cents, found.level_db, left, len(tracks) / tracks.n_frames]


SHARES = [
    "precision",
    "recall",
    "coverage",
    "energy",
    "median cents",
    "median dB",
    "residual",
    "points a frame",
]


def shown(values: Sequence[float]) -> list[str]:
    """Cells of the columns above."""
    forms = ["{:.3f}", "{:.3f}", "{:.3f}", "{:.3f}", "{:.2f}", "{:.2f}", "{:.1f} dB", "{:.1f}"]
    return [form.format(value) for form, value in zip(forms, values, strict=True)]


def scores() -> str:
    """Chorales against polyphony and noise."""
    rng = np.random.default_rng(0)
    truths = list(chorales())

    def mean(
        chosen: Callable[[Partials], Partials], snr_db: float | None = None, **options: float
    ) -> list[str]:
        values = [judged(chosen(truth), snr_db, rng, **options) for _, truth in truths]
        return shown(np.mean(values, axis=0).tolist())

    rows = [
        [f"{voices} voice{'s' * (voices > 1)}", *mean(lambda t, v=voices: t.where(t.voice < v))]
        for voices in (1, 2, 3, 4)
    ]
    rows.append(["4 voices, partials within 30 dB", *mean(lambda t: t, range_db=30.0)])
    rows += [
        [f"4 voices, pink noise, SNR {snr_db} dB", *mean(lambda t: t, snr_db)]
        for snr_db in (40, 20, 10, 0, -10)
    ]
    shifted = [
        agreement(analyse(render_partials(truth, RATE, round(SECONDS * RATE)), RATE), other)
        for (_, truth), (_, other) in zip(truths, truths[1:] + truths[:1], strict=True)
    ]
    wrong = [
        np.mean([getattr(s, name) for s in shifted]) for name in ("precision", "recall", "coverage", "energy")
    ]
    rows.append(["4 voices, against another piece", *(f"{value:.3f}" for value in wrong), *["–"] * 4])
    words = (
        f"The first {SECONDS:g} s of six chorales of `scores`, means over pieces; the columns are defined above. The "
        "residual is that of the clean sound. Noise counts as noise only: partials below it stay in the truth."
    )
    return table("Chorales", words, ["sound", *SHARES], rows)


# ---- noise and recordings


def noises() -> str:
    """What is found where there is nothing."""
    rows = []
    for name, slope in (("white", 0), ("pink", 1), ("brown", 2)):
        sound = noise(30 * RATE, slope, np.random.default_rng(slope)) * 0.1
        tracks = analyse(sound, RATE)
        left = rms_db(residual(sound, tracks)) - rms_db(sound)
        rows.append([name, f"{len(tracks) / tracks.n_frames:.2f}", tracks.n_tracks, f"{left:.2f} dB"])
    return table("Noise alone", "30 s each.", ["noise", "points a frame", "tracks", "residual"], rows)


def recordings(pieces: dict[str, Array]) -> str:
    """How much of each piece is sinusoids."""
    rows = []
    for name, sound in pieces.items():
        tracks = analyse(sound, RATE)
        left = rms_db(residual(sound, tracks)) - rms_db(sound)
        length = float(np.median(tracks.duration_s()))
        rows.append(
            [
                name,
                f"{len(tracks) / tracks.n_frames:.1f}",
                tracks.n_tracks,
                f"{length:.2f} s",
                f"{left:.1f} dB",
            ]
        )
    head = ["piece", "points a frame", "tracks", "median length", "residual"]
    words = "Drums and distortion are no sinusoids: the residual tells how much of a piece they are."
    return table("Recorded pieces", words, head, rows)


def main() -> None:
    """Measure everything, print it, and end the page with it."""
    text = estimators() + against_noise() + moving() + scores() + noises()
    if len(sys.argv) > 1:
        source = open_music(f"folder:{sys.argv[1]}")
        pieces = {clip.name: source.read(clip, RATE)[0] for clip in source.clips()}
        text = speed(pieces) + text + recordings(pieces)
    print(text)
    head, _, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
    PAGE.write_text(head + MARK + "\n" + text.rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
