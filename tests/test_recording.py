"""Tests for htp.recording: what is said of trips, and files that say nothing."""

from __future__ import annotations

import pytest

from htp.errors import InputError
from htp.recording import Recording, minutes_of


def test_the_shortest_and_the_longest_travel_time_follow_from_interval_and_lengths():
    recording = Recording(4.0, 8, 1024)
    assert (recording.shortest_s, recording.longest_s) == (28.0, 4092.0)
    assert recording.minutes == "0.5 to 68 min"


def test_what_is_saved_is_loaded(tmp_path):
    Recording(7.5, 8, 300).save(tmp_path / "new" / "recording.json")
    assert Recording.load(tmp_path / "new" / "recording.json") == Recording(7.5, 8, 300)


def test_trips_say_how_they_are_recorded(grid, random_trips):
    assert Recording.of(random_trips(grid, [20, 9, 33])) == Recording(15.0, 9, 33)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"interval_s": "x", "min_points": 8, "max_points": 9}',
        '{"interval_s": 0, "min_points": 8, "max_points": 9}',
        '{"interval_s": NaN, "min_points": 8, "max_points": 9}',
        '{"interval_s": 15, "min_points": 9, "max_points": 8}',
        '{"interval_s": 15, "min_points": 1, "max_points": 8}',
    ],
)
def test_a_file_that_says_nothing_is_a_sentence(tmp_path, text):
    (tmp_path / "recording.json").write_text(text)
    with pytest.raises(InputError, match=r"recording\.json: .*train the checkpoint anew"):
        Recording.load(tmp_path / "recording.json")


def test_a_checkpoint_without_one_is_a_sentence(tmp_path):
    with pytest.raises(InputError, match="is missing or damaged"):
        Recording.load(tmp_path / "recording.json")


@pytest.mark.parametrize(("seconds", "text"), [(30, "0.5"), (60, "1"), (105, "1.8"), (600, "10"), (750, "12")])
def test_minutes_are_written_as_people_write_them(seconds, text):
    assert minutes_of(seconds) == text
