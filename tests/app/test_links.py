"""Links of the pages that compare, and the frame around all pages."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

import htp_app.model
from htp_app.state import Comparison, Departures

DAY = dt.date(2024, 5, 14)


@pytest.mark.parametrize(
    ("defaults", "chosen"),
    [
        (
            Departures(DAY),
            Departures(DAY, ((-71.3, -29.9), (-71.2, -29.8)), (dt.time(7, 5), dt.time(18)), 30, 4, "block", show=True),
        ),
        (Comparison(), Comparison(None, 3, (7, 10), "linear", "top-roads", show=True)),
        (Comparison(), Comparison(200)),
    ],
    ids=["departures", "comparison", "few trips"],
)
def test_choices_become_a_link_and_come_back(defaults, chosen):
    assert defaults.with_query(chosen.to_query()) == (chosen, [])


def test_how_density_is_looked_at_stays_out_of_the_link_until_somebody_chooses():
    assert Comparison().to_query() == {"like": "500", "seed": "1"}


def test_the_same_time_twice_is_one_departure():
    choices, _ = Departures(DAY).with_query({"times": "08:00,08:00,23:00"})
    assert choices.times == (dt.time(8), dt.time(23))


def test_no_folder_beside_the_frame_is_called_pages():
    """Streamlit would run its files by themselves, without the frame, for the first link that is opened to one."""
    assert not (Path(htp_app.model.__file__).parent / "pages").exists()
