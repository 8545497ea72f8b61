"""Check that parts are made once: the same trips as without parts, and that a rerun makes what is missing."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256

import geopandas as gpd
import numpy as np
import pytest
import shapely

from htp.errors import InputError
from htp.generate import Generator
from htp.generate_files import generate_like, generate_on
from htp.scale.parts import MANIFEST, PartRecord, Parts, part_name
from htp.scale.store import Store
from htp.trip_source import Sampling
from htp.trips import read_trips, write_trips

TRIPS, PARTS = 24, 5  # 5 + 5 + 5 + 5 + 4


@pytest.fixture(scope="session")
def without_parts(tiny_data, tiny_checkpoint, tmp_path_factory):
    """Return the trips that the request gives without parts."""
    out = tmp_path_factory.mktemp("plain") / "trips.parquet"
    generate_like(Generator.load(tiny_checkpoint, "cpu"), tiny_data / "heldout.parquet", out, Sampling(), seed=7)
    return read_trips(out)


def assert_same(trips, expected):
    """Check that the trips are the same: tokens exactly, places to the sixth decimal."""
    assert trips["trip_id"].tolist() == expected["trip_id"].tolist()
    assert trips["start_time"].tolist() == expected["start_time"].tolist()
    for one, other in zip(trips["patterns"], expected["patterns"], strict=True):
        assert one.tolist() == other.tolist()
    places = [shapely.get_coordinates(table.geometry.to_numpy()) for table in (trips, expected)]
    np.testing.assert_allclose(*places, atol=1e-6)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_parts_together_are_the_trips_that_come_without_parts(in_process, request_of, without_parts, tmp_path):
    heard = []
    count = generate_on(in_process(), request_of, str(tmp_path / "day"), progress=lambda *x: heard.append(x))
    assert count == TRIPS
    assert heard == [(5, 24), (10, 24), (15, 24), (20, 24), (24, 24)]
    assert_same(read_trips(tmp_path / "day"), without_parts)
    assert_same(gpd.read_parquet(tmp_path / "day"), without_parts)


def test_several_draws_a_trip_are_the_same_in_parts(in_process, request_of, tiny_checkpoint, tiny_data, tmp_path):
    heard, said = [], []
    request, out = replace(request_of, draws=2, draw_time=True), str(tmp_path / "draws")
    assert generate_on(in_process(), request, out, progress=lambda *x: heard.append(x), say=said.append) == 2 * TRIPS
    assert heard[-1] == (2 * TRIPS, 2 * TRIPS)
    assert said == []  # all are at the model's own interval
    plain = tmp_path / "plain.parquet"
    generator = Generator.load(tiny_checkpoint, "cpu")
    generate_like(generator, tiny_data / "heldout.parquet", plain, Sampling(), draws=2, draw_time=True, seed=7)
    assert_same(read_trips(out), read_trips(plain))


def test_the_manifest_lists_the_parts_with_their_rows_and_checksums(whole_day):
    facts = json.loads((whole_day / MANIFEST).read_text())
    assert (facts["complete"], facts["trips"], facts["count"]) == (True, TRIPS, PARTS)
    assert sorted(facts["parts"]) == [part_name(number) for number in range(PARTS)]
    assert [part["rows"] for _, part in sorted(facts["parts"].items())] == [5, 5, 5, 5, 4]
    for name, part in facts["parts"].items():
        content = (whole_day / name).read_bytes()
        assert (part["bytes"], part["sha256"]) == (len(content), sha256(content).hexdigest())
    assert sorted(contents(whole_day)) == sorted([MANIFEST, *facts["parts"]])


def test_a_stopped_job_goes_on_where_it_stood_and_gives_the_same_files(in_process, request_of, whole_day, tmp_path):
    first, second, third = in_process(stop_after=2), in_process(), in_process()
    with pytest.raises(KeyboardInterrupt):
        generate_on(first, request_of, str(tmp_path / "day"))
    facts = json.loads((tmp_path / "day" / MANIFEST).read_text())
    assert (facts["complete"], facts["trips"]) == (False, 10)
    assert generate_on(second, request_of, str(tmp_path / "day")) == TRIPS
    assert generate_on(third, request_of, str(tmp_path / "day")) == TRIPS
    assert (first.done, second.done, third.done) == ([0, 1], [2, 3, 4], [])
    assert contents(tmp_path / "day") == contents(whole_day)


def test_parts_lie_on_s3_and_a_rerun_makes_what_is_missing(s3_server, in_process, request_of, whole_day):
    with pytest.raises(KeyboardInterrupt):
        generate_on(in_process(stop_after=2), request_of, "s3://day/generated")
    again = in_process()
    assert generate_on(again, request_of, "s3://day/generated") == TRIPS
    assert again.done == [2, 3, 4]
    store = Store("s3://day/generated")
    assert {name: store.read(name) for name in store.sizes()} == contents(whole_day)


@pytest.mark.parametrize("harm", ["lost", "cut"])
def test_a_part_that_was_lost_or_cut_is_made_again(harm, in_process, request_of, day):
    before, path = contents(day), day / part_name(3)
    path.unlink() if harm == "lost" else path.write_bytes(path.read_bytes()[:-1])
    again = in_process()
    generate_on(again, request_of, str(day))
    assert again.done == [3]
    assert contents(day) == before


def test_a_rerun_with_other_settings_is_refused_and_changes_nothing(in_process, request_of, day):
    before = contents(day)
    with pytest.raises(InputError, match=r"parts of another job \(seed 7, not 8\); give another --out, or --force"):
        generate_on(in_process(), replace(request_of, seed=8), str(day))
    assert contents(day) == before


def test_force_makes_the_parts_anew_and_leaves_other_files_alone(in_process, request_of, day, tmp_path):
    other = in_process()
    generate_on(other, replace(request_of, seed=8), str(day), force=True)
    assert other.done == [0, 1, 2, 3, 4]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    for force in (False, True):
        with pytest.raises(InputError, match="holds files of something else; give another --out"):
            generate_on(in_process(), request_of, str(tmp_path / "mine"), force=force)
    assert contents(tmp_path / "mine") == {"letter.txt": b"dear"}


def test_parts_are_joined_to_a_file_where_one_is_asked_for(in_process, request_of, without_parts, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        generate_on(in_process(stop_after=3), request_of, str(tmp_path / "day.parquet"))
    assert [path.name for path in tmp_path.iterdir()] == ["day.parquet.parts"]
    assert generate_on(in_process(), request_of, str(tmp_path / "day.parquet")) == TRIPS
    assert [path.name for path in tmp_path.iterdir()] == ["day.parquet"]
    assert_same(read_trips(tmp_path / "day.parquet"), without_parts)


def test_parts_are_cut_alike_from_a_file_and_from_a_folder_of_files(in_process, request_of, without_parts, tmp_path):
    trips = read_trips(request_of.trips)
    for name, piece in (("a", trips[:7]), ("b", trips[7:9]), ("c", trips[9:])):
        write_trips(piece, tmp_path / "like" / f"{name}.parquet")
    generate_on(in_process(), replace(request_of, trips=tmp_path / "like"), str(tmp_path / "day"))
    assert_same(read_trips(tmp_path / "day"), without_parts)


def test_a_damaged_part_is_found_by_its_checksum(request_of, day):
    path = day / part_name(1)
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"part-000001\.parquet: damaged"):
        Parts(Store(str(day)), request_of.facts(), PARTS).check()


PART = '{"rows": 1, "bytes": %s, "sha256": "-"}'
DAMAGED = {
    "cut off": "{",
    "a list": "[]",
    "a part that lacks something": '{"job": {}, "parts": {"part-000000.parquet": {"rows": 1}}}',
    "a part whose size is text": '{"job": {}, "fingerprint": "x", "parts": {"part-000000.parquet": %s}}'
    % (PART % '"1"'),
    "parts that are a list": '{"job": {}, "fingerprint": "x", "parts": []}',
    "nested without end": '{"job": ' * 100_000,
    "17 MiB": "{" + " " * (17 << 20) + "}",
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_manifest_is_one_sentence(text, tmp_path):
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(InputError, match=r"manifest\.json: damaged; give --force to make all parts anew\.$"):
        Parts(Store(str(tmp_path)), {"seed": 1}, 3)


def test_a_killed_program_loses_the_parts_of_the_last_seconds_only(tmp_path, monkeypatch):
    now_s = 0.0
    monkeypatch.setattr("htp.scale.parts.time.monotonic", lambda: now_s)
    parts = Parts(Store(str(tmp_path)), {"seed": 1}, 3)
    for number, now_s in ((0, 1.0), (1, 6.0), (2, 7.0)):  # noqa: B007  read by the clock above
        (tmp_path / part_name(number)).write_bytes(b"x")
        parts.add(number, PartRecord(1, 1, "-"))
    assert Parts(Store(str(tmp_path)), {"seed": 1}, 3).missing == [2]
