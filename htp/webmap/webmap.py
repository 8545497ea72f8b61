"""Draw trips over their city's own roads with folium, in one HTML document that asks no other machine for anything.

folium's documents load ten scripts and styles from other hosts. Here Leaflet's two lie in the document, the others are
left out, and the roads of the city stand in for tiles. The document's own Content-Security-Policy forbids
every request, so a reader can trust that. Points are packed as numbers: a folium marker each would take 400 bytes.
"""

from __future__ import annotations

import gzip
import html
from importlib import resources
from typing import TYPE_CHECKING, Any

import branca.element
import folium
import numpy as np
import pandas as pd
import shapely
from folium.template import Template

from htp.city.credit import credit_html
from htp.city.streets import street_lines
from htp.evaluate.profile import Profile

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from htp.city import City

RAMP = ("#b0122c", "#e0572b", "#f0a43a", "#5fb0b7", "#2a78b8", "#2b3f8c")  # as in the app's map: theme.js
POINT_UNIT, STREET_UNIT = 1e-6, 1e-5  # degrees: a decimetre, a metre
AROUND = 0.3  # of the trips' extent is drawn of the city on each side of them, and
AROUND_DEGREES = 0.01  # at least a kilometre
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
HINT = "Point at a dot for its time and speed, at a street for its name. Click a dot for its trip."


class _Plain(branca.element.Element):
    """Text that goes into the document as it is; branca would read it as a template."""

    _template = Template("{{ this.text }}")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class _Drawing(folium.MacroElement):
    """What is drawn on the map that it is added to."""

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "{{ this.program }}\ndrawTrips({{ this._parent.get_name() }}, {{ this.data|tojson }});"
        "{% endmacro %}"
    )

    def __init__(self, data: dict[str, Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.program, self.data = _file("draw.js"), data


def trips_map(trips: gpd.GeoDataFrame, city: City, max_kmh: int, *, title: str, note: str) -> str:
    """Return an HTML document: prepared or generated trips as points coloured by speed, up to `max_kmh`.

    `title` says what they are; `note` what nobody should take them for, e.g. that they are simulated.
    """
    west, south, east, north = (float(edge) for edge in trips.total_bounds)
    figure = branca.element.Figure(title=html.escape(title))
    figure.header.add_child(_Plain(f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'))
    figure.header.add_child(_Plain(f"<script>{_file('leaflet.js.gz')}</script>"))
    figure.header.add_child(_Plain(f"<style>{_file('leaflet.css.gz')}</style>"))
    drawn = folium.Map(tiles=None, prefer_canvas=True, font_size="13px")
    drawn.default_js = drawn.default_css = []  # other hosts'
    figure.add_child(drawn)
    figure.header.add_child(_Plain(f"<style>{_file('panel.css')}</style>"), name="panel_css")
    drawn.fit_bounds([(south, west), (north, east)], padding=(30, 30))
    streets, names = _streets(city, (west, south, east, north))
    data = {
        "streets": streets,
        "names": names,
        "trips": _trips(trips, Profile.of(trips, city)),
        "street_unit": STREET_UNIT,
        "point_unit": POINT_UNIT,
        "colours": colours(max_kmh),
        "credit": credit_html(city),
        "panel": _panel(trips, city, max_kmh, title, note),
    }
    drawn.add_child(_Drawing(data))
    return str(figure.render())


def colours(max_kmh: int) -> list[str]:
    """Return the colour of each whole speed from 0 to `max_kmh`, as CSS."""
    stops = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in RAMP])
    place = np.linspace(0, len(RAMP) - 1, max_kmh + 1)
    mixed = np.column_stack([np.interp(place, np.arange(len(RAMP)), channel) for channel in stops.T])
    return [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in np.rint(mixed).astype(int).tolist()]


def _trips(trips: gpd.GeoDataFrame, profile: Profile) -> list[dict[str, Any]]:
    """Return each trip's name, start, steps from point to point (latitude first) and speeds in whole km/h."""
    lines, starts = trips.geometry.to_numpy(), pd.DatetimeIndex(trips["start_time"])
    seconds = starts.hour * 3600 + starts.minute * 60 + starts.second
    kmh = np.split(np.rint(profile.speed_kmh).astype(int), profile.first[1:-1])
    intervals = trips["interval"].to_numpy(dtype=float)
    return [
        {
            "name": f"Trip {row + 1}",
            "start_s": int(seconds[row]),
            "interval_s": float(intervals[row]),
            "steps": _steps(line, POINT_UNIT),
            "kmh": kmh[row].tolist(),
        }
        for row, line in enumerate(lines)
    ]


def _streets(city: City, bounds: tuple[float, float, float, float]) -> tuple[list[list[Any]], list[str]]:
    """Return the streets around `bounds` as kind, number of the name and steps, and the names."""
    west, south, east, north = bounds
    wide, high = max(AROUND * (east - west), AROUND_DEGREES), max(AROUND * (north - south), AROUND_DEGREES)
    frame = street_lines(city.roads)
    around = shapely.box(west - wide, south - high, east + wide, north + high)
    frame = frame[shapely.intersects(frame["geometry"].to_numpy(), around)]
    names, number = np.unique(frame["name"].to_numpy(dtype=str), return_inverse=True)
    rows = zip(frame["kind"].tolist(), number.tolist(), frame["geometry"], strict=True)
    return [[kind, name, _steps(line, STREET_UNIT)] for kind, name, line in rows], names.tolist()


def _steps(line: shapely.LineString, unit: float) -> list[int]:
    """Return a line's first vertex and the steps to the next ones, latitude first, in whole units."""
    whole: NDArray[np.int64] = np.rint(shapely.get_coordinates(line)[:, ::-1] / unit).astype(np.int64)
    return [int(step) for step in np.diff(whole, axis=0, prepend=np.zeros((1, 2), np.int64)).ravel()]


def _panel(trips: gpd.GeoDataFrame, city: City, max_kmh: int, title: str, note: str) -> str:
    starts = pd.DatetimeIndex(trips["start_time"])
    first, last = (f"{when:%a %d %b %Y, %H:%M}" for when in (starts.min(), starts.max()))
    when = first if first == last else f"{first} to {last}"
    ticks = "".join(f"<span>{round(share * max_kmh)}</span>" for share in (0, 0.25, 0.5, 0.75, 1))
    return (
        f"<h1>{html.escape(title)}</h1><p>{html.escape(city.name)}, {when}</p><p class='note'>{html.escape(note)}</p>"
        f"<div class='scale'>Speed, km/h<div class='ramp' style='background:linear-gradient(90deg,{','.join(RAMP)})'>"
        f"</div><div class='ticks'>{ticks}</div></div><small>{HINT}</small>"
    )


def _file(name: str) -> str:
    """Return the text of a file that lies beside this one."""
    content = (resources.files("htp.webmap") / name).read_bytes()
    return (gzip.decompress(content) if name.endswith(".gz") else content).decode()
