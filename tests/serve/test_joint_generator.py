"""Check that trips generated together with those of others are the trips that they are alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely

from htp.conditions import conditions_of
from htp.errors import InputError
from htp.serve.scheduler import JointGenerator
from htp.trip_source import Sampling
from htp.trips import Conditions


@pytest.fixture(scope="module")
def generator(tiny_checkpoint):
    return JointGenerator.load(tiny_checkpoint, device="cpu")


@pytest.fixture(scope="module")
def asked(generator):
    """Return conditions of six trips, the last three at an interval that the models were not trained at."""
    given = conditions_of(generator.heldout().iloc[:6], generator.city)
    return given[:3] + [replace(one, interval_s=20.0) for one in given[3:]]


def same(left, right):
    assert left["trip_id"].tolist() == right["trip_id"].tolist()
    assert [codes.tolist() for codes in left["patterns"]] == [codes.tolist() for codes in right["patterns"]]
    assert left["start_time"].tolist() == right["start_time"].tolist()
    points = [shapely.get_coordinates(trips.geometry.to_numpy()) for trips in (left, right)]
    np.testing.assert_allclose(*points, rtol=0, atol=1.1e-6)  # degrees are rounded to six decimals


def test_trips_in_company_are_the_trips_alone(generator, asked):
    parts = [generator.complete(asked, 0, seed) for seed in (1, 2)]
    together = generator.generate_parts([parts[0], parts[1][1:4]], Sampling())
    alone = [next(generator.stream(iter(asked), seed=seed)) for seed in (1, 2)]
    same(together[0], alone[0])
    same(together[1], alone[1].iloc[1:4].reset_index(drop=True))
    assert len(together[1]) == 3


def test_pieces_of_a_request_are_the_request(generator, asked):
    whole = generator.complete(asked[:3], 0, 5)
    (at_once,) = generator.generate_parts([whole], Sampling())
    for at in range(3):
        (piece,) = generator.generate_parts([whole[at : at + 1]], Sampling())
        same(piece, at_once.iloc[at : at + 1].reset_index(drop=True))
    later = generator.complete(asked[1:3], 1, 5)  # the same trips, where the request comes in pieces
    same(generator.generate_parts([later], Sampling())[0], at_once.iloc[1:].reset_index(drop=True))


def test_a_mistake_is_found_before_anything_is_generated(generator, asked):
    short = Conditions(asked[0].route, asked[0].depart, 30.0)
    with pytest.raises(InputError, match="travel time"):
        generator.complete([asked[0], short], 0, 1)
