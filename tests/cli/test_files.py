"""Run `htp prepare` and `htp city` on files that need a word from the user, up to where matching would begin."""

from __future__ import annotations

import sys

import pytest

from htp.cli.main import main

NOON = "2024-05-06T12:00:{:02d}Z"


@pytest.fixture
def run(monkeypatch, capsys):
    """(arguments) -> exit code, output and messages."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["htp", *(str(argument) for argument in arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        heard = capsys.readouterr()
        return ended.value.code or 0, heard.out, heard.err

    return call


@pytest.fixture
def prepare(run, grid, tmp_path):
    """(text, options) -> exit code and messages of `htp prepare` for a CSV file."""
    grid.save(tmp_path / "city")

    def call(text, *options):
        (tmp_path / "trips.csv").write_text(text)
        code, _, err = run(
            "prepare", tmp_path / "trips.csv", "--city", tmp_path / "city", "--out", tmp_path / "out", *options
        )
        assert not [line for line in err.splitlines() if "Traceback" in line]
        return code, err.replace("\n", " ")

    return call


def points(times, place, columns="trip_id,time,lon,lat"):
    """Return a trip of these times, text."""
    lon, lat = place(100, 100)
    return "\n".join([columns, *(f"a,{time},{lon:.6f},{lat:.6f}" for time in times)])


def test_what_was_guessed_and_left_out_is_said_before_a_failure_too(prepare, place):
    text = (
        points([NOON.format(0), "soon", NOON.format(30)], place, "Ride ID,Recorded At,Longitude,Latitude") + "\nb,1\n"
    )
    code, err = prepare(text)
    assert code == 2
    assert "took the columns 'Ride ID' as trip_id, 'Recorded At' as time" in err
    assert "skipped 1 lines" in err
    assert "htp: " in err
    assert err.index("took the columns") < err.index("htp: ")
    assert "none of 1 trips can be used (too_short: 1)" in err


def test_a_value_that_cannot_be_read_is_quoted(prepare, place):
    code, err = prepare(points(["soon", "later"], place))
    assert code == 2
    assert "none of 1 trips can be used (unread_time: 1); unread_time: " in err
    assert "('soon' in trip a)" in err


@pytest.mark.parametrize(
    "options", [(), ("--dates", "day-first"), ("--dates", "month-first")], ids=["", "day", "month"]
)
def test_dates_that_may_be_read_in_two_ways_are_asked_for(prepare, place, options):
    code, err = prepare(points(["05/04/2024 08:00:00", "05/04/2024 08:00:15"], place), *options)
    assert code == 2
    assert ("may be read day or month first" in err) == (not options)
    assert ("too_short" in err) == bool(options)


@pytest.mark.parametrize(
    "options", [(), ("--first-day", "2024-05-06"), ("--first-day", "soon")], ids=["", "a day", "none"]
)
def test_times_without_a_date_are_asked_for(prepare, place, options):
    code, err = prepare(points(["28800.0", "28815.0"], place), *options)
    assert code == 2
    assert ("count from no date" in err) == (not options)
    assert ("too_short" in err) == (options[1:] == ("2024-05-06",))
    assert ("--first-day 'soon': write a date" in err) == (options[1:] == ("soon",))


@pytest.mark.parametrize("options", [(), ("--crs", "EPSG:32719"), ("--crs", "Mars")], ids=["", "known", "unknown"])
def test_coordinates_in_metres_are_asked_for(prepare, options):
    text = f"trip_id,time,x,y\na,{NOON.format(0)},283100,6690100\na,{NOON.format(15)},283150,6690100\n"
    code, err = prepare(text, *options)
    assert code == 2
    assert ("are no degrees" in err) == (not options)
    assert ("too_short" in err) == (options[1:] == ("EPSG:32719",))
    assert ("'Mars' is no reference system" in err) == (options[1:] == ("Mars",))


@pytest.mark.parametrize("zone", ["UTC", "Mars"])
def test_a_time_zone_may_be_given(prepare, place, zone):
    code, err = prepare(points(["2024-05-06 08:00:00", "2024-05-06 08:00:15"], place), "--timezone", zone)
    assert code == 2
    assert ("'Mars' is no time zone" in err) == (zone == "Mars")
    assert "its times say no zone" not in err


def test_a_city_says_what_its_file_lacks(run, tmp_path):
    nodes = [f'<node id="{n}" lat="-29.9{n}" lon="-71.2{n}"/>' for n in (1, 2, 3)]
    way = (
        "".join(f'<nd ref="{n}"/>' for n in (1, 2, 3, 9)) + '<tag k="highway" v="residential"/><tag k="lanes" v="99"/>'
    )
    (tmp_path / "town.osm").write_text(f'<osm version="0.6">{"".join(nodes)}<way id="7">{way}</way></osm>')
    code, out, _ = run("city", tmp_path / "town.osm", "--out", tmp_path / "town")
    assert code == 0
    assert "town.osm: 1 nodes of 1 streets are missing in it" in out
    assert "such as lanes=99 of way 7" in out
