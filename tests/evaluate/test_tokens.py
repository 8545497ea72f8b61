"""Tokens of a trip of 18 points every 15 s: patterns of 8, 8 and 2 points."""

from __future__ import annotations

import numpy as np
import pytest

from htp.evaluate.tokens import PatternToken, tokens_behind


@pytest.fixture
def trips(grid, random_trips):
    table = random_trips(grid, [18])
    codes = np.array([17, 4, 9, 200, 3, 0, 1, 2, 5, 6, 7, 8], dtype=np.int16)
    return table.assign(patterns=[codes], anchors=[np.array([0, 1, len(table["roads"].iloc[0]) - 1])], length_token=[3])


def street(trips, city, place: int) -> str:
    return city.roads["name"].iloc[trips["roads"].iloc[0][place]]


def test_codes_times_and_streets_are_those_of_the_patterns(trips, grid):
    assert tokens_behind(trips, grid, 0) == [
        PatternToken((17, 4, 9, 200), 0, 105, street(trips, grid, 0)),
        PatternToken((3, 0, 1, 2), 105, 225, street(trips, grid, 1)),
        PatternToken((5, 6, 7, 8), 225, 255, street(trips, grid, -1)),
    ]


def test_a_trip_sampled_more_often_has_the_same_tokens(trips, grid):
    often = trips.assign(interval=np.float32(5.0), percent=[np.linspace(0, 1, 52)])  # 255 s
    assert tokens_behind(often, grid, 0) == tokens_behind(trips, grid, 0)


def test_a_street_without_a_name_is_none(triangle, random_trips):
    table = random_trips(triangle, [20])
    place = int(np.flatnonzero(table["roads"].iloc[0] == 2)[0])  # the road without a name
    table = table.assign(patterns=[np.zeros(12)], anchors=[np.full(3, place)], length_token=[1])
    assert [token.ends_on for token in tokens_behind(table, triangle, 0)] == [None] * 3


def test_trips_that_do_not_carry_their_tokens_have_none(trips, grid):
    assert tokens_behind(trips.drop(columns="anchors"), grid, 0) is None
    assert tokens_behind(trips.drop(columns="patterns"), grid, 0) is None
