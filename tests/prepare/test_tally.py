"""Counts and quantiles that add up over chunks and survive the note on disk."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest

from htp.prepare.tally import Tally


def of(offset_m, ratio, **counts):
    """Return the tally of some trips."""
    tally = Tally(**counts)
    tally.measure(np.array(offset_m, dtype=float), np.array(ratio, dtype=float))
    return tally


@pytest.fixture
def one():
    return of(
        [0.02, 0.51, 0.55],
        [1.0],
        rows=3,
        kept=1,
        dropped=Counter(jump=2),
        eligible=1,
        points=3,
        heldout=1,
        left_out=Counter(jump=5),
        examples={"jump": "trip a"},
    )


@pytest.fixture
def two():
    return of(
        [2.04],
        [1.1, 0.9],
        rows=4,
        kept=2,
        dropped=Counter(jump=1, detour=1),
        eligible=3,
        points=1,
        cut=1,
        left_out=Counter(jump=1),
        examples={"jump": "trip b"},
    )


def test_the_figures_of_two_chunks_are_those_of_both_together(one, two):
    one.add(two)
    assert one == of(
        [0.02, 0.51, 0.55, 2.04],
        [1.0, 1.1, 0.9],
        rows=7,
        kept=3,
        dropped=Counter(jump=3, detour=1),
        eligible=4,
        points=4,
        heldout=1,
        cut=1,
        left_out=Counter(jump=6),
        examples={"jump": "trip a"},  # the first
    )


def test_adding_changes_only_the_one_that_is_added_to(one, two):
    before = json.dumps(two.to_json())
    one.add(two)
    one.add(two)
    assert json.dumps(two.to_json()) == before


def test_the_order_of_chunks_does_not_matter(one, two):
    two.examples.clear()  # else the first is kept
    there, back = Tally(), Tally()
    for tally, parts in ((there, (one, two)), (back, (two, one))):
        for part in parts:
            tally.add(part)
    assert there == back
    assert there.figures() == back.figures()


def test_a_note_is_read_as_it_was_written(one):
    assert Tally.from_json(json.loads(json.dumps(one.to_json()))) == one


def test_the_report_accounts_for_every_row(one, two):
    one.add(two)
    figures = one.figures()
    assert figures["rows"] == figures["kept"] + sum(figures["dropped"].values()) == 7
    assert figures["kept"] == figures["train"] + figures["heldout"]
    assert list(figures["dropped"]) == ["jump", "detour"]  # most frequent first


def test_a_quantile_is_the_middle_of_its_bin():
    figures = of(np.arange(100) / 10 + 0.05, [1.0]).figures()  # one a bin of 0.1 m
    assert figures["offset_m"] == {
        "0.05": 0.45, "0.25": 2.45, "0.5": 4.95, "0.75": 7.45, "0.9": 8.95, "0.95": 9.45, "0.99": 9.85
    }  # fmt: skip
    assert set(figures["matched_to_gps_length"].values()) == {1.0025}


def test_without_trips_there_are_no_quantiles():
    assert Tally().figures() == {
        "rows": 0,
        "further_drives": 0,
        "dropped": {},
        "left_out": {},
        "examples": {},
        "eligible": 0,
        "kept": 0,
        "train": 0,
        "heldout": 0,
        "cut": 0,
        "points_read": 0,
        "points": 0,
        "offset_m": {},
        "matched_to_gps_length": {},
    }
