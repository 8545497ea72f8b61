"""Join roads to the lines that a map draws: both directions of a street once, its blocks one after another.

22,000 roads become 4,800 lines, and names can be written along them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

MINOR, MIDDLE, MAJOR = range(3)  # kinds
MAJOR_HIGHWAYS = ("motorway", "trunk", "primary")
MIDDLE_HIGHWAYS = ("secondary", "tertiary")
TOLERANCE = 8e-6  # degrees, below a pixel until zoom 17


def street_lines(roads: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return one row a street line: `kind`, `name` ("" if none), `geometry` (degrees, simplified); minor ones first."""
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
    return np.select([plain.isin(MAJOR_HIGHWAYS), plain.isin(MIDDLE_HIGHWAYS)], [MAJOR, MIDDLE], MINOR).astype(np.uint8)
