"""Figures by name: drawn, or written to a file whose ending says the format."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from tonotopy.views.export import format_of, save, save_table
from tonotopy.views.figures._contract import figure_module, figure_names
from tonotopy.views.tables import InFolder, RunTables, as_run

__all__ = ["figure", "figure_names", "save_figure"]


def figure(name: str, run: RunTables | InFolder | Path | str, site: str | None = None) -> Figure:
    """Draw a figure of a run.

    Parameters
    ----------
    name : str
        One of `figure_names`.
    run : RunTables, opened run or path
        The run, or its folder.
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
    module = figure_module(name)
    return module.draw(as_run(run), site=site)


def save_figure(
    name: str, run: RunTables | InFolder | Path | str, path: Path | str, site: str | None = None
) -> Path:
    """Write a figure as SVG, PDF or PNG, or the numbers that it draws as CSV.

    Parameters
    ----------
    name : str
        One of `figure_names`.
    run : RunTables, opened run or path
        The run, or its folder.
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
    module = figure_module(name)
    if format_of(target) == "csv":
        return save_table(module.data(as_run(run), site), target)
    return save(module.draw(as_run(run), site=site), target)
