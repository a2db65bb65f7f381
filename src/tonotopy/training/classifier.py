"""Training of a SampleCNN to tell classes of music: genres, or whatever the folders or scores name.

After Lee et al. (2017, 2018): excerpts as long as the network's view, batch normalisation, dropout before
the last layer; a clip's class is voted by its excerpts (mean of their class probabilities). Deviations: one
class a clip, so a softmax and cross entropy in place of sigmoids; AdamW with a cosine in place of SGD with
restarts; classes are drawn alike, however many pieces they have; a random gain of ±6 dB.

The class of a clip is its source's group: genre in FMA, the subfolder of a folder; of a score the family of its
instruments (:data:`FAMILIES`), or *mixed*.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from tonotopy.core.errors import InputError
from tonotopy.encoders._checkpoint import Header
from tonotopy.encoders._initialise import randomise, undrawn
from tonotopy.encoders.samplecnn import SampleCnn
from tonotopy.training.excerpts import Excerpts, Track
from tonotopy.training.task import Batch, generator

FAMILIES = {
    "flute": "blown",
    "principal": "blown",
    "reed": "blown",
    "clarinet": "blown",
    "bowed": "sustained with vibrato",
    "choir": "sustained with vibrato",
    "plucked": "struck or plucked",
    "bell": "struck or plucked",
}
"""Families of the instruments that play scores."""
GAIN_DB = 6.0
#: A class needs so many pieces to train on, and one held out, or it is left out.
LEAST_PIECES = 2
#: A clip is voted on by at most so many excerpts, evenly spaced.
VOTES = 60
#: Seconds of a piece that are voted on together: a clip of FMA is this long.
CLIP_S = 30.0


class ClassifierTask:
    """See the module's docstring.

    Parameters
    ----------
    depth : 7, 8 or 9 modules
    narrow : every width is divided by it
    """

    name = "samplecnn"
    largest_gradient = 5.0

    def __init__(
        self,
        depth: int,
        narrow: int,
        music: Excerpts,
        *,
        hours: float | None = None,
        batch: int = 32,
        learning_rate: float = 1e-3,
        seed: int = 0,
    ) -> None:
        if depth not in (7, 8, 9):
            raise InputError("a depth of SampleCNN", str(depth), legal=["7", "8", "9"])
        self.encoder, self.narrow = f"samplecnn-3-{depth}", narrow
        self.samples = 3 ** (depth + 1)
        self.batch_size, self.learning_rate, self.seed = batch, learning_rate, seed
        self.music, self.classes = usable(music, self.samples)
        self.training = self.music.training.limited(hours, seed=seed)
        self.of_class = [[t for t in self.training.tracks if t.group == name] for name in self.classes]
        with undrawn():
            self.module: SampleCnn = SampleCnn(self.encoder, len(self.classes), narrow)
        randomise(self.module, seed)

    def header(self, step: int) -> Header:
        options = {"tags": len(self.classes), "narrow": self.narrow}
        note = ", ".join(self.classes)[:400]
        return Header(self.encoder, options, step, self.seed, self.music.fingerprint, note)

    def snapshot(self) -> dict[str, torch.Tensor]:
        return dict(self.module.state_dict())

    def draw(
        self, rng: np.random.Generator, count: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64], tuple[str, ...]]:
        """Training excerpts ``[excerpt, time]``, their classes and the clips that they are from."""
        target = rng.integers(0, len(self.classes), count)
        audio = np.empty((count, self.samples), np.float32)
        names = []
        for row, label in enumerate(target):
            found, tracks = self.training.draw(rng, 1, self.samples, tracks=self.of_class[label])
            audio[row] = found[0] * 10 ** (rng.uniform(-GAIN_DB, GAIN_DB) / 20)
            names.append(tracks[0].name)
        return audio, target, tuple(names)

    def batch(self, step: int) -> Batch:
        audio, target, names = self.draw(generator(self.seed, step, 1), self.batch_size)
        device = next(self.module.parameters()).device
        return Batch(torch.from_numpy(audio).to(device), names, torch.from_numpy(target).to(device))

    def loss(self, batch: Batch, step: int) -> tuple[torch.Tensor, dict[str, float]]:
        logits = self.module(batch.audio).mean(dim=1)
        assert batch.target is not None
        right = (logits.detach().argmax(dim=1) == batch.target).float().mean()
        return F.cross_entropy(logits, batch.target), {"accuracy": float(right)}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Accuracy on held-out clips, by vote, averaged over classes; chance is one over their number."""
        rows = votes(self, self.probabilities, self.music.validation.tracks)
        return {"clip_accuracy": balanced_accuracy(rows, len(self.classes)), "chance": 1 / len(self.classes)}

    @torch.no_grad()
    def probabilities(self, audio: NDArray[np.float32]) -> NDArray[np.float64]:
        """Class probabilities ``[excerpt, class]`` of excerpts ``[excerpt, time]``."""
        self.module.eval()
        device = next(self.module.parameters()).device
        logits = self.module(torch.from_numpy(audio).to(device)).mean(dim=1)
        return np.asarray(torch.softmax(logits.double(), dim=1).cpu())


def usable(music: Excerpts, samples: int) -> tuple[Excerpts, tuple[str, ...]]:
    """Tracks of classes that have enough pieces, and those classes in order.

    Raises
    ------
    InputError
        No classes, one class, or clips that are all too short.
    """
    long = [replace(t, group=class_of(t.group)) for t in music.tracks if t.samples >= samples]
    if not long:
        wanted = f"clips of at least {samples / music.sample_rate_hz:.2f} s"
        raise InputError(wanted, "none so long", "a shorter network (--depth) needs less")
    pieces: dict[str, set[str]] = {}
    for track in long:
        if track.split == "training" and track.group:
            pieces.setdefault(track.group, set()).add(track.piece)
    tested = {track.group for track in long if track.split in ("validation", "test")}
    kept = tuple(sorted(g for g, found in pieces.items() if len(found) >= LEAST_PIECES and g in tested))
    if not pieces:
        cause = "genres come from tracks.csv, classes of a folder from its subfolders"
        raise InputError("clips with a class", "no labels", cause)
    if len(kept) < 2:
        came = f"{len(kept)} of {len(pieces)}: " + ", ".join(sorted(pieces)[:8])
        cause = f"a class needs {LEAST_PIECES} pieces to train on and one that is held out"
        raise InputError("two or more classes", came, cause)
    return replace(music, tracks=tuple(track for track in long if track.group in kept)), kept


def class_of(group: str | None) -> str | None:
    """The class that a source's group stands for: itself, or the family of a score's instruments.

    Examples
    --------
    >>> class_of("Rock"), class_of("flute"), class_of("flute+reed"), class_of("flute+bell")
    ('Rock', 'blown', 'blown', 'mixed')
    """
    parts = (group or "").split("+")
    if not set(parts) <= set(FAMILIES):
        return group
    found = {FAMILIES[part] for part in parts}
    return found.pop() if len(found) == 1 else "mixed"


def clips_of(track: Track, samples: int, rate_hz: int) -> list[NDArray[np.int64]]:
    """Starts of excerpts, by stretch of :data:`CLIP_S` of a track: each stretch is one clip to vote on."""
    stretch = max(samples, round(CLIP_S * rate_hz))
    found = []
    for first in range(0, max(1, track.samples - samples + 1), stretch):
        last = min(first + stretch, track.samples) - samples
        count = min(VOTES, max(1, (last - first) // samples + 1))
        found.append(np.linspace(first, last, count).astype(np.int64))
    return found


def votes(
    task: ClassifierTask,
    probabilities: Callable[[NDArray[np.float32]], NDArray[np.float64]],
    tracks: Sequence[Track],
) -> list[tuple[Track, int, int]]:
    """Each clip of some tracks with its class and the one that its excerpts vote for."""
    rows = []
    for track in tracks:
        label = task.classes.index(track.group or "")
        for starts in clips_of(track, task.samples, task.music.sample_rate_hz):
            audio = np.stack([task.music.read(track, int(start), task.samples) for start in starts])
            rows.append((track, label, int(probabilities(audio).mean(axis=0).argmax())))
    return rows


def balanced_accuracy(rows: Sequence[tuple[Track, int, int]], classes: int) -> float:
    """Share of clips that are told right, averaged over pieces, then over classes; NaN for none."""
    by_class = []
    for label in range(classes):
        pieces: dict[str, list[bool]] = {}
        for track, true, said in rows:
            if true == label:
                pieces.setdefault(track.piece, []).append(said == true)
        if pieces:
            by_class.append(float(np.mean([np.mean(found) for found in pieces.values()])))
    return float(np.mean(by_class)) if by_class else float("nan")
