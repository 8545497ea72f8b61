"""Find which fields of a layer say what, by their usual names or as the person says, and read them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htp.city.lines.options import ROLES
from htp.city.lines.values import LEFT_OUT, UNKNOWN_CLASS, Driven, by_value, class_of, driven, name_of, word, words_of
from htp.city.tags import FASTEST_KMH, MAX_LANES, SLOWEST_KMH, Oddities, kmh_of
from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from htp.city.lines.layer import Layer
    from htp.city.lines.options import LineOptions

# in small letters and digits alone; a Shapefile keeps ten characters of a name
USUAL = {
    "oneway": "oneway onewaydir onewaycode isoneway onewaystre dirtravel traveldir directionoftravel trafficdir "
    "trafficdirection flowdir sensdecirculation sensdecirc",
    "speed": "maxspeed speedlimit speedlimi speedlim spdlimit postedspeed postedspee postedspd speed speedmph "
    "maxspeedmph speedlimitmph speedkmh speedkph maxspeedkmh limitmph",
    "name": "fullname fullstname fullstreet fullstreetname streetname streetnam stname roadname rdname name street "
    "label nombre nom",
    "class": "highway fclass roadclass functionalclass functional funcclass functclass class roadtype rdclass roadcat "
    "category hierarchy mtfcc",
    "lanes": "lanes numlanes numberoflanes numberofla nlanes nolanes lanecount lanecnt",
    "id": "osmid objectid gid segmentid segid roadid linkid streetid linearid id fid",
}
UNIT_IN_NAME = {"mph": "mph", "kmh": "km/h", "kph": "km/h"}


def about_lines(layer: Layer, options: LineOptions, say: Callable[[str], None]) -> tuple[Layer, pd.DataFrame]:
    """Return the lines for cars and what their fields say (`htp.city.lines.graph.ABOUT`); what was guessed is said."""
    fields = _fields_of(layer, options, say)
    layer, fields, highway = _with_class(layer, fields, options, say)
    layer, fields, ways, highway = _with_direction(layer, fields, highway, say)
    odd = Oddities(thing="line")
    kmh = _speeds(layer, fields, options, odd, say)
    lanes = _numbers(layer, fields["lanes"], (0.5, MAX_LANES), odd)
    if odd.count:
        say(f"{layer.source}: {odd.said()}")
    about = pd.DataFrame({"number": _ids(fields["id"], layer), "name": [name_of(one) for one in fields["name"]]})
    about = about.assign(highway=highway, driven=ways, lanes=lanes, along_kmh=kmh, against_kmh=kmh)
    return layer, about


def _fields_of(layer: Layer, options: LineOptions, say: Callable[[str], None]) -> pd.DataFrame:
    """Return a column a role; its name in the file is its `attrs`."""
    names = [str(name) for name in layer.fields.columns]
    plain = {re.sub(r"[^a-z0-9]", "", name.lower()): name for name in reversed(names)}
    found = {}
    for role in ROLES:
        given = options.fields.get(role)
        if given and given not in names:
            raise InputError(f"{layer.source}: has no field {given!r} for --field {role}=…; it has {', '.join(names)}.")
        guess = next((plain[usual] for usual in USUAL[role].split() if usual in plain), "")
        found[role] = guess if given is None else given
    told = ", ".join(f"{role} from {name}" for role, name in found.items() if name and role != "id")
    lacking = [role for role, name in found.items() if not name and role not in ("id", "lanes")]
    nothing = f"; nothing says {' or '.join(lacking)} (--field {lacking[0]}=NAME)" if lacking else ""
    say(
        f"{layer.source}: {len(layer.lines):,} lines, {told or 'no fields'}{nothing}. No turn is banned in such a file."
    )
    columns = {role: layer.fields[name] if name else None for role, name in found.items()}
    fields = pd.DataFrame(columns, index=range(len(layer.lines)), dtype=object)
    fields.attrs.update(found)
    return fields


def _with_class(
    layer: Layer, fields: pd.DataFrame, options: LineOptions, say: Callable[[str], None]
) -> tuple[Layer, pd.DataFrame, NDArray[np.object_]]:
    """Return the lines for cars and their classes."""
    if not fields.attrs["class"]:
        return layer, fields, np.full(len(fields), UNKNOWN_CLASS, dtype=object)
    given = {word(value): kind for value, kind in options.classes.items()}
    found = by_value(fields["class"], lambda one: given.get(one, class_of(one)))
    unknown = np.array([one is None for one in found])
    if unknown.any():
        example = fields["class"][unknown].map(word).mode().iloc[0] or "none at all"
        say(
            f"{layer.source}: {unknown.sum():,} lines have a class that is not known, most often {example!r}; they "
            f"are taken as {UNKNOWN_CLASS!r}. Name it with --class '{example}=residential', or '{example}=' to leave "
            "it out."
        )
    highway = np.where(unknown, UNKNOWN_CLASS, found)
    cars = highway != LEFT_OUT
    return layer.take(cars, "lines that are not for cars by their class"), _rows(fields, cars), highway[cars]


def _with_direction(
    layer: Layer, fields: pd.DataFrame, highway: NDArray[np.object_], say: Callable[[str], None]
) -> tuple[Layer, pd.DataFrame, NDArray[np.int8], NDArray[np.object_]]:
    """Return the lines that are not closed and which way they are driven."""
    found = driven(fields["oneway"])
    unknown = np.array([one is None for one in found], dtype=bool)
    ways = np.where(unknown, Driven.both, found).astype(np.int8)
    if unknown.any():
        example, number = fields["oneway"][unknown].iloc[0], layer.number[unknown][0]
        say(
            f"{layer.source}: {unknown.sum():,} values of {fields.attrs['oneway']} say no direction, such as "
            f"{example!r} of line {number}; these lines are driven both ways."
        )
    if fields.attrs["oneway"]:
        counts = [f"{(ways == way).sum():,} {way.name}" for way in Driven if (ways == way).any()]
        say(f"{layer.source}: by {fields.attrs['oneway']} lines are driven: {', '.join(counts)}.")
    open_ = ways != Driven.closed
    return layer.take(open_, "lines that are closed"), _rows(fields, open_), ways[open_], highway[open_]


def _rows(fields: pd.DataFrame, kept: NDArray[np.bool_]) -> pd.DataFrame:
    rows = fields.loc[kept].reset_index(drop=True)
    rows.attrs = fields.attrs
    return rows


def _speeds(
    layer: Layer, fields: pd.DataFrame, options: LineOptions, odd: Oddities, say: Callable[[str], None]
) -> NDArray[np.float64]:
    """Return the speed limits, NaN where there is none; the unit of mere numbers is said unless it was given."""
    name = fields.attrs["speed"]
    if not name:
        return np.full(len(fields), np.nan)
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    in_name = next((unit for letters, unit in UNIT_IN_NAME.items() if letters in plain), None)
    unit = options.speed_unit or in_name or "km/h"
    if options.speed_unit is None and any(re.fullmatch(r"\d+(?:[.,]\d+)?", one) for one in words_of(fields["speed"])):
        why = "as its name says" if in_name else "as nothing says another unit (--speed-unit mph)"
        say(f"{layer.source}: the numbers of {name} are read in {unit}, {why}.")
    return _numbers(layer, fields["speed"], (SLOWEST_KMH, FASTEST_KMH), odd, unit)


def _numbers(
    layer: Layer, values: pd.Series, bounds: tuple[float, float], odd: Oddities, unit: str = ""
) -> NDArray[np.float64]:
    """Return numbers within bounds, NaN for others; nothing, 0 and below say nothing, the rest is odd."""
    found = by_value(values, lambda one: kmh_of(one, unit))
    numbers = np.array([np.nan if one is None else one for one in found], dtype=float)
    good = (numbers >= bounds[0]) & (numbers <= bounds[1])
    silent = by_value(values, lambda one: one in ("", "0") or one.startswith("-")).astype(bool)
    for row in np.flatnonzero(~good & ~silent):
        odd.add(layer.number[row], str(values.name), values.iloc[row])
    return np.where(good, numbers, np.nan)


def _ids(values: pd.Series, layer: Layer) -> NDArray[np.int64]:
    """Return the file's own numbers of its lines where all have one, else their numbers in the file, from 1."""
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float)
    whole = np.isfinite(numbers).all() and (numbers == np.rint(numbers)).all() and (np.abs(numbers) < 2**53).all()
    return numbers.astype(np.int64) if len(numbers) and whole else layer.number
