"""Keep the codes of trips beside them in a small file, as encoding takes longer than all that is done with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from htp.errors import InputError
from htp.files import replacing
from htp.trips import LIST_COLUMNS, PARQUET, open_parquet

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd

CODES = ("length_token", "patterns", "anchors")  # columns, as `htp.generate.tokenize` adds them


def write_codes(trips: gpd.GeoDataFrame, path: Path) -> None:
    """Write the codes of encoded trips; the file appears whole or not at all."""
    columns = {"trip_id": pa.array(trips["trip_id"], pa.string()), "length_token": pa.array(trips["length_token"])}
    for name in CODES[1:]:
        columns[name] = pa.array(trips[name], pa.list_(LIST_COLUMNS[name]))
    with replacing(path) as temporary:
        pq.write_table(pa.table(columns), temporary, **PARQUET)


def read_codes(trips: gpd.GeoDataFrame, path: Path) -> gpd.GeoDataFrame | None:
    """Return trips with the codes of a file; None where there is none, or none of these very trips."""
    if not path.is_file():
        return None
    try:
        table = open_parquet(path).read(["trip_id", *CODES]).to_pandas()
    except (InputError, pa.ArrowException, OSError):
        return None  # damaged: it is made anew
    if not np.array_equal(table["trip_id"].to_numpy(dtype=object), trips["trip_id"].to_numpy(dtype=object)):
        return None
    return trips.reset_index(drop=True).assign(**{name: table[name] for name in CODES})
