"""What `htp evaluate` takes beside tables in GeoParquet."""

from __future__ import annotations

import json

import pytest

from htp.trips import write_trips


@pytest.mark.parametrize("ending", ["geojson", "gpx", "csv"])
def test_trips_that_the_app_gives_as_a_file_are_evaluated_in_every_format(htp, grid, random_trips, tmp_path, ending):
    grid.save(tmp_path / "city")
    trips = random_trips(grid, [24, 30, 40, 26] * 5, seed=8)
    real, given = tmp_path / "real.parquet", tmp_path / f"given.{ending}"
    write_trips(trips, real)
    write_trips(trips, given)
    both = ("--real", real, "--generated", given, "--city", tmp_path / "city", "--workers", 1, "--json")
    code, out, said = htp("evaluate", *both)
    assert code == 0, said
    assert json.loads(out)["sizes"]["generated"]["trips"] == len(trips)
