"""Describe the service: the model and the city that are served, requests to try, and a page that shows it all.

FastAPI's own pages fetch Swagger UI or ReDoc from a content network, which a service on a closed network cannot reach;
ours shows the OpenAPI document and loads nothing from elsewhere.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from fastapi.responses import HTMLResponse

import htp
from htp.checkpoint import Checkpoint
from htp.errors import InputError

if TYPE_CHECKING:
    from htp.city.network import City
    from htp.generate import Generator
    from htp.recording import Recording
    from htp.serve.admission import ServiceSettings
    from htp.trips import Route

TRIES = 100  # pairs of roads to look for an example route among
GOOD_S = 240.0  # free-flow seconds of an example route, where the city is large enough
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 52rem; padding: 0 1rem; color: #1b1f24; }
h2 { font-size: 1.1rem; border-top: 1px solid #d0d7de; padding-top: 1.2rem; }
h2 b { background: #0b6e4f; color: #fff; border-radius: 4px; padding: .1rem .5rem; font-size: .85rem; }
code, pre, textarea { font: 13px/1.45 ui-monospace, monospace; }
textarea { width: 100%; box-sizing: border-box; height: 9rem; }
pre { background: #f6f8fa; padding: .8rem; overflow: auto; max-height: 20rem; white-space: pre-wrap; }
table { border-collapse: collapse; } td { padding: .1rem 1rem .1rem 0; vertical-align: top; }
button { padding: .3rem .9rem; } input { width: 24rem; }
"""
SCRIPT = """
for (const form of document.querySelectorAll('form')) form.onsubmit = async event => {
  event.preventDefault();
  const out = form.querySelector('pre'), body = form.querySelector('textarea');
  const key = document.querySelector('#key')?.value;
  out.hidden = false; out.textContent = '…';
  try {
    const answer = await fetch(form.dataset.path, {
      method: form.dataset.method,
      headers: {...(body && {'Content-Type': 'application/json'}), ...(key && {Authorization: 'Bearer ' + key})},
      body: body?.value,
    });
    const binary = (answer.headers.get('Content-Type') || '').includes('parquet');
    const text = binary ? (await answer.arrayBuffer()).byteLength + ' bytes' : await answer.text();
    out.textContent = answer.status + '\\n' + text.slice(0, 20000);
  } catch (error) { out.textContent = error; }
};
"""


def describe(generator: Generator, settings: ServiceSettings) -> dict[str, Any]:
    """Return what `GET /v1/model` answers."""
    files = Checkpoint(generator.checkpoint)
    return {
        "name": generator.checkpoint.name,
        "version": htp.__version__,
        "city": generator.city.name,
        "simulated": files.simulated,
        "limits": {
            "trips": settings.max_trips,
            "waypoints": settings.max_waypoints,
            "roads": settings.max_roads,
            "legs": settings.max_legs,
            "body_bytes": settings.max_body_bytes,
            "deadline_s": settings.deadline_s,
            "duration_s": [generator.recording.shortest_s, generator.recording.longest_s],
        },
        "recording": asdict(generator.recording),
        "heldout": settings.share_heldout,
        "card": files.card_text,
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
        "attribution": city.attribution,
        "roads": len(city),
    }


def examples(city: City, recording: Recording) -> dict[str, dict[str, Any]]:
    """Return requests that this city answers, by the path they are posted to."""
    places, route = _example_route(city)
    free_s = float(city.free_flow_s[route.roads].sum())
    shortest_s, longest_s = recording.shortest_s, recording.longest_s
    duration_s = float(np.clip(2 * free_s, 0.95 * shortest_s + 0.05 * longest_s, 0.95 * longest_s))
    times = {"depart": "2024-05-14 08:15", "duration": round(duration_s)}
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
    routes: list[tuple[float, list[list[float]], Route]] = []
    middles = shapely.line_interpolate_point(city.roads.geometry.to_numpy(), 0.5, normalized=True)
    for number in range(TRIES):
        ends = [(number * step + shift) % len(city) for step, shift in ((7919, 0), (104_729, len(city) // 2))]
        places = [[round(c, 5) for c in middles[end].coords[0]] for end in ends]
        try:
            route = city.route([(lon, lat) for lon, lat in places])
        except InputError:
            continue
        routes.append((float(city.free_flow_s[route.roads].sum()), places, route))
        if GOOD_S <= routes[-1][0] <= 2 * GOOD_S:
            return routes[-1][1:]
    if not routes:
        raise InputError(f"{city.name}: no two places are connected; use a city whose roads hang together.")
    return max(routes, key=lambda one: min(one[0], GOOD_S))[1:]


def page(schema: dict[str, Any]) -> HTMLResponse:
    """Return the page for an OpenAPI document."""
    parts = [
        _operation(path, method, operation, schema)
        for path, operations in schema["paths"].items()
        for method, operation in operations.items()
    ]
    info = schema["info"]
    title = escape(info["title"])
    key = '<p><label>Key: <input id="key" type="password" autocomplete="off"></label></p>'
    text = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
        f"<h1>{title}</h1><p>{escape(info['summary'])} Version {escape(info['version'])}. "
        'The same as a document for machines: <a href="/openapi.json">openapi.json</a>.</p>'
        f"{key if 'securitySchemes' in schema.get('components', {}) else ''}{''.join(parts)}<script>{SCRIPT}</script>"
    )
    return HTMLResponse(text, headers={"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer"})


def _operation(path: str, method: str, operation: dict[str, Any], schema: dict[str, Any]) -> str:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    samples = [one["value"] for one in body.get("examples", {}).values()]
    forms = "".join(_form(path, method, json.dumps(sample, indent=1)) for sample in samples)
    words = escape(operation.get("description", "")).replace("\n", " ")
    head = f"<h2><b>{method.upper()}</b> <code>{escape(path)}</code> {escape(operation['summary'])}</h2><p>{words}</p>"
    return head + _fields(body.get("schema", {}), schema) + (forms or _form(path, method, None))


def _form(path: str, method: str, sample: str | None) -> str:
    label = f"{method.upper()} {path}"
    area = "" if sample is None else f'<textarea aria-label="Body of {escape(label)}">{escape(sample)}</textarea>'
    return (
        f'<form data-path="{escape(path)}" data-method="{method.upper()}">{area}<p><button>Send</button></p>'
        "<pre hidden></pre></form>"
    )


def _fields(reference: dict[str, Any], schema: dict[str, Any]) -> str:
    """Return the table of a body's fields, those of the objects in its lists as well."""
    name = reference.get("$ref", "").rpartition("/")[2]
    if not name:
        return ""
    model = schema["components"]["schemas"][name]
    rows = []
    for field, facts in model["properties"].items():
        needed = " (needed)" if field in model.get("required", ()) else ""
        words = escape(facts.get("description", "")) + needed + _fields(facts.get("items", {}), schema)
        rows.append(f"<tr><td><code>{escape(field)}</code><td>{words}")
    return f"<table>{''.join(rows)}</table>"
