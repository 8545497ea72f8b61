"""Find places by the city's own street names: a street's middle, or its corner with another street."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from htp.city.network import City

LonLat = tuple[float, float]  # degrees
JUNCTION_M = 60.0  # between streets that meet at one junction, ours


def street_names(city: City) -> list[str]:
    """Return the names of all streets that have one, in order."""
    return [str(name) for name in np.unique(city.roads["name"].dropna().to_numpy(dtype=str))]


def middle_of(city: City, name: str) -> LonLat:
    """Return the middle of the block that is nearest to the middle of a street."""
    blocks = city.roads.geometry.to_numpy()[_roads_of(city, name)]
    middles = shapely.get_coordinates(shapely.line_interpolate_point(blocks, 0.5, normalized=True))
    centre = np.average(middles, axis=0, weights=shapely.length(blocks))
    return _lonlat(middles[np.argmin(((middles - centre) ** 2).sum(axis=1))])


def corners_of(city: City, name: str) -> dict[str, LonLat]:
    """Return where a street meets others, by their names in order; where it meets one twice, the first place."""
    roads = _roads_of(city, name)
    nodes = np.r_[city.u[roads], city.v[roads]]
    blocks = city.roads.geometry.to_numpy()[roads]
    ends = shapely.get_coordinates(np.r_[shapely.get_point(blocks, 0), shapely.get_point(blocks, -1)])
    place_of = {int(node): _lonlat(place) for node, place in zip(nodes, ends, strict=True)}
    found: dict[str, LonLat] = {}
    for node, other in sorted(crossing_streets(city, name, np.unique(nodes)).items()):
        found.setdefault(other, place_of[node])
    return dict(sorted(found.items()))


def corner_of(city: City, name: str, other: str) -> LonLat | None:
    """Return where two streets meet, or come as near as carriageways of one junction; None where they do not."""
    one, two = _roads_of(city, name), _roads_of(city, other)
    common = np.intersect1d(np.r_[city.u[one], city.v[one]], np.r_[city.u[two], city.v[two]])
    if len(common):
        road = int(one[np.flatnonzero((city.u[one] == common[0]) | (city.v[one] == common[0]))[0]])
        return _lonlat(shapely.get_coordinates(city.roads.geometry.iloc[road])[0 if city.u[road] == common[0] else -1])
    if not (len(one) and len(two)):
        return None
    blocks = city.roads.geometry.to_numpy()
    between = shapely.shortest_line(shapely.union_all(blocks[one]), shapely.union_all(blocks[two]))
    ends = shapely.get_coordinates(between)
    return _lonlat(ends[0]) if np.hypot(*np.diff(city.to_metres(ends), axis=0)[0]) <= JUNCTION_M else None


def crossing_streets(city: City, name: str, nodes: NDArray[np.int64]) -> dict[int, str]:
    """Return the name of a street other than `name` that begins or ends at each of these nodes, where there is one."""
    other = (city.roads["name"].notna() & (city.roads["name"] != name)).to_numpy()
    found: dict[int, str] = {}
    for ends in (city.u, city.v):
        for road in np.flatnonzero(other & np.isin(ends, nodes)):
            found.setdefault(int(ends[road]), str(city.roads["name"].iloc[road]))
    return found


def _roads_of(city: City, name: str) -> NDArray[np.int64]:
    return np.flatnonzero((city.roads["name"] == name).to_numpy())


def _lonlat(place: Iterable[float]) -> LonLat:
    lon, lat = (round(float(degrees), 6) for degrees in place)
    return lon, lat
