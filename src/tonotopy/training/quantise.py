"""Training of a residual vector quantiser: moving averages, dead-code revival, quantiser dropout.

After van den Oord et al. (2017, appendix A.1) and Zeghidour et al. (2021, § III-C): an entry is the moving
average of the vectors that chose it; the first batch's vectors start the entries by k-means; an entry whose
moving count falls below :data:`DEAD` takes a vector of the batch; with dropout each step uses the first n
stages, n drawn among all. The encoder's gradient passes straight through, and a commitment loss draws its
latent towards what was chosen.

Deviations: the counts are smoothed by nothing (an entry that is dying is revived instead); dead entries are
looked for at every step from moving counts; revival draws from the step's generator, so that it can be resumed.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from tonotopy.encoders._seanet import Quantiser, squared_distance

DECAY = 0.99
#: Moving count, in vectors a step, below which an entry is dead.
DEAD = 0.05
KMEANS_ROUNDS = 8


class TrainedQuantiser(nn.Module):
    """A :class:`Quantiser` with the sums that its entries are averages of."""

    count: torch.Tensor  # [stage, entry]
    total: torch.Tensor  # [stage, entry, unit]
    started: torch.Tensor  # [] whether entries were drawn from data

    def __init__(self, quantiser: Quantiser) -> None:
        super().__init__()
        self.quantiser = quantiser
        stages, entries, units = quantiser.codebooks.shape
        self.register_buffer("count", torch.zeros(stages, entries))
        self.register_buffer("total", torch.zeros(stages, entries, units))
        self.register_buffer("started", torch.zeros((), dtype=torch.bool))

    @property
    def stages(self) -> int:
        """Number of codebooks."""
        return self.quantiser.codebooks.shape[0]

    def forward(
        self, latent: torch.Tensor, stages: int, rng: np.random.Generator
    ) -> tuple[torch.Tensor, torch.Tensor, dict[str, float]]:
        """Quantise ``[batch, frame, unit]`` by the first ``stages`` stages and move their entries.

        Returns
        -------
        quantised : ``[batch, frame, unit]``, with the gradient of the latent
        commitment : scalar loss
        measured : perplexity of the first and the last used stage, entries revived
        """
        flat = latent.detach().reshape(-1, latent.shape[-1])
        if not bool(self.started):
            self._start(flat, rng)
        rest, chosen_sum, commitment = flat, torch.zeros_like(flat), latent.new_zeros(())
        perplexity, revived = [], 0
        live = latent.reshape(-1, latent.shape[-1])
        for stage in range(stages):
            book = self.quantiser.codebooks[stage]
            codes = squared_distance(rest, book).argmin(dim=-1)
            chosen = book[codes]
            # What this stage is to explain moves with the latent, what it chose does not.
            commitment = commitment + (live - chosen_sum - chosen).square().mean()
            counts, gone = self._move(stage, rest, codes, rng)
            revived += gone
            perplexity.append(counts)
            chosen_sum = chosen_sum + chosen
            rest = rest - chosen
        quantised = latent + (chosen_sum.reshape(latent.shape) - latent).detach()
        measured = {
            "perplexity_first": _perplexity(perplexity[0]),
            "perplexity_last": _perplexity(perplexity[-1]),
            "revived": float(revived),
        }
        return quantised, commitment / stages, measured

    @torch.no_grad()
    def _move(
        self, stage: int, rest: torch.Tensor, codes: torch.Tensor, rng: np.random.Generator
    ) -> tuple[torch.Tensor, int]:
        """Move one stage's entries towards what chose them; the batch's counts and the number revived."""
        count, total, book = self.count[stage], self.total[stage], self.quantiser.codebooks[stage]
        fresh = torch.bincount(codes, minlength=len(book)).to(count.dtype)
        sums = torch.zeros_like(book).index_add_(0, codes, rest)
        count.mul_(DECAY).add_(fresh, alpha=1 - DECAY)
        total.mul_(DECAY).add_(sums, alpha=1 - DECAY)
        dead = (count < DEAD).nonzero()[:, 0]
        if len(dead):
            drawn = torch.from_numpy(rng.integers(0, len(rest), len(dead))).to(rest.device)
            count[dead] = 1.0
            total[dead] = rest[drawn]
        book.copy_(total / count.clamp_min(1e-6)[:, None])
        return fresh, len(dead)

    @torch.no_grad()
    def _start(self, flat: torch.Tensor, rng: np.random.Generator) -> None:
        """Entries by k-means on the first batch, stage by stage."""
        rest = flat
        for stage in range(self.stages):
            book = self.quantiser.codebooks[stage]
            drawn = torch.from_numpy(rng.choice(len(rest), len(book), replace=len(rest) < len(book)))
            entries = rest[drawn.to(rest.device)].clone()
            for _ in range(KMEANS_ROUNDS):
                codes = squared_distance(rest, entries).argmin(dim=-1)
                counts = torch.bincount(codes, minlength=len(entries)).to(entries.dtype)
                sums = torch.zeros_like(entries).index_add_(0, codes, rest)
                entries = torch.where(counts[:, None] > 0, sums / counts.clamp_min(1)[:, None], entries)
            book.copy_(entries)
            self.count[stage] = counts.clamp_min(1.0)
            self.total[stage] = entries * self.count[stage][:, None]
            rest = rest - entries[squared_distance(rest, entries).argmin(dim=-1)]
        self.started.fill_(True)


def _perplexity(counts: torch.Tensor) -> float:
    """Exponential of the entropy of choices."""
    share = counts.double() / counts.sum()
    return float(torch.exp(-(share * share.clamp_min(1e-12).log()).sum()))
