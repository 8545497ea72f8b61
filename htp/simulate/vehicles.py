"""Write a day's vehicles for SUMO: who drives what, from when on, along which roads, and where they stop."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import numpy as np

from htp.simulate.drivers import draw_types, write_types

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from htp.simulate.routes import VehicleRoutes
    from htp.simulate.stops import KerbStops


def write_vehicles(
    depart_s: NDArray[np.float64],
    routes: VehicleRoutes,
    stops: KerbStops,
    pace: float,
    rng: np.random.Generator,
    file: Path,
) -> None:
    """Write the vehicles with a route as a packed SUMO route file, in order of departure.

    `depart_s` [N] is that of the demand, `pace` the weather's share of all speeds.
    """
    types = draw_types(len(routes.roads), rng).tolist()
    begins = np.searchsorted(stops.route, np.arange(len(routes.roads) + 1)).tolist()
    depart = depart_s[routes.vehicle].tolist()
    with gzip.open(file, "wt", encoding="utf-8", compresslevel=3) as xml:
        xml.write(f"<routes>\n{write_types(pace)}")
        for row, (vehicle, roads) in enumerate(zip(routes.vehicle.tolist(), routes.roads, strict=True)):
            halts, begin, end = [], 'departLane="best" departPos="random"', "random"
            for stop in range(begins[row], begins[row + 1]):
                place = int(stops.place[stop])
                road = int(roads[place])
                at_m = f"{stops.at_m[stop]:.1f}"
                halts.append(
                    f'<stop lane="{road}_0" endPos="{at_m}" friendlyPos="true" duration="{stops.duration_s[stop]:.0f}" '
                    f'parking="{str(bool(stops.kerb[stop])).lower()}"/>'
                )
                begin = 'departLane="first" departPos="stop"' if place == 0 else begin
                end = at_m if place == len(roads) - 1 else end
            xml.write(
                f'<vehicle id="{vehicle}" type="{types[row]}" depart="{depart[row]:.0f}" {begin} '
                f'departSpeed="0" arrivalPos="{end}"><route edges="{" ".join(map(str, roads.tolist()))}"/>'
                f"{''.join(halts)}</vehicle>\n"
            )
        xml.write("</routes>\n")
