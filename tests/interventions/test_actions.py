"""Steer, turn, ablate and substitute do to readings what they say, leave the rest, and refuse what cannot be."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tonotopy.core.errors import InputError
from tonotopy.encoders import load_encoder
from tonotopy.interventions import Altered, Direction, ablate, steer, substitute, turn

UNITS = 6


def direction(components: int = 1, *, seed: int = 0) -> Direction:
    """Read and move are not parallel, as with a pattern."""
    rng = np.random.default_rng(seed)
    read, move = rng.standard_normal((2, UNITS, components))
    return Direction("d", read, move @ np.linalg.inv(read.T @ move), rng.standard_normal(UNITS))


def frames(seed: int = 1) -> torch.Tensor:
    return torch.randn(2, 5, UNITS, generator=torch.Generator().manual_seed(seed))


def reading(d: Direction, a: torch.Tensor) -> np.ndarray:
    return d.reading(a.numpy())


def test_steering_adds_its_strength_to_the_reading() -> None:
    """Every frame, both signs, and nothing outside of the step."""
    d, a = direction(), frames()
    for strength in (-1.0, 0.0, 2.5):
        new = steer(d, strength)(a)
        assert np.allclose(reading(d, new) - reading(d, a), strength, atol=1e-5)
        assert np.allclose((new - a).numpy(), strength * d.move[:, 0], atol=1e-5)


@pytest.mark.parametrize("components", [1, 2])
def test_ablation_leaves_the_centres_reading_and_is_done_once(components: int) -> None:
    """Readings become 0, what is read by nothing stays, twice is as once."""
    d, a = direction(components), frames()
    new = ablate(d)(a)
    assert np.allclose(reading(d, new), 0, atol=1e-5)
    assert torch.allclose(ablate(d)(new), new, atol=1e-5)
    beside = np.linalg.svd(d.move.T)[2][components:]  # what no step moves
    assert np.allclose((new - a).numpy() @ beside.T, 0, atol=1e-5)


def test_a_plane_turns_and_scales() -> None:
    """A quarter turn takes the first reading to the second; four are none; a gain of 0 is the ablation."""
    d, a = direction(2), frames()
    before, after = reading(d, a), reading(d, turn(d, np.pi / 2)(a))
    assert np.allclose(after, np.stack([-before[..., 1], before[..., 0]], axis=-1), atol=1e-5)
    new = a
    for _ in range(4):
        new = turn(d, np.pi / 2)(new)
    assert torch.allclose(new, a, atol=1e-3)
    assert np.allclose(reading(d, turn(d, gain=3.0)(a)), 3 * before, atol=1e-4)
    assert torch.allclose(turn(d, gain=0.0)(a), ablate(d)(a), atol=1e-5)


def test_substitution_takes_all_or_the_reading_alone() -> None:
    """Another sound's frames, or what the direction reads in them."""
    d, a, b = direction(), frames(), frames(2)
    assert torch.allclose(substitute(b.numpy())(a), b)
    assert torch.allclose(substitute(b[0].numpy())(a), b[:1].expand(2, -1, -1))
    mixed = substitute(b.numpy(), d)(a)
    assert np.allclose(reading(d, mixed), reading(d, b), atol=1e-5)
    back = mixed - a
    assert np.linalg.matrix_rank(back.reshape(-1, UNITS).numpy(), tol=1e-4) == 1


def test_an_altered_encoder_is_the_encoder_with_the_change_in_it() -> None:
    """Sites before are as they were, later ones follow; two changes are two identities."""
    encoder = load_encoder("samplecnn-3-7", weights="random:1", tags=3, narrow=32)
    audio = 0.1 * torch.randn(1, 6561, generator=torch.Generator().manual_seed(0))
    order = ["conv1", "conv4", "stack_end"]
    changed = Altered(encoder, "conv4", lambda a: 2 * a, label="doubled")
    plain, found = encoder.activations(audio, order), changed.activations(audio, order)
    assert list(found) == order
    assert torch.equal(found["conv1"], plain["conv1"])
    assert torch.equal(found["conv4"], 2 * plain["conv4"])
    assert not torch.equal(found["stack_end"], plain["stack_end"])
    other = Altered(encoder, "conv4", lambda a: 3 * a, label="tripled")
    assert len({encoder.identity, changed.identity, other.identity}) == 3


def test_an_altered_encoder_has_the_outputs_behind_its_change() -> None:
    """As `changed` gives them; a further change at the same site works on what is left; no other site."""
    encoder = load_encoder("samplecnn-3-7", weights="random:1", tags=3, narrow=32)
    audio = 0.1 * torch.randn(1, 6561, generator=torch.Generator().manual_seed(0))
    changed = Altered(encoder, "conv4", lambda a: 2 * a, label="doubled")
    found, plain = changed.outputs(audio), encoder.outputs(audio)
    assert found is not None
    assert plain is not None
    assert torch.equal(found, encoder.changed(audio, "conv4", lambda a: 2 * a, ["outputs"])["outputs"])
    assert not torch.equal(found, plain)
    six = changed.changed(audio, "conv4", lambda a: 3 * a, ["conv4", "stack_end"])
    whole = encoder.changed(audio, "conv4", lambda a: 6 * a, ["conv4", "stack_end"])
    assert all(torch.allclose(six[name], whole[name], rtol=1e-5) for name in whole)
    assert changed.first_layer() is not None
    assert changed.options == encoder.options
    assert changed.code_id == encoder.code_id
    assert changed.to("cpu").identity == changed.identity
    with pytest.raises(InputError, match="make both changes there"):
        changed.changed(audio, "conv5", lambda a: a, ["stack_end"])


def test_an_altered_codec_has_its_codebooks_and_tells_no_codes_it_does_not_know() -> None:
    """Codes chosen before the change stay; what would be chosen after it is told as a site, and said so."""
    codec = load_encoder("phantom:quantised-cochlea")
    audio = 0.1 * torch.randn(1, 8000, generator=torch.Generator().manual_seed(0))
    behind = Altered(codec, "codes", lambda a: 2 * a, label="doubled")
    codes, known = behind.codes(audio), codec.codes(audio)
    assert codes is not None
    assert known is not None
    assert torch.equal(codes, known)
    assert behind.codebooks is not None
    entries = behind.entries(codes)
    assert entries is not None
    assert torch.equal(2 * entries, behind.activations(audio, ["codes"])["codes"])
    assert behind.outputs(audio) is None
    with pytest.raises(InputError, match="what is quantised changes"):
        Altered(codec, "stack_end", lambda a: 2 * a, label="doubled").codes(audio)
    plain = Altered(load_encoder("phantom:cochlea"), "cochlea", torch.zeros_like, label="silenced")
    assert plain.codes(audio) is None
    assert plain.codebooks is None


# ---- faults


@pytest.mark.parametrize("strength", [float("nan"), float("inf"), 1e39, -1e39])
def test_a_strength_that_overflows_is_refused_before_anything_runs(strength: float) -> None:
    """Activations are float32."""
    with pytest.raises(InputError, match="1 is as adding the partial"):
        steer(direction(), strength)


def test_what_does_not_fit_is_refused() -> None:
    """A line is no plane; a direction, or frames, of another site."""
    with pytest.raises(InputError, match="a line can be steered or ablated"):
        turn(direction(1), 1.0)
    with pytest.raises(InputError, match="a finite angle and gain"):
        turn(direction(2), float("nan"))
    with pytest.raises(InputError, match="belongs to another site"):
        steer(direction(), 1.0)(torch.zeros(1, 1, UNITS + 1))
    with pytest.raises(InputError, match="sounds of another length"):
        substitute(np.zeros((4, UNITS)))(frames())
