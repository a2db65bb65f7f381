"""Frames are the ones that end where they were asked for: by impulses, and by an encoder that copies its input."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from tonotopy.encoders import Encoder, Site
from tonotopy.recording import plan_segment, record, record_family
from tonotopy.recording.recording import Recording
from tonotopy.sound.music import LevelFunction, MusicPool, Piece
from tonotopy.sound.trials import CORE, EXTRA, Design, render, trials


class Copies(Encoder):
    """Each frame is the very samples that it sees; each site has its own view, hop and offset."""

    name, sample_rate_hz, weights_id, weights_label = "copies", 16000, "sha256:0", "none"

    def __init__(self, *sites: Site, batch: int = 32, frame_length: int | None = None) -> None:
        self.sites, self.preferred_batch, self.frame_length = sites, batch, frame_length
        self.batches: list[int] = []

    def activations(self, audio: torch.Tensor, sites: Sequence[str]) -> dict[str, torch.Tensor]:
        self.batches.append(len(audio))
        found = {}
        for name in sites:
            site = self.site(name)
            before = max(0, -site.offset)
            padded = torch.nn.functional.pad(audio, (before, site.view))
            found[name] = padded[:, max(0, site.offset) :].unfold(-1, site.view, site.hop)
        return found


SITES = (
    Site("fine", "first_conv", 4, 7, 0, 7),
    Site("padded", "conv", 16, 64, -31, 64),
    Site("late", "stack_end", 40, 200, 3, 200),
)


@pytest.mark.parametrize("batch", [1, 5, 64])
def test_every_frame_ends_at_or_just_before_what_was_asked(batch: int) -> None:
    """The samples read are those before the end, less than a hop earlier, whatever view, hop, padding or batch."""
    encoder = Copies(*SITES, batch=batch)
    rng = np.random.default_rng(0)
    segment = plan_segment(encoder, SITES, 4)
    audio = np.tile(np.arange(segment.n_samples, dtype=np.float32), (11, 1))
    ends = np.sort(rng.integers(*segment.end_range, size=(11, 4)), axis=1)
    frames, windows = record(encoder, SITES, audio, ends)
    assert windows == {}
    assert max(encoder.batches) <= batch
    for site in SITES:
        last = frames[site.name][..., -1]  # each sample holds its own number
        assert frames[site.name].shape == (11, 4, site.view)
        assert (last + 1 <= ends).all()
        assert (last + 1 > ends - site.hop).all()
        assert (frames[site.name][..., 0] == last - site.view + 1).all()  # nothing of the padding
        assert (frames[site.name][..., 0] >= 0).all()


def test_the_segment_is_as_short_as_it_may_be() -> None:
    """Longest span, one hop, and a place for each frame: no frame can see before the sound or after it."""
    encoder = Copies(*SITES)
    segment = plan_segment(encoder, SITES, 4)
    assert segment.end_range[0] == 200 + 40
    assert segment.n_samples == segment.end_range[1] == 240 + 4 * 80  # 5 ms at 16 kHz, more than the hop
    effective = Site("state", "stack_end", 40, 200, 0, 1, bounded=False, effective_view=900, note="LSTM")
    assert plan_segment(encoder, [*SITES, effective], 4).end_range[0] == 900 + 40


def test_lags_count_back_from_the_last_frame() -> None:
    """A window's lag k is the frame k hops before the last one that was asked for."""
    encoder = Copies(*SITES)
    audio = np.tile(np.arange(2000, dtype=np.float32), (3, 1))
    ends = np.array([[900, 1000], [901, 1503], [950, 1999]])
    frames, windows = record(encoder, SITES[:1], audio, ends, lags={"fine": np.array([0, 1, 5, 16])})
    last = frames["fine"][:, -1]
    np.testing.assert_array_equal(windows["fine"], np.stack([last - 4 * k for k in (0, 1, 5, 16)], axis=1))


def test_a_framewise_encoder_gets_one_window_an_end() -> None:
    """Windows end exactly where asked, and the centre position is read."""
    site = Site("layer", "conv", 50, 30, 0, 30, centre=7)
    encoder = Copies(site, frame_length=512)
    segment = plan_segment(encoder, [site], 3)
    assert segment.end_range == (512, 512 + 3 * 80)
    audio = np.tile(np.arange(segment.n_samples, dtype=np.float32), (4, 1))
    ends = np.sort(np.random.default_rng(1).integers(*segment.end_range, size=(4, 3)), axis=1)
    frames, _ = record(encoder, [site], audio, ends)
    np.testing.assert_array_equal(frames["layer"][..., 0], ends - 512 + 7 * 50)


def test_a_family_is_arranged_by_name() -> None:
    """Core and further sounds land on their own places, sample for sample; what was not presented is NaN."""
    site = Site("copy", "conv", 8, 100, 0, 100)
    encoder = Copies(site)
    segment = plan_segment(encoder, [site], 2)
    design = Design(
        16000, segment.n_samples, segment.end_range, n_frequencies=4, n_train=1, n_test=2, n_frames=2
    )
    audio = np.random.default_rng(0).standard_normal(32000).astype(np.float32)
    pool = MusicPool(16000, (Piece("p", None, None, None, None, audio),))
    levels = LevelFunction(np.array([1.0, 40.0]), np.array([-40.0, -40.0]))
    for family in ("tone", "music"):
        asked = list(trials(design, family))
        found, _ = record_family(encoder, [site], design, asked, pool, levels, raw_windows=(64,))
        assert set(found) == {"copy", "raw:64"}
        recording: Recording = found["copy"]
        for number, trial in enumerate(asked):
            rendered = render(design, trial, pool, levels)
            assert recording.trials.frequency_hz[number] == trial.frequency_hz
            assert recording.trials.foil_hz[number] == trial.foil_hz
            assert recording.trials.test[number] == trial.test
            for name in (*CORE, *(EXTRA if family == "music" else ())):
                heard = recording.sound(name)[number]
                if name not in trial.sounds:
                    assert np.isnan(heard).all()
                    continue
                samples = rendered.audio[trial.sounds.index(name)]
                for frame, end in enumerate(rendered.frame_ends):
                    last = (end - 100) // 8 * 8 + 100
                    np.testing.assert_array_equal(heard[frame], samples[last - 100 : last])
                    raw = found["raw:64"].sound(name)[number, frame]
                    np.testing.assert_array_equal(raw, samples[end - 64 : end])


def test_take_and_concatenate_are_inverse() -> None:
    """A recording cut into shards in any way and put together is the recording."""
    site = Site("copy", "conv", 8, 20, 0, 20)
    encoder = Copies(site)
    segment = plan_segment(encoder, [site], 2)
    design = Design(
        16000, segment.n_samples, segment.end_range, n_frequencies=3, n_train=1, n_test=2, n_frames=2
    )
    levels = LevelFunction(np.array([1.0, 40.0]), np.array([-40.0, -40.0]))
    asked = list(trials(design, "chord"))
    whole, _ = record_family(encoder, [site], design, asked, MusicPool(16000, ()), levels)
    parts = [
        record_family(encoder, [site], design, asked[a:b], MusicPool(16000, ()), levels)[0]["copy"]
        for a, b in ((0, 1), (1, 5), (5, 9))
    ]
    again = Recording.concatenate(parts)
    np.testing.assert_array_equal(again.core, whole["copy"].core)
    np.testing.assert_array_equal(again.trials.foil_hz, whole["copy"].trials.foil_hz)
    some = again.take(np.array([7, 2]))
    np.testing.assert_array_equal(some.core, whole["copy"].core[[7, 2]])
    np.testing.assert_array_equal(some.trials.context, whole["copy"].trials.context[[7, 2]])
