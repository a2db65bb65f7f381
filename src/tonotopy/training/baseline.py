"""What a classifier must beat: a log-mel spectrogram's mean and deviation, and a small network on them.

The same excerpts, classes and votes as the classifier; :data:`BANDS` triangular bands on the mel scale of
O'Shaughnessy (1987) from 40 Hz to 0.45 of the rate, windows of 1,024 samples, one hidden layer of
:data:`HIDDEN` units. It knows nothing of the waveform, and less of time than the network's view holds.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from tonotopy.training.classifier import ClassifierTask
from tonotopy.training.task import generator

BANDS, WINDOW, HIDDEN = 64, 1024, 128
STEPS, BATCH = 800, 64


def mel_bands(rate_hz: int) -> torch.Tensor:
    """Triangular bands ``[band, bin]`` of a power spectrum of :data:`WINDOW` samples, unit sum."""
    low, high = (2595 * np.log10(1 + f / 700) for f in (40.0, 0.45 * rate_hz))
    edges = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(WINDOW, 1 / rate_hz)
    rise = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    bands = np.maximum(0, np.minimum(rise, fall))
    return torch.from_numpy(bands / np.maximum(bands.sum(axis=1, keepdims=True), 1e-9)).float()


def features(audio: torch.Tensor, bands: torch.Tensor) -> torch.Tensor:
    """Mean and standard deviation over frames of log band power: ``[batch, 2 · band]`` from ``[batch, time]``."""
    spectrum = torch.stft(
        audio, WINDOW, WINDOW // 4, window=torch.hann_window(WINDOW), center=False, return_complex=True
    )
    power = bands @ (spectrum.real.square() + spectrum.imag.square())
    level = (power + 1e-6).log()
    return torch.cat([level.mean(dim=2), level.std(dim=2)], dim=1)


class LogMelBaseline:
    """Trained on the task's training excerpts; votes as the task does."""

    def __init__(self, task: ClassifierTask, *, steps: int = STEPS, seed: int = 0) -> None:
        self.bands = mel_bands(task.music.sample_rate_hz)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            count = len(task.classes)
            self.net = nn.Sequential(
                nn.BatchNorm1d(2 * BANDS), nn.Linear(2 * BANDS, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, count)
            )
            self._train(task, steps, seed)

    def _train(self, task: ClassifierTask, steps: int, seed: int) -> None:
        optimiser = torch.optim.AdamW(self.net.parameters(), lr=2e-3, weight_decay=1e-3)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
        for step in range(steps):
            audio, target = task.draw(generator(seed, step, 3), BATCH)[:2]
            loss = F.cross_entropy(
                self.net(features(torch.from_numpy(audio), self.bands)), torch.from_numpy(target)
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
        self.net.eval()

    @torch.no_grad()
    def probabilities(self, audio: NDArray[np.float32]) -> NDArray[np.float64]:
        """Class probabilities ``[excerpt, class]`` of excerpts ``[excerpt, time]``."""
        logits = self.net(features(torch.from_numpy(audio), self.bands))
        return np.asarray(torch.softmax(logits.double(), dim=1))
