"""Read the trips and the city that all methods share, and say what they are: fingerprints and statistics (Table 4)."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from htp.city.linear_referencing import check_roads
from htp.city.network import City
from htp.errors import InputError
from htp.files import fingerprint_of
from htp.json_files import read_object
from htp.trips import PREPARED, read_trips

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd

    from htp.experiment.settings import ExperimentSettings


@dataclass(frozen=True)
class Statistics:
    """A row of the paper's Table 4."""

    trips: int  # trained on and held out
    mean_points: float
    mean_distance_km: float  # along the route
    interval_s: float  # median
    roads: int
    area_km2: float  # of the box around the roads; ours, the paper does not say


@dataclass(frozen=True)
class Data:
    """Prepared trips and their city, cut to what the settings ask for."""

    train: gpd.GeoDataFrame
    heldout: gpd.GeoDataFrame
    city: City
    facts: dict[str, Any]  # SHA-256 and number of rows of every file, what is used of them, Table 4, simulated or not

    @classmethod
    def load(cls, data: Path, city_folder: Path, settings: ExperimentSettings) -> Data:
        """Read a folder of `htp prepare`; `InputError` where a table is missing, empty or of another city."""
        city, files, tables = City.load(city_folder), {}, []
        for name, limit in (("train", settings.trips), ("heldout", settings.heldout)):
            path = data / f"{name}.parquet"
            trips = read_trips(path, list(PREPARED))
            if trips.empty:
                raise InputError(f"{path}: holds no trips; prepare more trips or another --heldout share.")
            check_roads(city, list(trips["roads"]))
            files[name] = {"sha256": _sha256(path), "rows": len(trips)}
            tables.append(trips.iloc[:limit])
        files["roads"] = {"sha256": _sha256(city_folder / "roads.parquet"), "rows": len(city)}
        train, heldout = tables
        facts = {
            "city": city.name,
            "attribution": city.attribution,
            "files": files,
            "used": {"train": len(train), "heldout": len(heldout)},
            "simulated": any(_says_simulated(path) for path in (city_folder / "city.json", data / "report.json")),
            "statistics": asdict(statistics(train, heldout, city)),
        }
        return cls(train, heldout, city, facts)

    @property
    def fingerprint(self) -> str:
        """What results depend on of the data, in 16 hexadecimal digits."""
        return fingerprint_of({"files": self.facts["files"], "used": self.facts["used"]})


def statistics(train: gpd.GeoDataFrame, heldout: gpd.GeoDataFrame, city: City) -> Statistics:
    """Return the row of Table 4 of the trips that are used."""
    tables = (train, heldout)
    points = np.concatenate([shapely.get_num_coordinates(trips.geometry.to_numpy()) for trips in tables])
    interval_s = np.concatenate([trips["interval"].to_numpy(dtype=float) for trips in tables])
    distance_m = [
        (float(percent[-1]) - float(percent[0])) * city.length_m[np.asarray(route)].sum()
        for trips in tables
        for percent, route in zip(trips["percent"], trips["roads"], strict=True)
    ]
    width_m, height_m = np.ptp(city.xy_m, axis=0)
    return Statistics(
        trips=len(points),
        mean_points=round(float(points.mean()), 1),
        mean_distance_km=round(float(np.mean(distance_m)) / 1000, 2),
        interval_s=round(float(np.median(interval_s)), 1),
        roads=len(city),
        area_km2=round(float(width_m * height_m) / 1e6, 1),
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _says_simulated(path: Path) -> bool:
    """Say whether a JSON file has `simulated`: true, or how."""
    try:
        facts = read_object(path)
    except (OSError, ValueError):
        return False
    return isinstance(facts, dict) and bool(facts.get("simulated"))
