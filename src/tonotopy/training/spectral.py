"""Distances between sounds: multi-resolution spectral distance and scale-invariant signal-to-distortion ratio.

The multi-resolution spectral distance is that of EnCodec's reconstruction loss in spirit (Défossez et al.
2022, § 3.4), on magnitudes of the short-time Fourier transform in place of mel bands: per resolution the
mean absolute difference of magnitudes re the mean magnitude of the target, plus the mean absolute difference of
log magnitudes (natural logarithm) above a floor 80 dB below full scale. The same function trains the codec and
measures it; a figure is the mean over resolutions.
"""

from __future__ import annotations

import torch

RESOLUTIONS = (128, 256, 512, 1024, 2048)
"""Samples of a window; the hop is a quarter."""
FLOOR = 1e-4
"""Magnitude (re a full-scale sine's at unit gain) below which a bin is silence."""


def magnitudes(sound: torch.Tensor, window: int) -> torch.Tensor:
    """Magnitudes ``[batch, bin, frame]`` of ``[batch, time]``; a full-scale sine reads about 1."""
    shape = torch.hann_window(window, device=sound.device)
    found = torch.stft(
        sound, window, window // 4, window=shape, return_complex=True, center=True, pad_mode="constant"
    )
    # The square root has no gradient at nothing.
    power = found.real.square() + found.imag.square()
    return (power + 1e-12).sqrt() * (2 / shape.sum())


def spectral_distance(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Multi-resolution spectral distance of ``[batch, time]`` sounds; a scalar, without unit.

    Examples
    --------
    >>> x = torch.randn(2, 4096, generator=torch.Generator().manual_seed(0)) / 10
    >>> float(spectral_distance(x, x))
    0.0
    """
    total = output.new_zeros(())
    for window in RESOLUTIONS:
        ours, theirs = magnitudes(output, window), magnitudes(target, window)
        level = theirs.mean(dim=(1, 2)) + FLOOR
        linear = ((ours - theirs).abs().mean(dim=(1, 2)) / level).mean()
        log = ((ours + FLOOR).log() - (theirs + FLOOR).log()).abs().mean()
        total = total + linear + log
    return total / len(RESOLUTIONS)


def si_sdr(output: torch.Tensor, target: torch.Tensor, *, least: float = 1e-8) -> torch.Tensor:
    """Scale-invariant signal-to-distortion ratio in dB, ``[batch]`` (Le Roux et al. 2019); means are removed.

    Examples
    --------
    >>> x = torch.randn(1, 4096, generator=torch.Generator().manual_seed(0))
    >>> noise = torch.randn(1, 4096, generator=torch.Generator().manual_seed(1)) / 10
    >>> round(float(si_sdr(3 * (x + noise), x)))
    20
    """
    output = output - output.mean(dim=-1, keepdim=True)
    target = target - target.mean(dim=-1, keepdim=True)
    scale = (output * target).sum(dim=-1, keepdim=True) / (target.square().sum(dim=-1, keepdim=True) + least)
    wanted = scale * target
    rest = output - wanted
    ratio = (wanted.square().sum(dim=-1) + least) / (rest.square().sum(dim=-1) + least)
    return 10 * ratio.log10()


def residual_ratio_db(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Power of the error re the target's in dB, ``[batch]``: minus the signal-to-noise ratio."""
    error = (output - target).square().mean(dim=-1)
    return 10 * ((error + 1e-7) / (target.square().mean(dim=-1) + 1e-7)).log10()
