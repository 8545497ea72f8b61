"""Open trips by what they are, and say at once where coordinates are swapped."""

from __future__ import annotations

import bz2
import gzip
import lzma

import numpy as np
import pytest

from htp.errors import InputError
from htp.prepare.readers.geojson import GeoJsonSource
from htp.prepare.readers.geolife import GeolifeSource
from htp.prepare.readers.gpx import GpxSource
from htp.prepare.readers.parquet import ParquetSource
from htp.prepare.readers.points_csv import PointsSource
from htp.prepare.readers.porto import PortoSource
from htp.prepare.readers.sumo import SumoSource
from htp.prepare.sources import check_first_trips, digest, open_sources

POINTS = "trip_id,time,lon,lat\na,1,-71.247,-29.9\n"
PORTO = 'TRIP_ID,TIMESTAMP,MISSING_DATA,POLYLINE\nT,1,False,"[[-71.247,-29.9]]"\n'


def write(path, text=""):
    """Write a file, with its folder; return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def opened(*paths):
    """Return the sources of these paths."""
    return open_sources(paths, {}, "America/Santiago")


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("a.csv", PORTO, PortoSource),
        ("A.CSV", PORTO, PortoSource),
        ("a.csv", "\ufeff" + PORTO, PortoSource),
        ("a.csv", POINTS, PointsSource),
        ("A.CSV", POINTS, PointsSource),
        ("a.gpx", "", GpxSource),
        ("a.GPX", "", GpxSource),
        ("a.parquet", "", ParquetSource),
        ("a.csv.gz", gzip.compress(POINTS.encode(), mtime=0), PointsSource),
        ("a.CSV.bz2", bz2.compress(POINTS.encode()), PointsSource),
        ("a.csv.xz", lzma.compress(PORTO.encode()), PortoSource),
        ("a.csv", gzip.compress(POINTS.encode(), mtime=0), PointsSource),
        ("a.tsv", POINTS.replace(",", "\t"), PointsSource),
        ("a.txt", POINTS, PointsSource),
        ("a.gpx.gz", "", GpxSource),
        ("a.plt", "", GeolifeSource),
        ("a.geojson", "", GeoJsonSource),
        ("a.json", "", GeoJsonSource),
        ("a.xml", "", SumoSource),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 12 else "",
)
def test_a_file_is_opened_by_its_ending_and_header(tmp_path, name, text, kind):
    (source,) = opened(write(tmp_path / name, text))
    assert type(source) is kind


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (["x/1.gpx", "2.gpx", "README.txt"], GpxSource),
        (["1.GPX"], GpxSource),
        (["part-0.parquet", "part-1.parquet", "report.json"], ParquetSource),
        (["000/Trajectory/1.plt", "000/labels.txt"], GeolifeSource),
    ],
)
def test_a_folder_is_opened_by_what_lies_in_it(tmp_path, names, kind):
    for name in names:
        write(tmp_path / "trips" / name)
    (source,) = opened(tmp_path / "trips")
    assert type(source) is kind


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a.gpx", "b.parquet"], r"the folder holds \.gpx and \.parquet files; name the trips among them"),
        (["a.gpx", "deep/b.CSV", "c.parquet"], r"holds \.csv and \.gpx and \.parquet files"),
        (["a.csv", "b.csv"], r"the folder holds \.csv files, whose columns may differ; name them one by one"),
        (["a.xlsx"], r"the folder holds no \.parquet files"),
        ([], r"the folder holds no \.parquet files"),
    ],
    ids=["two kinds", "three kinds", "tables", "foreign", "empty"],
)
def test_a_folder_of_mixed_or_foreign_files_is_refused_and_nothing_left_out_in_silence(tmp_path, names, message):
    (tmp_path / "trips").mkdir()
    for name in names:
        write(tmp_path / "trips" / name, POINTS)
    with pytest.raises(InputError, match=message):
        list(opened(tmp_path / "trips")[0].chunks())


@pytest.mark.parametrize("name", ["trips.xlsx", "trips", "trips.zip", "trips.shp"])
def test_a_foreign_ending_is_refused(tmp_path, name):
    with pytest.raises(InputError, match=r"trips are read from \.csv, .*\.gpx, .*\.parquet"):
        opened(write(tmp_path / name, POINTS))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.csv: no such file or folder"):
        opened(tmp_path / "nowhere.csv")
    with pytest.raises(InputError, match="No trips were given"):
        opened()


def test_sources_keep_their_order(tmp_path):
    paths = [write(tmp_path / "b.csv", POINTS), write(tmp_path / "a.csv", PORTO)]
    assert [source.path for source in opened(*paths)] == paths


def csv_of(path, lonlat):
    """Write points of one trip."""
    rows = [f"a,{1_700_000_000 + 15 * k},{lon},{lat}" for k, (lon, lat) in enumerate(lonlat)]
    return write(path, "\n".join(["trip_id,time,lon,lat", *rows, ""]))


def test_swapped_coordinates_are_said(grid, tmp_path, drive, lonlat):
    there = lonlat(drive(20))
    good, swapped = csv_of(tmp_path / "good.csv", there), csv_of(tmp_path / "swapped.csv", there[:, ::-1])
    check_first_trips(opened(good), grid)
    with pytest.raises(
        InputError, match=r"swapped\.csv: longitude and latitude are swapped, .* in Grid only the other"
    ):
        check_first_trips(opened(good, swapped), grid)


@pytest.mark.parametrize(
    "lonlat", [[(2.3, 48.9)] * 20, [(np.nan, np.nan)] * 20, []], ids=["elsewhere", "none", "empty"]
)
def test_trips_that_are_out_of_town_either_way_are_not_said_to_be_swapped(grid, tmp_path, lonlat):
    check_first_trips(opened(csv_of(tmp_path / "trips.csv", lonlat)), grid)


def test_a_digest_changes_with_every_byte_and_name(tmp_path):
    file = write(tmp_path / "trips" / "a.gpx", "one")
    seen = {digest(file), digest(tmp_path / "trips")}
    file.write_text("two")
    seen |= {digest(file), digest(tmp_path / "trips")}
    file.rename(tmp_path / "trips" / "b.gpx")
    seen.add(digest(tmp_path / "trips"))
    assert len(seen) == 5
    assert digest(tmp_path / "trips") in seen
