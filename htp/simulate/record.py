"""Keep where a day's vehicles were, compactly: a row a vehicle and 5 s, in whole decimetres.

Vehicles that SUMO teleported out of a jam are left out. A day of 60,000 vehicles takes some 40 MB. Knows nothing about
receivers: what they make of it is drawn afterwards, as often as one likes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from htp.files import replacing

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RECORD_S = 5  # between two rows of a vehicle; receivers read off multiples of it
FASTEST_MS = 45.0  # a vehicle that moved faster was teleported
JUNCTION = -1  # the road of a vehicle between two roads
SCALE = 10  # steps a metre, and a metre a second


@dataclass(frozen=True)
class Record:
    """Where each of K vehicles was, every 5 s; N rows in all, those of a vehicle together and in order of time."""

    vehicle: NDArray[np.int64]  # [K] its number in the day
    count: NDArray[np.int64]  # [K] its rows
    time_s: NDArray[np.int64]  # [N] after midnight
    xy_m: NDArray[np.float64]  # [N, 2] in the city's metric CRS
    speed_ms: NDArray[np.float64]  # [N]
    road: NDArray[np.int64]  # [N] road_id, JUNCTION between two

    @classmethod
    def of_sumo(cls, file: Path) -> Record:
        """Read SUMO's floating car data (Parquet) and drop the vehicles that it teleported."""
        rows = pd.read_parquet(file)
        rows["vehicle_id"] = rows["vehicle_id"].astype(np.int64)
        rows = rows.sort_values(["vehicle_id", "timestep_time"], kind="stable", ignore_index=True)
        rows = rows[_whole(rows)]
        vehicle, count = np.unique(rows["vehicle_id"].to_numpy(), return_counts=True)
        lane = rows["vehicle_lane"].astype(str)
        road = lane.where(~lane.str.startswith(":"), f"{JUNCTION}_0").str.rsplit("_", n=1).str[0]
        return cls(
            vehicle=vehicle,
            count=count,
            time_s=rows["timestep_time"].to_numpy().astype(np.int64),
            xy_m=rows[["vehicle_x", "vehicle_y"]].to_numpy(dtype=float),
            speed_ms=rows["vehicle_speed"].to_numpy(dtype=float),
            road=road.to_numpy().astype(np.int64),
        )

    @classmethod
    def load(cls, file: Path) -> Record:
        """Read a record."""
        table = pq.read_table(file)
        column = {name: table[name].to_numpy() for name in table.column_names}
        vehicle, count = np.unique(column["vehicle"], return_counts=True)
        return cls(
            vehicle=vehicle.astype(np.int64),
            count=count,
            time_s=column["time_s"].astype(np.int64),
            xy_m=np.stack([column["x"], column["y"]], axis=1) / SCALE,
            speed_ms=column["speed"] / SCALE,
            road=column["road"].astype(np.int64),
        )

    def save(self, file: Path) -> None:
        """Write the record; the file appears whole or not at all."""
        xy = np.rint(self.xy_m * SCALE).astype(np.int32)
        columns = {
            "vehicle": np.repeat(self.vehicle, self.count).astype(np.int32),
            "time_s": self.time_s.astype(np.int32),
            "x": xy[:, 0],
            "y": xy[:, 1],
            "speed": np.rint(self.speed_ms * SCALE).astype(np.int32),
            "road": self.road.astype(np.int32),
        }
        close = dict.fromkeys(("vehicle", "time_s", "x", "y"), "DELTA_BINARY_PACKED")  # neighbours differ little
        with replacing(file) as temporary:
            pq.write_table(
                pa.table(columns),
                temporary,
                compression="zstd",
                compression_level=9,
                use_dictionary=["speed", "road"],
                column_encoding=close,
            )


def _whole(rows: pd.DataFrame) -> NDArray[np.bool_]:
    """Mark the rows of vehicles that were seen at every moment and never teleported."""
    vehicle = rows["vehicle_id"].to_numpy()
    same = vehicle[1:] == vehicle[:-1]
    pause_s = np.diff(rows["timestep_time"].to_numpy())
    step_m = np.hypot(np.diff(rows["vehicle_x"].to_numpy()), np.diff(rows["vehicle_y"].to_numpy()))
    broken = same & ((pause_s > RECORD_S) | (step_m > FASTEST_MS * RECORD_S))
    _, row = np.unique(vehicle, return_inverse=True)
    good = np.ones(row.max(initial=-1) + 1, dtype=bool)
    good[row[1:][broken]] = False
    return good[row]
