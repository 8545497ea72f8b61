"""Check trips without a model of movement: places by hand, conditions kept, found again after saving."""

from __future__ import annotations

import numpy as np
import pytest

from htp.city.linear_referencing import RouteLines
from htp.errors import InputError
from htp.methods.budget import Budget
from htp.methods.references.no_model import ConstantSpeed, SpeedLimits
from htp.tokenizer import offsets_train
from htp.tokenizer.tokenizer import decoder_conditions_of


@pytest.fixture(scope="module")
def trips(grid, random_trips):
    return random_trips(grid, [20, 33, 60, 24, 41, 28], seed=2)


@pytest.fixture(scope="module", params=[ConstantSpeed, SpeedLimits], ids=lambda kind: kind.name)
def fitted(request, grid, trips):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(offsets_train, "MIN_STEPS", 20)
        patch.setattr(offsets_train, "EPOCHS", 0)
        return request.param().fit(trips, grid, Budget(), report=lambda _: None)


def along_m(made, city):
    length_m = RouteLines.of(city, list(made["roads"])).length_m
    return [np.asarray(p, np.float64) * metres for p, metres in zip(made["percent"], length_m, strict=True)]


def test_number_of_points_distance_and_route_are_what_was_asked_for(fitted, trips, grid):
    made = fitted.generate(trips, seed=1)
    assert [len(percent) for percent in made["percent"]] == [len(percent) for percent in trips["percent"]]
    for asked, got in zip(along_m(trips, grid), along_m(made, grid), strict=True):
        assert got[-1] - got[0] == pytest.approx(asked[-1] - asked[0], abs=0.1)
        assert (np.diff(got) > 0).all()


def test_at_constant_speed_every_step_is_as_long_as_the_others(trips, grid):
    method = ConstantSpeed()
    method.city = grid
    drives = decoder_conditions_of(trips, grid, seed=0)
    places = method._places(RouteLines.of(grid, drives.roads), drives, [20] * len(trips))
    for trip in places.split():
        assert np.ptp(np.diff(trip)) < 0.001


def test_at_speed_limits_a_road_that_allows_twice_as_much_takes_half_as_long(triangle):
    method, city = SpeedLimits(), triangle
    method.city = city
    route = [np.array([0, 1], np.int32)]
    lines = RouteLines.of(city, route)
    limits = city.roads["speed_kmh"].to_numpy(dtype=float)
    seconds = method._seconds(lines)
    assert seconds[0] / seconds[1] == pytest.approx(
        city.length_m[0] / limits[0] / (city.length_m[1] / limits[1]), rel=1e-9
    )


def test_trips_are_the_same_after_saving_and_with_the_same_seed(fitted, trips, grid, tmp_path):
    fitted.save(tmp_path)
    again = type(fitted).load(tmp_path, grid)
    first, second = fitted.generate(trips, seed=3), again.generate(trips, seed=3)
    for one, two in zip(first.geometry, second.geometry, strict=True):
        np.testing.assert_allclose(one.coords, two.coords, atol=2e-5)
    assert fitted.generate(trips, seed=4).geometry.iloc[0].coords[:] != first.geometry.iloc[0].coords[:]
    (tmp_path / "offsets.safetensors").unlink()
    with pytest.raises(InputError, match=f"holds no whole {fitted.name}"):
        type(fitted).load(tmp_path, grid)
