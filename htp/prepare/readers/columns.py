"""Find which column of a CSV of points is which: by option, by usual names, by what is in them where none is named."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htp.errors import InputError
from htp.prepare.options import ROLES
from htp.prepare.readers.times import CLOCK, DIGITS, parse_times

if TYPE_CHECKING:
    from collections.abc import Mapping

    from htp.prepare.readers.layout import CsvLayout

VEHICLES = ("vehicle_id", "vehicleid", "vehicle", "veh_id", "taxi_id", "taxi", "car_id", "device_id", "user_id", "uid")
GUESSES = {
    "trip_id": (
        *("trip_id", "tripid", "trip", "trajectory_id", "traj_id", "tid", "track_id", "ride_id", "journey_id"),
        *("order_id", *VEHICLES, "id"),
    ),
    "time": (
        *("time", "timestamp", "datetime", "date_time", "gps_time", "gpstime", "recorded_at", "unix_time"),
        *("timestep_time", "time_utc", "utc", "date", "t"),
    ),
    "lon": ("lon", "lng", "long", "longitude", "vehicle_x", "x"),
    "lat": ("lat", "latitude", "vehicle_y", "y"),
}
DATE = r"^\s*\d{1,2}[/.-]\d{1,2}[/.-]\d{2}"
DEGREES = re.compile(r"\s*-?\d{1,3}[.,]\d+\s*")


DATES = ("date", "day", "fecha", "datum", "data")  # beside a column of times of day


def date_column(layout: CsvLayout, time: int) -> int | None:
    """Return the column of dates that belongs to one of times of day; None where the latter needs none."""
    clock = [cell for cell in layout.column(time) if cell.strip()]
    if not clock or not all(re.fullmatch(CLOCK, cell) for cell in clock):
        return None
    plain = [name.strip().lower() for name in layout.names]
    if not layout.named:
        return next((p for p in range(len(plain)) if p != time and _is_dates(layout.column(p))), None)
    return next((plain.index(name) for name in DATES if name in plain), None)


def find_columns(layout: CsvLayout, asked: Mapping[str, str], notes: list[str]) -> dict[str, int]:
    """Return the place of each role's column; what was guessed goes into `notes`, a missing one is an `InputError`."""
    place = {role: _asked(layout, role, asked[role]) for role in asked}
    guess = _by_name if layout.named else _by_content
    place |= {role: guess(layout, role, place) for role in ROLES if role not in asked}
    for role in ROLES:
        twice = [other for other in ROLES if place[other] == place[role]]
        if len(twice) > 1:
            raise InputError(
                f"{layout.path}: the column {layout.names[place[role]]!r} cannot be {' and '.join(twice)} at once; "
                f"name another, as in `--column {twice[0]}=NAME`."
            )
    guessed = [f"{_shown(layout, place[role])} as {role}" for role in ROLES if role not in asked]
    if guessed:
        notes.append(f"{layout.path.name}: took the columns {', '.join(guessed)}.")
    repeated = [layout.names[p] for p in place.values() if layout.names.count(layout.names[p]) > 1]
    if repeated:
        notes.append(f"{layout.path.name}: several columns are called {repeated[0]!r}; took the first.")
    return place


def _shown(layout: CsvLayout, place: int) -> str:
    return repr(layout.names[place]) if layout.named else f"{place + 1}"


def _asked(layout: CsvLayout, role: str, name: str) -> int:
    if name in layout.names:
        return layout.names.index(name)
    present = ", ".join(layout.names)
    raise InputError(f"{layout.path}: there is no column {name!r}; it has {present}. Mend `--column {role}=NAME`.")


def _by_name(layout: CsvLayout, role: str, _: Mapping[str, int]) -> int:
    plain = [re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") for name in layout.names]
    for guess in GUESSES[role]:
        if guess in plain:
            return plain.index(guess)
    present = ", ".join(layout.names)
    raise InputError(
        f"{layout.path}: no column looks like {role} among {present}; name it, as in `--column {role}=NAME`."
    )


def _by_content(layout: CsvLayout, role: str, place: Mapping[str, int]) -> int:
    """Return the column of a file without names: the first that is like an id, the one of dates, the two of degrees."""
    times = [p for p in range(len(layout.names)) if _is_dates(layout.column(p))]
    degrees = [p for p in range(len(layout.names)) if p not in times and _is_degrees(layout.column(p))]
    if len(times) == 1 and len(degrees) == 2:
        lon, lat = degrees if "lat" not in place or place["lat"] != degrees[0] else degrees[::-1]
        others = [p for p in range(len(layout.names)) if p not in (*times, *degrees)]
        found = {"time": times[0], "lon": lon, "lat": lat} | ({"trip_id": others[0]} if others else {})
        if role in found:
            return found[role]
    raise InputError(
        f"{layout.path}: no line names its columns, and which is {role} does not show; "
        f"say it by its number, as in `--column {role}=1`."
    )


def _is_dates(cells: list[str]) -> bool:
    text = pd.Series(cells, dtype=str).str.strip()
    if text.str.fullmatch(r"\d{10}|\d{13}").all() or text.str.fullmatch(DIGITS).all():
        return len(text) > 0
    dates = text[text.str.contains(r"\d[-/.:]\d", regex=True) & ~text.str.fullmatch(DEGREES.pattern)]
    ordered = dates.str.contains(DATE, regex=True).to_numpy(dtype=bool)
    read = np.isfinite(parse_times(dates, "UTC")) | ordered
    return len(text) > 0 and read.sum() > len(text) / 2


def _is_degrees(cells: list[str]) -> bool:
    return bool(cells) and sum(bool(DEGREES.fullmatch(cell)) for cell in cells) > len(cells) / 2
