"""Check the random streams of trips: each its own, for each purpose another, whatever else is asked for."""

from __future__ import annotations

import numpy as np

from htp.compute.random_streams import BASELINES, DURATION, POINTS, ROUTES, TOKENS, keys_of, stream_of, uniforms


def test_the_first_numbers_of_a_stream_do_not_depend_on_how_many_are_drawn():
    keys = keys_of(3, 0, 2)
    assert np.array_equal(uniforms(keys, TOKENS, 9)[:, :4], uniforms(keys, TOKENS, 4))
    assert np.array_equal(uniforms(keys[1:], TOKENS, 4), uniforms(keys, TOKENS, 4)[1:])
    assert not np.array_equal(uniforms(keys, TOKENS, 4)[0], uniforms(keys, TOKENS, 4)[1])


def test_keys_are_the_seed_and_the_places_in_the_request():
    assert keys_of(7, 5, 3).tolist() == [[7, 5], [7, 6], [7, 7]]
    assert keys_of(2**61 - 1, 0, 1).tolist() == [[2**61 - 1, 0]]  # the largest seed


def test_the_purposes_of_a_trip_and_the_seeds_share_no_stream():
    purposes = (TOKENS, POINTS, DURATION, ROUTES)
    firsts = {stream_of((seed, 4), purpose).random() for seed in (0, 1) for purpose in purposes}
    assert len(firsts) == 8
    assert stream_of((1, 4), BASELINES).random() == stream_of((1, 4), ROUTES).random()
