"""Turn places with counts into the table that the map draws as coloured areas: cells as squares, roads as ribbons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from htp.city.grid import CELL_M, south_west_of
from htp_app.map.table import PackedTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from htp.city import City
    from htp.evaluate.density import Density

DEGREE = 1e-6  # unit of the coordinates, as in frontend/src/areas.js
RIBBON_M = 25.0  # on the right of a road's line, so that both directions of a street are seen


def cell_shapes(cells: NDArray[np.int64]) -> NDArray[np.object_]:
    """Return the squares of cells, metres of the metric CRS."""
    west, south = south_west_of(cells).T
    return np.asarray(shapely.box(west, south, west + CELL_M, south + CELL_M))


def road_shapes(city: City, roads: NDArray[np.int64]) -> NDArray[np.object_]:
    """Return ribbons on the right of roads, metres of the metric CRS."""
    lines = shapely.linestrings(
        np.concatenate([city.xy_m[city.first_vertex[road] : city.first_vertex[road + 1]] for road in roads]),
        indices=np.repeat(np.arange(len(roads)), city.first_vertex[roads + 1] - city.first_vertex[roads]),
    )
    ribbons = shapely.buffer(lines, -RIBBON_M, single_sided=True, cap_style="flat", join_style="bevel")
    parts, index = shapely.get_parts(ribbons, return_index=True)  # a bend may cut a ribbon: the largest part stands
    order = np.lexsort((-shapely.area(parts), index))
    return np.asarray(parts)[order[np.unique(index[order], return_index=True)[1]]]


def area_table(  # noqa: PLR0913  the places and what is shown of each
    city: City,
    shapes: NDArray[np.object_],
    density: Density,
    rows: NDArray[np.int64],
    shade: NDArray[np.uint8],
    words: tuple[Sequence[str], tuple[str, str]],
    *,
    unit: str = "points",
) -> PackedTable:
    """Return the table of the places `rows` of a density, [A], with a shape and a shade each.

    `words` are a name for every place of `rows` and those of both sides, real and generated; `unit` is what is counted.
    """
    outlines = shapely.get_exterior_ring(shapes)
    names, name = np.unique(np.array(words[0], dtype=str), return_inverse=True)
    columns: dict[str, NDArray[Any]] = {
        "shade": shade,
        "real": density.real[rows],
        "generated": density.generated[rows],
        "name": name,
    }
    counts, xy_m = shapely.get_num_coordinates(outlines), shapely.get_coordinates(outlines)
    return packed_areas(city, columns, (counts, xy_m), names=names.tolist(), sides=list(words[1]), unit=unit)


def packed_areas(
    city: City, columns: dict[str, NDArray[Any]], outlines: tuple[ArrayLike, NDArray[np.float64]], **header: Any
) -> PackedTable:
    """Return the table of areas: values of each, and outlines as their numbers of points and all points, metres."""
    whole = np.rint(city.to_lonlat(outlines[1]) / DEGREE).astype(np.int32)
    values = {"first": np.r_[0, np.cumsum(outlines[0])]} | columns | {"lon": whole[:, 0], "lat": whole[:, 1]}
    types = {"shade": np.uint8}
    return PackedTable.pack({name: each.astype(types.get(name, np.int32)) for name, each in values.items()}, **header)


def cell_table(
    city: City, density: Density, rows: NDArray[np.int64], shade: NDArray[np.uint8], sides: tuple[str, str]
) -> PackedTable:
    """Return the table of the cells `rows` of a density."""
    names = ["100 m cell"] * len(rows)
    return area_table(city, cell_shapes(density.places[rows]), density, rows, shade, (names, sides))
