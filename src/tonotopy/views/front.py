"""Figures by name: drawn, or written to a file whose ending says the format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from tonotopy.core.errors import InputError
from tonotopy.views.export import format_of, save, save_table
from tonotopy.views.figures._contract import FigureModule, figure_module, figure_names, series_figures
from tonotopy.views.series import SeriesTables, Subject, as_subject
from tonotopy.views.tables import InFolder

__all__ = ["figure", "figure_names", "save_figure"]


def figure(name: str, run: Subject | InFolder | Path | str, site: str | None = None) -> Figure:
    """Draw a figure of a run, or of a series.

    Parameters
    ----------
    name : str
        One of `figure_names`.
    run : RunTables, SeriesTables, opened run or path
        The run or series, or its folder.
    site : str, optional
        One site; by default all, or those that the figure singles out.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.

    Raises
    ------
    InputError
        For an unknown name or site.
    RunError
        For a folder that cannot be read.
    """
    module, subject = _pair(name, run)
    return module.draw(subject, site=site)


def save_figure(
    name: str, run: Subject | InFolder | Path | str, path: Path | str, site: str | None = None
) -> Path:
    """Write a figure as SVG, PDF or PNG, or the numbers that it draws as CSV.

    Parameters
    ----------
    name : str
        One of `figure_names`.
    run : RunTables, SeriesTables, opened run or path
        The run or series, or its folder.
    path : path
        Where to; the ending says the format.
    site : str, optional
        One site; by default all, or those that the figure singles out.

    Returns
    -------
    pathlib.Path
        The path.

    Raises
    ------
    InputError
        For an unknown name, site or ending, or a path that cannot be written.
    RunError
        For a folder that cannot be read.
    """
    target = Path(path)
    format_of(target)  # before anything is read
    module, subject = _pair(name, run)
    if format_of(target) == "csv":
        return save_table(module.data(subject, site), target)
    return save(module.draw(subject, site=site), target)


def _pair(name: str, run: Subject | InFolder | Path | str) -> tuple[FigureModule, Any]:
    """A figure and what it is drawn from; figures of one run refuse a series."""
    module, subject = figure_module(name), as_subject(run)
    if isinstance(subject, SeriesTables) and not getattr(module, "OF_SERIES", False):
        cause = "it is drawn from one run: name the folder of a member"
        raise InputError("a figure of a series", repr(name), cause, series_figures())
    return module, subject
