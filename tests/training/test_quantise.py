"""The quantiser in training: it finds clusters that are there, revives what is dead, passes gradients through."""

from __future__ import annotations

import numpy as np
import torch

from tonotopy.encoders._seanet import Config, Quantiser
from tonotopy.encoders._seanet_config import changed
from tonotopy.training.quantise import TrainedQuantiser


def quantiser(entries: int = 8, bandwidth: float = 0.9) -> TrainedQuantiser:
    shape = {"hidden_size": 4, "codebook_size": entries, "target_bandwidths": [bandwidth]}
    return TrainedQuantiser(Quantiser(changed(Config(), shape)))


def clusters(rng: np.random.Generator, count: int = 8) -> torch.Tensor:
    centres = np.random.default_rng(1).standard_normal((count, 4)) * 3
    chosen = rng.integers(0, count, 512)
    return torch.from_numpy((centres[chosen] + 0.01 * rng.standard_normal((512, 4))).astype(np.float32))[None]


def test_planted_clusters_become_entries() -> None:
    trained = quantiser(entries=32, bandwidth=1.5)
    for step in range(40):
        rng = np.random.default_rng(step)
        _, _, measured = trained(clusters(rng), trained.stages, rng)
    _, found = trained.quantiser(clusters(np.random.default_rng(99)), 1)
    error = (found - clusters(np.random.default_rng(99))).square().mean()
    assert float(error) < 1e-3
    assert measured["perplexity_first"] > 7.0


def test_entries_are_the_moving_averages_of_what_chose_them() -> None:
    trained = quantiser()
    rng = np.random.default_rng(0)
    latent = torch.randn(1, 512, 4, generator=torch.Generator().manual_seed(0))
    trained(latent, trained.stages, rng)
    before = trained.total[0].clone(), trained.count[0].clone(), trained.quantiser.codebooks[0].clone()
    trained(latent, 1, rng)
    distance = torch.cdist(latent[0], before[2])
    codes = distance.argmin(dim=1)
    count = 0.99 * before[1] + 0.01 * torch.bincount(codes, minlength=8)
    total = 0.99 * before[0] + 0.01 * torch.stack([latent[0][codes == k].sum(dim=0) for k in range(8)])
    assert torch.allclose(trained.quantiser.codebooks[0], total / count[:, None], atol=1e-5)


def test_a_dead_entry_takes_a_vector_of_the_batch() -> None:
    trained = quantiser()
    rng = np.random.default_rng(0)
    trained(clusters(rng), trained.stages, rng)
    trained.count[0, 3], trained.total[0, 3] = 1e-3, 1e-3 * 1e6
    trained.quantiser.codebooks[0, 3] = 1e6
    latent = clusters(rng)
    measured = trained(latent, 1, rng)[2]
    assert measured["revived"] >= 1
    assert float((latent[0] - trained.quantiser.codebooks[0, 3]).norm(dim=1).min()) < 1e-5


def test_the_gradient_passes_straight_through_and_commitment_pulls() -> None:
    trained = quantiser()
    rng = np.random.default_rng(0)
    trained(clusters(rng), trained.stages, rng)
    latent = clusters(rng).requires_grad_()
    quantised, commitment, _ = trained(latent, trained.stages, rng)
    quantised.sum().backward()
    assert torch.equal(latent.grad, torch.ones_like(latent))
    latent.grad = None
    quantised, commitment, _ = trained(latent, trained.stages, rng)
    commitment.backward()
    assert float(latent.grad.norm()) > 0


def test_dropout_of_stages_uses_the_first_ones_only() -> None:
    trained = quantiser(bandwidth=1.8)
    rng = np.random.default_rng(0)
    latent = torch.randn(1, 512, 4)
    trained(latent, trained.stages, rng)
    later = trained.quantiser.codebooks[2:].clone()
    trained(latent, 2, rng)
    assert torch.equal(trained.quantiser.codebooks[2:], later)
