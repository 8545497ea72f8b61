"""Tables of trips between zones."""

from __future__ import annotations

import pytest

from htp.errors import InputError
from htp.planning.demand.table import MAX_TRIPS, flows_csv, read_flows, zone_name

ZONES = ("1", "2", "old town")


def read(text: str | bytes):
    return read_flows(text if isinstance(text, bytes) else text.encode(), "od.csv", ZONES)


def test_rows_become_flows_and_rows_of_one_pair_are_added_up():
    flows = read("origin,destination,trips\n1,2,30\n2,old town,5\n1,2,12\n2,1,0\n")
    assert flows.origin.tolist() == [0, 1]
    assert flows.destination.tolist() == [1, 2]
    assert flows.trips.tolist() == [42, 5]
    assert flows.total == 47


@pytest.mark.parametrize(
    "text",
    [
        "Origin Zone;Destination Zone;Trips\r\n1;2;30\r\n",
        "﻿trips,extra,to,from\n30,x,2.0,1.0\n",
        'o\td\tcount\n"1"\t2\t30.0\n\n',
        "origin;destination;trips\n1;2;30,0\n",
        "o_zone,d_zone,volume\n1,2,30\n",
        "1,2,30\n",
        "origin,destination,trips\n1,2,30\nTotal,,30\n",
        "zone,1,2\n1,0,30\n2,,-\n",
        "zone;1;2;Total\n1;0;30,0;30,0\nTotal;0;30;30\n",
        "$OR;D2\n* From-Time  To-Time\n0.00 24.00\n* Factor\n2.00\n1 2 15.00\n",
        "$VMR\n0.00 24.00\n1.00\n2\n1 2\n0 30\n0 0\n",
        "origin,destination,trips\n1,2,30\n".encode("utf-16"),
    ],
    ids=[
        "semicolons",
        "other order and a byte order mark",
        "tabs, quotes and an empty line",
        "decimal comma",
        "other names",
        "no names",
        "its own sum",
        "wide",
        "wide with sums",
        "SUMO's pairs",
        "SUMO's matrix",
        "UTF-16",
    ],
)
def test_tables_of_other_programs_are_read(text):
    flows = read(text)
    assert (flows.origin.tolist(), flows.destination.tolist(), flows.trips.tolist()) == ([0], [1], [30])


def test_a_part_of_a_trip_is_a_trip_by_that_chance():
    text = "origin,destination,trips\n1,2,2.4\n2,1,0.3\n"
    drawn = [read_flows(text.encode(), "od.csv", ZONES, seed=seed) for seed in range(300)]
    assert {flows.total for flows in drawn} <= {2, 3, 4}
    assert sum(flows.total for flows in drawn) / 300 == pytest.approx(2.7, abs=0.15)
    again = read_flows(text.encode(), "od.csv", ZONES, seed=7)
    assert again.trips.tolist() == drawn[7].trips.tolist()


def test_thousands_may_be_set_apart():
    assert read('origin,destination,trips\n1,2,"1,200"\n').trips.tolist() == [1200]


def test_names_of_zones_may_be_in_latin_1():
    flows = read_flows("origin,destination,trips\nMañío,1,3\n".encode("latin-1"), "od.csv", ("1", "Mañío"))
    assert flows.origin.tolist() == [1]


def test_a_table_is_written_and_comes_back():
    flows = read("origin,destination,trips\n1,2,30\n2,old town,5\n")
    again = read(flows_csv(flows, ZONES))
    assert again.trips.tolist() == flows.trips.tolist()
    assert again.destination.tolist() == flows.destination.tolist()


@pytest.mark.parametrize(("value", "name"), [(7, "7"), (7.0, "7"), (" 7.00 ", "7"), ("07", "07"), ("7.5", "7.5")])
def test_a_zone_has_one_name_in_files_of_all_kinds(value, name):
    assert zone_name(value) == name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "begins with an empty line"),
        (b"\xff\xfe\x00", "is no text"),
        ("origin,trips\n1,2\n", "the column 'destination' is missing"),
        ("origin,destination,trips\n1,2,3\n1,9,3\n", "line 3, destination: no zone is called “9”; the zones are 1, 2"),
        ("origin,destination,trips\n,2,3\n", "line 2, origin: the zone is missing"),
        ("origin,destination,trips\n1,2\n", "line 2: has 2 cells"),
        ("origin,destination,trips\n\n1,2,many\n", "line 3, trips: “many” is no number"),
        ("origin,destination,trips\n1,2,\n", "line 2, trips: “” is no number"),
        ("origin,destination,trips\n1,2,nan\n", "line 2, trips: “nan” is no number of trips"),
        ("origin,destination,trips\n1,2,-4\n", "line 2, trips: -4 is negative"),
        ("origin,destination,trips\n1,2,3\nTotal,,9\n", "line 3, origin: no zone is called “Total”"),
        ("zone,1,2\n1,0,many\n", "line 2, column 2: “many” is no number"),
        ("zone,1,2\n1,0\n", "line 2: has 2 cells where the first line has 3"),
        ("zone,1,2\n9,0,1\n", "line 2, origin: no zone is called “9”"),
        ("$OR;D2\n7.00 8.00\n1.00\n1 2 3\n", "holds the trips of 7 to 8 o'clock"),
        ("$VMR\n0.00 24.00\n1.00\n2\n1 2\n0 30 0\n", "has 3 cells for 2 zones"),
        ("$OR;D2\n0.00 24.00\n", "ends before its first pair"),
        ("$OR;D2\n0.00 24.00\n1.00\n1 2\n", "its last pair of zones is not complete"),
        ("$OR;D2\n0.00 24.00\n1.00\n1 9 3\n", "from 1 to 9: no zone is called “9”"),
        ("origin,destination,trips\n1,2,0.000001\n", "came to none by chance"),
        ("origin,destination,trips\n1,2,1e9\n", "line 2, trips: 1,000,000,000 trips"),
        ("origin,destination,trips\n1,2,30000\n2,1,30000\n", "asks for 60,000 trips; a day takes at most"),
        ("origin,destination,trips\n1,2,0\n", "asks for no trips"),
        ("origin,destination,trips\n", "asks for no trips"),
        (b"origin,destination,trips\n" + b"1" * 200_000 + b",2,3\n", "line 2: is no row of a CSV file"),
        (b"a" * 20_000_001, "has 20 MB"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else None,
)
def test_bad_tables_are_one_sentence_that_names_file_line_and_column(text, said):
    with pytest.raises(InputError) as error:
        read(text)
    assert str(error.value).startswith("od.csv")
    assert said in str(error.value)


def test_a_whole_day_at_the_limit_is_taken():
    assert read(f"origin,destination,trips\n1,2,{MAX_TRIPS}\n").total == MAX_TRIPS
