"""Read GPX of every kind that devices write, and count what is none."""

from __future__ import annotations

import itertools
import re
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from htp.errors import InputError
from htp.prepare.drives import in_order
from htp.prepare.readers import gpx
from htp.prepare.readers.gpx import GpxChunk, GpxSource

NOON_S = 1_714_996_800.0  # 2024-05-06 12:00 UTC
NAMESPACE = 'xmlns="http://www.topografix.com/GPX/1/1"'


def point(lon=1.0, lat=2.0, at="2024-05-06T12:00:00Z"):
    """Return one point; `at` None leaves its time out."""
    return f'<trkpt lat="{lat}" lon="{lon}">' + (f"<time>{at}</time>" if at else "") + "</trkpt>"


def track(*segments, name=None):
    """Return a track of segments, each a text of points."""
    body = "".join(f"<trkseg>{segment}</trkseg>" for segment in segments)
    return f"<trk>{f'<name>{name}</name>' if name else ''}{body}</trk>"


def document(*tracks, attributes=f'version="1.1" creator="test" {NAMESPACE}', head=""):
    """Return a whole file."""
    return f'<?xml version="1.0"?>{head}<gpx {attributes}>{"".join(tracks)}</gpx>'


TWO_POINTS = point() + point(3, 4, "2024-05-06T12:00:15Z")


@pytest.fixture
def read(tmp_path):
    """(texts or bytes of files) -> raw trips."""

    def parse(*contents):
        files = tuple(tmp_path / f"file{number}.gpx" for number in range(len(contents)))
        for file, content in zip(files, contents, strict=True):
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return GpxChunk(files, 1).parse()

    return parse


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
def test_a_segment_is_a_trip(read, version, bom):
    text = document(track(TWO_POINTS)).replace("1/1", version.replace(".", "/")).replace('="1.1"', f'="{version}"')
    trips = read(bom + text.encode())
    assert trips.trip_id == ["file0"]
    np.testing.assert_array_equal(trips.lonlat, [(1, 2), (3, 4)])
    np.testing.assert_array_equal(trips.time_s, [NOON_S, NOON_S + 15])
    assert not trips.dropped


@pytest.mark.parametrize(
    ("tracks", "names"),
    [
        ([track(TWO_POINTS, name="home")], ["home"]),
        ([track(TWO_POINTS, TWO_POINTS, name="home")], ["home-0", "home-1"]),
        ([track(TWO_POINTS, name="home"), track(TWO_POINTS, name="work")], ["home", "work"]),
        ([track(TWO_POINTS, name="drive"), track(TWO_POINTS, name="drive")], ["drive-0", "drive-1"]),
        ([track(TWO_POINTS), track(TWO_POINTS)], ["file0-0", "file0-1"]),
        ([track(TWO_POINTS), track(TWO_POINTS, TWO_POINTS)], ["file0-0", "file0-1-0", "file0-1-1"]),
    ],
    ids=["named", "segments", "two names", "the same name", "no names", "no names, segments"],
)
def test_every_trip_of_a_file_has_a_name_of_its_own(read, tracks, names):
    assert read(document(*tracks)).trip_id == names


@pytest.mark.parametrize(
    ("text", "time_s"),
    [
        ("2024-05-06T12:00:00", NOON_S),  # without a zone: UTC, as GPX has it
        ("2024-05-06T08:00:00-04:00", NOON_S),
        ("2024-05-06T12:00:00.500Z", NOON_S + 0.5),
        ("0001-01-01T00:00:00", -62_135_596_800.0),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "America/Santiago"])
def test_times_do_not_depend_on_the_machine(read, monkeypatch, text, time_s, zone):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert read(document(track(point(at=text)))).time_s.tolist() == [time_s]
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (document(track(point(at=None))), "no_time"),
        (document(track("")), "no_points"),
        (document("<trk></trk>"), "no_points"),
        (document('<wpt lat="1" lon="2"></wpt>'), "no_points"),
        (document(track('<trkpt lon="2"></trkpt>')), "no_time"),
        ("", "broken_file"),
        ("trip_id,time,lon,lat\n", "broken_file"),
        (b"\x1f\x8b\x08\x00\xff", "broken_file"),
        ("<html><body>Please log in</body></html>", "no_points"),
    ],
)
def test_what_is_no_trip_counts_by_its_reason_and_spares_other_files(read, content, reason):
    trips = read(document(track(TWO_POINTS, name="before")), content, document(track(TWO_POINTS, name="after")))
    assert trips.trip_id == ["before", "after"]
    assert trips.dropped == {reason: 1}


def test_every_segment_is_either_a_trip_or_counted(read):
    trips = read(document(track(TWO_POINTS, "", point(at=None), TWO_POINTS)))
    assert trips.trip_id == ["file0-0", "file0-3"]
    assert trips.dropped == {"no_points": 1, "no_time": 1}


@pytest.mark.parametrize(
    ("content", "reason"),
    [(document(track(TWO_POINTS))[:-20], "a broken end"), (document(track(TWO_POINTS)) + "\0", "something behind it")],
)
def test_what_comes_before_a_break_is_kept_and_the_break_is_counted(read, content, reason):
    trips = read(content)
    assert trips.trip_id == ["file0"], reason
    assert trips.dropped == {"broken_file": 1}
    assert trips.examples["broken_file"].startswith("file0.gpx: ")


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (point(at=None), "no_time"),
        (point(at="yesterday"), "unread_time"),
        (point(at="2024-05-06T12:00:00+99:99"), "unread_time"),
        (point(lat="north", at="2024-05-06T12:00:05Z"), "unread_position"),
        ("<trkpt><time>2024-05-06T12:00:05Z</time></trkpt>", "unread_position"),
        (point(at="2024-05-06T12:00:15Z"), "repeated_time"),
    ],
)
@pytest.mark.parametrize("at_the_end", [True, False], ids=["at the end", "at the start"])
def test_a_bad_point_costs_itself_alone(read, bad, reason, at_the_end):
    points = TWO_POINTS + bad if at_the_end else bad + TWO_POINTS
    trips = in_order(read(document(track(points), track(TWO_POINTS))))
    assert trips.count.tolist() == [2, 2]
    assert not trips.dropped
    assert trips.left_out == {reason: 1}
    assert "file0-0" in trips.examples[reason]


def test_a_value_that_cannot_be_read_is_quoted(read):
    trips = read(document(track(TWO_POINTS + point(at="gestern") + point(lat="Nord"))))
    assert "'gestern'" in trips.examples["unread_time"]
    assert "lat=Nord" in trips.examples["unread_position"]


def declared(encoding):
    """Return a file that says its encoding."""
    return document(track(TWO_POINTS, name="Vía Coquimbó")).replace("?>", f' encoding="{encoding}"?>', 1)


@pytest.mark.parametrize(
    "content",
    [
        declared("ISO-8859-1").encode("latin-1"),
        document(track(TWO_POINTS, name="Vía Coquimbó"))
        .replace("?>", ' encoding="windows-1252"?>', 1)
        .encode("cp1252"),
        declared("UTF-16").encode("utf-16"),
        document(track(TWO_POINTS, name="Vía Coquimbó")).encode("utf-16"),
        declared("UTF-8").encode("latin-1"),
        declared("no-such").encode(),
    ],
    ids=["Latin 1", "Windows", "UTF-16", "UTF-16 undeclared", "Latin 1 declared as UTF-8", "an unknown one"],
)
def test_the_encoding_is_that_declared_or_what_the_bytes_show(read, content):
    trips = read(content)
    assert trips.trip_id == ["Vía Coquimbó"]
    assert not trips.dropped


@pytest.mark.parametrize(
    "content",
    [
        document(track(TWO_POINTS, name="Home & Work")),
        document(track(TWO_POINTS, name="Home &amp; Work")),
        document(track(TWO_POINTS, name="Home &amp; Work"), head="<!DOCTYPE gpx>"),
        document(track(TWO_POINTS, name="Home &amp; Work"), attributes='version="1.1"'),
        re.sub("<(/?)(gpx|trk|name)", r"<\1g:\2", document(track(TWO_POINTS, name="Home &amp; Work"))),
        document(track(TWO_POINTS, name="Home &amp; Work")).replace(
            "</trkpt>", "<extensions><u:hr>9</u:hr></extensions></trkpt>"
        ),
        document(track(TWO_POINTS, name="Home &amp; Work")).replace("<time>", "<ele>nan</ele><hdop>x</hdop><time>"),
    ],
    ids=["a bare &", "written out", "a doctype", "no namespace", "prefixes", "an unknown prefix", "odd heights"],
)
def test_only_places_and_times_are_read_whatever_stands_around_them(read, content):
    trips = read(content)
    assert trips.trip_id == ["Home & Work"]
    assert trips.count.tolist() == [2]
    assert not trips.dropped


def test_times_that_run_backwards_are_sorted(read):
    trips = in_order(read(document(track(point(3, 4, "2024-05-06T12:00:15Z") + point()))))
    np.testing.assert_array_equal(trips.lonlat, [(1, 2), (3, 4)])
    assert not trips.left_out


def test_segments_that_follow_each_other_are_one_trip(read):
    later = point(5, 6, "2024-05-06T12:01:30Z") + point(7, 8, "2024-05-06T12:01:45Z")
    trips = read(document(track(TWO_POINTS, later, name="Drive")))
    assert trips.trip_id == ["Drive"]
    assert (trips.time_s - NOON_S).tolist() == [0, 15, 90, 105]


def test_a_route_with_times_is_a_trip(read):
    text = document(track(TWO_POINTS)).replace("trkseg>", "x>").replace("trkpt", "rtept").replace("trk>", "rte>")
    assert read(text.replace("<x>", "").replace("</x>", "")).trip_id == ["file0"]


def test_a_decimal_comma_is_one(read):
    text = document(track(point("1,5", "2,25") + point("3", "4", "2024-05-06T12:00:15Z")))
    assert read(text).lonlat.tolist() == [[1.5, 2.25], [3, 4]]


def test_coordinates_that_are_no_numbers_are_left_for_the_cleaning_to_count(read):
    assert np.isnan(read(document(track(point(lat="nan")))).lonlat[0, 1])


def test_a_billion_laughs_do_not_explode(read):
    names = "abcdefghij"
    entities = '<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in itertools.pairwise(names)
    )
    started = time.process_time()
    trips = read(document(track(TWO_POINTS, name="&j;"), head=f"<!DOCTYPE gpx [{entities}]>"))
    assert time.process_time() - started < 5
    assert trips.dropped == {"broken_file": 1}


def test_a_file_cannot_read_another(read, tmp_path):
    (tmp_path / "secret").write_text("secret")
    head = f'<!DOCTYPE gpx [<!ENTITY x SYSTEM "{(tmp_path / "secret").as_uri()}">]>'
    trips = read(document(track(TWO_POINTS, name="&x;"), head=head))
    assert "secret" not in trips.trip_id
    assert trips.dropped == {"broken_file": 1}


def test_a_folder_is_read_file_by_file_in_chunks_of_the_same_order_each_time(tmp_path, monkeypatch):
    for number in range(7):
        folder = tmp_path / "rides" / str(number % 2)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.{'GPX' if number == 3 else 'gpx'}").write_text(document(track(TWO_POINTS)))
    (tmp_path / "rides" / "notes.txt").write_text("none of them")
    (tmp_path / "rides" / "folder.gpx").mkdir()
    source = GpxSource(tmp_path / "rides")
    monkeypatch.setattr(gpx, "BYTES_A_CHUNK", 3 * len(document(track(TWO_POINTS))))
    chunks = list(source.chunks())
    assert [len(chunk.files) for chunk in chunks] == [3, 3, 1]
    assert sum(chunk.size for chunk in chunks) == source.size
    assert [trip for chunk in chunks for trip in chunk.parse().trip_id] == ["0", "2", "4", "6", "1", "3", "5"]
    assert list(source.chunks()) == chunks


def test_a_folder_without_gpx_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"holds no \.gpx files"):
        list(GpxSource(tmp_path).chunks())


@given(
    st.one_of(
        st.binary(max_size=60),
        st.text(max_size=60).map(lambda text: document(track(point(at=text)))),
        st.tuples(st.text(max_size=10), st.text(max_size=10)).map(lambda two: document(track(point(*two)))),
        st.text(max_size=60).map(lambda text: document(track(TWO_POINTS), attributes=text)),
        st.text(max_size=60).map(document),
    )
)
def test_no_file_stops_the_reader(read, content):
    if isinstance(content, str):
        content = content.encode("utf-8", "surrogatepass")
    trips = read(content)
    assert len(trips) + trips.dropped.total() >= 1
