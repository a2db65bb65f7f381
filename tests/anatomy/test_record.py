"""The whole record: encoders of every kind, plain data, tables, and names that try to be markup."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from rich.console import Console

from tonotopy.anatomy import Anatomy, anatomy_of
from tonotopy.anatomy.aliases import aliases_at
from tonotopy.core.errors import AlignmentError, InputError, WeightsError
from tonotopy.encoders._contract import Encoder, Operator, Site

ROWS = [(8, 1, 16, 4, 1, True), (8, 8, 4, 2, 1, True), (4, 8, 3, 1, 2, False)]


class Bare(Encoder):
    """No convolution, no operators, no gradient: the level of each block of samples, in three codes."""

    def __init__(self, *, sizes: tuple[int, ...] | None = None, bounded: bool = True) -> None:
        self.name, self.sample_rate_hz, self.weights_id, self.weights_label = "bare", 16_000, "none", "none"
        self.sites = (
            Site("codes", "codes", 160, 160, 0, 3, bounded=bounded, note="" if bounded else "state"),
        )
        if sizes is not None:
            self.codebook_sizes = sizes

    @torch.inference_mode()
    def activations(self, audio: torch.Tensor, sites: Sequence[str]) -> dict[str, torch.Tensor]:
        level = audio.unfold(1, 160, 160).square().mean(dim=2, keepdim=True).sqrt()
        return {name: torch.cat([level, level.round(decimals=2), level**2], dim=2) for name in sites}


def printed(anatomy: Anatomy) -> str:
    """What a console of 240 columns shows."""
    console = Console(width=240, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    anatomy.render(console)
    console.file.close()
    return console.export_text()


def test_a_stack_has_a_whole_anatomy(stack: Callable) -> None:
    """Rows, operators, filters and aliases of a plain stack agree with what it was built from."""
    encoder = stack(*ROWS)
    found = anatomy_of(encoder)
    assert [(row.name, row.kernel, row.stride, row.dilation) for row in found.layers] == [
        ("conv0", 16, 4, 1),
        ("conv1", 4, 2, 1),
        ("conv2", 3, 1, 2),
    ]
    assert [(row.view, row.hop) for row in found.layers] == [(16, 4), (28, 8), (60, 8)]
    assert [(row.view, row.hop) for row in found.operators] == [(16, 4), (28, 8), (60, 8)]
    assert found.mismatches == {}
    last = found.layers[-1]
    assert (last.frame_rate_hz, last.carrier_limit_hz, last.numbers_per_sample) == (2000.0, 1000.0, 0.5)
    assert last.resolution_limit_hz == pytest.approx(16_000 / 60)
    assert (last.view_ms, last.hop_ms) == (3.75, 0.5)
    assert found.first_layer.taps == 16
    assert [row.site for row in found.aliases] == ["conv0"]


def test_to_json_is_plain_and_says_why_something_is_missing(stack: Callable) -> None:
    """The record survives strict JSON; what is null has its reason beside it."""
    found = anatomy_of(stack(*ROWS))
    text = json.dumps(found.to_json(), allow_nan=False)
    data = json.loads(text)
    assert data["layers"][0]["bits_per_s"] is None
    assert data["layers"][0]["undefined"]["bits_per_s"] == "not a quantised site"
    assert np.array(data["first_layer"]["response_db"]).shape == found.first_layer.response_db.shape
    assert data["first_layer"]["folding"]["stride"] == 4


def test_every_missing_number_has_a_reason(stack: Callable) -> None:
    """In every part of every record, a field that is None is named in that part's reasons."""
    for encoder in (stack(*ROWS), Bare(), Bare(bounded=False), Bare(sizes=(16, 4))):
        for part in _parts(anatomy_of(encoder).to_json()):
            missing = {name for name, value in part.items() if value is None}
            assert missing <= set(part["undefined"]), (encoder.name, missing)


def _parts(value: object) -> list[dict]:
    """All parts of plain data that hold reasons of their own for the whole part."""
    if isinstance(value, list):
        return [part for item in value for part in _parts(item)]
    if not isinstance(value, dict):
        return []
    own = [value] if isinstance(value.get("undefined"), dict) else []
    return own + [part for item in value.values() for part in _parts(item)]


def test_an_encoder_of_no_known_kind() -> None:
    """Without convolution, operators or gradient there is still a record; codebooks tell bits a second."""
    found = anatomy_of(Bare(sizes=(1024, 1024)))
    (row,) = found.layers
    assert (row.kernel, row.parameters) == (None, None)
    assert row.undefined["kernel"] == "no operators are listed"
    assert row.bits_per_s == pytest.approx(100 * 20)
    assert (row.measured.view_impulse, row.measured.offset_impulse) == (160, 0)
    assert found.undefined["first_layer"] == "the encoder does not start with a convolution on the waveform"
    assert found.aliases[0].undefined["correlation"] == "nothing comes before"
    assert found.operators == ()


def test_an_unbounded_site_has_no_limit_until_its_view_is_measured() -> None:
    """State without an effective view leaves the resolution limit undefined; with one it follows from it."""
    found = anatomy_of(Bare(bounded=False), alias_sites=())
    assert found.layers[0].resolution_limit_hz is None
    assert found.layers[0].undefined["resolvable"] == "unbounded, and no effective view was measured"
    encoder = Bare(bounded=False)
    encoder.sites = (replace(encoder.sites[0], effective_view=1600),)
    assert anatomy_of(encoder, alias_sites=()).layers[0].resolution_limit_hz == 10.0


def test_a_table_has_a_row_for_every_site(stack: Callable) -> None:
    """The table's columns are the layers' fields, measurements included."""
    table = anatomy_of(stack(*ROWS)).table()
    assert table.index.tolist() == ["conv0", "conv1", "conv2"]
    assert table["measured_view_gradient"].tolist() == [16, 28, 60]
    assert table["bits_per_s"].isna().all()


def test_names_are_shown_and_never_read_as_markup(stack: Callable) -> None:
    """A site named in markup, or with control characters, is printed as it is spelled."""
    encoder = stack(*ROWS)
    name = "[bold red]x[/] [link=file:///]\x1b[2J"
    encoder.name = name
    encoder.sites = (replace(encoder.sites[0], name=name, note="[/nonsense]"), *encoder.sites[1:])
    encoder.weights_label = "[/]"
    text = printed(anatomy_of(encoder, geometry=False, alias_sites=()))
    assert "[bold red]x[/] [link=file:///]\\x1b[2J" in text
    assert "\x1b" not in text
    assert "[/nonsense]" in text


def test_what_is_printed_says_what_follows(stack: Callable) -> None:
    """The printed anatomy holds the sentences, the contradictions and the first filters."""
    text = printed(anatomy_of(stack(*ROWS, lie=2)))
    assert "two partials closer than" in text
    assert "Predicted and measured differ" in text
    assert "8 filters of 16 samples, stride 4; 0 dead" in text
    assert "of 47 pairs" in text
    assert "from first-layer weights" in text


def test_unmeasured_geometry_is_undefined(stack: Callable) -> None:
    """Geometry that was not asked for is undefined with that reason, and no mismatch."""
    found = anatomy_of(stack(*ROWS), geometry=False, alias_sites=())
    assert {why for row in found.layers for why in row.measured.undefined.values()} == {"not asked for"}
    assert found.mismatches == {}


def test_an_encoder_that_measured_itself_is_believed(stack: Callable) -> None:
    """Disagreements that an encoder reports are its sites' mismatches."""
    encoder = stack(*ROWS)
    encoder.disagreements = ("conv1: the operators say 27, measured 28",)
    found = anatomy_of(encoder, alias_sites=())
    assert found.mismatches == {"conv1": "predicted [0, 28) every 8; the operators say 27, measured 28"}
    assert {row.measured.gradient_by for row in found.layers} == {"encoder"}


def test_transposed_convolutions_end_the_sum(stack: Callable) -> None:
    """Behind a transposed convolution the operators' view and hop are undefined."""
    encoder = stack(*ROWS)
    up = (*encoder.sites[1].operators, Operator("up", "conv_transpose", 4, 2))
    encoder.sites = (*encoder.sites[:2], replace(encoder.sites[2], operators=up))
    found = anatomy_of(encoder, geometry=False, alias_sites=())
    assert found.layers[2].view_of_operators is None
    assert (
        found.operators[2].undefined["view"] == "behind a transposed convolution frames differ in their view"
    )


def test_wrong_names_wrong_weights_wrong_frames(stack: Callable) -> None:
    """A misspelt site, NaN in the weights and a hop that the layer lacks are errors with words."""
    encoder = stack(*ROWS)
    with pytest.raises(InputError) as caught:
        anatomy_of(encoder, alias_sites=["conv9"])
    assert str(caught.value) == (
        "expected a site of toy; got 'conv9'; likely cause: a misspelt name; "
        "legal values: conv0, conv1, conv2"
    )
    encoder.sites = (replace(encoder.sites[0], hop=1, operators=()), *encoder.sites[1:])
    with pytest.raises(AlignmentError, match="a hop, view or offset that the layer does not have"):
        aliases_at(encoder, replace(encoder.sites[0], hop=2, offset=-400), seed=0)
    broken = stack(*ROWS)
    broken.convs[0].weights[0, 0, 0] = torch.nan
    with pytest.raises(WeightsError, match="expected finite first-layer weights of toy"):
        anatomy_of(broken)


def test_importing_anatomy_loads_no_tables_and_no_console() -> None:
    """Tables and the console load where they are used."""
    code = "import sys, tonotopy.anatomy; print([m for m in ('pandas', 'rich') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_branches_do_not_count_operators_twice(stack: Callable) -> None:
    """Where a path branches around a block and joins again, each operator belongs to one site."""
    encoder = stack(*ROWS)
    stem, block = Operator("stem", "conv", 16, 4, parameters=10), Operator("block", "conv", parameters=5)
    skip, end = Operator("skip", "conv", parameters=3), Operator("end", "conv", 3, 2, parameters=7)
    paths = [(stem,), (stem, block), (stem, skip), (stem, block, end)]
    encoder.sites = tuple(
        replace(encoder.sites[0], name=path[-1].name, operators=path, hop=4, view=16) for path in paths
    )
    found = anatomy_of(encoder, geometry=False, alias_sites=())
    assert [row.parameters for row in found.layers] == [10, 5, 3, 7]
    assert [row.operator.name for row in found.operators] == ["stem", "block", "skip", "end"]
