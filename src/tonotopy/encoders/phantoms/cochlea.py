"""The cochlea and what can be done to it without, and with, harm: rotation, gain control, an outlier, superposition.

A gammatone bank, half-wave rectified, averaged over a window, compressed. All variants read one bank, in
one pass; each variant is a site.
"""

from __future__ import annotations

from tonotopy.encoders.phantoms._base import SAMPLE_RATE_HZ, Expectation
from tonotopy.encoders.phantoms._cochlea import CHANNELS, PROJECTIONS, SUPERPOSED_CHANNELS, Cochlea

NAMES = (
    "cochlea",
    "rotated-cochlea",
    "divisive-cochlea",
    "loud-cochlea",
    "sparse-only-cochlea",
    "superposed-cochlea",
)
#: The superposed cochlea has more channels, and several sites of its own.
ALONE = ("superposed-cochlea",)
CITATION = "Patterson et al. 1987 (gammatone); SPEC of tonotopy, § 8"
LICENCE = "MIT"
EXPECTED = {
    "cochlea": (Expectation("site", "stable", least=0.8),),
    "rotated-cochlea": (Expectation("site", "stable", least=0.8),),
    "divisive-cochlea": (Expectation("site", "stable", least=0.8),),
    "loud-cochlea": (Expectation("site", "stable", least=0.8),),
    "sparse-only-cochlea": (Expectation("site", "coincidental", least=0.8),),
    "superposed-cochlea": (Expectation("site", "entangled", least=0.8, mean_over_sites=True),),
}


def open_encoder(name: str, *, seed: int = 0, sample_rate_hz: int = SAMPLE_RATE_HZ) -> Cochlea:
    """One variant as an encoder with one site (the superposed cochlea has one a projection)."""
    if name == "superposed-cochlea":
        sites = [f"superposed-{k}" for k in range(PROJECTIONS)]
        return Cochlea(name, sites, seed=seed, sample_rate_hz=sample_rate_hz, channels=SUPERPOSED_CHANNELS)
    return Cochlea(name, [name], seed=seed, sample_rate_hz=sample_rate_hz, channels=CHANNELS)


def open_family(*, seed: int = 0, sample_rate_hz: int = SAMPLE_RATE_HZ) -> Cochlea:
    """All variants of the 64-channel cochlea as sites of one encoder: one pass for all."""
    variants = [name for name in NAMES if name != "superposed-cochlea"]
    return Cochlea("cochlea-family", variants, seed=seed, sample_rate_hz=sample_rate_hz, channels=CHANNELS)
