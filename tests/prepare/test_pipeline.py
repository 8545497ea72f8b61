"""Prepare whole files: what comes out, what is counted, what a stop leaves behind.

Most tests run the work in this process (fixture `pool`), for a process takes seconds to start.
"""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely

from htp.city.linear_referencing import RouteLines
from htp.city.sources import build_city
from htp.errors import InputError
from htp.prepare import pipeline
from htp.prepare.options import PrepareOptions
from htp.prepare.pipeline import prepare
from htp.prepare.readers import porto
from htp.trips import read_trips, write_trips

NOON_S = 1_714_996_800  # 2024-05-06 12:00 UTC, 08:00 in Santiago
ROUND = ["Calle 0", "Avenida 4", "Calle 4", "Avenida 0"]  # the streets that `drive` passes
OUTPUTS = ["heldout.parquet", "report.json", "train.parquet"]


def names_of(folder):
    """Return the names of what lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


def outputs(folder):
    """Return both tables in order."""
    return [read_trips(folder / f"{table}.parquet") for table in ("train", "heldout")]


def test_raw_trips_become_tables_of_prepared_trips_and_a_report(grid, porto_csv, run, out):
    report = run([porto_csv(12)])
    assert names_of(out) == OUTPUTS
    assert json.loads((out / "report.json").read_text()) == report
    assert (report["rows"], report["kept"], report["eligible"], report["points"]) == (12, 12, 12, 6 * 20 + 6 * 21)
    train, heldout = outputs(out)
    assert (len(train), len(heldout)) == (report["train"], report["heldout"])
    assert len(heldout) > 0
    trips = pd.concat([train, heldout])
    assert sorted(trips["trip_id"]) == sorted(f"T{k}" for k in range(12))
    for trip in trips.itertuples():
        streets = list(dict.fromkeys(grid.roads["name"][trip.roads]))
        assert streets == ROUND
        assert trip.start_time == pd.Timestamp(NOON_S + 60 * int(trip.trip_id[1:]), unit="s", tz="UTC")
        assert (trip.interval, len(trip.percent), len(trip.offset)) == (
            15.0,
            len(trip.geometry.coords),
            2 * len(trip.percent),
        )
    assert str(trips["start_time"].dt.tz) == grid.timezone


def test_percent_and_offset_give_back_the_points_of_the_file(grid, porto_csv, run, out):
    run([porto_csv(3)])
    for trip in pd.concat(outputs(out)).itertuples():
        lines = RouteLines.of(grid, [trip.roads])
        placed_m = lines.place(np.zeros(len(trip.percent), dtype=np.int64), trip.percent * lines.length_m[0])
        points_m = grid.to_metres(shapely.get_coordinates(trip.geometry))
        np.testing.assert_allclose(placed_m + trip.offset.reshape(-1, 2), points_m, atol=0.002)


def test_every_row_that_is_dropped_is_counted_by_its_reason(porto_csv, row, drive, run, monkeypatch):
    monkeypatch.setattr(porto, "BLOCK_BYTES", 1 << 14)  # for the row of 201 points
    outside = drive(20)
    outside[3] = (200, 900)
    rows = [
        row("a", 20, missing="True"),
        f"b,{NOON_S},False,[[-71.2",
        f"c,{NOON_S},False,[]",
        "d,short",
        row("e", outside),
        row("f", 19),
        row("g", drive(201, step_m=7)),
        row("h", np.tile(drive(1), (20, 1))),
        row("i", start_s=10**13),
    ]
    report = run([porto_csv(5, *rows)])
    assert report["kept"] == 8  # g in two pieces
    assert report["further_drives"] == 1
    assert report["left_out"] == {"jump": 1}  # of e
    assert "trip e" in report["examples"]["jump"]
    assert "d,short" in report["examples"]["broken_row"] or "trip b" in report["examples"]["broken_row"]
    assert report["dropped"] == {
        "broken_row": 2,
        "unread_time": 1,
        "missing_data": 1,
        "no_points": 1,
        "too_short": 1,
        "shortcut": 1,  # it never moved
    }


def test_all_formats_of_the_same_trips_give_the_same_result(porto_csv, run, tmp_path, raw):
    porto_file = porto_csv(4)
    run([porto_file], "porto")
    trips = pd.concat(outputs(tmp_path / "porto"))
    raw = gpd.GeoDataFrame(trips[["trip_id", "start_time", "interval", "geometry"]], crs="EPSG:4326")
    expected = trips.sort_values("trip_id")
    for ending in ("csv", "gpx", "parquet"):
        write_trips(raw, tmp_path / f"same.{ending}")
        report = run([tmp_path / f"same.{ending}"], ending)
        found = pd.concat(outputs(tmp_path / ending)).sort_values("trip_id")
        assert found["trip_id"].tolist() == expected["trip_id"].tolist()
        assert found["start_time"].tolist() == expected["start_time"].tolist()
        assert [list(roads) for roads in found["roads"]] == [list(roads) for roads in expected["roads"]]
        np.testing.assert_allclose(
            np.concatenate(list(found["percent"])), np.concatenate(list(expected["percent"])), atol=1e-4
        )
        assert len(report["notes"]) == (ending == "csv")  # its columns were guessed


def test_several_sources_go_into_one_result_with_ids_of_their_own_and_equal_trips_on_one_side(porto_csv, run, out):
    files = [porto_csv(12, name="one.csv"), porto_csv(9, name="TWO.CSV")]
    report = run(files)
    assert (report["rows"], report["kept"]) == (21, 21)
    assert [source["name"] for source in report["sources"]] == ["one.csv", "TWO.CSV"]
    train, heldout = (set(table["trip_id"]) for table in outputs(out))
    assert not train & heldout
    assert len(train | heldout) == 21
    assert {f"T{k}-1" for k in range(9)} <= train | heldout
    for k in range(9):  # the same trip twice would tell of held-out trips in training
        assert (f"T{k}" in train) == (f"T{k}-1" in train)
    assert report["notes"] == ["renamed 9 trips whose id came before, such as 'T0' as 'T0-1'."]


def test_different_trips_of_one_id_are_not_all_on_one_side(porto_csv, row, run, out):
    report = run([porto_csv(0, *(row("same", 20, NOON_S + 60 * k) for k in range(30)))])
    train, heldout = (table["trip_id"] for table in outputs(out))
    assert report["kept"] == 30 == len({*train, *heldout})
    assert 3 <= len(heldout) <= 20


def test_a_trip_while_clocks_are_set_back_starts_at_its_own_hour(porto_csv, row, run, out):
    """The hour from 23:00 comes twice on 6 April 2024."""
    first = int(pd.Timestamp("2024-04-06 23:58", tz="Etc/GMT+3").timestamp())
    file = porto_csv(0, row("summer", 20, first), row("winter", 20, first + 3600))
    run([file])
    starts = pd.concat(outputs(out)).set_index("trip_id")["start_time"]
    assert starts["summer"].isoformat() == "2024-04-06T23:58:00-03:00"
    assert starts["winter"].isoformat() == "2024-04-06T23:58:00-04:00"


def test_chunks_without_a_trip_are_no_trouble(porto_csv, row, run, pool):
    useless = [row(f"short-{k}", 15) for k in range(40)]
    report = run([porto_csv(12, *useless)])
    assert len(pool.submitted) > 6
    assert (report["kept"], report["dropped"]) == (12, {"too_short": 40})


def test_nothing_held_out_is_an_empty_table(porto_csv, run, out):
    run([porto_csv(4)], heldout_share=0.0)
    train, heldout = outputs(out)
    assert (len(train), len(heldout)) == (4, 0)
    assert list(train.columns) == list(heldout.columns)


@pytest.fixture
def through_the_middle(row, drive, inner):
    """Return the row of a trip that keeps away from the edge, where the good ones drive."""
    return row("within", drive(20, inner))


def test_all_trips_through_an_area_are_held_out(porto_csv, through_the_middle, place, run, out):
    area = (*place(50.0, 50.0), *place(350.0, 350.0))
    report = run([porto_csv(6, through_the_middle)], heldout_area=area)
    train, heldout = outputs(out)
    assert heldout["trip_id"].tolist() == ["within"]
    assert (len(train), report["settings"]["heldout_area"]) == (6, area)


def test_an_area_that_holds_out_nothing_or_is_none_is_a_sentence(porto_csv, run):
    with pytest.raises(InputError, match="No trip or every trip goes through"):
        run([porto_csv(6)], heldout_area=(0.0, 0.0, 1.0, 1.0))
    with pytest.raises(InputError, match="is no box in degrees"):
        run([porto_csv(6)], heldout_area=(1.0, 0.0, 0.0, 1.0))


def test_tables_tell_their_bounds_and_hold_a_chunk_a_row_group(porto_csv, run, pool, out):
    run([porto_csv(12)], heldout_share=0.0)
    file = pq.ParquetFile(out / "train.parquet")
    assert file.metadata.num_row_groups == len(pool.submitted) > 2
    (train, _) = outputs(out)
    bounds = json.loads(file.schema_arrow.metadata[b"geo"])["columns"]["geometry"]["bbox"]
    np.testing.assert_allclose(bounds, train.total_bounds)
    assert len(gpd.read_parquet(out / "train.parquet")) == 12


def test_progress_rises_to_the_whole(porto_csv, run, pool):
    seen = []
    file = porto_csv(12)
    run([file], progress=lambda *now: seen.append(now))
    done, total = np.array(seen).T
    assert (np.diff(done) >= 0).all()
    assert set(total) == {file.stat().st_size}
    assert 0 < done[0] <= done[-1] <= total[0]
    assert len(seen) == len(pool.submitted)


def test_the_interval_is_that_asked_for(porto_csv, run, out):
    run([porto_csv(4)], interval_s=7.5)
    trip = pd.concat(outputs(out)).iloc[0]
    assert trip["interval"] == 7.5
    assert len(trip["percent"]) in {39, 41}


@pytest.fixture
def stop(run, pool, out):
    """Stop a run with Ctrl-C after some chunks; return the names of the notes that it wrote."""

    def make(file, after):
        pool.stop_at = after
        with pytest.raises(KeyboardInterrupt):
            run([file])
        assert not any((out / name).exists() for name in OUTPUTS)
        done, pool.stop_at = list(pool.submitted), None
        pool.submitted.clear()
        return done

    return make


def test_a_stopped_run_goes_on_and_makes_only_what_is_missing(porto_csv, run, stop, pool, tmp_path, out):
    file = porto_csv(12, "bad,row", "bad,row")
    whole = run([file], "whole")
    everything = list(pool.submitted)
    pool.submitted.clear()
    done = stop(file, after=2)
    seen = []
    report = run([file], progress=lambda *now: seen.append(now))
    assert sorted(done + pool.submitted) == everything
    assert len(done) == 2
    assert len(seen) == len(everything)
    assert names_of(out) == OUTPUTS
    assert {**report, "seconds": 0} == {**whole, "seconds": 0}
    for name in ("train.parquet", "heldout.parquet"):
        assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_half_parts_are_never_taken_for_whole(porto_csv, run, stop, pool, tmp_path, out):
    file = porto_csv(20)
    run([file], "whole")
    pool.submitted.clear()
    done = stop(file, after=3)
    (parts,) = out.iterdir()
    first, second = done[:2]
    (parts / first).unlink()  # stopped between its tables and its note
    (parts / first.replace(".json", "-trips.parquet")).write_bytes(b"PAR1 half")
    (parts / f".{second.replace('.json', '-trips')}-x1y2.parquet").write_bytes(b"PAR1 half of another try")
    (parts / f".{second.removesuffix('.json')}-x1y2.json").write_text('{"rows": 1')
    run([file])
    assert first in pool.submitted
    assert second not in pool.submitted
    for name in ("train.parquet", "heldout.parquet"):
        assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.parametrize(
    "change",
    [{"interval_s": 7.5}, {"seed": 1}, {"heldout_share": 0.5}, {"min_points": 10}, {"max_points": 100}],
    ids=lambda change: next(iter(change)),
)
def test_parts_made_under_other_settings_are_not_taken(porto_csv, run, stop, pool, out, change):
    file = porto_csv(12)
    stop(file, after=2)
    run([file], **change)
    made = list(pool.submitted)
    run([file], "fresh", **change)
    assert pool.submitted == made * 2
    for table, fresh in zip(outputs(out), outputs(out.with_name("fresh")), strict=True):
        assert table["trip_id"].tolist() == fresh["trip_id"].tolist()


def test_parts_of_another_file_are_not_taken(porto_csv, run, stop, out):
    file = porto_csv(12)
    stop(file, after=2)
    file.write_text(file.read_text().replace("T0,", "U0,"))
    run([file])
    trips = pd.concat(outputs(out))
    assert "U0" in set(trips["trip_id"])
    assert "T0" not in set(trips["trip_id"])


@pytest.mark.parametrize("workers", [1, 2])
def test_few_chunks_wait_at_a_time_however_many_there_are(grid, options, tmp_path, monkeypatch, workers):
    """A chunk too many makes the source wait until one is done: memory does not grow."""
    most = 0

    class LatePool(ThreadPoolExecutor):
        def __init__(self, *_, **__):
            super().__init__(1)

    def wait_for_one(futures, return_when):
        nonlocal most
        most = max(most, len(futures))
        return wait(futures, return_when=return_when)

    monkeypatch.setattr(pipeline, "ProcessPoolExecutor", LatePool)
    monkeypatch.setattr(pipeline, "wait", wait_for_one)
    monkeypatch.setattr(pipeline, "_work", lambda task, _: task[0])
    finished = []
    with pipeline._Workers(grid, workers, None) as workers_at_work:
        for number in range(50):
            finished += workers_at_work.submit((number, tmp_path / str(number)), options, 10 * number)
            assert number + 1 - len(finished) <= 2 * workers
        finished += workers_at_work.rest()
    assert sorted(finished) == [(10 * number, number) for number in range(50)]
    assert most == 2 * workers + 1


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], r"there are no trips in it; give a file with at least one row"),
        (["short"] * 3, r"none of 3 trips can be used \(too_short: 3\)"),
        (["away"] * 10, r"10 of 10 trips lie outside Grid; make the city that covers them with `htp city`"),
        (["missing", "missing", "short"], r"none of 3 trips can be used \(missing_data: 2, too_short: 1\)"),
    ],
    ids=["none", "too short", "another city", "several reasons"],
)
def test_where_nothing_can_be_used_the_error_says_why_and_nothing_is_written(porto_csv, row, drive, run, rows, message):
    kinds = {
        "short": row("s", 5),
        "away": row("a", drive(20) + np.array([0, 50_000])),
        "missing": row("m", 20, missing="True"),
    }
    file = porto_csv(0, *(kinds[kind] for kind in rows))
    with pytest.raises(InputError, match=rf"trips\.csv: {message}"):
        run([file])
    assert names_of(file.with_name("out")) == []


@pytest.mark.parametrize("cells", ["{lat},{lon}", ",", "nowhere,north"], ids=["swapped", "empty", "words"])
def test_a_csv_of_bad_coordinates_is_refused_and_nothing_written(drive, lonlat, run, tmp_path, out, cells):
    rows = [f"a,{NOON_S + 15 * k},{cells.format(lon=lon, lat=lat)}" for k, (lon, lat) in enumerate(lonlat(drive(20)))]
    (tmp_path / "trips.csv").write_text("\n".join(["trip_id,time,lon,lat", *rows, ""]))
    with pytest.raises(
        InputError, match="swapped" if "{" in cells else r"none of 1 trips can be used \(unread_position: 1\)"
    ):
        run([tmp_path / "trips.csv"])
    assert not (out).exists() or names_of(out) == []


def test_a_run_that_fails_leaves_an_earlier_result_as_it_was(porto_csv, row, run, out):
    run([porto_csv(4)])
    before = {path.name: path.read_bytes() for path in (out).iterdir()}
    with pytest.raises(InputError):
        run([porto_csv(0, row("s", 5))])
    assert {path.name: path.read_bytes() for path in (out).iterdir()} == before


def test_the_cores_are_counted_where_the_system_does_not_tell_which_may_be_used(monkeypatch):
    assert pipeline._cores() == len(os.sched_getaffinity(0))
    monkeypatch.delattr(os, "sched_getaffinity")  # as on macOS
    assert pipeline._cores() == os.cpu_count()


@pytest.mark.slow
def test_the_result_is_the_same_whatever_the_number_of_processes(grid, porto_csv, options, tmp_path, monkeypatch):
    monkeypatch.setattr(porto, "BLOCK_BYTES", 4096)
    file = porto_csv(24, "bad,row")
    reports = [prepare([file], grid, tmp_path / str(n), replace(options, workers=n)) for n in (1, 3)]
    assert {**reports[0], "seconds": 0} == {**reports[1], "seconds": 0}
    for name in ("train.parquet", "heldout.parquet"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "3" / name).read_bytes()


@pytest.mark.slow
@pytest.mark.thorough
def test_porto_is_prepared_as_its_readme_asks(shared, out):
    city = build_city(str(shared / "porto" / "porto.osm.pbf"))
    report = prepare([shared / "porto" / "train_1500.csv"], city, out, PrepareOptions(workers=1))
    assert report["rows"] == 1500
    assert 1500 + report["further_drives"] == report["kept"] + sum(report["dropped"].values())
    assert report["eligible"] >= 1050  # of 1,111 in town; the rest have a jump or a gap
    assert report["kept"] >= 900
    trips = pd.concat(outputs(out))
    assert len(trips) == report["kept"]
    offset_m = np.hypot(*np.concatenate(list(trips["offset"])).reshape(-1, 2).T)
    assert np.median(offset_m) <= 5
    for trip in trips.itertuples():
        assert city.is_connected(trip.roads)
        assert 8 <= len(trip.percent) <= 1024
        assert (np.diff(trip.percent) >= 0).all()
        points_m = city.to_metres(shapely.get_coordinates(trip.geometry))
        gps_m = np.hypot(*np.diff(points_m, axis=0).T).sum()
        matched_m = (trip.percent[-1] - trip.percent[0]) * city.length_m[trip.roads].sum()
        assert 0.799 <= matched_m / gps_m <= 1.301
