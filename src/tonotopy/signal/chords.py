"""Chords of a sound: which notes sound together, as a sequence of named spans with a confidence each.

Method: cosine of the chroma (`tonotopy.signal.chroma`) with one template a chord (T. Fujishima, "Realtime chord
recognition of musical sound", ICMC 1999), then the most probable path (Viterbi) through chords that tend to last
(A. Sheh and D. P. W. Ellis, "Chord segmentation and recognition using EM-trained hidden Markov models", ISMIR
2003). The confidence of a span is the mean posterior probability of its chord (forward-backward). Deviations:
nothing is trained; a chord that ends is followed by any other with the same probability, so that no key and no
style is assumed; there is no model of metre.

Where nothing tonal sounds the chord is ``N`` ("no chord"): silence, noise, a lone note.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tonotopy.core.errors import InputError
from tonotopy.signal.chroma import HOP_S, Floats, checked_sound, chroma, note_spectrogram

PITCH_CLASSES: Final = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
NO_CHORD: Final = "N"
QUALITIES: Final[dict[str, tuple[str, tuple[int, ...]]]] = {
    "": ("major", (0, 4, 7)),
    "m": ("minor", (0, 3, 7)),
    "7": ("seventh", (0, 4, 7, 10)),
    "m7": ("minor seventh", (0, 3, 7, 10)),
    "maj7": ("major seventh", (0, 4, 7, 11)),
    "dim": ("diminished", (0, 3, 6)),
    "sus4": ("suspended fourth", (0, 5, 7)),
}
"""Suffix of a chord symbol: its name in words, and its semitones above the root."""

TRIADS: Final = ("", "m")
SHARPNESS: Final = 20.0  # log likelihood a unit of cosine
LEAST_COSINE: Final = (
    0.65  # of a chord, to be preferred to none: two of its three notes and nothing else reach 0.82
)
LONE: Final = 0.85  # with 1.0, chords in which one voice is loud would be none
MEAN_CHORD_S: Final = 1.0


@dataclass(frozen=True)
class Chord:
    """One span of a chord sequence; ``confidence`` is NaN where somebody gave the chord."""

    start_s: float
    end_s: float
    label: str
    confidence: float


def chord_sequence(
    audio: ArrayLike,
    sample_rate_hz: int,
    *,
    qualities: Sequence[str] = TRIADS,
    mean_chord_s: float = MEAN_CHORD_S,
) -> list[Chord]:
    """The chords of a sound, without gaps, from 0 s to its end.

    Parameters
    ----------
    audio : array-like of float, [time]
        A sound, full scale 1.
    sample_rate_hz : int
        Its sampling rate in Hz.
    qualities : sequence of str
        Which of `QUALITIES` there may be; major and minor by default.
    mean_chord_s : float
        How long a chord lasts on average, in seconds.

    Returns
    -------
    list of Chord
        Neighbours differ in their label; empty for a sound of no samples.

    Raises
    ------
    InputError
        For audio that is not one-dimensional and finite, a rate too low, or a quality that is not known.

    Examples
    --------
    >>> [(chord.label, chord.end_s) for chord in chord_sequence(np.zeros(8000), 8000)]
    [('N', 1.0)]
    """
    sound = checked_sound(audio, sample_rate_hz)
    if not mean_chord_s >= HOP_S:
        raise InputError(f"a mean length of chords of at least {HOP_S:g} s", f"{mean_chord_s:g} s")
    labels = vocabulary(qualities)
    if not len(sound):
        return []
    scores = likelihoods(chroma(note_spectrogram(sound, sample_rate_hz)), qualities)
    stay = np.exp(-HOP_S / mean_chord_s)
    path, posterior = viterbi(scores, stay), posteriors(scores, stay)
    cuts = [0, *(np.flatnonzero(np.diff(path)) + 1).tolist(), len(path)]
    ends_s = [*((cut - 0.5) * HOP_S for cut in cuts[1:-1]), len(sound) / sample_rate_hz]
    starts_s = [0.0, *ends_s[:-1]]
    return [
        Chord(start_s, end_s, labels[path[a]], float(np.mean(posterior[a:b, path[a]])))
        for start_s, end_s, a, b in zip(starts_s, ends_s, cuts[:-1], cuts[1:], strict=True)
    ]


def vocabulary(qualities: Sequence[str] = TRIADS) -> tuple[str, ...]:
    """Chord symbols in the order of the states: no chord, then all roots of the first quality, and so on.

    Examples
    --------
    >>> vocabulary()[:3], len(vocabulary()), vocabulary(["m"])[1]
    (('N', 'C', 'Db'), 25, 'Cm')
    """
    for quality in qualities:
        if quality not in QUALITIES:
            raise InputError("a quality of chords", repr(quality), "", [repr(name) for name in QUALITIES])
    return (NO_CHORD, *(root + quality for quality in qualities for root in PITCH_CLASSES))


def likelihoods(chroma_: Floats, qualities: Sequence[str] = TRIADS) -> Floats:
    """Log likelihood of each chord in each frame up to a constant a frame, ``[frame, state]``.

    A chord's is ``SHARPNESS`` times the cosine of the chroma with its template. No chord stands for whatever is
    none: it takes the cosine with a flat chroma, that with the strongest pitch class alone times ``LONE`` (a lone
    note, whose third and fifth are heard in its harmonics, is near a triad), and at least ``LEAST_COSINE``.
    """
    templates = np.zeros((1 + 12 * len(qualities), 12))
    templates[0] = 1.0
    for state, (quality, root) in enumerate(((q, r) for q in qualities for r in range(12)), start=1):
        templates[state, [(root + step) % 12 for step in QUALITIES[quality][1]]] = 1.0
    templates /= np.linalg.norm(templates, axis=1, keepdims=True)
    norm = np.linalg.norm(chroma_, axis=1, keepdims=True)
    cosine = np.divide(
        chroma_ @ templates.T, norm, out=np.zeros((len(chroma_), len(templates))), where=norm > 0
    )
    lone = np.divide(chroma_.max(axis=1), norm[:, 0], out=np.zeros(len(chroma_)), where=norm[:, 0] > 0)
    cosine[:, 0] = np.maximum(np.maximum(cosine[:, 0], LONE * lone), LEAST_COSINE)
    return np.asarray(SHARPNESS * cosine)


def viterbi(scores: Floats, stay: float) -> NDArray[np.int64]:
    """The most probable states, ``[frame]``, where each stays with probability ``stay``.

    It leaves to any other with the same probability, which must not be above that of staying.

    Examples
    --------
    >>> scores = np.log([[0.9, 0.1], [0.4, 0.6], [0.9, 0.1]])
    >>> viterbi(scores, 0.5).tolist(), viterbi(scores, 0.9).tolist()
    ([0, 1, 0], [0, 0, 0])
    """
    kept, left = _transitions(stay, scores.shape[1])
    best = scores[0]
    came = np.empty(scores.shape, np.int64)
    for row in range(1, len(scores)):
        # Leaving is equally probable to every state, so that only the best one can be worth leaving.
        top = int(np.argmax(best))
        leaves = best[top] + left > best + kept
        came[row] = np.where(leaves, top, np.arange(scores.shape[1]))
        best = np.where(leaves, best[top] + left, best + kept) + scores[row]
    path = np.empty(len(scores), np.int64)
    path[-1] = np.argmax(best)
    for row in range(len(scores) - 1, 0, -1):
        path[row - 1] = came[row, path[row]]
    return path


def posteriors(scores: Floats, stay: float) -> Floats:
    """Probability of each state given all frames, ``[frame, state]``, under the same model as `viterbi`."""
    kept, left = (float(np.exp(value)) for value in _transitions(stay, scores.shape[1]))
    likelihood = np.exp(scores - scores.max(axis=1, keepdims=True))
    forward, backward = np.empty(scores.shape), np.ones(scores.shape)
    forward[0] = likelihood[0] / likelihood[0].sum()
    for row in range(1, len(scores)):
        here = ((kept - left) * forward[row - 1] + left) * likelihood[row]
        forward[row] = here / here.sum()
    for row in range(len(scores) - 1, 0, -1):
        after = backward[row] * likelihood[row]
        here = (kept - left) * after + left * after.sum()
        backward[row - 1] = here / here.sum()
    both = forward * backward
    return np.asarray(both / both.sum(axis=1, keepdims=True))


def _transitions(stay: float, n_states: int) -> tuple[float, float]:
    """Log probabilities of staying and of leaving to one given other state."""
    return float(np.log(stay)), float(np.log((1.0 - stay) / (n_states - 1)))
