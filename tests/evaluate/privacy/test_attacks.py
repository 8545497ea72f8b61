"""Find leaks that were made by hand, and none where there are none."""

from __future__ import annotations

import numpy as np
import pytest

from htp.evaluate.privacy.attacks import copies, homes, membership, neighbours, rare_routes

KNOWN = 60


def by_name(figures):
    return {figure.name: figure for figure in figures}


def spread(count, seed):
    return np.random.default_rng(seed).uniform(0, 60_000, count)


def test_a_generator_that_copies_is_found(three):
    train = spread(KNOWN, 1)
    found = by_name(copies(three(train, train + 0.5, spread(KNOWN, 2))))
    assert found["near copies"].found.value == 1.0
    assert found["closer than a held-out trip"].found.value > 0.95
    assert found["distance to the closest training trip"].found.value < 0.1
    assert all(figure.leaks for figure in found.values())


def test_a_generator_that_does_not_copy_is_not_accused(three):
    found = by_name(copies(three(spread(KNOWN, 1), spread(KNOWN, 3), spread(KNOWN, 2))))
    assert not any(figure.leaks for figure in found.values())
    assert found["closer than a held-out trip"].found.low < 0.5 < found["closer than a held-out trip"].found.high


def test_distances_are_those_to_the_closest_training_trip(three):
    found = by_name(copies(three([0, 1000], [10, 1030], [100, 1100])))
    assert found["distance to the closest training trip"].found.value == pytest.approx(20 / 100)
    assert "lies 20 m from its closest training trip" in found["distance to the closest training trip"].says
    assert found["near copies"].found.value == 0.5  # closer than 20 m


def test_a_memorised_set_has_an_auc_of_1_and_equal_sets_one_half():
    random = np.random.default_rng(0)
    apart, sure = membership("tokenizer", "error", np.linspace(0, 1, 50), np.linspace(2, 3, 50), random)
    assert (apart.found.value, sure.found.value) == (1.0, 1.0)
    assert apart.leaks
    assert sure.leaks
    numbers = random.normal(size=(2, 400))
    apart, sure = membership("tokenizer", "error", *numbers, random)
    assert not apart.leaks
    assert not sure.leaks


def test_trips_that_training_trips_were_reproduced_from_are_told_by_their_closest_generated_trip(three, triangle):
    train = spread(KNOWN, 1)
    apart, _ = neighbours(three(train, train + 30.0, spread(KNOWN, 2)), triangle)
    assert apart.name == "membership by the closest generated trip"
    assert apart.found.value > 0.9
    assert apart.leaks
    apart, _ = neighbours(three(train, spread(KNOWN, 3), spread(KNOWN, 2)), triangle)
    assert not apart.leaks


def test_trips_that_others_were_generated_from_are_not_compared_with_them(three, triangle):
    xs = spread(KNOWN, 2)
    sentence = neighbours(three(spread(KNOWN, 1), xs + 5.0, xs, ids=("t", "h", "h")), triangle)
    assert "Generate from half of the held-out trips" in sentence


def test_routes_that_one_or_two_training_trips_drove_are_counted(three):
    # driven once, twice and three times in training; another never
    once, twice, often, never = [0], [1], [2], [0, 1]
    roads = ([once, twice, twice, often, often, often], [once, twice, often, never], [often, never, never, never])
    figure = rare_routes(three(range(6), range(4), range(4), roads=roads))
    assert figure.found.value == 0.5
    assert figure.expected.value == 0.0
    assert "(2 of 2 such routes)" in figure.says


def test_given_routes_are_not_counted_as_reproduced(three):
    routes = [[0], [1], [2], [0, 1]]
    sentence = rare_routes(three(range(4), range(4), range(4), ids=("t", "h", "h"), roads=(routes, routes, routes)))
    assert "the routes of the generated trips were given" in sentence


def test_routes_are_not_compared_where_a_table_has_none(three):
    assert "a table has no column `roads`" in rare_routes(three([0], [0], [5]))


def test_an_end_at_a_place_that_few_share_is_found(three):
    crowd, lonely = [0.0] * 10, [5000.0, 9000.0]
    figures = by_name(homes(three(crowd + lonely, [5004.0] * 30 + [9010.0] * 10, [0.0] * 20 + [5100.0] * 20)))
    assert figures["ends at lonely places"].found.value == 1.0
    assert figures["ends at lonely places"].expected.value == 0.0
    assert "one of the 4 places like homes" in figures["ends at lonely places"].says  # both ends of two trips
    assert figures["closer to lonely places"].found.value == 1.0
    assert all(figure.leaks for figure in figures.values())


def test_trips_like_held_out_ones_are_not_accused_of_ending_at_homes(three):
    figures = homes(three(spread(KNOWN, 1), spread(KNOWN, 2), spread(KNOWN, 3)))
    assert not any(figure.leaks for figure in figures)


def test_no_place_is_lonely_where_all_drive_alike(three):
    assert "No training trip begins or ends where" in homes(three([0.0] * 10, [0.0], [0.0]))
