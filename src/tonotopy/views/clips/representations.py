"""One sound, three representations: chords in words, a spectrogram, the feature map of a chosen channel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tonotopy.core.errors import InputError
from tonotopy.encoders import load_encoder
from tonotopy.views.clips._audio import data_uri
from tonotopy.views.clips._chord_lane import Prose, chord_lane, chord_lines, chord_source, draw_chords
from tonotopy.views.clips._contract import Asked, Content, Playable
from tonotopy.views.clips._feature_lanes import (
    Chosen,
    channel_lane,
    channel_lines,
    draw_channel,
    draw_map,
    map_caption,
    map_lane,
    map_lines,
)
from tonotopy.views.clips._features import feature_map
from tonotopy.views.clips._lanes import (
    Heading,
    draw_spectrogram,
    spectrogram_lane,
    spectrogram_lines,
    time_axis,
)
from tonotopy.views.clips._prose import chords_of, sentence
from tonotopy.views.clips._sound import Excerpt
from tonotopy.views.clips._spectrogram import Spectrogram, of_excerpt
from tonotopy.views.paper import sheet

NAMES = ("representations",)
CITATION = "tonotopy SPEC, figure 1"
LICENCE = "MIT"
TITLE = "One sound, three representations"
TAKES = ("encoder", "weights", "trust", "sample_rate", "window", "site", "channel", "chords")


@dataclass(frozen=True)
class Prepared:
    """Everything that is drawn."""

    excerpt: Excerpt
    prose: Prose
    spectrum: Spectrogram
    chosen: Chosen
    encoder: str


def prepare(excerpt: Excerpt, asked: Asked) -> Prepared:
    """Read the chords, run the encoder."""
    if asked.encoder is None:
        cause = "the feature map is an encoder's: --encoder samplecnn-toy comes with the package"
        raise InputError("an encoder", "none", cause)
    chords = chords_of(excerpt, asked.chords)
    encoder = load_encoder(
        asked.encoder,
        weights=asked.weights,
        trust=bool(asked.trust),
        sample_rate=asked.sample_rate,
        window=asked.window,
    )
    features = feature_map(encoder, asked.site, excerpt)
    channel = features.busiest if asked.channel is None else features.checked(asked.channel)
    spectrum, told = of_excerpt(excerpt), f"{encoder.name}, {encoder.weights_label}"
    prose, chosen = Prose(excerpt, chords, asked.chords is not None), Chosen(excerpt, features, channel)
    return Prepared(excerpt, prose, spectrum, chosen, told)


def data(shown: Prepared) -> pd.DataFrame:
    """One row a chord, a band of a frame, or a unit of a column; seconds from the start of the recording."""
    begin, features = shown.excerpt.start_s, shown.chosen.features
    chords = pd.DataFrame(
        {
            "start_s": [begin + chord.start_s for chord in shown.prose.chords],
            "end_s": [begin + chord.end_s for chord in shown.prose.chords],
            "label": [chord.label for chord in shown.prose.chords],
            "confidence": [chord.confidence for chord in shown.prose.chords],
        }
    )
    columns, units = features.rms.shape
    values = pd.DataFrame(
        {
            "time_s": begin + np.repeat(features.time_s, units),
            "unit": np.tile(np.arange(units), columns),
            "rms": features.rms.ravel(),
            "lowest": features.low.ravel(),
            "highest": features.high.ravel(),
        }
    )
    bands = shown.spectrum.table()
    bands["time_s"] += begin
    names = ("chord", "spectrogram", "feature map")
    return pd.concat(
        [table.assign(panel=name) for name, table in zip(names, (chords, bands, values), strict=True)],
        ignore_index=True,
    )


def draw(shown: Prepared) -> Figure:
    """Four panels, one time axis."""
    title = shown.excerpt.title or shown.excerpt.name
    told = {"encoder": shown.encoder, "weights": title, "music": shown.excerpt.stretch}
    figure = sheet(Heading(told), TITLE, 5.4)
    panels = figure.subplots(4, 1, sharex=True, height_ratios=(0.5, 1.6, 0.9, 1.4))
    draw_chords(panels[0], shown.prose)
    draw_spectrogram(panels[1], shown.spectrum, shown.excerpt)
    panels[1].set_title("Spectrogram")
    draw_channel(panels[2], shown.chosen)
    draw_map(panels[3], shown.chosen)
    time_axis(panels[3], shown.excerpt, label=True)
    return figure


def caption(shown: Prepared) -> str:
    """How to read it."""
    spectrum = "Spectrogram: level in bands of half an ERB, the farther from the background the louder."
    no_null = "There is no statistic in this figure, and so no null."
    return " ".join([chord_source(shown.prose), spectrum, map_caption(shown.chosen), no_null])


def describe(shown: Prepared) -> list[str]:
    """What it shows, in sentences."""
    return [
        *chord_lines(shown.prose),
        *spectrogram_lines(shown.spectrum),
        *channel_lines(shown.chosen),
        *map_lines(shown.chosen),
    ]


def page(shown: Prepared) -> Content:
    """The lanes of the interactive page."""
    excerpt, site = shown.excerpt, shown.chosen.features.site
    uri, gain = data_uri(excerpt.audio, excerpt.sample_rate_hz)
    playable = Playable("The sound", excerpt.stretch, uri, 0.0, gain, gain, heard=True)
    facts = [("encoder", shown.encoder), ("site", site.name)]
    facts += [("channel", str(shown.chosen.channel)), ("stretch", excerpt.stretch)]
    if excerpt.artist:
        facts.insert(0, ("artist", excerpt.artist))
    lanes = (
        chord_lane(shown.prose),
        spectrogram_lane(shown.spectrum, excerpt.seconds),
        channel_lane(shown.chosen),
        map_lane(shown.chosen),
    )
    return Content(
        lead=f"In words: {sentence(shown.prose.chords)}",
        facts=tuple(facts),
        lanes=lanes,
        playables=(playable,),
        mix_words="The stretch that all pictures are of.",
        notes=(caption(shown),),
    )
