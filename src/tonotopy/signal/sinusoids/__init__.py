"""Sinusoidal analysis: a sound as partials that begin, move and end, and what they leave over.

In the order data flow::

    settings      what may be told, and the plan at a sample rate
    window        the analysis window and how it reads a sine
    peaks         points of each frame
    continuation  which points belong together
    analysis      `analyse`: sound to tracks
    tracks        `Tracks`, the table
    synthesis     `synthesise`, `residual`: tracks to sound
    agreement     `agreement`: tracks against partials that are known
"""

from tonotopy.signal.sinusoids.agreement import Agreement as Agreement
from tonotopy.signal.sinusoids.agreement import agreement as agreement
from tonotopy.signal.sinusoids.analysis import analyse as analyse
from tonotopy.signal.sinusoids.analysis import analyse_many as analyse_many
from tonotopy.signal.sinusoids.settings import Settings as Settings
from tonotopy.signal.sinusoids.synthesis import residual as residual
from tonotopy.signal.sinusoids.synthesis import synthesise as synthesise
from tonotopy.signal.sinusoids.tracks import Tracks as Tracks
