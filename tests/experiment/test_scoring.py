"""Check that methods are compared with real trips that are measured once."""

from __future__ import annotations

import pytest

from htp.evaluate.measure import Survey
from htp.experiment.scoring import Scoring


@pytest.fixture
def real(grid, random_trips):
    return random_trips(grid, [20, 20, 25, 30, 25, 25], seed=8)


def test_real_trips_are_measured_once_and_compare_perfectly_with_themselves(grid, real, monkeypatch):
    measured, measure = [], Survey.measure
    monkeypatch.setattr(Survey, "measure", lambda self, trips: measured.append(len(trips)) or measure(self, trips))
    with Scoring(real, grid, workers=1) as yardstick:
        assert measured == []
        one = yardstick.compare(real)
        other = yardstick.compare(real.iloc[:4], ceiling=real.iloc[:5])
    assert measured == [6, 6, 4, 5]
    assert {line["value"] for line in one["metrics"].values()} == {0.0, 1.0}
    assert one["metrics"]["T-Dist"]["value"] == 0.0
    assert one["metrics"]["T-Dist"]["ceiling"] is None
    assert other["metrics"]["T-Dist"]["ceiling"] > 0.0
    floors = [[line["floor"] for line in report["metrics"].values()] for report in (one, other)]
    assert floors[0] == floors[1]
    assert one["validity"]["points"] == 1.0


def test_trips_are_counted_by_their_number_of_points(grid, real):
    with Scoring(real, grid, workers=1) as yardstick:
        lengths = yardstick.compare(real.iloc[2:])["lengths"]
    assert lengths == {"real": {"20": 2, "25": 3, "30": 1}, "generated": {"25": 3, "30": 1}}
