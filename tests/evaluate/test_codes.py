"""Codes of trips in a file of their own."""

from __future__ import annotations

import numpy as np
import pytest

from htp.evaluate.codes import CODES, read_codes, write_codes


@pytest.fixture
def trips(grid, random_trips):
    """Return two trips, of 2 and 3 patterns."""
    codes = [np.arange(8, dtype=np.int16), np.arange(12, dtype=np.int16)]
    anchors = [np.array([0, 1], np.int16), np.array([0, 1, 2], np.int16)]
    return random_trips(grid, [16, 20]).assign(length_token=np.int8([7, 3]), patterns=codes, anchors=anchors)


def test_codes_come_back_as_they_were_written(trips, tmp_path):
    write_codes(trips, tmp_path / "codes.parquet")
    back = read_codes(trips.drop(columns=list(CODES)), tmp_path / "codes.parquet")
    assert back.columns.tolist() == trips.columns.tolist()
    assert back["length_token"].tolist() == [7, 3]
    for name in ("patterns", "anchors"):
        assert back[name].iloc[1].dtype == np.int16
        assert back[name].iloc[1].tolist() == trips[name].iloc[1].tolist()
    assert back.geometry.equals(trips.geometry)


def test_codes_of_other_trips_or_of_another_order_are_none_of_these(trips, tmp_path):
    write_codes(trips, tmp_path / "codes.parquet")
    assert read_codes(trips.iloc[::-1], tmp_path / "codes.parquet") is None
    assert read_codes(trips.iloc[:1], tmp_path / "codes.parquet") is None


def test_a_file_that_is_missing_or_damaged_holds_none(trips, tmp_path):
    assert read_codes(trips, tmp_path / "codes.parquet") is None
    (tmp_path / "codes.parquet").write_bytes(b"PAR1")
    assert read_codes(trips, tmp_path / "codes.parquet") is None
