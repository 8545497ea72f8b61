"""Read any text, any bytes and any damage: trips come of it, or one sentence."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from htp.errors import InputError
from htp.prepare.clean import clean
from htp.prepare.sources import check_first_trips, open_sources
from htp.trips import read_trips

cells = st.one_of(
    st.text(max_size=8),
    st.integers(-(2**70), 2**70).map(str),
    st.floats(-72, -71).map(str),
    st.floats(-30, -29).map(str),
    st.floats().map(str),
    st.datetimes().map(str),
    st.sampled_from(["", '"', "[[-71.2,-29.9],[-71.2,-29.9]]", "[]", "True", "False", "NaN", "0"]),
)
headers = st.one_of(
    st.just(["trip_id", "time", "lon", "lat"]),
    st.just(["TRIP_ID", "TIMESTAMP", "MISSING_DATA", "POLYLINE"]),
    st.lists(st.text(max_size=6), max_size=6),
)


@st.composite
def tables(draw):
    """Return the text of a CSV file, with rows of about as many cells as columns."""
    header, delimiter = draw(headers), draw(st.sampled_from(",;\t"))
    rows = draw(st.lists(st.lists(cells, min_size=max(len(header) - 1, 0), max_size=len(header) + 1), max_size=8))
    return "\n".join(delimiter.join(row) for row in [header, *rows])


def read(path, city):
    """Return all trips of a file, cleaned; none where a sentence says why. Anything else fails."""
    with contextlib.suppress(InputError):
        sources = open_sources([path], {}, city.timezone)
        check_first_trips(sources, city)
        raws = [chunk.parse() for source in sources for chunk in source.chunks()]
        return [clean(raw, city, interval_s=15.0, min_points=2, max_points=200) for raw in raws]
    return []


def check(trips):
    for raw in trips:
        assert len(raw.trip_id) == len(raw.count)
        assert len(raw.lonlat) == len(raw.time_s) == raw.count.sum()
        assert np.isfinite(raw.lonlat).all()


@given(tables())
def test_any_csv_text_gives_trips_or_a_sentence(tmp_path, grid, text):
    (tmp_path / "any.csv").write_text(text, encoding="utf-8", errors="replace", newline="")
    check(read(tmp_path / "any.csv", grid))


@given(st.binary(max_size=200))
@pytest.mark.parametrize("ending", ["csv", "gpx", "parquet"])
def test_any_bytes_give_trips_or_a_sentence(tmp_path, grid, ending, content):
    path = tmp_path / f"any.{ending}"
    path.write_bytes(content)
    check(read(path, grid))


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_any_damage_of_a_table_of_trips_is_unnoticed_or_a_sentence(tmp_path, tiny_data, damage):
    content = bytearray((tiny_data / "heldout.parquet").read_bytes())
    for share, value in damage:
        content[int(share * (len(content) - 1))] = value
    (tmp_path / "trips.parquet").write_bytes(content)
    with contextlib.suppress(InputError):
        assert len(read_trips(tmp_path / "trips.parquet")) == 24
