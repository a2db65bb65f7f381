"""Sparse products give what dense ones give: values, selections, and every gradient."""

from __future__ import annotations

import pytest
import torch

from tonotopy.features.dictionaries import sparse
from tonotopy.features.dictionaries.auxiliary import auxiliary_loss
from tonotopy.features.dictionaries.batch_topk import largest_of_batch
from tonotopy.features.dictionaries.parameters import Parameters
from tonotopy.features.dictionaries.topk import TopK


def parameters(features: int, units: int, seed: int = 0) -> Parameters:
    """A dictionary with biases, whose tensors take gradients."""
    p = Parameters.initial(features, units, seed=seed)
    rng = torch.Generator().manual_seed(seed + 1)
    for name in ("encoder", "encoder_bias", "decoder_bias"):
        tensor = p.tensors[name]
        tensor.add_(0.3 * torch.randn(tensor.shape, generator=rng))
    for tensor in p.tensors.values():
        tensor.requires_grad_(True)
    return p


def dense_loss(p: Parameters, x: torch.Tensor, k: int) -> torch.Tensor:
    """The same loss by plain dense formulas."""
    pre = (x - p.decoder_bias) @ p.encoder.T + p.encoder_bias
    kth = pre.topk(k, dim=1).values[:, -1:]
    values = torch.where(pre >= kth, pre, torch.zeros_like(pre)).relu()
    return (x - p.decoder_bias - values @ p.decoder).square().sum(dim=1).mean()


@pytest.mark.parametrize(("features", "k", "frames"), [(96, 3, 50), (1024, 32, 600), (30, 30, 5), (7, 1, 1)])
def test_loss_and_gradients_equal_dense_autograd(features: int, k: int, frames: int) -> None:
    p = parameters(features, 12)
    x = torch.randn(frames, 12, generator=torch.Generator().manual_seed(5))
    step = TopK(k).step(p, x, torch.zeros(features, dtype=torch.bool), 0.5)
    step.loss.backward()
    fast = {name: tensor.grad.clone() for name, tensor in p.tensors.items() if tensor.grad is not None}
    for tensor in p.tensors.values():
        tensor.grad = None
    loss = dense_loss(p, x, k)
    loss.backward()
    torch.testing.assert_close(step.loss, loss, rtol=1e-5, atol=1e-5)
    assert set(fast) == {"encoder", "encoder_bias", "decoder", "decoder_bias"}
    for name, gradient in fast.items():
        torch.testing.assert_close(gradient, p.tensors[name].grad, rtol=1e-4, atol=1e-5, msg=name)


def test_the_grouped_search_finds_the_k_largest_also_where_they_share_a_group() -> None:
    x = torch.eye(4, 8)
    encoder = torch.randn(512, 8, generator=torch.Generator().manual_seed(0))
    encoder[3::64] += 9.0  # all places of one group
    values, latent = sparse.select(x, encoder, torch.zeros(512), 16)
    expected = (x @ encoder.T).topk(16)
    torch.testing.assert_close(values.sort(descending=True).values, expected.values)
    assert torch.equal(latent.sort().values, expected.indices.sort().values)


def test_the_auxiliary_loss_moves_dead_latents_only() -> None:
    p = parameters(40, 6)
    x = torch.randn(64, 6, generator=torch.Generator().manual_seed(2))
    dead = torch.zeros(40, dtype=torch.bool)
    dead[[3, 20, 21]] = True
    auxiliary_loss(p, x, x.flip(0), dead).backward()
    for name in ("encoder_bias", "decoder"):
        moved = p.tensors[name].grad.reshape(40, -1).abs().sum(dim=1) > 0
        assert moved.any()
        assert not moved[~dead].any()
    assert float(auxiliary_loss(p, x, x, torch.zeros(40, dtype=torch.bool))) == 0


def test_a_batch_keeps_exactly_as_many_as_it_may() -> None:
    hidden = torch.rand(20, 30, generator=torch.Generator().manual_seed(0))
    kept, smallest = largest_of_batch(hidden, 4)
    assert int((kept > 0).sum()) == 80
    assert float(kept[kept > 0].min()) == smallest == float(hidden.flatten().sort(descending=True).values[79])


def test_entries_are_summed_by_latent_and_by_frame() -> None:
    pattern = sparse.Pattern(torch.tensor([2, 0, 2]), torch.tensor([0, 2]), 4)
    assert pattern.row.tolist() == [0, 0, 1]
    order, row, begins = pattern.by_feature()
    assert order.tolist() == [1, 0, 2]
    assert row.tolist() == [0, 0, 1]
    assert begins.tolist() == [0, 1, 1, 3]
