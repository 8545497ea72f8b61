"""Make a table of trips for those who have none: more people and more roads attract more trips, distance fewer.

The gravity model is that of the simulation (`htp.simulate.demand`) with one decay for all trips; its numbers are ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from htp.errors import InputError
from htp.planning.demand.table import MAX_TRIPS, Flows
from htp.simulate.demand import DECAY_POWER

if TYPE_CHECKING:
    from htp.city import City
    from htp.planning.demand.zones import Zones

DECAY_M = 1750.0  # d^0.8 exp(-d / 1.75 km): mean trip of 5.9 km in La Serena–Coquimbo
WITHIN = 1 / 3  # of a zone's size: how far apart two places of it are taken to be


def gravity_flows(city: City, zones: Zones, total: int) -> Flows:
    """Draw between which zones `total` trips go, the same ones every time."""
    if not 0 < total <= MAX_TRIPS:
        raise InputError(f"{total:,} trips are asked for; a day takes 1 to {MAX_TRIPS:,}.")
    centres_m = city.to_metres(shapely.get_coordinates(shapely.centroid(zones.shapes)))
    size_m = np.sqrt(np.maximum(zones.metres, 1.0))
    apart_m = np.hypot(*(centres_m[:, None] - centres_m[None]).transpose(2, 0, 1))
    np.fill_diagonal(apart_m, np.maximum(size_m * WITHIN, 1.0))
    has_roads = zones.metres > 0
    pull = np.where(has_roads, zones.people, 0)[:, None] * zones.metres[None]
    pull = pull * (apart_m / DECAY_M) ** DECAY_POWER * np.exp(-apart_m / DECAY_M)
    if not pull.sum() > 0:
        raise InputError("the zones hold no people or no roads, so no trips can be drawn; give a table of trips.")
    drawn = np.random.default_rng(0).multinomial(total, (pull / pull.sum()).ravel()).reshape(pull.shape)
    origin, destination = np.nonzero(drawn)
    return Flows(origin, destination, drawn[origin, destination])
