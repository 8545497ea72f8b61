"""Stand in for the generator behind the service: trips at once, every batch noted, a gate that can hold them up."""

from __future__ import annotations

import threading
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from htp.errors import InputError
from htp.recording import Recording
from htp.travel_time.model import QUANTILES


class FakeBatchGenerator:
    """Answer the calls that the service makes of `JointGenerator`."""

    def __init__(self, city, checkpoint="nowhere"):
        self.city, self.checkpoint, self.travel_time = city, Path(checkpoint), self
        self.recording = Recording(15.0, 20, 200)
        self.batches = []  # of each batch: (seed, number of trips) of each part
        self.open = threading.Event()  # closed: batches wait
        self.open.set()
        self.generating = threading.Event()  # a batch has begun
        self.poison = None  # a seed whose trips fail

    def complete(self, conditions, first, seed):
        for one in conditions:
            if one.duration_s is not None and one.duration_s < 285:
                raise InputError(f"a travel time of {one.duration_s:g} s is too short; give 285 s or more.")
        return [(one, seed, first + at) for at, one in enumerate(conditions)]

    def generate_parts(self, parts, sampling):
        assert sampling.temperature >= 0
        self.batches.append([(part[0][1], len(part)) for part in parts])
        self.generating.set()
        assert self.open.wait(20), "a test left the gate closed"
        if self.poison in {part[0][1] for part in parts}:
            raise RuntimeError("no such thing")
        return [gpd.GeoDataFrame([self._trip(*row) for row in part], crs="EPSG:4326") for part in parts]

    def quantiles(self, city, routes, departs):
        assert all(depart.tz is not None for depart in departs)
        return np.array([[city.free_flow_s[r.roads].sum() * (1 + q) for q in QUANTILES] for r in routes])

    def heldout(self):
        raise AssertionError("nobody may ask for these")

    def _trip(self, asked, seed, place):
        interval_s = asked.interval_s or self.recording.interval_s
        points = round((asked.duration_s or 600.0) / interval_s) + 1
        along = np.r_[0.0, np.sort(np.random.default_rng([seed, place]).random(points - 1))]
        line = self.city.roads.geometry.iloc[int(asked.route.roads[0])]
        lonlat = [line.interpolate(share, normalized=True).coords[0] for share in along]
        return {
            "trip_id": str(place),
            "start_time": asked.depart,
            "interval": np.float32(interval_s),
            "roads": asked.route.roads,
            "percent": along.astype(np.float32),
            "length_token": np.int8(3),
            "geometry": shapely.LineString(np.round(lonlat, 6)),
        }
