"""Figures, the report and what a terminal shows: a run folder as pictures and words.

In the order in which they build on one another:

- ``tables``: a run folder read and checked, `RunTables`
- ``words``, ``findings``: numbers as words and sentences
- ``palette``, ``paper``, ``axes``, ``export``: how everything is drawn and written
- ``figures``: one file a figure, found by listing the folder
- ``report``: the static page; ``terminal`` and ``notebook``: the verdict table elsewhere; ``compare``:
  several runs
- ``series``, ``series_report``, ``series_terminal``: the same of a series of runs; ``study_report``: the
  index of what a study file made

Every function takes a run folder, an opened run (anything with a ``path``) or `RunTables`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tonotopy.views.compare import compare_table as compare_table
    from tonotopy.views.compare import render_compare as render_compare
    from tonotopy.views.front import figure as figure
    from tonotopy.views.front import figure_names as figure_names
    from tonotopy.views.front import save_figure as save_figure
    from tonotopy.views.notebook import verdicts_html as verdicts_html
    from tonotopy.views.report import write_report as write_report
    from tonotopy.views.series import SeriesTables as SeriesTables
    from tonotopy.views.series_report import write_series_report as write_series_report
    from tonotopy.views.series_terminal import render_series as render_series
    from tonotopy.views.study_report import write_study_report as write_study_report
    from tonotopy.views.tables import RunTables as RunTables
    from tonotopy.views.terminal import render_show as render_show

__all__ = [
    "RunTables",
    "SeriesTables",
    "compare_table",
    "figure",
    "figure_names",
    "render_compare",
    "render_series",
    "render_show",
    "save_figure",
    "verdicts_html",
    "write_report",
    "write_series_report",
    "write_study_report",
]

# Where each name lives: a terminal that shows a table loads no drawing library.
_HOMES = {
    "RunTables": "tables",
    "SeriesTables": "series",
    "compare_table": "compare",
    "figure": "front",
    "figure_names": "front",
    "render_compare": "compare",
    "render_series": "series_terminal",
    "render_show": "terminal",
    "save_figure": "front",
    "verdicts_html": "notebook",
    "write_report": "report",
    "write_series_report": "series_report",
    "write_study_report": "study_report",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"tonotopy.views.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'tonotopy.views' has no attribute {name!r}; it has {', '.join(__all__)}")
