"""The ledger of claims, one file each: what is said of such models, and what a study says of it (SPEC § 11).

A claim file declares ``NAMES``, ``CITATION``, ``LICENCE``, ``CLAIM`` and ``answer(study) -> list[Answer]``: see
:mod:`tonotopy.judgement.claims._contract`. :func:`answers` asks all of them of the tables of a run or a series.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields

import pandas as pd

from tonotopy.core import registry
from tonotopy.judgement.claims._anatomy import anatomy_tables
from tonotopy.judgement.claims._contract import (
    ANSWERS,
    NO_SITE,
    NOT_SUPPORTED,
    SUPPORTED,
    UNDETERMINED,
    Answer,
    Claim,
    Found,
    Study,
    Unanswerable,
)

#: What a rule raises that meets words where it reads numbers, or a row that is not there. What was measured must not
#: be lost for that: the study is written, and the claim is undetermined.
DAMAGED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
#: Columns of the table of answers.
COLUMNS = ("number", *(one.name for one in fields(Answer)))

__all__ = [
    "ANSWERS",
    "COLUMNS",
    "NOT_SUPPORTED",
    "NO_SITE",
    "SUPPORTED",
    "UNDETERMINED",
    "Answer",
    "Claim",
    "Study",
    "anatomy_tables",
    "answers",
    "claim",
    "list_claims",
]


def list_claims() -> list[str]:
    """Names of all claims, in the order of the ledger.

    Examples
    --------
    >>> list_claims()[0], len(list_claims())
    ('first-layer-filters', 15)
    """
    return sorted(registry.plugins(__name__), key=lambda name: claim(name).number)


def claim(name: str) -> Claim:
    """One claim by name.

    Raises
    ------
    InputError
        No file declares it.

    Examples
    --------
    >>> claim("first-layer-filters").sentence
    'first-layer filters do not isolate partials'
    """
    found: Claim = registry.load(__name__, name, kind="claim").CLAIM
    return found


def answers(
    tables: Mapping[str, pd.DataFrame], *, model: str = "", names: Sequence[str] | None = None
) -> pd.DataFrame:
    """What the tables of a run or a series say of each claim: one row a claim and site, in the ledger's order.

    Parameters
    ----------
    tables : name -> DataFrame
        A run's tables and those of its anatomy (:func:`anatomy_tables`), or a series'. What is not there was not
        measured; of a table that cannot be read the claim is undetermined.
    model : str
        What the model is called.
    names : sequence of str, optional
        Names of claims; all of them by default.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`COLUMNS`; ``effect``, ``low``, ``high``, ``null`` and ``power`` are what the claim says.

    Raises
    ------
    InputError
        For a name that no claim has.

    Examples
    --------
    >>> found = answers({}, model="nothing")
    >>> len(found), set(found["answer"])
    (15, {'undetermined'})
    """
    rows = []
    for name in list_claims() if names is None else names:
        module = registry.load(__name__, name, kind="claim")
        study = Study(name, model, tables)
        try:
            found: list[Answer] = module.answer(study)
        except Unanswerable as reason:
            found = [Found(UNDETERMINED, str(reason)).at(study, NO_SITE)]
        except DAMAGED as error:
            tables_read = " or ".join(repr(table) for table in module.CLAIM.tables)
            why = f"the table {tables_read} is damaged or of another version ({type(error).__name__})"
            found = [Found(UNDETERMINED, f"{why}, run the study again").at(study, NO_SITE)]
        rows += [{"number": module.CLAIM.number} | asdict(one) for one in found]
    return pd.DataFrame(rows, columns=list(COLUMNS))
