"""Make the trips of a planned day part by part, so that memory stays the same for any number, and export them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd

from htp.files import replacing
from htp.trips import check_ending, iter_trips, to_geojson, write_pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import geopandas as gpd

    from htp.generate import Generator
    from htp.planning.demand.day import Day

PART_TRIPS = 500  # ours: as many as others wait for in turn, and as come onto the map at once
ALL_HOURS = (0, 24)
SEEDS = 1 << 31  # from the seed of one part to the next's: no two parts of any day share random streams


def part_count(day: Day) -> int:
    """Return the number of parts of a day."""
    return -(-len(day) // PART_TRIPS)


def make_part(
    generator: Generator,
    day: Day,
    number: int,
    seed: int,
    names: Sequence[str],
    progress: Callable[[int, int], None] | None = None,
) -> gpd.GeoDataFrame:
    """Generate a part of a day, with the columns `origin` and `destination` (`names` of zones).

    A part is the same whether the others have been made or not; `progress` hears how far the whole day is.
    """
    first = number * PART_TRIPS
    asked = day.conditions[first : first + PART_TRIPS]

    def hear(done: int, _: int) -> None:
        if progress is not None:
            progress(first + done, len(day))

    trips = generator.generate(asked, seed=seed + number * SEEDS, progress=hear)
    pair = day.pair[first : first + len(asked)]
    return trips.assign(
        trip_id=[f"{at:06d}" for at in range(first, first + len(asked))],
        origin=[names[zone] for zone in pair[:, 0]],
        destination=[names[zone] for zone in pair[:, 1]],
    )


def export(folder: Path, out: Path, hours: tuple[int, int] = ALL_HOURS) -> int:
    """Write the parts in a folder as one file in the format of its ending, piece by piece; return how many trips.

    Only the trips that depart within `hours` of the day, the second excluded, by the city's clocks.
    """
    return write_day((_departing(piece, hours) for piece in iter_trips(folder, rows=PART_TRIPS)), out)


def _departing(trips: gpd.GeoDataFrame, hours: tuple[int, int]) -> gpd.GeoDataFrame:
    hour = pd.DatetimeIndex(trips["start_time"]).hour
    return trips[(hour >= hours[0]) & (hour < hours[1])]


def write_day(pieces: Iterator[gpd.GeoDataFrame], out: Path) -> int:
    """Write trips that come piece by piece, as `htp.trips.write_pieces`, GeoJSON piece by piece too."""
    check_ending(out)
    if out.suffix != ".geojson":
        return write_pieces(pieces, out)
    count = 0
    with replacing(out) as temporary, temporary.open("w", encoding="utf-8") as stream:
        stream.write('{"type": "FeatureCollection", "features": [')
        for piece in pieces:
            for feature in json.loads(to_geojson(piece))["features"]:
                stream.write(",\n" if count else "\n")
                json.dump(feature, stream, ensure_ascii=False)
                count += 1
        stream.write("\n]}\n")
    return count
