"""Turn a city's roads into the table that the map draws as its basemap.

The two directions of a street are drawn once and blocks of one street are joined: 22,000 roads become 4,800 lines,
150 kB, and names can be written along them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from app.components.map.table import Table

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from htp.city import City

MAJOR = ("motorway", "trunk", "primary")
MIDDLE = ("secondary", "tertiary")
DEGREE = 1e-6  # unit of the coordinates, as in frontend/src/roads.js
TOLERANCE = 8e-6  # degrees, below a pixel until zoom 17


def basemap(city: City) -> Table:
    """Return the table of the city's streets: first vertex, kind, name and coordinates as steps of `DEGREE`."""
    streets = _streets(city.roads)
    names, name = np.unique(streets["name"].to_numpy(dtype=str), return_inverse=True)
    lines = streets["geometry"].to_numpy()
    whole = np.rint(shapely.get_coordinates(lines) / DEGREE).astype(np.int32)
    steps = np.diff(whole, axis=0, prepend=np.zeros((1, 2), np.int32))
    columns = {
        "first": np.r_[0, np.cumsum(shapely.get_num_coordinates(lines))].astype(np.int32),
        "kind": streets["kind"].to_numpy(dtype=np.uint8),
        "name": name.astype(np.int32),
        "lon": np.ascontiguousarray(steps[:, 0]),
        "lat": np.ascontiguousarray(steps[:, 1]),
    }
    return Table.pack(columns, names=names.tolist())


def _streets(roads: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return one row a street line: kind (0 minor, 1 middle, 2 major), name ("" if none), geometry."""
    frame = pd.DataFrame({"kind": _kinds(roads["highway"]), "name": roads["name"].fillna("").to_numpy()})
    frame["geometry"] = shapely.normalize(roads.geometry.to_numpy())  # both directions of a street look the same now
    frame = frame.loc[~frame["geometry"].duplicated()].sort_values(["kind", "name"], kind="stable")
    group = frame.groupby(["kind", "name"], sort=True).ngroup().to_numpy()
    merged = shapely.line_merge(shapely.multilinestrings(frame["geometry"].to_numpy(), indices=group))
    lines, index = shapely.get_parts(merged, return_index=True)
    first = np.unique(group, return_index=True)[1]
    street = frame[["kind", "name"]].iloc[first[index]].reset_index(drop=True)
    return street.assign(geometry=shapely.simplify(lines, TOLERANCE))


def _kinds(highway: pd.Series) -> NDArray[np.uint8]:
    """Return how roads are drawn; the links of a motorway are drawn like the motorway."""
    plain = highway.astype(str).str.removesuffix("_link")
    return np.select([plain.isin(MAJOR), plain.isin(MIDDLE)], [2, 1], 0).astype(np.uint8)
