"""Compare generated trips with real ones: the eight metrics of paper A.4, each beside its noise floor.

Takes trips and a city, never models. `Survey` measures, `Binning`, `Binned` and `score` compare what was measured,
`closest_training` looks for copies of training trips, and `evaluate` is the whole way.
"""

from htp.evaluate.bootstrap import Interval, intervals
from htp.evaluate.closest import Closest, closest_training
from htp.evaluate.evaluation import evaluate
from htp.evaluate.measure import Measures, Survey
from htp.evaluate.report import Report
from htp.evaluate.scores import BEYOND, METRICS, Binned, Binning, noise_floor, score
from htp.evaluate.validity import Validity, validity

__all__ = [
    "BEYOND",
    "METRICS",
    "Binned",
    "Binning",
    "Closest",
    "Interval",
    "Measures",
    "Report",
    "Survey",
    "Validity",
    "closest_training",
    "evaluate",
    "intervals",
    "noise_floor",
    "score",
    "validity",
]
