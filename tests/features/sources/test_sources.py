"""Every source keeps the contract; channels, PCA, ICA, codes, classes and random directions are what they say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from tonotopy.core.errors import InputError
from tonotopy.core.registry import plugins
from tonotopy.encoders import load_encoder
from tonotopy.features.dictionaries.consistency import consistency
from tonotopy.features.sources import ArrayActivations, Features, find_features, list_sources

DICTIONARIES = ("relu-l1", "topk", "batch-topk", "jumprelu", "matryoshka")
QUICK: dict[str, dict[str, Any]] = {name: {"steps": 12, "batch": 64} for name in DICTIONARIES}
SMALL_CODEC = {"num_filters": 4, "hidden_size": 16, "codebook_size": 64, "num_lstm_layers": 1}


def sparse_frames(frames: int = 2000, units: int = 12, seed: int = 0) -> np.ndarray:
    """Frames with a few large causes each, off centre."""
    rng = np.random.default_rng(seed)
    causes = rng.exponential(size=(frames, units)) * (rng.random((frames, units)) < 0.2)
    return (causes @ rng.standard_normal((units, units)) + 2).astype(np.float32)


@pytest.fixture(scope="module")
def codec() -> Any:
    return load_encoder("encodec-24khz", weights="random:0", config=SMALL_CODEC)


@pytest.fixture(scope="module")
def classifier() -> Any:
    return load_encoder("samplecnn-3-7", weights="random:0", narrow=16, tags=5)


def found(source: str, codec: Any, classifier: Any, *, count: int | None = None, seed: int = 0) -> Features:
    """Features of any source on frames that fit its encoder."""
    encoder = {"codebook": codec, "classes": classifier}.get(source)
    units = {"codebook": 16, "classes": classifier.site("head").units}.get(source, 12)
    activations = ArrayActivations(sparse_frames(units=units))
    return find_features(
        source, activations, count=count, seed=seed, encoder=encoder, **QUICK.get(source, {})
    )


@pytest.mark.parametrize("source", list_sources())
def test_every_source_keeps_the_contract(source: str, codec: Any, classifier: Any) -> None:
    plugin = plugins("tonotopy.features.sources")[source]
    assert plugin.summary.endswith((".", "?"))
    assert plugin.licence == "MIT"
    features = found(source, codec, classifier, count=5)
    assert features.source == source
    assert len(features.names) == len(set(features.names)) == 5
    assert features.directions.shape == (5, features.units)
    assert features.directions.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(features.directions, axis=1), 1, atol=1e-5)
    frames = sparse_frames(7, features.units, seed=1)
    values = features.of(frames)
    assert values.shape == (7, 5)
    assert values.dtype == np.float32
    assert np.isfinite(values).all()
    again = found(source, codec, classifier, count=5)
    np.testing.assert_array_equal(values, again.of(frames))
    np.testing.assert_allclose(features.of(frames[None, :, :])[0], values, atol=1e-5)
    assert features.of(frames[3]).shape == (5,)
    assert {"dead_units", "saturated_units", "outlier_units", "scale"} <= set(features.attributes)


@pytest.mark.parametrize("source", ["random", "ica", *DICTIONARIES])
def test_what_is_drawn_depends_on_the_seed(source: str, codec: Any, classifier: Any) -> None:
    a, b = (found(source, codec, classifier, count=5, seed=seed).directions for seed in (0, 1))
    assert not np.array_equal(a, b)


def test_a_wrong_name_option_or_shape_is_told() -> None:
    activations = ArrayActivations(sparse_frames())
    with pytest.raises(InputError, match=r"known feature source; got 'topk2'.*did you mean 'topk'"):
        find_features("topk2", activations)
    with pytest.raises(InputError, match=r"options of pca; got sharpness.*misspelt option"):
        find_features("pca", activations, sharpness=2)
    with pytest.raises(InputError, match=r"options of topk; got l1"):
        find_features("topk", activations, l1=2.0)
    with pytest.raises(InputError, match="frames of 12 units"):
        find_features("channels", activations).of(np.zeros((3, 5), np.float32))
    with pytest.raises(InputError, match="at most 12 channels"):
        find_features("channels", activations, count=13)
    with pytest.raises(InputError, match="at least one frame"):
        find_features("pca", ArrayActivations(np.zeros((0, 3))))
    with pytest.raises(InputError, match="number of features"):
        find_features("random", activations, count=0)
    with pytest.raises(InputError, match="frames \\[frame, unit\\]"):
        ArrayActivations(np.zeros(3))
    with pytest.raises(InputError, match="a piece for each of 3 frames"):
        ArrayActivations(np.zeros((3, 2)), np.zeros(2))


def test_channels_are_the_units() -> None:
    frames = sparse_frames()
    features = find_features("channels", ArrayActivations(frames))
    np.testing.assert_array_equal(features.of(frames), frames)


def test_pca_agrees_with_a_singular_value_decomposition() -> None:
    frames = sparse_frames()
    features = find_features("pca", ArrayActivations(frames), count=4)
    centred = frames.astype(np.float64) - frames.mean(axis=0, dtype=np.float64)
    _, values, rows = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(np.abs((features.directions * rows[:4]).sum(axis=1)), 1, atol=1e-5)
    np.testing.assert_allclose(features.attributes["variance"], values[:4] ** 2 / len(frames), rtol=1e-5)
    np.testing.assert_allclose(features.of(frames), centred @ features.directions.T, atol=1e-3)
    with pytest.raises(InputError, match="at most 12 components"):
        find_features("pca", ArrayActivations(frames), count=13)


def test_ica_unmixes_independent_causes_and_pca_does_not() -> None:
    rng = np.random.default_rng(3)
    mixing = rng.standard_normal((8, 8))
    frames = rng.laplace(size=(20_000, 8)) @ mixing + 5
    activations = ArrayActivations(frames)
    unmixed = find_features("ica", activations)
    cosines = np.abs(unmixed.directions @ (mixing / np.linalg.norm(mixing, axis=1, keepdims=True)).T)
    assert unmixed.attributes["converged"]
    assert (cosines.max(axis=0) > 0.99).all()
    principal = find_features("pca", activations)
    assert (consistency(mixing, principal).cosine > 0.9).mean() < 0.5


def test_random_directions_are_uniform_on_the_sphere() -> None:
    activations = ArrayActivations(sparse_frames())
    rows = find_features("random", activations, count=20_000).directions.astype(np.float64)
    np.testing.assert_allclose(rows.mean(axis=0), 0, atol=0.01)
    np.testing.assert_allclose(rows.T @ rows / len(rows), np.eye(12) / 12, atol=0.004)


def test_classes_are_logits_at_the_head(classifier: Any) -> None:
    audio = torch.from_numpy(np.random.default_rng(0).standard_normal((1, 3 * 6561)).astype(np.float32))
    frames = classifier.activations(audio, ["head"])["head"][0].numpy()
    features = find_features("classes", ArrayActivations(frames), encoder=classifier, site="head")
    with torch.no_grad():
        logits = classifier.net(audio)[0].numpy()
    np.testing.assert_allclose(features.of(frames), logits, rtol=1e-5, atol=1e-4)


def test_encoders_without_classes_or_codes_are_refused(codec: Any, classifier: Any) -> None:
    activations = ArrayActivations(sparse_frames(units=16))
    with pytest.raises(InputError, match="an encoder that ends in a linear layer; got encodec-24khz"):
        find_features("classes", activations, encoder=codec)
    with pytest.raises(InputError, match="an encoder that ends in a linear layer; got no encoder"):
        find_features("classes", activations)
    with pytest.raises(InputError, match="an encoder with codebooks; got samplecnn-3-7"):
        find_features("codebook", activations, encoder=classifier)
    with pytest.raises(InputError, match="the site that is quantised; got 'lstm'"):
        find_features("codebook", activations, encoder=codec, site="lstm")
    with pytest.raises(InputError, match="frames of 32 units, which the classes read"):
        find_features("classes", activations, encoder=classifier)


def test_a_codebook_names_the_entry_that_was_planted(codec: Any) -> None:
    books = codec.nets[2].codebooks
    stages = codec.config.stages(dict(codec.options)["bandwidth_kbps"])
    features = find_features("codebook", ArrayActivations(sparse_frames(units=16)), encoder=codec)
    assert len(features) == stages * books.shape[1]
    assert features.names[books.shape[1] + 2] == "code-1-2"
    centre, entries = books[0].mean(dim=0), books[0]
    far = (entries - centre).norm(dim=1).argmax()
    values = features.of(entries[far].numpy()[None])[0]
    assert values[: books.shape[1]].argmax() == far
    np.testing.assert_allclose(values[far], float((entries[far] - centre).norm()), rtol=1e-4)
    # What the second stage sees is what the first leaves: nothing, of one of its own entries.
    second = features.of(entries[far].numpy()[None])[0, books.shape[1] : 2 * books.shape[1]]
    rows = features.directions[books.shape[1] : 2 * books.shape[1]]
    np.testing.assert_allclose(second, -(books[1].mean(dim=0).numpy() @ rows.T), atol=1e-4)
