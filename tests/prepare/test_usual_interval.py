"""Tests for htp.prepare.usual_interval on trips whose steps are known."""

from __future__ import annotations

import pytest

from htp.prepare.readers import points_csv
from htp.prepare.sources import open_sources
from htp.prepare.usual_interval import sample_of, usual_interval_s


@pytest.mark.parametrize(
    ("seconds", "usual_s"), [(0.2, 1), (1.0, 1), (4.0, 4), (7.0, 8), (14.0, 15), (37.0, 45), (900.0, 120)]
)
def test_the_usual_interval_is_the_nearest_to_that_of_most_trips(raw, drive, seconds, usual_s):
    some = [raw(drive(20), drive(9), seconds=seconds), raw(drive(12), seconds=60.0)]
    assert usual_interval_s(some) == usual_s


def test_trips_without_two_points_have_no_interval_of_their_own(raw):
    assert usual_interval_s([]) == usual_interval_s([raw([(0, 0)])]) == 15.0


def test_a_file_that_holds_one_vehicle_after_another_is_looked_at_all_over(tmp_path, monkeypatch):
    monkeypatch.setattr(points_csv, "POINTS_A_CHUNK", 300)
    vehicles = [(f"a{n}", 5) for n in range(30)] + [(f"b{n}", 20) for n in range(60)]
    rows = [f"{name},{1_700_000_000 + step * k},-71.25,-29.9" for name, step in vehicles for k in range(30)]
    (tmp_path / "points.csv").write_text("\n".join(["trip_id,time,lon,lat", *rows, ""]))
    sources = open_sources([tmp_path / "points.csv"], {}, "America/Santiago")
    assert len(list(sources[0].chunks())) > 2
    assert usual_interval_s(sample_of(sources)) == 20
