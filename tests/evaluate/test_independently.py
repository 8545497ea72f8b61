"""Compute every metric a second time, from the tables of trips and in other words: pandas, SciPy and scikit-learn.

The evaluation's own are only what the paper leaves open, the edges of the bins, and the matched roads.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Geod
from scipy.spatial.distance import jensenshannon
from sklearn.metrics import f1_score
from sklearn.metrics.pairwise import cosine_similarity

from htp.evaluate import BEYOND, METRICS, evaluate
from htp.evaluate.measure import Survey
from htp.evaluate.scores import Binning

GEOD = Geod(ellps="WGS84")


def points_of(trips, city) -> pd.DataFrame:
    """Return a row a point; what belongs to a step or to two of them is missing where there is none."""
    rows = []
    for trip in trips.itertuples():
        for number, (lon, lat) in enumerate(trip.geometry.coords):
            time = trip.start_time + pd.Timedelta(seconds=number * float(trip.interval))
            rows.append({"trip": trip.trip_id, "lon": lon, "lat": lat, "hour": time.hour, "interval": trip.interval})
    points = pd.DataFrame(rows)
    points[["x", "y"]] = city.to_metres(points[["lon", "lat"]].to_numpy())
    following = points.groupby("trip", sort=False)[["lon", "lat"]].shift(-1)
    there = following["lon"].notna()
    _, _, step_m = GEOD.inv(*points.loc[there, ["lon", "lat"]].T.to_numpy(), *following[there].T.to_numpy())
    points.loc[there, "step_m"] = step_m
    points["speed_kmh"] = points["step_m"] / points["interval"] * 3.6
    points["acceleration"] = points.groupby("trip", sort=False)["speed_kmh"].diff() / 3.6 / points["interval"]
    return points


def quantities_of(trips, city) -> dict[str, pd.Series]:
    points = points_of(trips, city)
    by_trip = points.groupby("trip", sort=False)
    streets = city.roads.to_crs(city.crs).union_all()
    return {
        "T-Dist": pd.Series([GEOD.geometry_length(line) for line in trips.geometry]),
        "S-Dist": points["step_m"].dropna(),
        "Radius": np.sqrt(by_trip[["x", "y"]].var(ddof=0).sum(axis=1)),
        "PR-Dist": points.apply(lambda point: streets.distance(shapely.Point(point["x"], point["y"])), axis=1),
        "Length": by_trip.size(),
        "Speed": points["speed_kmh"].dropna(),
        "Acceleration": points["acceleration"].dropna(),
    }


def divergence(real, other, edges) -> float:
    """Return the divergence of values, each in the bin of the first edge that is not below it, rounding apart."""
    edges = edges + 1e-6 * np.abs(edges)
    shares = [np.bincount(np.digitize(values, edges, right=True), minlength=len(edges) + 1) for values in (real, other)]
    return float(jensenshannon(*shares, base=2) ** 2)


def similarities(real, other) -> tuple[float, float]:
    """Return the cosine of the counts of two lists of places, and the F1-score of the 100 most frequent."""
    counts = pd.DataFrame({"real": pd.Series(real).value_counts(), "other": pd.Series(other).value_counts()}).fillna(0)
    top = [counts[side].nlargest(100)[lambda found: found > 0].index for side in counts]
    truth, found = (counts.index.isin(places) for places in top)
    return float(cosine_similarity(counts.T.to_numpy())[0, 1]), float(f1_score(truth, found))


@pytest.fixture(scope="module")
def sides(random_trips, grid):
    points = np.random.default_rng(0).integers(20, 60, 100)
    return {"real": random_trips(grid, points[:60], seed=4), "generated": random_trips(grid, points[60:], seed=5)}


@pytest.fixture(scope="module")
def measured(sides, grid):
    with Survey(grid, workers=1) as survey:
        return {name: survey.measure(trips) for name, trips in sides.items()}


@pytest.fixture(scope="module")
def report(sides, grid):
    return evaluate(sides["real"], sides["generated"], grid, workers=1)


@pytest.fixture(scope="module")
def edges(measured, grid):
    found = Binning.of(measured["real"], [measured["generated"]], len(grid)).edges
    return {metric.name: found[metric.quantity] for metric in (*METRICS, *BEYOND) if metric.quantity in found}


def test_divergences_are_what_pandas_and_scipy_find(sides, report, edges, grid):
    real, other = (quantities_of(trips, grid) for trips in sides.values())
    assert len(real) == 7
    for name, values in real.items():
        assert len(edges[name]) > 10, name
        assert report[name].value == pytest.approx(divergence(values, other[name], edges[name]), rel=1e-3), name
        assert report[name].value > 0.001, name


def test_similarities_are_what_pandas_and_scikit_learn_find(sides, measured, report, grid):
    tables = [points_of(trips, grid) for trips in sides.values()]
    cells = [(points["x"] // 100).map(str) + " " + (points["y"] // 100).map(str) for points in tables]
    roads = [one.road[one.road >= 0] for one in measured.values()]
    for (density, pattern), places in {("G-Den", "G-Pat"): cells, ("R-Den", "R-Pat"): roads}.items():
        cosine, f1 = similarities(*places)
        assert report[density].value == pytest.approx(cosine)
        assert report[pattern].value == pytest.approx(f1)
        assert 0.5 < cosine < 0.99


def test_what_goes_by_the_hour_is_what_pandas_and_scipy_find(sides, report, edges, grid):
    real, other = (points_of(trips, grid) for trips in sides.values())
    hours = [points["hour"].value_counts().reindex(range(24), fill_value=0) for points in (real, other)]
    assert report["Hour of day"].value == pytest.approx(jensenshannon(*hours, base=2) ** 2)
    real, other = (points.dropna(subset="speed_kmh") for points in (real, other))
    found = {
        hour: divergence(steps["speed_kmh"], other.loc[other["hour"] == hour, "speed_kmh"], edges["Speed by hour"])
        if hour in set(other["hour"])
        else 1.0
        for hour, steps in real.groupby("hour")
    }
    weights = real["hour"].value_counts()
    assert len(found) > 10
    expected = np.average(list(found.values()), weights=[weights[hour] for hour in found])
    assert report["Speed by hour"].value == pytest.approx(expected, rel=1e-3)
