"""Compare generated trips with real ones: the eight metrics of paper A.4, each beside its noise floor.

Takes trips and a city, never models. `Survey` measures, `Scale`, `Binned` and `score` compare what was measured, and
`evaluate` is the whole way.
"""

from htp.evaluate.evaluation import evaluate
from htp.evaluate.measure import Measures, Survey
from htp.evaluate.report import Report
from htp.evaluate.scores import METRICS, Binned, Scale, noise_floor, score
from htp.evaluate.validity import Validity, validity

__all__ = [
    "METRICS",
    "Binned",
    "Measures",
    "Report",
    "Scale",
    "Survey",
    "Validity",
    "evaluate",
    "noise_floor",
    "score",
    "validity",
]
