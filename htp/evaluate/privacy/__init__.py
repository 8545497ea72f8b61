"""Audit what a generator gives away of the trips it was trained on (not in the paper).

Copies and near copies, membership inference by both models and by the generated trips, rare routes, and places like
homes; each beside what held-out trips show or guessing would give.
"""

from htp.evaluate.privacy.audit import audit
from htp.evaluate.privacy.result import Audit, AuditFigure

__all__ = ["Audit", "AuditFigure", "audit"]
