"""What the features of one source at one site are: whether they stabilise, what they answer to, what kind they are.

Everything is measured on the same frames of natural sound and the same trials, and set against random directions of
the same site, which several sources share.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binomtest

from tonotopy.features.sources import Features
from tonotopy.features.stabilised import Stabilised
from tonotopy.features.stability import Stability
from tonotopy.judgement.verdict import Thresholds
from tonotopy.measures import features as single
from tonotopy.measures.natural.kinds import UNDEFINED, UNEXPLAINED, Kinds, kinds
from tonotopy.measures.natural.receptive_field import ReceptiveFields, receptive_fields
from tonotopy.recording.natural import NaturalFrames, NaturalSound
from tonotopy.recording.recording import Recording
from tonotopy.signal import erb
from tonotopy.signal.descriptors import Descriptors
from tonotopy.sound.structures import Structure

#: Components of a mixture that a table names.
NAMED = 4


@dataclass(frozen=True)
class Trials:
    """Recorded trials of one structure at one site."""

    structure: Structure
    families: Mapping[str, Recording] = field(repr=False)
    targets: NDArray[np.float64] = field(repr=False)  # coordinates of the structure
    out_of_band: NDArray[np.bool_] = field(repr=False)  # [target]


@dataclass(frozen=True)
class SiteSound:
    """All that is known of one site, whatever the features: sound, its descriptors, trials, random directions."""

    sound: NaturalSound = field(repr=False)
    descriptors: Descriptors = field(repr=False)
    trials: Mapping[str, Trials] = field(repr=False)  # structure -> trials
    random: single.Tuned = field(repr=False)  # random directions, tuned to partials
    random_answers: single.Answers = field(repr=False)
    n_resamples: int
    seed: int

    @property
    def natural(self) -> NaturalFrames:
        """Frames of the one site."""
        return next(iter(self.sound.sites.values()))

    @staticmethod
    def of(
        sound: NaturalSound,
        descriptors: Descriptors,
        trials: Mapping[str, Trials],
        *,
        n_resamples: int,
        seed: int,
    ) -> SiteSound:
        """Tune the random directions, once for all sources."""
        partial = trials["partial"]
        rate = next(iter(sound.sites.values())).sample_rate_hz
        random = single.tune(
            single.meaningless(partial.families["music"], seed=seed),
            partial.families,
            partial.targets,
            rate,
            structure=partial.structure,
            seed=seed,
            resamples=0,
            out_of_band=partial.out_of_band,
            vary=False,
        )
        named = single.answers(random, limits=Thresholds())
        return SiteSound(sound, descriptors, trials, random, named, n_resamples, seed)


@dataclass(frozen=True)
class FeatureResult:
    """What the features of one source are."""

    found: Stabilised
    tuned: Mapping[str, single.Tuned]  # structure -> tuning
    answers: single.Answers
    against: single.Against
    order: single.TonotopicOrder
    kinds: Kinds
    fields: ReceptiveFields

    @property
    def features(self) -> Features:
        """What was asked."""
        return self.found.features

    @property
    def stability(self) -> Stability:
        """Their coherence, against random directions at the same place."""
        return self.found.stability

    @property
    def stabilised(self) -> NDArray[np.bool_]:
        """Coherent as waveforms, and found again, ``[feature]``."""
        return np.asarray(self.found.stabilised == "yes")


def study_features(found: Stabilised, site: SiteSound) -> FeatureResult:
    """Ask the features of one source what they are."""
    natural, features = site.natural, found.features
    tuned = {
        name: single.tune(
            features.of,
            trials.families,
            trials.targets,
            natural.sample_rate_hz,
            structure=trials.structure,
            seed=site.seed,
            resamples=site.n_resamples,
            out_of_band=trials.out_of_band,
            vary=name == "partial",
        )
        for name, trials in site.trials.items()
    }
    partial = tuned["partial"]
    named = single.answers(partial, limits=Thresholds(), pitch=tuned.get("pitch"), chord=tuned.get("chord"))
    passes = named.label == "partial"
    return FeatureResult(
        found=found,
        tuned=tuned,
        answers=named,
        against=single.against(partial, site.random),
        order=single.tonotopic_order(
            partial.best,
            partial.targets,
            ordered=passes | (partial.best_detection >= Thresholds().detection),
            partials=passes,
            null_hz=site.random.best[site.random.defined],
            seed=site.seed,
        ),
        kinds=kinds(features.of(natural.frames), site.descriptors, natural.piece, seed=site.seed),
        fields=_fields(features, site),
    )


def _fields(features: Features, site: SiteSound) -> ReceptiveFields:
    name = site.natural.site.name
    return receptive_fields(site.sound, [name], features=features.of, seed=site.seed)[name]


def feature_table(found: FeatureResult) -> pd.DataFrame:
    """One row a feature."""
    partial, fields = found.tuned["partial"], found.fields
    columns = partial.columns()
    rows = pd.DataFrame(
        {
            "feature": found.features.names,
            "number": np.arange(len(found.features)),
            "label": found.answers.label,
            "failing": found.answers.failing,
            "best_hz": np.where(partial.defined, partial.best, np.nan),
            **{name: columns[name] for name in columns if name not in ("best", "undefined")},
            "components": _components(partial),
            "p_specificity": found.against.p_specificity,
            "q_specificity": found.against.q_specificity,
            "p_identification": found.against.p_identification,
            "kind": found.kinds.kind,
            "r2": found.kinds.r2,
            "unique": found.kinds.named,
            "p_kind": found.kinds.p_kind,
            "field_hz": fields.best_hz,
            "field_width_erb": fields.bandwidth_erb,
            "field_latency_ms": fields.latency_ms,
            "field_r": fields.r,
            "field_r_null": fields.r_null,
        }
    )
    for k, family in enumerate(found.kinds.families):
        rows[f"unique_{family}"] = found.kinds.unique[k]
    return pd.concat([rows, pd.DataFrame(_stability_columns(found))], axis=1)


def _stability_columns(found: FeatureResult) -> dict[str, Any]:
    """Coherences with their null; the judged one of spectra is the lift of one band."""
    stable, recurrence = found.stability, found.found.recurrence
    undefined = np.full(len(found.features), np.nan)
    columns: dict[str, Any] = {
        "stabilised": found.found.stabilised,
        "spectrally_stable": np.where(
            np.isfinite(stable.p_lift), np.where(stable.spectrally_stable, "yes", "no"), "undefined"
        ),
        "recurrence": undefined if recurrence is None else recurrence.recurrence,
        "p_recurrence": undefined if recurrence is None else recurrence.p_recurrence,
        "centre_hz": np.asarray(erb.frequency_hz(stable.centre_erb)),
    }
    for name in ("waveform", "lift", "spectral"):
        columns[name] = getattr(stable, name)
        columns[f"null_{name}"] = getattr(stable, f"null_{name}")
        columns[f"p_{name}"] = getattr(stable, f"p_{name}")
    return columns


def _components(tuned: single.Tuned) -> list[str]:
    """Frequencies of the lobes in music, the highest first, in words."""
    assert tuned.shape is not None
    rows = tuned.shape.component_hz[:, :NAMED]
    return [", ".join(f"{hz:.0f} Hz" for hz in row[np.isfinite(row)]) for row in rows]


def site_row(found: FeatureResult, site: SiteSound) -> dict[str, Any]:
    """What belongs to all features of one source at one site."""
    stable, partial = found.stability, found.tuned["partial"]
    counts = found.answers.counts
    # What is undefined is no answer: it stands in no share.
    told = found.stabilised[found.found.stabilised != "undefined"]
    low, high = wilson(int(told.sum()), len(told))
    given = stable.spectrally_stable[found.stabilised & np.isfinite(stable.p_lift)]
    given_low, given_high = wilson(int(given.sum()), len(given))
    mixtures = found.answers.label == "mixture"
    random = site.random_answers.label
    random = random[random != "undefined"]
    kind = np.array(found.kinds.kind)
    variation = partial.variation
    excess = variation.mean(mixtures) if variation is not None else (float("nan"),) * 3
    row: dict[str, Any] = {
        "n": len(found.features),
        "n_defined": len(told),
        "n_stabilised": int(told.sum()),
        "share_stabilised": share(told),
        "low_stabilised": low,
        "high_stabilised": high,
        "n_stable_waveform": int(stable.stabilised.sum()),
        "n_stable_spectral": int(stable.spectrally_stable.sum()),
        "share_p05_waveform": stable.share(stable.p_waveform),
        "share_p05_spectral": stable.share(stable.p_lift),
        "spectral_given_stabilised": share(given),
        "low_spectral_given": given_low,
        "high_spectral_given": given_high,
        "share_partial_random": share(random == "partial"),
        "share_mixture_random": share(random == "mixture"),
        "n_found": int(found.against.found.sum()),
        "variation": excess[0],
        "low_variation": excess[1],
        "high_variation": excess[2],
        "variation_noise": float("nan"),
        "order_rho": found.order.order,
        "order_p": found.order.order_p,
        "coverage": found.order.coverage,
        "coverage_null": found.order.coverage_null,
        "coverage_p": found.order.coverage_p,
        "share_unexplained": share(kind[kind != UNDEFINED] == UNEXPLAINED),
        "r2": median(found.kinds.r2),
        "field_r": median(found.fields.r),
        "field_r_null": median(found.fields.r_null),
    }
    if variation is not None and mixtures.any():
        row["variation_noise"] = median(variation.noise[mixtures])
    return row | {f"n_{label}": counts[label] for label in single.LABELS}


def share(flags: NDArray[np.bool_]) -> float:
    """Share of what is true; NaN of nothing."""
    return float(flags.mean()) if len(flags) else float("nan")


def median(values: NDArray[np.float64]) -> float:
    """Median of what is defined; NaN where nothing is."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")


def wilson(successes: int, n: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927); NaN of nothing.

    Examples
    --------
    >>> tuple(round(end, 2) for end in wilson(5, 10))
    (0.24, 0.76)
    """
    if not n:
        return float("nan"), float("nan")
    found = binomtest(successes, n).proportion_ci(method="wilson")
    return float(found.low), float(found.high)
