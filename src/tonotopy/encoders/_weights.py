"""Reads weights safely, checks that they fit, and names them by their content.

Two formats: safetensors, and PyTorch's zip files read with ``weights_only=True``, which builds tensors and
nothing else. No other pickle is opened, so a file of weights cannot run code.

Offers :func:`read_weights`, :func:`fit_weights`, :func:`weights_id`, :func:`random_seed`.
"""

from __future__ import annotations

import hashlib
import inspect
import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from tonotopy.core.errors import InputError, WeightsError

MAX_BYTES = 8 * 2**30
"""A file of weights larger than this is refused unread: no encoder here is near it."""

BUNDLED = Path(__file__).parent / "bundled"
"""Weights that come with the package, each in a folder with its card; they were trained by it."""

State = Mapping[str, torch.Tensor]


def read_weights(path: str | Path) -> dict[str, torch.Tensor]:
    """State dict of a file: ``.safetensors``, or anything ``torch.save`` wrote that holds only tensors.

    A dict nested under ``state_dict``, ``model`` or ``best_state`` is found.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsError("a file of weights", repr(path.name), "no such file; check the path")
    size = path.stat().st_size
    if not 0 < size <= MAX_BYTES:
        raise WeightsError(f"weights of 1 to {MAX_BYTES} bytes", f"{path.name} of {size} bytes")
    loaded = _safetensors(path) if path.suffix == ".safetensors" else _torch(path)
    return _state(loaded, path.name)


def _safetensors(path: Path) -> Any:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError("a safetensors file", repr(path.name), f"damaged: {_line(error)}") from None


def _torch(path: Path) -> Any:
    try:
        with warnings.catch_warnings():
            # A bare pickle is read by the same safe reader, which refuses it or not; the warning adds nothing.
            warnings.filterwarnings("ignore", message="Detected pickle protocol")
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        cause = "the file is damaged, or holds code, which is never run; save a state_dict or use safetensors"
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, AttributeError, IndexError) as error:
        cause = f"the file is damaged: {_line(error)}"
    raise WeightsError("a PyTorch file of tensors only", repr(path.name), cause)


def _line(error: BaseException) -> str:
    return str(error).strip().split("\n", 1)[0][:120]


def _state(loaded: Any, name: str) -> dict[str, torch.Tensor]:
    for key in ("state_dict", "model", "best_state"):
        if isinstance(loaded, Mapping) and isinstance(loaded.get(key), Mapping):
            loaded = loaded[key]
    if not isinstance(loaded, Mapping):
        came = f"{type(loaded).__name__} in {name}"
        raise WeightsError("a state dict", came, "the file holds something else")
    state = {str(key): value for key, value in loaded.items() if isinstance(value, torch.Tensor)}
    if not state:
        raise WeightsError("a state dict", f"no tensor in {name}", "the file holds something else")
    return state


def fit_weights(model: torch.nn.Module, state: State, *, name: str) -> None:
    """Load a state dict into a model, strictly; what does not fit is summarised in one line.

    Parameters
    ----------
    model
        Takes the weights, in place; its dtype is kept.
    state
        Names to tensors.
    name
        Of the architecture, for the error.
    """
    own = model.state_dict()
    # A counter of training batches is no weight: older files lack it.
    missing = [key for key in own if key not in state and not key.endswith("num_batches_tracked")]
    unexpected = [key for key in state if key not in own]
    wrong = [
        f"{key} is {tuple(state[key].shape)}, not {tuple(own[key].shape)}"
        for key in own
        if key in state and state[key].shape != own[key].shape
    ]
    faults = [_some("missing", missing), _some("unexpected", unexpected), _some("of another shape", wrong)]
    if any(faults):
        came = "; ".join(fault for fault in faults if fault)
        raise WeightsError(f"weights of {name}", came, "a file of another architecture or size")
    bad = [key for key, value in state.items() if value.is_floating_point() and not value.isfinite().all()]
    if bad:
        came = _some("not finite", bad)
        raise WeightsError(f"finite weights of {name}", came, "a training run that diverged")
    model.load_state_dict(dict(state), strict=False)


def _some(what: str, keys: list[str], shown: int = 3) -> str:
    if not keys:
        return ""
    more = f" and {len(keys) - shown} more" if len(keys) > shown else ""
    return f"{len(keys)} {what} ({', '.join(keys[:shown])}{more})"


def weights_id(model: torch.nn.Module) -> str:
    """Content address of a model's parameters and buffers: sha256 over sorted names, shapes, dtypes, bytes.

    Examples
    --------
    >>> conv = torch.nn.Conv1d(1, 2, 3)
    >>> weights_id(conv) == weights_id(conv), weights_id(conv)[:7]
    (True, 'sha256:')
    """
    return state_id(model.state_dict())


def state_id(state: State) -> str:
    """Content address of a state dict, as :func:`weights_id` gives it for the model that it fits."""
    digest = hashlib.sha256()
    for name, tensor in sorted(state.items()):
        array = tensor.detach().cpu().contiguous()
        digest.update(f"{name}|{tuple(array.shape)}|{array.dtype}\n".encode())
        digest.update(array.reshape(-1).view(torch.uint8).numpy().tobytes())
    return f"sha256:{digest.hexdigest()}"


def source_id(model: torch.nn.Module) -> str:
    """Hash of the source of a model's classes, those of torch left out: the same weights may be used otherwise.

    A class without source (typed at a prompt) counts by its name.
    """
    digest = hashlib.sha256()
    classes = {type(module) for module in model.modules()}
    for found in sorted(classes, key=lambda c: (c.__module__, c.__qualname__)):
        if found.__module__.split(".")[0] == "torch":
            continue
        try:
            source = inspect.getsource(found)
        except (OSError, TypeError):
            source = ""
        digest.update(f"{found.__qualname__}\0{source}\0".encode())
    return f"sha256:{digest.hexdigest()}"


def random_seed(weights: str | None) -> int | None:
    """The seed in ``random:SEED``; None where the words mean something else.

    Examples
    --------
    >>> random_seed("random:3"), random_seed("model.pth")
    (3, None)
    """
    if weights is None or not weights.startswith("random:"):
        return None
    seed = weights.removeprefix("random:")
    if not seed.isdecimal():
        raise InputError("random:SEED", repr(weights), "the seed is a whole number from 0, as in random:0")
    return int(seed)
