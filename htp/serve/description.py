"""Describe the model and the city that are served, and what the service takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import shapely

import htp
from htp.checkpoint import Checkpoint
from htp.errors import InputError
from htp.trips import LONGEST_S, SHORTEST_S

if TYPE_CHECKING:
    from htp.city.network import City
    from htp.generate import Generator
    from htp.serve.settings import ServiceSettings
    from htp.trips import Route

TRIES = 100  # pairs of roads to look for an example route among
GOOD_S = 240.0  # free-flow seconds of an example route, where the city is large enough


def describe(generator: Generator, settings: ServiceSettings) -> dict[str, Any]:
    """Return what `GET /v1/model` answers."""
    files = Checkpoint(generator.checkpoint)
    text = files.card.read_text(encoding="utf-8") if files.card.is_file() else ""
    return {
        "name": generator.checkpoint.name,
        "version": htp.__version__,
        "city": generator.city.name,
        "simulated": files.simulated,
        "limits": {
            "trips": settings.max_trips,
            "waypoints": settings.max_waypoints,
            "roads": settings.max_roads,
            "body_bytes": settings.max_body_bytes,
            "deadline_s": settings.deadline_s,
            "duration_s": [SHORTEST_S, LONGEST_S],
        },
        "heldout": settings.share_heldout,
        "card": text,
    }


def describe_city(city: City) -> dict[str, Any]:
    """Return what `GET /v1/city` answers."""
    return {
        "name": city.name,
        "timezone": city.timezone,
        "crs": city.crs,
        "bounds": [round(bound, 6) for bound in city.bounds],
        "source": city.source,
        "licence": city.licence,
        "roads": len(city),
    }


def examples(city: City) -> dict[str, dict[str, Any]]:
    """Return requests that this city answers, by the path they are posted to."""
    places, route = _example_route(city)
    free_s = float(city.free_flow_s[route.roads].sum())
    times = {"depart": "2024-05-14 08:15", "duration": round(min(max(2 * free_s, SHORTEST_S + 15), LONGEST_S - 15))}
    by_roads = {"roads": route.roads.tolist(), **times}
    return {
        "/v1/trips": {
            "waypoints": {"waypoints": places, **times, "n": 2, "seed": 7},
            "roads": {**by_roads, "interval": 5.0},
        },
        "/v1/trips/batch": {
            "batch": {"requests": [{"waypoints": places, **times}, {**by_roads, "n": 2}], "seed": 7},
        },
        "/v1/travel-times": {"route": {"requests": [{"waypoints": places, "depart": times["depart"]}]}},
    }


def _example_route(city: City) -> tuple[list[list[float]], Route]:
    """Return two places and the route between them, the first of a good length or the longest that was found."""
    found: list[tuple[float, list[list[float]], Route]] = []
    middles = shapely.line_interpolate_point(city.roads.geometry.to_numpy(), 0.5, normalized=True)
    for number in range(TRIES):
        ends = [(number * step + shift) % len(city) for step, shift in ((7919, 0), (104_729, len(city) // 2))]
        places = [[round(c, 5) for c in middles[end].coords[0]] for end in ends]
        try:
            route = city.route([(lon, lat) for lon, lat in places])
        except InputError:
            continue
        found.append((float(city.free_flow_s[route.roads].sum()), places, route))
        if GOOD_S <= found[-1][0] <= 2 * GOOD_S:
            return found[-1][1:]
    if not found:
        raise InputError(f"{city.name}: no two places are connected; use a city whose roads hang together.")
    return max(found, key=lambda one: min(one[0], GOOD_S))[1:]
