"""What encoders with a quantiser share: codes and numbers of stages are checked at the door."""

from __future__ import annotations

import torch

from tonotopy.core.errors import InputError


def checked_stages(stages: int | None, in_use: int) -> int:
    """How many stages are meant: all in use where none is named.

    Raises
    ------
    InputError
        Fewer than one, or more than are in use.
    """
    if stages is None:
        return in_use
    if not 1 <= stages <= in_use:
        raise InputError(f"1 to {in_use} stages", str(stages), "the quantiser has no more in use")
    return stages


def checked_codes(codes: torch.Tensor, codebooks: torch.Tensor) -> torch.Tensor:
    """Codes ``[batch, frame, stage]`` that codebooks ``[stage, code, unit]`` have, as int64.

    Raises
    ------
    InputError
        Another shape or type, more stages than are in use, or a code that its stage lacks.

    Examples
    --------
    >>> checked_codes(torch.zeros(1, 2, 3, dtype=torch.int32), torch.zeros(4, 8, 5)).dtype
    torch.int64
    """
    n_stages, n_codes = codebooks.shape[:2]
    expected = f"integer codes [batch, frame, stage] of 1 to {n_stages} stages, 0 to {n_codes - 1}"
    if codes.dtype.is_floating_point or codes.dtype == torch.bool:
        raise InputError(expected, f"{codes.dtype}", "activations at a site in the place of codes")
    if codes.dim() != 3 or not 1 <= codes.shape[2] <= n_stages:
        raise InputError(expected, f"{tuple(codes.shape)}", "axes in another order, or another bit rate")
    found = codes.to(codebooks.device, torch.int64)
    if found.numel() and (int(found.min()) < 0 or int(found.max()) >= n_codes):
        came = f"codes from {int(found.min())} to {int(found.max())}"
        raise InputError(expected, came, "codes of another quantiser")
    return found
