"""Draw a day on the map: before there are trips the zones by how many start and end there, then GPS points by cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from htp.city.credit import credit_html
from htp.evaluate.density import Density
from htp_app.components.shades import count_shades, ramps
from htp_app.map import Hint, Picture, city_map, corners
from htp_app.map.areas import area_table, cell_table
from htp_app.state import LINEAR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from htp.city import City
    from htp.planning.demand import Flows, Zones
    from htp_app.map.table import PackedTable
    from htp_app.model import Model
    from htp_app.views.demand.choices import DemandChoices
    from htp_app.views.demand.controls import DemandTables

HEIGHT = "var(--htp-map)"  # below Streamlit's header
CELL_SIDES = ("In these hours", "all day")
ZONE_SIDES = ("From here", "to here")
EMPTY = Hint("No trip drives in these hours; choose others")
WAITING = Hint("Zones by the trips that start and end there. Make the day's trips to see where they drive")


def demand_map(served: Model, demand: DemandTables, choices: DemandChoices, density: Density | None) -> None:
    """Draw where the trips drive in the chosen hours, or else the zones."""
    city, ramp = served.generator.city, ramps().counts
    table: PackedTable | None
    if density is None:
        table = zone_table(city, demand.zones, demand.flows) if demand.flows else None
        hint: Hint | None = WAITING if demand.flows else None
    else:
        rows, shade = (
            np.arange(len(density.places)),
            count_shades(density.real, int(density.real.max(initial=0)), choices.scale),
        )
        table = cell_table(city, density, rows, shade, CELL_SIDES) if len(rows) else None
        hint = None if len(density.places) else EMPTY
    picture = Picture(
        basemap=served.basemap,
        bounds=corners(city.bounds),
        credit=credit_html(city),
        areas=table,
        ramp=ramp,
        badge=served.badge,
        hint=hint,
        height=HEIGHT,
    )
    city_map("demand-map", picture)


def zone_trips(zones: Zones, flows: Flows) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the trips that start in each zone, and those that end there."""
    start, end = np.zeros(len(zones), np.int64), np.zeros(len(zones), np.int64)
    np.add.at(start, flows.origin, flows.trips)
    np.add.at(end, flows.destination, flows.trips)
    return start, end


def zone_table(city: City, zones: Zones, flows: Flows) -> PackedTable:
    """Return the table of the zones, each of their polygons an area, with the trips that start and end there."""
    start, end = zone_trips(zones, flows)
    parts, zone = shapely.get_parts(zones.shapes, return_index=True)
    flat = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON  # a mended zone may have kept a line
    parts, zone = shapely.transform(parts[flat], city.to_metres), zone[flat]
    density = Density(zone, start[zone], end[zone])
    names = [f"Zone {zones.names[at]}" for at in zone]
    both = density.real + density.generated
    shade = count_shades(both, int(both.max(initial=0)), LINEAR)
    return area_table(city, parts, density, np.arange(len(zone)), shade, (names, ZONE_SIDES), unit="trips")
