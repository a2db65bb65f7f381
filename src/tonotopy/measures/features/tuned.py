"""All that is asked of the single features of a site about one structure; :func:`tune` is the front door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.measures.features.responses import Floats, Function, Responses, responses
from tonotopy.measures.features.single import Single, single
from tonotopy.measures.features.tuning import MUSIC, Curves, Shape, shape, tuning
from tonotopy.measures.features.variation import Variation, variation
from tonotopy.measures.measures import JUDGED, Measures
from tonotopy.recording.recording import Recording
from tonotopy.sound.structures import Structure, partial
from tonotopy.statistics.bootstrap import LEAST_PIECES, piece_weights

#: Fewer frames a side leave a feature undefined, and so does a value that hardly varies or responds (shares of its
#: rms over music): as in the verdicts on sites.
LEAST_FRAMES = 12
DEAD = 1e-6
#: Resamples of pieces.
RESAMPLES = 100


@dataclass(frozen=True)
class Tuned:
    """Single features of one site and one structure. Arrays are ``[feature]`` unless said otherwise."""

    structure: str
    targets: Floats = field(repr=False)  # [target] coordinates of the structure; Hz for partials and pitches
    curves: Curves = field(repr=False)
    shape: Shape | None = field(repr=False)  # of the curve in music; partials only
    family_shapes: Mapping[str, Shape] = field(repr=False)  # of each family's own curve; partials only
    measures: Measures = field(repr=False)  # [resample, feature], at the best target, in music
    detection: Floats = field(repr=False)  # [feature, target] in music, whether the value rises or falls
    variation: Variation | None = field(repr=False)
    undefined: tuple[str, ...] = field(repr=False)  # reason, "" where defined
    n_pieces: int

    def __len__(self) -> int:
        return len(self.undefined)

    @property
    def defined(self) -> NDArray[np.bool_]:
        """Whether anything can be said of the feature."""
        return np.array([not reason for reason in self.undefined], dtype=bool)

    @property
    def best(self) -> Floats:
        """Best target as a coordinate of the structure (partials: best frequency in Hz)."""
        return self.targets[self.curves.best]

    @property
    def best_detection(self) -> Floats:
        """Detection at the target that is detected best, in music."""
        return np.max(np.nan_to_num(self.detection), axis=1)

    def columns(self) -> dict[str, NDArray[Any]]:
        """One column a measure, ``[feature]``, named as a table names them.

        Components are four columns, the highest lobe in music first; levels are in dB re the natural level.
        """
        found: dict[str, NDArray[Any]] = {
            "best": self.best,
            "sign": self.curves.sign,
            "best_detection": self.best_detection,
            "tuning_correlation": self.curves.correlation,
            "one_way": self.curves.one_way,
            "undefined": np.array(self.undefined),
        }
        for name in (*JUDGED, "tonality", "audiogram_db"):
            found[name] = np.where(self.defined, self.measures.point(name), np.nan)
        if self.shape is not None:
            found |= {"width_erb": self.shape.width_erb, "lobes": self.shape.lobes}
            found["above_half"] = self.shape.above_half
            for k in range(self.shape.component_hz.shape[1]):
                found[f"component_{k + 1}_hz"] = self.shape.component_hz[:, k]
        if self.variation is not None:
            for name in ("variation", "noise", "excess", "excess_low", "excess_high"):
                label = name if name == "variation" else f"variation_{name}"
                found[label] = getattr(self.variation, name)
        return found


def tune(
    of: Function,
    families: Mapping[str, Recording],
    targets: Floats,
    sample_rate_hz: int,
    *,
    structure: Structure = partial.STRUCTURE,
    seed: int = 0,
    resamples: int = RESAMPLES,
    out_of_band: NDArray[np.bool_] | None = None,
    vary: bool = True,
) -> Tuned:
    """Tuning and measures of every feature.

    Parameters
    ----------
    of : raw frames ``[..., unit]`` to values ``[..., feature]``: ``Features.of``
    families : family -> Recording of the site; music among them, with its extra sounds, and another family
    targets : the grid as coordinates of the structure, ``[target]``
    resamples : of pieces, for the bootstrap of the measures
    out_of_band : targets that no feature's best may be, ``[target]``
    vary : also measure how curves vary over families, which takes about as long as all else

    Raises
    ------
    InputError
        No music, or nothing but music: a best target is chosen on the other families.
    """
    if MUSIC not in families or len(families) < 2:
        came = ", ".join(families) or "none"
        raise InputError("recordings of music and of another family", came, "a study of some families only")
    music = families[MUSIC]
    found = {name: responses(of, recording) for name, recording in families.items()}
    curves = tuning(found, targets, structure, left_out=out_of_band)
    pieces = len(np.unique(music.trials.piece))
    weights = piece_weights(pieces, resamples, seed=seed)
    own = single(
        of,
        music,
        found[MUSIC],
        best=curves.best,
        sign=curves.sign,
        targets=targets,
        sample_rate_hz=sample_rate_hz,
        structure=structure,
        weights=weights,
    )
    shapes = (
        {name: shape(curves.of(name), targets) for name in families} if structure.name == "partial" else {}
    )
    return Tuned(
        structure=structure.name,
        targets=targets,
        curves=curves,
        shape=shapes.get(MUSIC),
        family_shapes=shapes,
        measures=own.measures,
        detection=own.detection,
        variation=variation(found, targets, structure, seed=seed) if vary else None,
        undefined=_reasons(found[MUSIC], own, curves, pieces),
        n_pieces=pieces,
    )


def _reasons(music: Responses, own: Single, curves: Curves, pieces: int) -> tuple[str, ...]:
    """Why each feature is undefined, or an empty string."""
    n = len(curves.best)
    if pieces < LEAST_PIECES:
        return (f"{pieces} pieces, fewer than {LEAST_PIECES}",) * n
    size = np.sqrt(music.absent_square)
    spread = np.sqrt(np.maximum(music.absent_square - music.absent_mean**2, 0.0))
    ok = np.isfinite(music.square).all(axis=(0, 2))
    response = np.sqrt(music.square[:, ok].mean(axis=(0, 1), dtype=np.float64)) if ok.any() else np.zeros(n)
    frames = own.measures.frames
    reasons = []
    for f in range(n):
        if not (spread[f] > DEAD * size[f] and spread[f] > 0):
            reasons.append("dead: its value does not vary over music")
        elif not response[f] > DEAD * size[f]:
            reasons.append("dead: it does not respond in music")
        elif frames[f] < LEAST_FRAMES:
            reasons.append(f"{int(frames[f])} valid frames a side, fewer than {LEAST_FRAMES}")
        else:
            reasons.append("")
    return tuple(reasons)
