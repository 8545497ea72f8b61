"""Every metric on one scale: noise floors away from perfect."""

from __future__ import annotations

import pytest

from htp.evaluate.apart import Apart, floors_apart, verdict
from htp.evaluate.bootstrap import Interval
from htp.evaluate.report import Line


def line(value: float, floor: float, *, low_is_good: bool) -> Line:
    return Line("T-Dist", value, floor, None, low_is_good, Interval(0.0, 1.0))


@pytest.mark.parametrize(
    ("value", "floor", "low_is_good", "times", "word"),
    [
        (0.01, 0.02, True, 0.5, Apart.noise),
        (0.03, 0.02, True, 1.5, Apart.noise),
        (0.032, 0.02, True, 1.6, Apart.close),
        (0.06, 0.02, True, 3.0, Apart.close),
        (0.08, 0.02, True, 4.0, Apart.far),
        (0.96, 0.98, False, 2.0, Apart.close),
        (0.99, 0.98, False, 0.5, Apart.noise),
        (0.0, 0.0, True, 0.0, Apart.noise),
        (1.0, 1.0, False, 0.0, Apart.noise),
        (0.1, 0.0, True, None, Apart.far),
        (0.9, 1.0, False, None, Apart.far),
    ],
)
def test_a_metric_is_so_many_noise_floors_from_perfect(value, floor, low_is_good, times, word):
    found = line(value, floor, low_is_good=low_is_good)
    assert floors_apart(found) == (None if times is None else pytest.approx(times))
    assert verdict(found) is word
