"""Figures of a sound by name: written to a file whose ending says the format."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tonotopy.views.clips._contract import Asked, check_taken, clip_figure
from tonotopy.views.clips._page import page
from tonotopy.views.clips._sound import DEFAULT_S, open_excerpt
from tonotopy.views.export import FORMATS, _write, format_of, save, save_table
from tonotopy.views.paper import styled

ENDINGS: Final = (*FORMATS, "html")


def save_clip_figure(
    name: str,
    clip: Path | str,
    path: Path | str,
    asked: Asked | None = None,
    *,
    start_s: float = 0.0,
    seconds: float = DEFAULT_S,
) -> Path:
    """Write a figure of a sound as SVG, PDF, PNG or interactive HTML, or the numbers that it draws as CSV.

    Parameters
    ----------
    name : str
        One of `tonotopy.views.clips._contract.clip_figure_names`.
    clip : path, or ``scores:NAME``
        An audio file, or a built-in chorale.
    path : path
        Where to; the ending says the format.
    asked : Asked, optional
        What the figure is told.
    start_s, seconds : float
        Which stretch of the sound, in seconds; at most 30 s.

    Returns
    -------
    pathlib.Path
        The path.

    Raises
    ------
    InputError
        For an unknown name, an option that the figure does not take, an unknown ending, what is no readable
        sound, or a path that cannot be written.
    """
    target, told = Path(path), asked or Asked()
    ending = format_of(target, ENDINGS)  # before anything is read
    module = clip_figure(name)
    check_taken(name, module, told)
    excerpt = open_excerpt(clip, start_s=start_s, seconds=seconds)
    prepared = module.prepare(excerpt, told)
    if ending == "csv":
        return save_table(module.data(prepared), target)
    if ending == "html":
        text = page(name, module.TITLE, excerpt, module.page(prepared))
        _write(target, text.encode("utf-8"))
        return target
    with styled():
        figure = module.draw(prepared)
    return save(figure, target)
