"""Verdicts between floor and ceiling, and the ceiling as a trained positive control (SPEC § 2).

A frequency at a site is

- *does*: the model's line passes;
- *could, does not*: it fails, and the line of the same architecture fitted to report partials passes;
- *cannot*: both fail. It says what this ceiling could not, and a ceiling is a lower bound of what its
  architecture can do: it is trained for some minutes, and asked only at the end of the stack, so that at sites
  before that it says what was of use on the way;
- *undefined*: the model's verdict or the ceiling's is.

The control turns the comparison round. Where the ceiling reports a band well (R^2 of its level on held-out
pieces above :data:`CONTROL_R2`), the instrument must read it as stable; it passes where it does for
:data:`CONTROL_SHARE` of such frequencies, which is what a phantom must reach (SPEC § 8). Where no band is
reported so well, there is no control, and nothing is said against the instrument or for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: In the order in which shares are listed.
CEILING_STATES = ("cannot", "could, does not", "does", "undefined")
#: Explained variance of a level above which the instrument must read the frequency as stable.
CONTROL_R2 = 0.9
#: Share of such frequencies that must be stable.
CONTROL_SHARE = 0.8


def against_ceiling(model: NDArray[np.object_], ceiling: NDArray[np.object_]) -> NDArray[np.object_]:
    """Where each verdict of a model lies below its ceiling, ``[frequency]``.

    Parameters
    ----------
    model, ceiling
        What the line of each reads by itself (passes, coincidental, entangled, absent or undefined),
        ``[frequency]``.

    Examples
    --------
    >>> model = np.array(["passes", "absent", "entangled", "absent"], dtype=object)
    >>> ceiling = np.array(["absent", "passes", "absent", "undefined"], dtype=object)
    >>> against_ceiling(model, ceiling).tolist()
    ['does', 'could, does not', 'cannot', 'undefined']
    """
    does, could = model == "passes", ceiling == "passes"
    undefined = (model == "undefined") | ((ceiling == "undefined") & ~does)
    states = np.select([undefined, does, could], ["undefined", "does", "could, does not"], default="cannot")
    return states.astype(object)


@dataclass(frozen=True)
class Control:
    """The ceiling set against the instrument."""

    n_reported: int  # frequencies whose band the ceiling reports
    n_stable: int  # of these, stable at the end of the stack
    missed_hz: tuple[float, ...]  # the others
    best_r2: float  # the largest R^2 of any band

    @property
    def share(self) -> float:
        """Share of the reported frequencies that read stable; NaN where there is none."""
        return self.n_stable / self.n_reported if self.n_reported else float("nan")

    @property
    def passes(self) -> bool | None:
        """Whether enough of them do; None where there is none."""
        return self.share >= CONTROL_SHARE if self.n_reported else None


def positive_control(
    frequency_hz: NDArray[np.floating], level_r2: NDArray[np.floating], verdict: NDArray[np.object_]
) -> Control:
    """The control, from R^2 and verdicts under the ceiling at the end of its stack, all ``[frequency]``.

    Examples
    --------
    >>> verdict = np.array(["stable", "stable", "absent"], dtype=object)
    >>> control = positive_control(np.array([100.0, 200.0, 400.0]), np.array([0.95, 0.8, 0.92]), verdict)
    >>> control.share, control.passes, control.missed_hz
    (0.5, False, (400.0,))
    """
    # A frequency that is undefined in this music was not asked.
    asked = verdict != "undefined"
    reported = asked & (np.nan_to_num(level_r2, nan=-1.0) > CONTROL_R2)
    stable = reported & (verdict == "stable")
    known = level_r2[np.isfinite(level_r2)]
    return Control(
        n_reported=int(reported.sum()),
        n_stable=int(stable.sum()),
        missed_hz=tuple(float(f) for f in frequency_hz[reported & ~stable]),
        best_r2=float(known.max()) if len(known) else float("nan"),
    )
