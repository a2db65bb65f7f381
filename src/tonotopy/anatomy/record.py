"""What an architecture and its first filters can express, before any recording: one record for an encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tonotopy.anatomy._plain import plain
from tonotopy.anatomy.aliases import Aliases, aliases_at, cumulative_stride
from tonotopy.anatomy.first_layer import FirstLayerAnatomy, first_layer_anatomy
from tonotopy.anatomy.layers import Layer, codebook_sizes, layer, unmeasured
from tonotopy.anatomy.measured import measure
from tonotopy.anatomy.operators import Occurrence, OperatorRow, occurrences, operator_rows
from tonotopy.encoders._contract import Encoder, Site

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console


@dataclass(frozen=True)
class Anatomy:
    """The latent ontology from the architecture (SPEC § 2).

    Attributes
    ----------
    encoder, weights_id, weights_label
        Which encoder with which weights.
    sample_rate_hz, frame_length
        Its rate in Hz; its window in samples where it is framewise.
    codebook_sizes
        One entry a codebook, where the encoder tells them.
    layers
        One row a site, in order.
    operators
        One row an operator, in order; empty where the encoder lists none.
    first_layer
        The first convolution's filters; ``None`` where it does not start with one.
    aliases
        Alias pairs, one record for each site asked about.
    seed
        Of every probe and null.
    undefined
        Reasons for what is ``None`` here. Each part holds its own.
    """

    encoder: str
    weights_id: str
    weights_label: str
    sample_rate_hz: int
    frame_length: int | None
    codebook_sizes: tuple[int, ...] | None
    layers: tuple[Layer, ...]
    operators: tuple[OperatorRow, ...] = field(repr=False)
    first_layer: FirstLayerAnatomy | None
    aliases: tuple[Aliases, ...]
    seed: int
    undefined: dict[str, str] = field(default_factory=dict)

    @property
    def mismatches(self) -> dict[str, str]:
        """Sites where measurement contradicts prediction, and how."""
        return {row.name: row.mismatch for row in self.layers if row.mismatch}

    def to_json(self) -> dict[str, Any]:
        """The whole record as plain data: null where undefined, reasons in ``undefined`` beside it."""
        found: dict[str, Any] = plain(self)
        return found

    def table(self) -> pd.DataFrame:
        """One row a site, the fields of `Layer` as columns; measured lengths as columns of their own.

        What is undefined is missing (``None`` or not-a-number, by the column's type).
        """
        import pandas as pd

        rows = [plain(replace(row, undefined={})) for row in self.layers]
        for row in rows:
            measured = row.pop("measured")
            row.pop("undefined")
            row |= {f"measured_{name}": measured[name] for name in measured if name != "undefined"}
            row["sentences"] = ". ".join(row["sentences"])
        return pd.DataFrame(rows).set_index("name")

    def render(self, console: Console) -> None:
        """Print the record on a rich console."""
        from tonotopy.anatomy.render import render

        render(self, console)


def anatomy_of(
    encoder: Encoder,
    *,
    seed: int = 0,
    alias_sites: Sequence[str] | None = None,
    geometry: bool = True,
    draws: int = 199,
) -> Anatomy:
    """Take an encoder's anatomy.

    Parameters
    ----------
    encoder : Encoder
        Any encoder: of any kind of sites, with or without a first convolution.
    seed : int
        Of probes and nulls.
    alias_sites : sequence of str, optional
        Sites at which to predict and observe alias pairs. By default those with the roles ``first_conv`` and
        ``stack_end`` (the first of each), and the first site at which anything folds; an empty sequence
        skips them.
    geometry : bool
        Whether to measure views and hops, which takes some passes a site.
    draws : int
        Draws of the nulls of the first layer's order.

    Returns
    -------
    Anatomy
        The record.

    Raises
    ------
    WeightsError
        Where the first layer's weights are not finite.
    InputError
        For a site that the encoder does not have, or one whose answers are not finite.
    AlignmentError
        Where a site asked about aliases has fewer frames than it declares.
    """
    first_layer = first_layer_anatomy(encoder, seed=seed, draws=draws)
    names = _alias_sites(encoder) if alias_sites is None else alias_sites
    sizes = codebook_sizes(encoder)
    return Anatomy(
        encoder=encoder.name,
        weights_id=encoder.weights_id,
        weights_label=encoder.weights_label,
        sample_rate_hz=encoder.sample_rate_hz,
        frame_length=encoder.frame_length,
        codebook_sizes=sizes,
        layers=_layers(encoder, seed=seed, geometry=geometry),
        operators=operator_rows(encoder.sites),
        first_layer=first_layer,
        aliases=tuple(aliases_at(encoder, encoder.site(name), seed=seed) for name in names),
        seed=seed,
        undefined=_undefined(encoder, first_layer, sizes),
    )


def _layers(encoder: Encoder, *, seed: int, geometry: bool) -> tuple[Layer, ...]:
    seen: set[Occurrence] = set()
    rows = []
    for site in encoder.sites:
        measured = measure(encoder, site, seed=seed) if geometry else unmeasured("not asked for")
        rows.append(layer(encoder, site, seen, measured))
        seen |= occurrences(site.operators)
    return tuple(rows)


def _alias_sites(encoder: Encoder) -> list[str]:
    """The first site of the roles first_conv and stack_end, and the first that folds, in order."""
    chosen = {_first(encoder, "first_conv"), _first(encoder, "stack_end")}
    folds = (site.name for site in encoder.sites if (cumulative_stride(encoder, site) or 1) > 1)
    chosen.add(next(folds, None))
    return [site.name for site in encoder.sites if site.name in chosen]


def _first(encoder: Encoder, role: str) -> str | None:
    named: list[Site] = [site for site in encoder.sites if site.role == role]
    return named[0].name if named else None


def _undefined(
    encoder: Encoder, first_layer: FirstLayerAnatomy | None, sizes: tuple[int, ...] | None
) -> dict[str, str]:
    reasons = {}
    if encoder.frame_length is None:
        reasons["frame_length"] = "not framewise"
    if first_layer is None:
        reasons["first_layer"] = "the encoder does not start with a convolution on the waveform"
    if sizes is None:
        reasons["codebook_sizes"] = "the encoder does not tell its codebooks"
    return reasons
