"""Draw who drives when from where to where: a gravity model between cells, and a profile of the day.

Trips start where people live and end where the city is busy, or the other way round on the way home. With zones,
homes follow their population; without, the length and density of minor roads. Knows nothing about routes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely
from scipy import ndimage
from scipy.spatial import cKDTree

from htp.errors import InputError
from htp.simulate.network import RESIDENTIAL, SECONDARY, TERTIARY, TRUNK, road_rank

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from htp.city.network import City
    from htp.simulate.circumstances import Circumstances

CELL_M = 500.0  # side of the cells between which trips are drawn
# Local errands and drives across town: shares and metres of the gravity model's d^0.8 exp(-d / decay).
REACHES = ((0.5, 900.0), (0.5, 3500.0))
DECAY_POWER = 0.8
SHORTEST_END_M = 20.0  # no trip starts or ends on a road shorter than this
ARTERIAL_PULL = 3.0  # a metre of arterial road attracts as much as three of a minor one
DAY_S = 86_400


class Wave(NamedTuple):
    """A part of the day's trips, departing about one hour; `outward` is the share that starts at home."""

    share: float
    hour: float
    spread_h: float
    outward: float


WEEKDAY = (
    Wave(0.20, 8.0, 0.9, 0.95),
    Wave(0.23, 13.3, 1.9, 0.5),
    Wave(0.25, 18.3, 1.35, 0.1),
    Wave(0.23, 14.0, 5.0, 0.5),
    Wave(0.09, 21.8, 1.6, 0.2),
)
WEEKEND = (
    Wave(0.34, 12.6, 2.0, 0.8),
    Wave(0.30, 18.8, 2.2, 0.2),
    Wave(0.26, 15.5, 5.0, 0.5),
    Wave(0.10, 22.3, 1.8, 0.3),
)


@dataclass(frozen=True)
class VehicleDemand:
    """Trips in order of departure; row i of every array is vehicle i."""

    depart_s: NDArray[np.float64]  # [N] seconds after midnight
    origin: NDArray[np.int64]  # [N] road_id on which it starts
    destination: NDArray[np.int64]  # [N] road_id on which it ends


def draw_demand(
    city: City, usable: NDArray[np.bool_], today: Circumstances, vehicles: int, rng: np.random.Generator
) -> VehicleDemand:
    """Draw the departures of a day; `usable` [V] marks roads that a trip may start or end on."""
    cell, centres_m = _cells(city)
    usable = usable & (city.length_m >= SHORTEST_END_M)
    homes, places = _home_weight(city, cell, usable), _place_weight(city, cell, usable)
    if np.count_nonzero(homes) == 0 or np.count_nonzero(places) == 0:
        raise InputError(f"{city.name}: no road is fit for a trip to start or end on; check the city's roads.")
    depart_s, outward = _departures(WEEKEND if today.weekend else WEEKDAY, vehicles, rng)
    home_cell, place_cell = _cell_pairs(cell, centres_m, homes, places, vehicles, rng)
    home = _roads_in_cells(home_cell, cell, homes, rng)
    place = _roads_in_cells(place_cell, cell, places, rng)
    origin, destination = np.where(outward, home, place), np.where(outward, place, home)
    keep = origin != destination
    return VehicleDemand(depart_s[keep], origin[keep], destination[keep])


def _cells(city: City) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the cell of each road's middle [V] and the centre of each cell [C, 2], numbered over the whole grid."""
    middle_m = middles_m(city)
    place = np.floor((middle_m - middle_m.min(axis=0)) / CELL_M).astype(np.int64)
    columns, rows = place.max(axis=0) + 1
    grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows), indexing="ij"), axis=-1).reshape(-1, 2)
    return place[:, 0] * rows + place[:, 1], (grid + 0.5) * CELL_M + middle_m.min(axis=0)


def middles_m(city: City) -> NDArray[np.float64]:
    """Return the middle of each road's end points, in metres of the metric CRS, [V, 2]."""
    return (city.xy_m[city.first_vertex[:-1]] + city.xy_m[city.first_vertex[1:] - 1]) / 2


def _home_weight(city: City, cell: NDArray[np.int64], usable: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Weigh each road by who lives there, [V]: its length, times the density about it or its zone's population."""
    rank = road_rank(city)
    minor = usable & (rank >= TERTIARY)
    length_m = np.where(minor, city.length_m, 0.0) * np.where(rank == TERTIARY, 0.3, 1.0)
    if city.zones is None:
        return length_m * _density(city, cell, length_m)
    zone = _zone_of(city.zones, city)
    population = city.zones["population"].fillna(0).to_numpy(dtype=float)
    total_m = np.bincount(zone[zone >= 0], weights=length_m[zone >= 0], minlength=len(population))
    per_metre = np.divide(population, total_m, out=np.zeros_like(total_m), where=total_m > 0)
    return np.where(zone >= 0, length_m * per_metre[zone], 0.0)


def _zone_of(zones: gpd.GeoDataFrame, city: City) -> NDArray[np.int64]:
    """Return the row of the zone that each road's middle lies in, -1 for none, [V]."""
    lonlat = city.to_lonlat(middles_m(city))
    tree = shapely.STRtree(zones.geometry.to_numpy())
    road, zone = tree.query(shapely.points(lonlat), predicate="within")
    found = np.full(len(city), -1, dtype=np.int64)
    found[road] = zone
    return found


def _place_weight(city: City, cell: NDArray[np.int64], usable: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Weigh each road by what draws people there, [V]: its length, arterials counting more, times the density."""
    rank = road_rank(city)
    pull = np.where((rank > TRUNK) & (rank <= TERTIARY), ARTERIAL_PULL, 1.0)
    length_m = np.where(usable & (rank > TRUNK), city.length_m * pull, 0.0)
    arterial_m = np.where((rank <= SECONDARY) | (rank == TERTIARY), city.length_m, 0.0)
    minor_m = np.where(rank >= RESIDENTIAL, city.length_m, 0.0)
    return length_m * _density(city, cell, arterial_m) * np.sqrt(_density(city, cell, minor_m) + 1.0)


def _density(city: City, cell: NDArray[np.int64], length_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the metres of road about each road, [V]: of its cell and, smoothed, of the cells around it."""
    middle_m = middles_m(city)
    columns, rows = (np.floor(np.ptp(middle_m, axis=0) / CELL_M).astype(int) + 1).tolist()
    total = np.bincount(cell, weights=length_m, minlength=columns * rows).astype(float).reshape(columns, rows)
    smooth: NDArray[np.float64] = ndimage.gaussian_filter(total, sigma=1.0, mode="constant")
    return smooth.reshape(-1)[cell]


def built_up(city: City, xy_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how dense the city is at each place, from 0 to 1 in the densest twentieth of its minor roads, [N]."""
    cell, _ = _cells(city)
    minor_m = np.where(road_rank(city) >= RESIDENTIAL, city.length_m, 0.0)
    density = _density(city, cell, minor_m)
    _, nearest = cKDTree(middles_m(city)).query(xy_m)
    return np.clip(density / max(np.quantile(density, 0.95), 1.0), 0.0, 1.0)[nearest]


def _departures(
    waves: tuple[Wave, ...], vehicles: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Draw sorted departure times in seconds and whether each trip starts at home; the day wraps at midnight."""
    share = np.array([wave.share for wave in waves])
    wave = rng.choice(len(waves), size=vehicles, p=share / share.sum())
    hour = np.array([w.hour for w in waves])[wave] + np.array([w.spread_h for w in waves])[wave] * rng.normal(
        size=vehicles
    )
    outward = rng.random(vehicles) < np.array([w.outward for w in waves])[wave]
    depart_s = (hour * 3600) % DAY_S
    order = np.argsort(depart_s, kind="stable")
    return depart_s[order], outward[order]


def _cell_pairs(
    cell: NDArray[np.int64],
    centres_m: NDArray[np.float64],
    homes: NDArray[np.float64],
    places: NDArray[np.float64],
    vehicles: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw the cell of the home and that of the other end of each trip, [N] each."""
    home_total = np.bincount(cell, weights=homes, minlength=len(centres_m))
    place_total = np.bincount(cell, weights=places, minlength=len(centres_m))
    home = rng.choice(len(centres_m), size=vehicles, p=home_total / home_total.sum())
    place = np.empty(vehicles, dtype=np.int64)
    share, decay_m = np.array(REACHES).T
    reach = rng.choice(len(REACHES), size=vehicles, p=share)
    for one, far in np.unique(np.stack([home, reach], axis=1), axis=0).tolist():
        trips = np.flatnonzero((home == one) & (reach == far))
        distance_m = np.hypot(*(centres_m - centres_m[one]).T)
        distance_m[one] = CELL_M / 3  # between two places of one cell
        pull = place_total * (distance_m / decay_m[far]) ** DECAY_POWER * np.exp(-distance_m / decay_m[far])
        place[trips] = rng.choice(len(centres_m), size=len(trips), p=pull / pull.sum())
    return home, place


def _roads_in_cells(
    drawn: NDArray[np.int64], cell: NDArray[np.int64], weight: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw a road of each drawn cell by weight, [N]."""
    order = np.argsort(cell, kind="stable")
    cumulative = np.cumsum(weight[order])
    first = np.searchsorted(cell[order], drawn, side="left")
    last = np.searchsorted(cell[order], drawn, side="right") - 1
    low = np.where(first > 0, cumulative[first - 1], 0.0)
    aim = low + rng.random(len(drawn)) * (cumulative[last] - low)
    found = np.searchsorted(cumulative, aim, side="right")
    return order[np.clip(found, first, last)]
