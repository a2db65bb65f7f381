"""The quantised cochlea takes nearest entries and decodes what it hears; random codes hear nothing, and repeat."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tonotopy.core.errors import InputError
from tonotopy.encoders import load_encoder
from tonotopy.encoders.phantoms.quantised import CODES, STAGES, STICKY

RATE = 16000


def noise(rows: int, seconds: float = 1.5) -> torch.Tensor:
    rng = np.random.default_rng(0)
    return torch.from_numpy(0.05 * rng.standard_normal((rows, int(seconds * RATE)))).float()


def test_codes_are_nearest_entries_of_every_stage() -> None:
    """A plain search over each stage's own channels finds the same codes; entries are their sum."""
    encoder, audio = load_encoder("phantom:quantised-cochlea"), noise(2)
    latent = encoder.activations(audio, ["stack_end", "codes"])
    codes, books = encoder.codes(audio), encoder.codebooks
    assert codes is not None
    assert books is not None
    assert books.shape == (STAGES, CODES, 64)
    for stage in range(STAGES):
        own = slice(8 * stage, 8 * stage + 8)
        assert not books[stage].norm(dim=0)[torch.arange(64) // 8 != stage].any()
        nearest = torch.cdist(latent["stack_end"][..., own], books[stage, :, own]).argmin(dim=-1)
        assert torch.equal(nearest, codes[..., stage])
    assert torch.equal(encoder.entries(codes), latent["codes"])
    three = encoder.entries(encoder.codes(audio, 3))
    assert torch.equal(three[..., :24], latent["codes"][..., :24])
    assert not three[..., 24:].any()


@pytest.mark.parametrize("hz", [220.0, 1000.0, 3000.0])
def test_a_tone_survives_decoding(hz: float) -> None:
    """The decoded sound is as loud as the tone, lies at its frequency, and encodes to nearly the same latent."""
    encoder = load_encoder("phantom:quantised-cochlea")
    tone = (0.05 * torch.sin(2 * torch.pi * hz * torch.arange(RATE) / RATE))[None]
    latent = encoder.activations(tone, ["stack_end"])["stack_end"]
    heard = encoder.decode(latent)
    assert heard is not None
    middle = heard[0, 4000:12000].numpy()
    assert 20 * np.log10(middle.std() / 0.05 * 2**0.5) == pytest.approx(0, abs=1.0)
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(8000)))
    assert np.argmax(spectrum) * 2 == pytest.approx(hz, rel=0.05)
    again = encoder.activations(heard, ["stack_end"])["stack_end"]
    inner = slice(6, latent.shape[1] - 6)
    assert float((again - latent)[:, inner].norm() / latent[:, inner].norm()) < 0.1


@pytest.mark.parametrize("kind", ["iid", "sticky", "piece"])
def test_random_codes_follow_their_law(kind: str) -> None:
    """All codes come; they hold for a segment or do not; a piece has frequencies of its own or has not."""
    encoder = load_encoder(f"phantom:random-codes-{kind}")
    codes = encoder.codes(noise(40))
    assert codes is not None
    assert codes.dtype == torch.int64
    shares = torch.nn.functional.one_hot(codes, CODES).double().mean(dim=1)  # [row, stage, code]
    assert float(shares.mean(dim=0).min()) > 0.02
    stays = float((codes[:, 1:] == codes[:, :-1]).double().mean())
    spread = float(shares.std(dim=0).mean())
    expected_spread = (1 / 16 * 15 / 16 / codes.shape[1]) ** 0.5
    if kind == "sticky":
        inside = codes[:, :STICKY]
        assert bool((inside == inside[:, :1]).all())
        assert stays > 0.9
    elif kind == "iid":
        assert stays == pytest.approx(1 / 16, abs=0.01)
        assert spread < 1.2 * expected_spread
    else:
        assert spread > 3 * expected_spread


def test_one_sample_changes_all_codes_that_see_it() -> None:
    """Equal sounds have equal codes; the least change of a sample draws new ones, where it is seen."""
    encoder = load_encoder("phantom:random-codes-iid")
    audio = noise(1)
    changed = audio.clone()
    changed[0, 8000] += 1e-6
    one, other = encoder.codes(audio), encoder.codes(changed)
    assert torch.equal(one, encoder.codes(audio))
    site = encoder.site("codes")
    start = torch.arange(one.shape[1]) * site.hop
    sees = (start <= 8000) & (start + site.view > 8000)
    assert torch.equal(one[:, ~sees], other[:, ~sees])
    assert float((one[:, sees] != other[:, sees]).double().mean()) > 0.7


def test_wrong_codes_are_refused() -> None:
    """Codes out of range, of too many stages or of no whole numbers, each with what is legal."""
    encoder = load_encoder("phantom:random-codes-iid")
    with pytest.raises(InputError, match=r"0 to 15; got codes from 0 to 16"):
        encoder.entries(torch.tensor([[[0, 16]]]))
    with pytest.raises(InputError, match="1 to 8 stages"):
        encoder.entries(torch.zeros(1, 1, 9, dtype=torch.int64))
    with pytest.raises(InputError, match="activations at a site"):
        encoder.entries(torch.zeros(1, 1, 8))
    with pytest.raises(InputError, match="expected 1 to 8 stages; got 9"):
        encoder.codes(noise(1), 9)


def test_codes_follow_a_latent_that_was_changed() -> None:
    """What is put at the latent is quantised anew; codes can be changed themselves, and nothing lies before them."""
    encoder, audio = load_encoder("phantom:quantised-cochlea"), noise(2)
    found = encoder.changed(audio, "stack_end", lambda a: a.flip(0), ["stack_end", "codes"])
    other = encoder.activations(audio.flip(0), ["stack_end", "codes"])
    assert all(torch.equal(found[name], other[name]) for name in other)
    doubled = encoder.changed(audio, "codes", lambda a: 2 * a, ["codes"])["codes"]
    assert torch.equal(doubled, 2 * encoder.activations(audio, ["codes"])["codes"])
    with pytest.raises(InputError, match="make the change at an earlier one"):
        encoder.changed(audio, "codes", lambda a: a, ["stack_end"])
