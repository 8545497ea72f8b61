"""Read packed files as if they were not, and refuse small ones that hold very much."""

from __future__ import annotations

import bz2
import gzip
import lzma
from pathlib import Path

import pytest

from htp import unpacked
from htp.errors import InputError
from htp.unpacked import is_packed, kind_of, open_unpacked

PACKERS = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
def test_a_packed_file_is_read_whatever_its_name(tmp_path, pack):
    path = tmp_path / "points.csv"
    path.write_bytes(pack(b"one\ntwo\n" * 10_000))
    assert is_packed(path)
    with open_unpacked(path) as stream:
        assert stream.read() == b"one\ntwo\n" * 10_000


def test_a_file_that_is_not_packed_is_read_as_it_is(tmp_path):
    (tmp_path / "points.csv.gz").write_bytes(b"one")
    assert not is_packed(tmp_path / "points.csv.gz")
    with open_unpacked(tmp_path / "points.csv.gz") as stream:
        assert stream.read() == b"one"


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
def test_a_bomb_is_refused_before_it_bursts(tmp_path, monkeypatch, pack):
    monkeypatch.setattr(unpacked, "SMALL_BYTES", 1 << 20)
    (tmp_path / "bomb.csv").write_bytes(pack(bytes(20 << 20)))
    with open_unpacked(tmp_path / "bomb.csv") as stream, pytest.raises(InputError, match="do not open it"):
        stream.read()


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
def test_a_damaged_archive_is_a_sentence(tmp_path, pack):
    (tmp_path / "half.csv").write_bytes(pack(b"one,two\n" * 10_000)[:60])
    with (
        open_unpacked(tmp_path / "half.csv") as stream,
        pytest.raises(InputError, match=r"half\.csv: cannot be unpacked"),
    ):
        stream.read()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.csv", ".csv"),
        ("Rides.CSV.gz", ".csv"),
        ("a.b.gpx.bz2", ".gpx"),
        ("a.osm.xz", ".osm"),
        ("a", ""),
        ("a.gz", ""),
    ],
)
def test_the_kind_of_a_file_is_its_ending_before_that_of_its_packing(name, kind):
    assert kind_of(Path(name)) == kind
