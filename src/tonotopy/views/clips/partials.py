"""A sound as a sum of tracked partials: waveform, sum and residual; tracks over the spectrogram; playable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.signal.sinusoids import Tracks, analyse, residual, synthesise
from tonotopy.views.clips._audio import alone_gain, data_uri
from tonotopy.views.clips._contract import Asked, Content, Lane, Playable
from tonotopy.views.clips._lanes import (
    Heading,
    draw_spectrogram,
    envelope,
    signed,
    spectrogram_lane,
    spectrogram_lines,
    time_axis,
    wave_lane,
)
from tonotopy.views.clips._page import GREY
from tonotopy.views.clips._sound import Excerpt
from tonotopy.views.clips._spectrogram import Spectrogram, of_excerpt
from tonotopy.views.clips._tracks import STEP_DB, draw_tracks, level_db, pitch_name, track_curves
from tonotopy.views.palette import BLUE, FAINT
from tonotopy.views.paper import sheet
from tonotopy.views.words import count, number

NAMES = ("partials",)
CITATION = (
    "R. J. McAulay, T. F. Quatieri: Speech analysis/synthesis based on a sinusoidal representation, IEEE Trans. "
    "ASSP 34 (1986); X. Serra, J. O. Smith: Spectral modeling synthesis, Computer Music Journal 14 (1990)"
)
LICENCE = "MIT"
TITLE = "A sound as a sum of tracked partials"
TAKES = ("partials",)

PLAYED: Final = 8
MOST_PLAYED: Final = 32


@dataclass(frozen=True)
class Prepared:
    """Everything that is drawn; ``strongest`` are numbers of tracks by energy."""

    excerpt: Excerpt
    tracks: Tracks
    total: NDArray[np.float64]
    rest: NDArray[np.float64]
    strongest: NDArray[np.int64]
    spectrum: Spectrogram

    @property
    def rest_db(self) -> float:
        """Power of the residual over that of the sound, in dB; NaN for silence."""
        whole = float(np.mean(np.square(self.excerpt.audio, dtype=np.float64)))
        return (
            float(10 * np.log10(max(float(np.mean(self.rest**2)) / whole, 1e-20)))
            if whole > 0
            else float("nan")
        )


def prepare(excerpt: Excerpt, asked: Asked) -> Prepared:
    """Track the partials."""
    many = PLAYED if asked.partials is None else asked.partials
    if not 0 <= many <= MOST_PLAYED:
        raise InputError(f"0 to {MOST_PLAYED} partials to play", str(many))
    tracks = analyse(excerpt.audio, excerpt.sample_rate_hz)
    energy = np.bincount(tracks.track, tracks.amplitude**2, tracks.n_tracks)
    strongest = np.argsort(-energy, kind="stable")[:many]
    spectrum = of_excerpt(excerpt)
    return Prepared(excerpt, tracks, synthesise(tracks), residual(excerpt.audio, tracks), strongest, spectrum)


def data(shown: Prepared) -> pd.DataFrame:
    """One row a point of a track; seconds from the start of the recording."""
    tracks = shown.tracks
    return pd.DataFrame(
        {
            "track": tracks.track,
            "time_s": shown.excerpt.start_s + tracks.time_s,
            "frequency_hz": tracks.frequency_hz,
            "amplitude": tracks.amplitude,
            "level_db": level_db(shown.tracks),
        }
    )


def draw(shown: Prepared) -> Figure:
    """Three waveforms of one scale, then the tracks over the spectrogram."""
    excerpt = shown.excerpt
    told = {
        "encoder": excerpt.title or excerpt.name,
        "weights": excerpt.stretch,
        "music": _count_words(shown),
    }
    figure = sheet(Heading(told), TITLE, 5.6)
    panels = figure.subplots(4, 1, sharex=True, height_ratios=(0.7, 0.7, 0.7, 3.0))
    titles = ("Sound", "Sum of partials", f"Residual ({_rest_words(shown)})")
    for axes, title, audio in zip(panels[:3], titles, _waves(shown), strict=True):
        _draw_wave(axes, audio, title, _top(shown), excerpt)
    draw_spectrogram(panels[3], shown.spectrum, excerpt, GREY)
    draw_tracks(panels[3], shown.tracks, excerpt.start_s)
    many = count(shown.tracks.n_tracks, "track")
    panels[3].set_title(f"{many} over the spectrogram; each colour is {STEP_DB:.0f} dB")
    time_axis(panels[3], excerpt, label=True)
    return figure


def caption(shown: Prepared) -> str:
    """How to read it."""
    return (
        "The sound is the sum of partials, each a sine whose frequency and amplitude move, and a residual: what no "
        "track explains. The three waveforms have one scale, and sum and residual add up to the sound. "
        f"{_track_caption(shown)} There is no statistic in this figure, and so no null."
    )


def describe(shown: Prepared) -> list[str]:
    """What it shows, in sentences."""
    return [*_sum_lines(shown), *_track_lines(shown), *spectrogram_lines(shown.spectrum)]


def page(shown: Prepared) -> Content:
    """The lanes and sounds of the interactive page."""
    excerpt = shown.excerpt
    facts = [
        ("stretch", excerpt.stretch),
        ("tracks", f"{shown.tracks.n_tracks:,}"),
        ("residual", _rest_words(shown)),
    ]
    if excerpt.artist:
        facts.insert(0, ("artist", excerpt.artist))
    lanes = (*_wave_lanes(shown), _track_lane(shown))
    words = "Sum and residual add up to the original. Tick what is to be heard together, at its own level; a partial "
    words += "that is played alone is brought to a comfortable level."
    lead = " ".join(_sum_lines(shown))
    return Content(lead, tuple(facts), lanes, _playables(shown), words, (caption(shown),))


# ---- words


def _count_words(shown: Prepared) -> str:
    return count(shown.tracks.n_tracks, "track")


def _rest_words(shown: Prepared) -> str:
    return "undefined" if np.isnan(shown.rest_db) else signed(shown.rest_db, ".1f") + " dB"


def _sum_lines(shown: Prepared) -> list[str]:
    if not shown.tracks.n_tracks:
        return ["No partial was found: all of the sound is residual."]
    many = count(shown.tracks.n_tracks, "tracked partial")
    return [
        f"{many}; the residual holds {100 * 10 ** (shown.rest_db / 10):.2g} % of the power ({_rest_words(shown)})."
    ]


def _track_lines(shown: Prepared) -> list[str]:
    return [f"{_name(k)}: {_track_words(shown, int(track))}." for k, track in enumerate(shown.strongest)]


def _name(rank: int) -> str:
    return f"Partial {rank + 1}"


def _track_words(shown: Prepared, track: int) -> str:
    begin_s, end_s = _life(shown, track)
    frequency = float(shown.tracks.mean_frequency_hz()[track])
    level = float(shown.tracks.level_db()[track]) + 10 * np.log10(2.0)
    where = f"{number(frequency, 4)} Hz ({pitch_name(frequency)})"
    return f"{where}, {begin_s:.2f}–{end_s:.2f} s, {signed(level)} dB"


def _life(shown: Prepared, track: int) -> tuple[float, float]:
    """From a hop before the first point of a track to a hop after its last, within the excerpt."""
    rows = slice(*shown.tracks.first_row[[track, track + 1]])
    hop_s = shown.tracks.hop / shown.tracks.sample_rate_hz
    time_s = shown.tracks.time_s[rows]
    return max(0.0, float(time_s[0]) - hop_s), min(shown.excerpt.seconds, float(time_s[-1]) + hop_s)


# ---- sounds


def _waves(shown: Prepared) -> tuple[NDArray[np.floating], ...]:
    return shown.excerpt.audio, shown.total, shown.rest


def _top(shown: Prepared) -> float:
    return max(float(np.abs(wave).max(initial=0.0)) for wave in _waves(shown)) or 1.0


def _playables(shown: Prepared) -> tuple[Playable, ...]:
    rate = shown.excerpt.sample_rate_hz
    names = ("Original", "Sum of partials", "Residual")
    words = (shown.excerpt.stretch, _count_words(shown), f"{_rest_words(shown)} of the original")
    made = []
    for name, told, wave in zip(names, words, _waves(shown), strict=True):
        uri, gain = data_uri(wave, rate)
        made.append(Playable(name, told, uri, 0.0, gain, gain, heard=name == "Original"))
    for rank, track in enumerate(shown.strongest):
        begin, end = (round(at_s * rate) for at_s in _life(shown, int(track)))
        wave = synthesise(shown.tracks.take([track]))[begin:end]
        uri, gain = data_uri(wave, rate)
        told = _track_words(shown, int(track))
        made.append(Playable(_name(rank), told, uri, begin / rate, gain, alone_gain(wave, gain)))
    return tuple(made)


# ---- pictures


def _wave_lanes(shown: Prepared) -> tuple[Lane, ...]:
    names = (("sound", "Sound"), ("sum", "Sum of partials"), ("residual", "Residual"))
    captions = (
        "The stretch as recorded.",
        "All tracks, resynthesised; the same scale.",
        "Sound less sum; the same scale.",
    )
    made = []
    for (name, title), told, wave in zip(names, captions, _waves(shown), strict=True):
        peak = float(np.abs(wave).max(initial=0.0))
        lines = (f"{title}: its peak is {number(peak)} of full scale.",)
        made.append(wave_lane(wave, _top(shown), name=name, title=title, caption=told, lines=lines))
    return tuple(made)


def _track_lane(shown: Prepared) -> Lane:
    width, height = shown.excerpt.seconds, shown.spectrum.height
    curves = track_curves(shown.tracks, width, height)
    told = {
        "name": "tracks",
        "title": "Tracks over the spectrogram",
        "caption": _track_caption(shown),
        "height_rem": 24.0,
        "lines": (*_track_lines(shown), *spectrogram_lines(shown.spectrum)),
        "curves": curves,
    }
    return spectrogram_lane(shown.spectrum, width, scale=GREY, **told)


def _track_caption(shown: Prepared) -> str:
    loudest = (
        f" ({level_db(shown.tracks).max():.0f} dB of a full-scale sine)".replace("-", "−")
        if len(shown.tracks)
        else ""
    )
    return (
        f"Tracks are drawn over the spectrogram, in steps of {STEP_DB:.0f} dB from the loudest point{loudest}: two "
        "warm colours for the loudest, then three blues, the faintest for whatever is softer still."
    )


def _draw_wave(axes: Axes, audio: NDArray[np.floating], title: str, top: float, excerpt: Excerpt) -> None:
    x, low, high = envelope(audio)
    axes.axhline(0.0, color=FAINT, linewidth=0.6, zorder=0.5)
    axes.fill_between(excerpt.start_s + x * excerpt.seconds, low, high, color=BLUE, linewidth=0.3)
    axes.set_ylim(-1.05 * top, 1.05 * top)
    axes.yaxis.set_major_locator(MaxNLocator(3))
    axes.set_title(title)
    time_axis(axes, excerpt)
