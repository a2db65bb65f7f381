"""A trained codec as a folder that transformers reads."""

from __future__ import annotations

from pathlib import Path

import torch

from tonotopy.core.errors import InputError
from tonotopy.encoders import load_encoder
from tonotopy.encoders._seanet_weights import save_folder
from tonotopy.encoders.encodec import EncodecEncoder


def export_codec(checkpoint: str | Path, folder: str | Path, *, half: bool = False) -> Path:
    """Write ``config.json`` and ``model.safetensors`` of a codec's checkpoint into a folder.

    Raises
    ------
    InputError
        The checkpoint is of something else, or the folder holds files.
    """
    target = Path(folder)
    encoder = load_encoder(str(checkpoint))
    if not isinstance(encoder, EncodecEncoder):
        raise InputError(
            "a checkpoint of an EnCodec", encoder.name, "transformers knows no other kind of ours"
        )
    if target.exists() and any(path.suffix in {".json", ".safetensors"} for path in target.iterdir()):
        raise InputError(
            f"an empty folder at {target.name!r}", "a folder that holds a model", "choose another"
        )
    target.mkdir(parents=True, exist_ok=True)
    save_folder(target, encoder.config, encoder.nets, dtype=torch.float16 if half else torch.float32)
    return target
