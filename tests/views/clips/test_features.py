"""A feature map stands at the times that it is about, whichever kind the encoder is, and pools without loss."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tonotopy.core.errors import InputError
from tonotopy.encoders import load_encoder
from tonotopy.views.clips import _features
from tonotopy.views.clips._features import feature_map
from tonotopy.views.clips._sound import open_excerpt


@pytest.mark.parametrize(
    ("name", "site"),
    [
        ("samplecnn-toy", "first_conv"),
        ("samplecnn-toy", "conv5"),
        ("encodec-toy", "stack_end"),
        ("phantom:cochlea", None),
        ("crepe-tiny", "conv1"),
    ],
)
@pytest.mark.parametrize("start_s", [0.0, 0.6])
def test_a_click_is_seen_when_it_sounds(
    name: str, site: str | None, start_s: float, click: tuple[Path, float]
) -> None:
    """What answers to a click lies within half a view, and a frame or column, of it, wherever the stretch begins."""
    path, at_s = click
    encoder = load_encoder(name, weights="random:0" if name == "crepe-tiny" else None)
    found = feature_map(encoder, site, open_excerpt(path, start_s=start_s, seconds=1.3))
    # A change against the stretch before the click, in any unit: biases answer to silence too.
    away = np.abs(found.rms - np.median(found.rms, axis=0)).max(axis=1)
    seen_s = start_s + found.time_s[away > 0.5 * away.max()]
    reach_s = found.site.span / found.sample_rate_hz / 2 + found.hop_s + 1e-3
    assert len(seen_s)
    assert np.all(np.abs(seen_s - at_s) <= reach_s)


def test_columns_hold_all_frames(click: tuple[Path, float], monkeypatch: pytest.MonkeyPatch) -> None:
    """Pooled by hand from the encoder's own output: root mean square, lowest and highest."""
    monkeypatch.setattr(_features, "COLUMNS", 50)
    encoder, excerpt = load_encoder("samplecnn-toy"), open_excerpt(click[0], seconds=0.5)
    found = feature_map(encoder, "first_conv", excerpt)
    audio, before = excerpt.at(encoder.sample_rate_hz, lead=6, tail=6)
    assert before == 0
    values = encoder.activations(torch.from_numpy(audio)[None], ["first_conv"])["first_conv"][0].numpy()
    values = values[: int(np.ceil((0.5 * encoder.sample_rate_hz - 1.5) / 3))].astype(np.float64)
    assert found.pooled == -(-len(values) // 50)
    parts = [values[k : k + found.pooled] for k in range(0, len(values), found.pooled)]
    assert found.rms == pytest.approx(np.array([np.sqrt((p**2).mean(axis=0)) for p in parts]), rel=1e-6)
    assert found.low == pytest.approx(np.array([p.min(axis=0) for p in parts]))
    assert found.high == pytest.approx(np.array([p.max(axis=0) for p in parts]))


def test_the_stretch_hears_what_came_before(clip: Path) -> None:
    """The map of a later stretch is that of the whole, cut: no frame thinks that the sound begins there."""
    encoder, start_s = load_encoder("samplecnn-toy"), 81 * 200 / 22050
    whole = feature_map(encoder, "conv4", open_excerpt(clip, seconds=2.0))
    late = feature_map(encoder, "conv4", open_excerpt(clip, start_s=start_s, seconds=1.0))
    assert whole.pooled == late.pooled == 1
    begin = int(np.argmin(np.abs(whole.time_s - start_s - late.time_s[0])))
    assert whole.time_s[begin] == pytest.approx(start_s + late.time_s[0], abs=1e-6)
    assert late.rms == pytest.approx(whole.rms[begin : begin + len(late.rms)], abs=1e-4)


def test_refuses_what_is_not_there(click: tuple[Path, float]) -> None:
    """A site, a channel, a stretch shorter than a view."""
    encoder, excerpt = load_encoder("samplecnn-toy"), open_excerpt(click[0], seconds=0.5)
    with pytest.raises(InputError, match="first_conv"):
        feature_map(encoder, "conv99", excerpt)
    found = feature_map(encoder, "stack_end", excerpt)
    for channel in (-1, 256):
        with pytest.raises(InputError, match="from 0 to 255"):
            found.checked(channel)
