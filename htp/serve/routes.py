"""Answer each address of the service."""

from __future__ import annotations

import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from prometheus_client import CONTENT_TYPE_LATEST

from htp.serve.admission import ClientDisconnected, Refused
from htp.serve.documentation import describe_city, page
from htp.serve.problems import PROBLEM, problem_of, problem_text
from htp.serve.schemas import (
    GEOJSON,
    NDJSON,
    BatchRequest,
    TravelTimesRequest,
    TripsRequest,
    feature_collection,
    ndjson,
)
from htp.travel_time.model import QUANTILES

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    import geopandas as gpd

    from htp.serve.admission import QueuedRequest
    from htp.serve.application import Service

PARQUET = "application/vnd.apache.parquet"
MEDIA = {  # what an Accept header may name, and what it gets
    "*/*": GEOJSON,
    "application/*": GEOJSON,
    "application/json": GEOJSON,
    GEOJSON: GEOJSON,
    NDJSON: NDJSON,
    "application/ndjson": NDJSON,
}
WORDS = {
    400: "The body is not JSON",
    401: "The service has keys, and none was given",
    403: "The service keeps its held-out trips to itself",
    406: "No format that Accept names",
    408: "The body did not come in time",
    413: "The body is too long",
    422: "What is asked for cannot be generated, and why",
    429: "The queue is full; Retry-After says when to try again",
    503: "The service is stopping, full or dead",
    504: "Not ready before the deadline",
}
Answers = dict[int | str, dict[str, Any]]


def _answers(good: Answers, *problems: int) -> Answers:
    """Return what an address may answer, for its documentation."""
    return good | {status: {"description": WORDS[status], "content": {PROBLEM: {}}} for status in problems}


BODY = (400, 401, 408, 413, 422)  # what may be wrong with a body
QUEUED = (*BODY, 429, 503, 504)
TRIPS: Answers = {200: {"description": "Trips", "content": {GEOJSON: {}, NDJSON: {}}}}
LINES: Answers = {200: {"description": "A trip a line", "content": {NDJSON: {}}}}
TABLE: Answers = {200: {"description": "GeoParquet", "content": {PARQUET: {}}}}
NUMBERS: Answers = {200: {"description": "Prometheus's text format", "content": {"text/plain": {}}}}

guarded, open_to_all = APIRouter(), APIRouter()  # behind keys where the service has some; never


@guarded.post("/v1/trips", responses=_answers(TRIPS, 406, *QUEUED), response_class=Response, summary="Generate trips")
async def trips(request: Request, body: TripsRequest) -> Response:
    """Generate `n` trips for the same conditions: GeoJSON, or a feature a line where Accept says application/x-ndjson.

    A trip depends on the request, its seed and its place among the `n` alone.
    """
    media = _media(request)
    pieces = await _submit(request, body)
    if media == NDJSON:
        return await _streamed(pieces)
    async with aclosing(pieces):
        return Response(feature_collection([piece async for piece in pieces]), media_type=GEOJSON)


@guarded.post(
    "/v1/trips/batch", responses=_answers(LINES, *QUEUED), response_class=Response, summary="Generate many trips"
)
async def batch(request: Request, body: BatchRequest) -> Response:
    """Generate trips for many conditions: a feature a line, in order, each sent as soon as it is ready.

    Where something goes wrong after the first line, the last line is the problem instead of a feature.
    """
    return await _streamed(await _submit(request, body))


@guarded.post("/v1/travel-times", responses=_answers({}, *QUEUED), summary="How long routes take")
async def travel_times(request: Request, body: TravelTimesRequest) -> dict[str, Any]:
    """Return the travel time of each route in seconds at some quantiles."""
    return {"quantiles": QUANTILES, "seconds": await _travel_times(request, body)}


@guarded.get("/v1/city", responses=_answers({}, 401), summary="The city")
async def city(request: Request) -> dict[str, Any]:
    """Return the city's name, time zone, bounds and where its roads come from."""
    return describe_city(_service(request).city)


@guarded.get("/v1/city/roads", responses=_answers(TABLE, 401), response_class=Response, summary="The city's roads")
async def roads(request: Request) -> Response:
    """Return all roads as GeoParquet, in the order of their ids."""
    return Response(_service(request).roads, media_type=PARQUET)


@guarded.get("/v1/heldout", responses=_answers(TABLE, 401, 403), response_class=Response, summary="Held-out trips")
async def heldout(request: Request) -> Response:
    """Return the trips that the model was never trained on, as GeoParquet, where the service gives them out."""
    table = _service(request).heldout
    if table is None:
        raise Refused(403, "This service does not give out its held-out trips; start it with --share-heldout.")
    return Response(table, media_type=PARQUET)


@guarded.get("/v1/model", responses=_answers({}, 401), summary="The model")
async def model(request: Request) -> dict[str, Any]:
    """Return what is served, what it takes, and the model card."""
    return _service(request).model


@open_to_all.get("/healthz", responses=_answers({}, 503), summary="Alive?")
async def healthz(request: Request) -> dict[str, str]:
    """Say that the service lives; where it does not, it has to be started anew."""
    if not _service(request).scheduler.alive and not _service(request).queue.stopping:
        raise Refused(503, "The thread that generates has died; start the service anew.")
    return {"status": "alive"}


@open_to_all.get("/readyz", responses=_answers({}, 503), summary="Ready?")
async def readyz(request: Request) -> dict[str, str]:
    """Say whether new requests are welcome: not while the queue is full or the service stops."""
    if not _service(request).ready:
        raise Refused(503, "The service is stopping or its queue is full; ask another one, or try again later.", 1)
    return {"status": "ready"}


@open_to_all.get("/metrics", responses=NUMBERS, response_class=Response, summary="Numbers for Prometheus")
async def metrics(request: Request) -> Response:
    """Return queue, batches, trips and times as Prometheus reads them."""
    return Response(_service(request).metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})


@open_to_all.get("/docs", include_in_schema=False)
async def docs(request: Request) -> Response:
    """Show every address with examples to try; loads nothing from elsewhere."""
    return page(request.app.openapi())


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


async def _submit(request: Request, body: TripsRequest | BatchRequest) -> AsyncGenerator[gpd.GeoDataFrame]:
    """Queue what a body asks for and return the trips as they come."""
    return _pieces(request, await _service(request).submit(body, lambda: _disconnected(request)))


async def _travel_times(request: Request, body: TravelTimesRequest) -> list[list[float]]:
    return await _service(request).travel_times(body, lambda: _disconnected(request))


async def _pieces(request: Request, queued: QueuedRequest) -> AsyncGenerator[gpd.GeoDataFrame]:
    """Yield a request's trips; whatever ends it, nothing is made that nobody waits for."""
    service, count = _service(request), 0
    try:
        async with aclosing(queued.trips(lambda: _disconnected(request))) as pieces:
            async for piece in pieces:
                if not count:
                    service.metrics.first_trip_seconds.observe(time.monotonic() - queued.admission.arrival)
                count += len(piece)
                request.scope["htp.trips"] = count
                yield piece
    finally:
        service.queue.cancel(queued)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _streamed(pieces: AsyncGenerator[gpd.GeoDataFrame]) -> Response:
    """Return an answer that goes on as trips are made; what goes wrong before the first is an answer of its own."""
    first = await anext(pieces)

    async def lines() -> AsyncIterator[bytes]:
        async with aclosing(pieces):
            try:
                yield ndjson(first)
                async for piece in pieces:
                    yield ndjson(piece)
            except ClientDisconnected:
                return
            except Exception as error:  # noqa: BLE001  the status is sent already; the client has to learn of it
                yield problem_text(*problem_of(error)[:2]) + b"\n"

    return StreamingResponse(lines(), media_type=NDJSON)


def _media(request: Request) -> str:
    """Return the format that the Accept header likes best; `Refused` where the service has none of its formats."""
    accepted = []
    for part in request.headers.get("accept", "*/*").split(","):
        name, *parameters = (text.strip().lower() for text in part.split(";"))
        weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        if name in MEDIA and weight.strip("0.") != "":
            accepted.append((weight, MEDIA[name]))
    if not accepted:
        raise Refused(406, f"Trips come as {GEOJSON} or {NDJSON}; accept one of them.")
    return max(accepted, key=lambda one: float(one[0]) if one[0].replace(".", "", 1).isdecimal() else 0.0)[1]
