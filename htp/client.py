"""Ask a service that runs elsewhere as if it were a generator here: `htp.Client("http://localhost:8000")`.

The same calls as `htp.Generator`, and the same trips for the same seed. Large requests are sent in pieces that the
service takes. Whatever goes wrong between here and there is an `InputError` with one sentence.
"""

from __future__ import annotations

import io
import json
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import shapely

from htp.city.network import City, said_of_city
from htp.errors import InputError
from htp.json_files import MAX_NAME, parse_object, text_in
from htp.recording import Recording
from htp.trip_source import TripSource
from htp.trips import LIST_COLUMNS

try:
    import httpx
except ModuleNotFoundError as error:
    raise InputError("a client needs httpx; install it with `pip install 'htp[serve]'`.") from error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from htp.trip_source import Piece
    from htp.trips import Conditions, Route

CONNECT_S = 5.0
READY_S = 15.0  # the longest silence before what the service has ready: its facts, city and held-out trips
PIECE = 256  # trips in one request at most; less where the service takes less. Larger ones wait for an idle service
MAX_CARD_LETTERS = 1 << 20  # of a service's model card, as of a checkpoint's
BATCH, TIMES = "/v1/trips/batch", "/v1/travel-times"
JSON = {"Content-Type": "application/json"}
NO_SERVICE = "{url} is no service of HTP; give the address that `htp serve` prints."
BUSY = {429, 502, 503, 504}


class Client(TripSource):
    """A generator that runs in a service."""

    def __init__(self, url: str, *, key: str | None = None, timeout_s: float = 60.0) -> None:
        """Reach the service at `url`, with an API key if it needs one.

        `timeout_s` is the longest silence that is waited through while trips are made. `InputError` where no service
        answers.
        """
        self.url = url.rstrip("/")
        if not self.url.startswith(("http://", "https://")):
            raise InputError(f"{url!r} is no address of a service; give one such as http://localhost:8000.")
        self.timeout_s = timeout_s
        self.headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        try:
            self._http = httpx.Client(base_url=self.url, headers=self.headers, timeout=_timeout(timeout_s))
            said = self._get("/v1/model").content
        except (httpx.InvalidURL, UnicodeError) as error:
            raise InputError(NO_SERVICE.format(url=url)) from error
        try:
            self.model = _model_facts(said, self.url)  # what is served and what it takes
            self.limit = min(PIECE, int(self.model["limits"]["trips"]))
            self.recording = Recording.of_facts(self.model["recording"])
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise InputError(NO_SERVICE.format(url=url)) from error
        if self.limit < 1 or not self.recording.possible:
            raise InputError(NO_SERVICE.format(url=url))
        self.travel_time = RemoteTravelTimes(self)

    @cached_property
    def city(self) -> City:
        """The service's city, fetched when it is first asked for."""
        facts = parse_object(self._get("/v1/city").content, f"{self.url}/v1/city")
        roads = self._table("/v1/city/roads")
        return City(**said_of_city(facts, f"{self.url}/v1/city"), roads=roads)

    def heldout(self) -> gpd.GeoDataFrame:
        """Return the held-out trips; `InputError` where the service keeps them to itself."""
        trips = self._table("/v1/heldout")
        return trips.assign(start_time=trips["start_time"].dt.tz_convert(self.city.timezone))

    def _trips_of_piece(self, piece: Piece, progress: Callable[[int], None] | None) -> gpd.GeoDataFrame:
        sampling = piece.sampling
        body = {"requests": _bodies(piece.conditions), "seed": piece.seed, "first": piece.first}
        body |= {"temperature": sampling.temperature, "top_p": sampling.top_p}
        features, count = [], len(piece.conditions)
        for feature in self._features(body):
            features.append(feature)
            if progress is not None:
                progress(1)
        if len(features) != count:
            raise InputError(f"{self.url} broke off after {len(features)} of {count} trips; try again.")
        try:
            return self._trips(features)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"{self.url} sent trips that lack something; is it a service of HTP?") from error

    def quantiles(
        self, routes: Sequence[Route], departs: Sequence[pd.Timestamp], timeout_s: float | None = None
    ) -> NDArray[np.float64]:
        """Return the travel times in seconds of each route at the quantiles of the travel-time model, [N, Q].

        `timeout_s` is the longest silence before the answer to a piece of the routes; None: the client's own.
        """
        seconds: list[list[float]] = []
        timeout_s = timeout_s or self.timeout_s
        for at in range(0, len(routes), self.limit):
            ends = slice(at, at + self.limit)
            pairs = zip(routes[ends], departs[ends], strict=True)
            requests = [_route(route) | {"depart": str(depart)} for route, depart in pairs]
            content = _json({"requests": requests})
            with self._speaking(timeout_s):
                answer = self._http.post(TIMES, content=content, headers=JSON, timeout=_timeout(timeout_s))
                _check(answer, self.url)
                seconds += _seconds(answer.content, len(requests), self.url)
        return np.array(seconds, dtype=np.float64)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _features(self, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
        content, headers = _json(body), JSON | {"Accept": "application/x-ndjson"}
        stream = self._http.stream("POST", BATCH, content=content, headers=headers)
        with self._speaking(self.timeout_s), stream as answer:
            if answer.is_error:
                answer.read()
            _check(answer, self.url)
            for line in answer.iter_lines():
                feature = parse_object(line, self.url)
                if feature.get("type") != "Feature":  # a problem that came up on the way
                    raise InputError(str(feature.get("detail", f"{self.url} broke off; try again.")))
                yield feature

    def _trips(self, features: list[dict[str, Any]]) -> gpd.GeoDataFrame:
        """Return features as a table of trips with the column types of the design."""
        columns: dict[str, Any] = {}
        for name in features[0]["properties"]:
            values = [feature["properties"][name] for feature in features]
            if name in LIST_COLUMNS:
                kind = LIST_COLUMNS[name].to_pandas_dtype()
                values = [np.array(value, dtype=kind) for value in values]
            columns[name] = values
        columns["start_time"] = pd.to_datetime(columns["start_time"], utc=True).tz_convert(self.city.timezone)
        columns["interval"] = np.array(columns["interval"], dtype=np.float32)
        if "length_token" in columns:
            columns["length_token"] = np.array(columns["length_token"], dtype=np.int8)
        geometry = [shapely.LineString(feature["geometry"]["coordinates"]) for feature in features]
        return gpd.GeoDataFrame(columns, geometry=geometry, crs="EPSG:4326")

    def _table(self, path: str) -> gpd.GeoDataFrame:
        try:
            return gpd.read_parquet(io.BytesIO(self._get(path).content))
        except (pa.ArrowException, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{self.url}{path} is no GeoParquet; is this a service of HTP?") from error

    def _get(self, path: str) -> httpx.Response:
        seconds = min(READY_S, self.timeout_s)
        with self._speaking(seconds):
            answer = self._http.get(path, timeout=_timeout(seconds))
            _check(answer, self.url)
            return answer

    @contextmanager
    def _speaking(self, timeout_s: float) -> Iterator[None]:
        """Turn what goes wrong on the line into a sentence."""
        try:
            yield
        except httpx.ConnectError as error:
            raise InputError(f"no service answers at {self.url}; start `htp serve` or mend the address.") from error
        except httpx.TimeoutException as error:
            raise InputError(
                f"{self.url} has not answered for {timeout_s:g} s; ask for fewer trips, or try again later."
            ) from error
        except (httpx.HTTPError, json.JSONDecodeError) as error:
            raise InputError(f"the connection to {self.url} broke off; try again.") from error


@dataclass(frozen=True)
class RemoteTravelTimes:
    """The service's travel-time model, asked as the generator's is."""

    client: Client
    timeout_s: float | None = None  # the longest silence before an answer; None: the client's own

    def quantiles(self, city: City, routes: Sequence[Route], departs: Sequence[pd.Timestamp]) -> NDArray[np.float64]:
        """Return the travel times in seconds of each route at the model's quantiles, [N, Q]."""
        if len(city) != len(self.client.city):
            raise InputError(f"{city.name} is not the city of {self.client.url}; take the client's own city.")
        return self.client.quantiles(routes, departs, self.timeout_s)


def _model_facts(said: bytes, where: str) -> dict[str, Any]:
    """Return what a service says of its model; `InputError` where it is no object, or what people read is no text."""
    facts = parse_object(said, where, MAX_CARD_LETTERS)
    for name, most in (("name", MAX_NAME), ("version", MAX_NAME), ("card", MAX_CARD_LETTERS)):
        text_in({name: ""} | facts, name, where, most)
    return facts


def _seconds(said: bytes, routes: int, where: str) -> list[list[float]]:
    """Return the travel times in an answer, [N, Q]; `InputError` where it holds none for as many routes."""
    found = parse_object(said, where).get("seconds")
    lacking = f"{where} sent no travel times for {routes} routes; is it a service of HTP?"
    try:
        seconds = np.array(found, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(lacking) from error
    if seconds.ndim != 2 or len(seconds) != routes or not seconds.size:
        raise InputError(lacking)
    times: list[list[float]] = seconds.tolist()
    return times


def _bodies(piece: list[Conditions]) -> list[dict[str, Any]]:
    """Return conditions as the service reads them, equal ones that follow each other as one."""
    runs = [(next(run), 1 + sum(1 for _ in run)) for _, run in groupby(piece, key=id)]
    return [_body(conditions) | {"n": count} for conditions, count in runs]


def _body(conditions: Conditions) -> dict[str, Any]:
    given = {
        "depart": str(conditions.depart),
        "duration": None if conditions.duration_s is None else float(conditions.duration_s),
        "distance": None if conditions.distance_m is None else float(conditions.distance_m),
        "interval": None if conditions.interval_s is None else float(conditions.interval_s),
    }
    return _route(conditions.route) | {name: value for name, value in given.items() if value is not None}


def _route(route: Route) -> dict[str, Any]:
    body: dict[str, Any] = {"roads": [int(road) for road in route.roads], "start_m": float(route.start_m)}
    return body if route.end_m is None else body | {"end_m": float(route.end_m)}


def _timeout(seconds: float) -> httpx.Timeout:
    return httpx.Timeout(seconds, connect=min(CONNECT_S, seconds))


def _json(body: dict[str, Any]) -> bytes:
    try:
        return json.dumps(body, allow_nan=False).encode()
    except ValueError as error:
        raise InputError("a number of the conditions is not finite; give plain numbers.") from error


def _check(answer: httpx.Response, url: str) -> None:
    """Raise `InputError` with the service's own sentence where it refused."""
    if answer.is_success:
        return
    try:
        sentence = text_in(parse_object(answer.content, url), "detail", url)
    except InputError:
        sentence = f"it answered {answer.status_code} {answer.reason_phrase}; {_advice(answer)}"
    raise InputError(f"{url}: {sentence}")


def _advice(answer: httpx.Response) -> str:
    """Say what to do about an answer that is none of the service's own, but of a proxy before it."""
    wait = answer.headers.get("Retry-After", "")
    if answer.status_code in BUSY:
        return f"try again in {wait} s." if wait.isdecimal() else "try again later."
    return "is this a service of HTP?"
