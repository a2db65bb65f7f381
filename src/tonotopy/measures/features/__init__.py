"""Single features (SPEC § 5): their tuning, what each answers to, their order, against directions that mean nothing.

``tune`` measures all features of a site on recordings of one structure; ``answers`` names what each answers to;
``meaningless`` and ``against`` give the null; ``tonotopic_order`` asks for order and coverage.
"""

from __future__ import annotations

from tonotopy.measures.features.answers import LABELS, Answers, answers
from tonotopy.measures.features.null import Against, against, meaningless
from tonotopy.measures.features.order import TonotopicOrder, tonotopic_order
from tonotopy.measures.features.tuned import Tuned, tune

__all__ = [
    "LABELS",
    "Against",
    "Answers",
    "TonotopicOrder",
    "Tuned",
    "against",
    "answers",
    "meaningless",
    "tonotopic_order",
    "tune",
]
