"""Read what trips give away of themselves: their shape in time, their route, their ends; piece by piece."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from htp.errors import InputError
from htp.evaluate.checked_trips import nothing_in, number_of, read_pieces
from htp.evaluate.closest import vectors

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from htp.city.network import City
    from htp.evaluate.checked_trips import Trips

PIECE = 4096  # trips read at a time
NEEDED = ("roads", "percent", "offset")  # of trips that the models are asked about


@dataclass(frozen=True)
class Traces:
    """B trips."""

    trip_id: NDArray[np.object_]  # [B]
    shape_m: NDArray[np.float64]  # [B, 64] see `htp.evaluate.closest.vectors`
    route: NDArray[np.object_] | None  # [B] a digest of each trip's roads; None where the table has no roads
    chosen: gpd.GeoDataFrame  # trips drawn at random, as many as were asked for, as they are

    def __len__(self) -> int:
        return len(self.trip_id)

    @property
    def ends_m(self) -> NDArray[np.float64]:
        """First and last point of each trip in metres, [B, 2, 2]."""
        return self.shape_m[:, [0, 1, -2, -1]].reshape(-1, 2, 2)


def read_traces(
    trips: Trips,
    city: City,
    random: np.random.Generator,
    *,
    choose: int = 0,
    progress: Callable[[int], None] = lambda _: None,
) -> Traces:
    """Read a table, a file or a folder of parts; `choose` trips are kept whole. `InputError` where it is empty."""
    total = number_of(trips)
    if total == 0:
        raise nothing_in(trips)
    rows = np.sort(random.choice(total, min(choose, total), replace=False))
    ids: list[str] = []
    shapes: list[NDArray[np.float64]] = []
    routes: list[bytes] = []
    kept: list[gpd.GeoDataFrame] = []
    for piece in read_pieces(trips, PIECE):
        here = rows[(rows >= len(ids)) & (rows < len(ids) + len(piece))] - len(ids)
        kept.append(piece.iloc[here])
        ids += [str(name) for name in piece["trip_id"]]
        shapes.append(vectors(piece, city))
        if "roads" in piece:
            routes += [_digest(roads) for roads in piece["roads"]]
        progress(len(piece))
    chosen = gpd.GeoDataFrame(pd.concat(kept, ignore_index=True), crs="EPSG:4326")
    if choose:
        _check_prepared(chosen)
    route = np.array(routes, dtype=object) if len(routes) == len(ids) else None
    return Traces(np.array(ids, dtype=object), np.concatenate(shapes), route, chosen)


def _digest(roads: NDArray[np.int32]) -> bytes:
    return hashlib.blake2b(np.asarray(roads, dtype=np.int32).tobytes(), digest_size=16).digest()


def _check_prepared(trips: gpd.GeoDataFrame) -> None:
    missing = [name for name in NEEDED if name not in trips]
    if missing:
        raise InputError(f"The trips have no column {missing[0]!r}; give training and held-out trips of `htp prepare`.")
