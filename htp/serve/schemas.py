"""Read requests and write trips: the fields of the one, the GeoJSON of the other.

Everything is checked here or by the city before a request is admitted. Numbers are numbers (no text, no NaN, no
infinity), unknown fields are mistakes, and every mistake is one sentence.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import pandas as pd
import shapely
from pydantic import BaseModel, ConfigDict, Field, model_validator

from htp.errors import InputError
from htp.trip_source import MAX_SEED, MAX_TRIPS, Sampling
from htp.trips import Conditions, Route

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import geopandas as gpd

    from htp.city.network import City
    from htp.serve.admission import ServiceSettings

GEOJSON, NDJSON = "application/geo+json", "application/x-ndjson"
ROADS_A_LEG = 1000  # roads that are looked up take less time than a leg that is searched
DEGREES = 7  # decimals, about a centimetre
Metres = Annotated[float, Field(ge=0, le=1e7)]
Place = Annotated[list[float], Field(min_length=2, max_length=2, description="[longitude, latitude] in degrees")]
RoadId = Annotated[int, Field(ge=0, lt=2**31)]


class _Fields(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class RouteRequest(_Fields):
    """Where to drive, and when."""

    waypoints: list[Place] | None = Field(None, description="Places to pass, in order; the fastest route is taken.")
    roads: list[RoadId] | None = Field(None, description="Or the route itself, by its road ids.")
    start_m: Metres = Field(0.0, description="With roads: where the drive begins on the first one.")
    end_m: Metres | None = Field(None, description="With roads: where it ends on the last one; at its end if missing.")
    depart: str = Field(max_length=64, description="Local time such as 2024-05-14 08:15, or a time with its offset.")

    @model_validator(mode="after")
    def _check(self) -> RouteRequest:
        if (self.waypoints is None) == (self.roads is None):
            raise InputError("give either waypoints or roads.")
        if self.roads is None and (self.start_m or self.end_m is not None):
            raise InputError(
                "the fields start_m and end_m go with roads; with waypoints the drive begins and ends at them."
            )
        if self.roads == []:
            raise InputError("the list of roads is empty; give one road id or more.")
        for number, (lon, lat) in enumerate(self.waypoints or [], 1):
            if not (abs(lon) <= 180 and abs(lat) <= 90):
                raise InputError(
                    f"waypoint {number} ({lon:g}, {lat:g}) is no place on Earth; give longitude, latitude in degrees."
                )
        return self

    def check(self, settings: ServiceSettings) -> None:
        """Raise `InputError` where a route is longer than the service takes."""
        for name, given, most in (
            ("waypoints", self.waypoints, settings.max_waypoints),
            ("roads", self.roads, settings.max_roads),
        ):
            if given is not None and len(given) > most:
                raise InputError(f"{len(given):,} {name} are given; one route takes at most {most:,}.")

    @property
    def legs(self) -> int:
        """What its route costs: its legs between waypoints, or one for each begun thousand of roads to look up."""
        return max(1, len(self.waypoints) - 1) if self.waypoints else 1 + len(self.roads or ()) // ROADS_A_LEG

    def route(self, city: City) -> Route:
        """Return the route; `InputError` where the city has none."""
        if self.waypoints is not None:
            return city.route([(lon, lat) for lon, lat in self.waypoints])
        roads = np.array(self.roads, dtype=np.int32)
        if roads.max() >= len(city):
            raise InputError(f"road {roads.max()} is not in {city.name}; its road ids are 0 to {len(city) - 1}.")
        return Route(roads, self.start_m, self.end_m)


class ConditionsRequest(RouteRequest):
    """The conditions of trips, and how many of them."""

    duration: float | None = Field(None, gt=0, le=86_400, description="Travel time in seconds; drawn if missing.")
    distance: Metres | None = Field(None, description="Metres along the route; the route's own if missing.")
    interval: float | None = Field(None, ge=1, le=120, description="Seconds between points; the model's if missing.")
    n: int = Field(1, ge=1, le=MAX_TRIPS, description="Trips for these conditions.")

    def conditions(self, city: City) -> Conditions:
        """Return the conditions; `InputError` where route or time is not there."""
        return Conditions(self.route(city), city.local_time(self.depart), self.duration, self.distance, self.interval)


class DrawRequest(_Fields):
    """How trips are drawn."""

    seed: int = Field(0, ge=0, le=MAX_SEED, description="The same request and seed give the same trips again.")
    temperature: float = Field(1.0, ge=0, le=5, description="0: the likeliest patterns; 1: as they were learned.")
    top_p: float = Field(1.0, gt=0, le=1, description="Only the likeliest tokens of this probability together.")

    @property
    def sampling(self) -> Sampling:
        """How tokens are drawn."""
        return Sampling(self.temperature, self.top_p)


class TripsRequest(ConditionsRequest, DrawRequest):
    """Trips for the same conditions."""


class BatchRequest(DrawRequest):
    """Trips for many conditions: a trip's place counts through all of them."""

    requests: list[ConditionsRequest] = Field(min_length=1, description="Conditions, each with its own n.")
    first: int = Field(0, ge=0, le=2**53, description="Place of the first trip, where a request comes in pieces.")


class TravelTimesRequest(_Fields):
    """Routes to say travel times of."""

    requests: list[RouteRequest] = Field(min_length=1, description="Routes and when they are driven.")


def check_routes(requests: Sequence[RouteRequest], settings: ServiceSettings) -> None:
    """Raise `InputError` where routes are longer than the service takes, each or all together."""
    for request in requests:
        request.check(settings)
    legs = sum(request.legs for request in requests)
    if legs > settings.max_legs:
        raise InputError(
            f"the routes have {legs:,} legs between waypoints; one request takes at most {settings.max_legs:,}: send "
            "fewer at once, or give their roads."
        )


def cost_of(requests: Sequence[ConditionsRequest], settings: ServiceSettings) -> int:
    """Return how many trips are requested; `InputError` where the service does not take as many."""
    check_routes(requests, settings)
    trips = sum(request.n for request in requests)
    if trips > settings.max_trips:
        raise InputError(f"{trips:,} trips are asked for; one request takes at most {settings.max_trips:,}.")
    return trips


def features(trips: gpd.GeoDataFrame) -> Iterator[dict[str, Any]]:
    """Yield a GeoJSON feature a trip, its other columns as properties, times in ISO 8601 with their offset."""
    columns = trips.columns.drop("geometry").tolist()
    for row, line in zip(trips[columns].to_dict("records"), trips.geometry, strict=True):
        lonlat = shapely.get_coordinates(line).round(DEGREES).tolist()
        properties = {name: _plain(row[name]) for name in columns}
        yield {"type": "Feature", "geometry": {"type": "LineString", "coordinates": lonlat}, "properties": properties}


def ndjson(trips: gpd.GeoDataFrame) -> bytes:
    """Return newline-delimited GeoJSON: a feature a line."""
    return b"".join(_text(feature) + b"\n" for feature in features(trips))


def feature_collection(pieces: list[gpd.GeoDataFrame]) -> bytes:
    """Return a GeoJSON FeatureCollection of all trips."""
    every = [feature for trips in pieces for feature in features(trips)]
    return _text({"type": "FeatureCollection", "features": every})


def _text(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def _plain(value: Any) -> Any:
    """Return a value of a table as JSON has it; float32 with as few digits as tell it from its neighbours."""
    if isinstance(value, str):
        return value
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    array = np.asarray(value)
    if array.dtype == np.float32:
        return array.astype(str).astype(float).tolist()
    return array.tolist()
