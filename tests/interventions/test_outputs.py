"""Without a decoder: what a direction does to outputs is read as it is, for heads whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tonotopy.core.errors import InputError
from tonotopy.encoders import Encoder, load_encoder
from tonotopy.encoders.module import ModuleEncoder
from tonotopy.interventions import Direction, Pairs, output_steering
from tonotopy.interventions.outputs import outputs

N, UNITS = 256, 8


class Window(torch.nn.Module):
    """A window to a few units, and a linear head."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = torch.nn.Conv1d(1, UNITS, N)
        self.head = torch.nn.Linear(UNITS, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.conv(x).flatten(1))


@pytest.fixture(scope="module", name="encoder")
def _encoder() -> Encoder:
    return ModuleEncoder(Window(), 16000, window=N)


def sounds(n_samples: int = N, trials: int = 4) -> Pairs:
    rng = np.random.default_rng(0)
    absent = rng.standard_normal((trials, n_samples)).astype(np.float32)
    tone = np.sin(np.arange(n_samples) / 3).astype(np.float32)
    ends = np.full((trials, 1), n_samples, dtype=np.int64)
    return Pairs(1000.0, 0, 16000, np.arange(trials), absent, absent + tone, ends)


def true_direction(encoder: Encoder, pairs: Pairs) -> Direction:
    """What the tone does to the units, exactly: the layer is linear."""
    before, after = (
        encoder.activations(torch.from_numpy(x), ["conv"])["conv"] for x in (pairs.absent, pairs.present)
    )
    step = (after - before).double().numpy()[0, 0][:, None]
    return Direction("own", step / (step.T @ step), step, np.zeros(UNITS))


def test_the_true_step_does_what_the_sound_does(encoder: Encoder) -> None:
    """Gain 1 at strength 1 and in proportion; along the evoked change alone; nothing of it left to explain."""
    pairs = sounds()
    found = output_steering(
        encoder, "conv", {"own": true_direction(encoder, pairs)}, pairs, strengths=(-1, 0.5, 1, 2)
    )
    assert np.allclose(found.gain[0], np.array([-1, 0.5, 1, 2])[:, None], atol=1e-4)
    assert np.allclose(found.specificity, 1, atol=1e-5)
    assert np.allclose(found.sufficiency[0, 2], 1, atol=1e-5)
    assert np.allclose(found.sufficiency[0, 1], 0.75, atol=1e-4)  # half of the way leaves a quarter
    assert np.allclose(found.monotonicity, 1)
    assert np.allclose(found.sign, 1)
    assert np.isnan(found.near).all()  # its outputs stand for no frequency


def test_projecting_the_true_direction_out_takes_what_the_sound_brought(encoder: Encoder) -> None:
    """In a linear model with the reading's mean taken off, necessity is 1 on average and nothing else is damaged."""
    pairs = sounds(trials=64)
    own = true_direction(encoder, pairs)
    frames = encoder.activations(torch.from_numpy(pairs.absent), ["conv"])["conv"].double().numpy()
    centred = Direction(own.name, own.read, own.move, frames.mean(axis=(0, 1)))
    found = output_steering(encoder, "conv", {"own": centred}, pairs, strengths=(1.0,))
    assert float(found.necessity(n_resamples=1).value[0]) == pytest.approx(1, abs=1e-3)
    assert np.allclose(found.damage, 0, atol=1e-4)


def test_a_direction_that_the_head_does_not_read_does_nothing(encoder: Encoder) -> None:
    """Outputs do not move; shares of no change are undefined."""
    pairs = sounds()
    weight = encoder._net.head.weight.double().numpy()  # type: ignore[attr-defined]
    step = np.linalg.svd(weight)[2][-1][:, None]
    unread = Direction("unread", step, step, np.zeros(UNITS))
    found = output_steering(encoder, "conv", {"unread": unread}, pairs, strengths=(1.0,))
    assert np.allclose(found.gain, 0, atol=1e-5)
    assert np.allclose(found.necessity(n_resamples=1).value, 0, atol=1e-5)


def test_further_random_directions_are_tried_by_strength_one_alone(encoder: Encoder) -> None:
    """The first ones as the own direction is; what is tried reads the same either way."""
    pairs, rng = sounds(), np.random.default_rng(2)
    own = true_direction(encoder, pairs)
    random = [rng.standard_normal((UNITS, 1)) for _ in range(3)]
    made = {f"random {k}": Direction("", z / (z.T @ z), z, np.zeros(UNITS)) for k, z in enumerate(random)}
    few = output_steering(encoder, "conv", {"own": own} | made, pairs, strengths=(-1, 0.5, 2, 1.1), n_full=1)
    full = output_steering(encoder, "conv", {"own": own} | made, pairs, strengths=(-1, 0.5, 2, 1.1))
    assert few.asked.tolist() == [[True] * 4] * 2 + [[False, False, False, True]] * 2
    for name in ("gain", "specificity", "sufficiency"):
        values = getattr(few, name)
        assert np.isfinite(values).all(axis=2).tolist() == few.asked.tolist()
        assert np.array_equal(values[few.asked], getattr(full, name)[few.asked])
    assert np.isnan(few.gone).all(axis=1).tolist() == [False, False, True, True]
    assert few.cosine[0] == pytest.approx(1)


def test_crepe_is_read_in_windows_and_its_bins_have_frequencies() -> None:
    """Longer sounds are cut into windows; `near` is a share."""
    crepe = load_encoder("crepe-tiny", weights="random:0")
    pairs = sounds(3 * 512 + 1024, trials=3)
    plain = outputs(crepe, pairs.absent)
    assert plain.shape == (3, 360)
    step = np.random.default_rng(1).standard_normal((64, 1))
    some = Direction("some", step / (step.T @ step), step, np.zeros(64))
    found = output_steering(crepe, "stack_end", {"some": some}, pairs, strengths=(0.5, 1.0))
    assert ((found.near >= 0) & (found.near <= 1)).all()
    assert np.isfinite(found.specificity).all()


def test_an_encoder_without_a_head_says_what_can_be_asked_instead() -> None:
    """Decoded sound, or later sites."""
    encoder = load_encoder("phantom:cochlea")
    step = np.ones((64, 1)) / 8
    with pytest.raises(InputError, match=r"no head: ask for effects on decoded sound .* or on later sites"):
        output_steering(encoder, "cochlea", {"a": Direction("a", step, step, np.zeros(64))}, sounds(8000))
