"""Choices and their links."""

from __future__ import annotations

import datetime as dt

import pytest

from htp.errors import InputError
from htp_app.links import parse_waypoints
from htp_app.state import Choices

DEFAULTS = Choices(depart=dt.datetime.fromisoformat("2024-05-14T08:00"))
FULL = Choices(
    depart=dt.datetime.fromisoformat("2024-05-06T08:15"),
    via=((-71.34, -29.95), (-71.25, -29.9)),
    duration_s=900,
    interval_s=30,
    count=7,
    seed=3,
    temperature=0.8,
    show=True,
)


def test_choices_become_a_link_and_come_back():
    assert DEFAULTS.with_query(FULL.to_query()) == (FULL, [])


def test_choices_that_nobody_made_stay_out_of_the_link():
    assert set(DEFAULTS.to_query()) == {"depart", "n", "seed", "temperature"}


def test_the_link_speaks_the_words_of_the_command_line():
    assert FULL.to_query()["via"] == "-71.340000,-29.950000;-71.250000,-29.900000"
    assert FULL.to_query()["depart"] == "2024-05-06T08:15"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("n", "0"),
        ("n", "1000000000"),
        ("n", "-3"),
        ("n", "٣"),
        ("seed", "9" * 5000),
        ("interval", "121"),
        ("temperature", "nan"),
        ("temperature", "hot"),
        ("temperature", "0.01"),
        ("depart", "yesterday"),
        ("depart", "1850-01-01T08:00"),
        ("duration", "-1"),
        ("via", "here;there"),
        ("via", "-71.34"),
        ("via", "inf,0"),
        ("via", "200,10"),
    ],
)
def test_a_broken_part_of_a_link_is_left_out_and_said(name: str, text: str):
    choices, problems = DEFAULTS.with_query({name: text, "seed" if name != "seed" else "n": "5"})
    assert len(problems) == 1
    assert problems[0].startswith(f"The link's {name}=")
    assert (choices.count if name == "seed" else choices.seed) == 5


def test_foreign_parameters_of_a_link_are_ignored():
    assert DEFAULTS.with_query({"utm_source": "mail"}) == (DEFAULTS, [])


@pytest.mark.parametrize(
    "text", ["-71.34,-29.95;-71.25,-29.9", "-71.34 -29.95\n-71.25, -29.9\n", " -71.34,-29.95 ; -71.25,-29.9 ;"]
)
def test_waypoints_are_read_from_lines_and_from_links(text: str):
    assert parse_waypoints(text) == ((-71.34, -29.95), (-71.25, -29.9))


def test_a_waypoint_that_is_no_pair_is_named():
    with pytest.raises(InputError, match=r"“-71\.25” is no point"):
        parse_waypoints("-71.34,-29.95;-71.25")
