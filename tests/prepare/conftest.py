"""Drive through the toy cities: points on the roads, a fixed time apart, at a constant speed.

`drive` makes a track in metres of the toy frame, `lonlat` its degrees, `raw` raw trips of several tracks. ROUND is a
way through the grid that turns left three times and passes no road twice; INNER goes twice round the four blocks in the
middle, so that points with noise stay in town. `run` does in this process what `htp prepare` does in several, on files
such as `porto_csv` writes.

        (0, 400)  <-----------  (400, 400)
           |                        ^
           v                        |
        (0, 100)                    |
                                    |
        (0, 0)  ----------->    (400, 0)
"""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely

from htp.city.matching import Matcher
from htp.prepare import pipeline
from htp.prepare.options import PrepareOptions
from htp.prepare.pipeline import prepare
from htp.prepare.rawtrips import RawTrips
from htp.prepare.readers import porto

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from htp.city.network import City

ROUND = ((10.0, 0.0), (400.0, 0.0), (400.0, 400.0), (0.0, 400.0), (0.0, 100.0))  # 1490 m
INNER = ((110.0, 100.0), (300.0, 100.0), (300.0, 300.0), (100.0, 300.0), (100.0, 100.0))  # 790 m and on
PORTO_HEADER = "TRIP_ID,TIMESTAMP,MISSING_DATA,POLYLINE"
START_S = 1_714_996_800.0  # Monday 6 May 2024, 08:00 in Santiago, 12:00 UTC


def drive_along(
    points: int,
    corners: Sequence[tuple[float, float]] = ROUND,
    step_m: float = 70.0,
    noise_m: float = 0.0,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Return points on the line through the corners, `step_m` apart, in metres of the toy frame, [T, 2]."""
    line = shapely.LineString(corners)
    assert (points - 1) * step_m <= line.length, "the way is too short"
    xy_m = shapely.get_coordinates(shapely.line_interpolate_point(line, step_m * np.arange(points)))
    return xy_m + np.random.default_rng(seed).normal(0.0, noise_m, xy_m.shape)


@pytest.fixture(scope="session")
def drive() -> Callable[..., NDArray[np.float64]]:
    """(points, corners, step_m, noise_m, seed) -> track in metres of the toy frame, see `drive_along`."""
    return drive_along


@pytest.fixture(scope="session")
def inner() -> tuple[tuple[float, float], ...]:
    """Return the corners of a way of 1,590 m that keeps 100 m from the edge of the grid."""
    return INNER + INNER[1:]


@pytest.fixture(scope="session")
def lonlat(place: Callable[[float, float], tuple[float, float]]) -> Callable[..., NDArray[np.float64]]:
    """Track in metres of the toy frame [T, 2] -> degrees [T, 2]."""
    return lambda xy_m: np.array([place(x, y) for x, y in xy_m])


@pytest.fixture(scope="session")
def raw(lonlat: Callable[..., NDArray[np.float64]]) -> Callable[..., RawTrips]:
    """(tracks in metres, seconds between points or the seconds of each point) -> trips "0", "1", ... from START_S."""

    def make(*tracks: NDArray[np.float64], seconds: float | Sequence[float] = 15.0) -> RawTrips:
        points = []
        for xy_m in tracks:
            after_s = seconds * np.arange(len(xy_m)) if np.isscalar(seconds) else np.asarray(seconds)
            points.append(np.column_stack([lonlat(np.asarray(xy_m, dtype=float)), START_S + after_s]))
        return RawTrips.of([str(number) for number in range(len(tracks))], points, Counter())

    return make


@pytest.fixture(scope="session")
def matcher(grid: City) -> Matcher:
    """Return the matcher of the grid."""
    return Matcher(grid)


class InlinePool:
    """Do the work in this process, at once, up to a stop; `submitted` lists the notes of all that was handed over."""

    submitted: list[str]
    stop_at: int | None = None

    def __init__(self, _workers, *, initializer, initargs, **_):
        initializer(*initargs)

    def submit(self, work, *handed_over):
        future = Future()
        if handed_over:
            if self.stop_at is not None and len(self.submitted) == self.stop_at:
                raise KeyboardInterrupt
            (_, note), _ = handed_over
            self.submitted.append(note.name)
            future.set_result(work(*handed_over))
        return future

    def shutdown(self, *, cancel_futures):
        assert cancel_futures


@pytest.fixture
def pool(monkeypatch):
    """Return the pool of this process, and small blocks of Porto's layout: some 4 trips a chunk."""
    monkeypatch.setattr(InlinePool, "submitted", [], raising=False)
    monkeypatch.setattr(InlinePool, "stop_at", None)
    monkeypatch.setattr(pipeline, "ProcessPoolExecutor", InlinePool)
    monkeypatch.setattr(pipeline, "_matchers", [])
    monkeypatch.setattr(pipeline, "begin_worker", lambda: None)
    monkeypatch.setattr(porto, "BLOCK_BYTES", 4096)
    return InlinePool


@pytest.fixture(scope="session")
def options():
    """Return options under which three in ten trips are held out, lengths as in the paper."""
    return PrepareOptions(15.0, workers=1, heldout_share=0.3, min_points=20, max_points=200)


@pytest.fixture
def run(grid, options, pool, tmp_path):
    """Prepare files into a folder of `tmp_path` under these options; check that all rows are accounted for."""

    def make(files, folder="out", progress=None, **changes):
        return accounted(prepare(files, grid, tmp_path / folder, replace(options, **changes), progress=progress))

    return make


@pytest.fixture
def out(tmp_path):
    """Return the folder that `run` writes to."""
    return tmp_path / "out"


@pytest.fixture(scope="session")
def row(lonlat, drive):
    """Write one row of Porto's layout, of a number of points or a track in metres."""

    def make(trip_id, track_m=20, start_s=int(START_S), missing="False"):
        track_m = drive(track_m) if isinstance(track_m, int) else track_m
        points = json.dumps(lonlat(track_m).tolist(), separators=(",", ":"))
        return f'{trip_id},{start_s},{missing},"{points}"'

    return make


@pytest.fixture
def porto_csv(tmp_path, row):
    """Write a file in Porto's layout of some good trips, T0, T1, ..., and further rows."""

    def make(trips=12, *more, name="trips.csv"):
        good = [row(f"T{k}", 20 + k % 2, int(START_S) + 60 * k) for k in range(trips)]
        path = tmp_path / name
        path.write_text("\n".join([PORTO_HEADER, *good, *more, ""]))
        return path

    return make


def accounted(report):
    """Return the report after checking that every row is kept or dropped by a reason."""
    assert report["rows"] + report["further_drives"] == report["kept"] + sum(report["dropped"].values())
    assert report["kept"] == report["train"] + report["heldout"]
    return report
