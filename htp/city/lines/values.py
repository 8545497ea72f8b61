"""Read what the values of fields mean: which way a line is driven, its class, its name.

Each distinct value is read once. T and F are "to" and "from" as the trade has it (against and along the line) and N is
closed, where the column also holds FT, TF or B, or T and F beside nothing; else they are true, false and no.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htp.city.simplify import DEFAULT_SPEED_KMH

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


class Driven(IntEnum):
    """Which way a line is driven."""

    against = -1
    both = 0
    along = 1
    closed = 2


BOTH = (
    "", "no", "false", "0", "b", "both", "both ways", "both directions", "two way", "twoway", "2 way", "bidirectional",
    "not one way", "none", "double sens", "sans objet",
)  # fmt: skip
ALONG = (
    "yes", "y", "true", "1", "ft", "from to", "one way", "oneway", "1 way", "forward", "along", "with", "positive",
    "sens direct",
)  # fmt: skip
AGAINST = ("-1", "2", "tf", "to from", "reverse", "reversed", "backward", "against", "negative", "sens inverse")
MEANING = dict.fromkeys(BOTH, Driven.both) | dict.fromkeys(ALONG, Driven.along) | dict.fromkeys(AGAINST, Driven.against)
LETTERS_OF_DIRECTIONS = {"f": Driven.along, "t": Driven.against, "n": Driven.closed}
LETTERS_OF_TRUTH = {"f": Driven.both, "t": Driven.along, "n": Driven.both}

LEFT_OUT = ""  # in place of a class
UNKNOWN_CLASS = "road"
WORDS = {
    "motorway": "freeway, interstate, interstate highway, autobahn, autoroute, autopista, autostrada, s1100",
    "motorway_link": "ramp, slip, slip road, on ramp, off ramp, freeway ramp, interchange ramp, s1630",
    "trunk": "expressway, dual carriageway, highway, state highway, us highway, national, national road",
    "primary": "a, a road, major, major road, arterial, principal arterial, major arterial, primary arterial, s1200",
    "secondary": "b, b road, main, main road, minor arterial, secondary arterial",
    "tertiary": "c, c road, collector, major collector, minor collector, distributor, connector",
    "unclassified": "rural, rural road, minor, minor road, country road",
    "residential": "local, local road, local street, local access, street, access, urban, neighborhood, neighbourhood, "
    "s1400, s1640",
    "living_street": "home zone, shared, shared space, woonerf",
    LEFT_OUT: "footway, footpath, steps, stairs, stairway, cycleway, bike path, bicycle path, pedestrian, path, track, "
    "trail, bridleway, sidewalk, walkway, greenway, corridor, service, service road, alley, driveway, private drive, "
    "parking, parking aisle, parking lot, rail, railway, ferry, proposed, construction, under construction, abandoned, "
    "vacated, unbuilt, s1500, s1710, s1720, s1730, s1740, s1750, s1780, s1810, s1820, s1830",
}
CLASS_OF = {kind.replace("_", " "): kind for kind in DEFAULT_SPEED_KMH}
CLASS_OF |= {word: kind for kind, words in WORDS.items() for word in words.split(", ")}
NO_NAME = {"", "<null>", "null", "none", "unnamed", "no name", "n/a"}


def by_value(values: pd.Series, read: Callable[[str], object]) -> NDArray[np.object_]:
    """Return what `read` makes of each value's word, [N]; every distinct word is read once."""
    code, distinct = pd.factorize(values.to_numpy(dtype=object), use_na_sentinel=False)
    read_of = np.empty(len(distinct), dtype=object)
    read_of[:] = [read(word(one)) for one in distinct]
    return read_of[code]


def words_of(values: pd.Series) -> set[str]:
    """Return the words of all values."""
    return {word(one) for one in pd.unique(values.to_numpy(dtype=object))}


def word(value: object) -> str:
    """Return a value as a word in small letters: `one way` of ` ONE_WAY`, `1` of 1.0, nothing of what is missing."""
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = re.sub(r"(?<=\w)-(?=\w)", " ", str(value).strip().lower())
    return re.sub(r"[\s_]+", " ", text)


def driven(values: pd.Series) -> NDArray[np.object_]:
    """Return which way each line is driven, [N]; None where a value says nothing that is known."""
    words = words_of(values)
    directed = bool(words & {"b", "ft", "tf"}) or ("" in words and bool(words & {"t", "f"}))
    letters = LETTERS_OF_DIRECTIONS if directed else LETTERS_OF_TRUTH
    return by_value(values, lambda one: letters.get(one, MEANING.get(one)))


def class_of(one: str) -> str | None:
    """Return our class of a word, nothing where such lines are not for cars, None where it is not known."""
    return CLASS_OF.get(one)


def name_of(value: object) -> str | None:
    """Return a street's name; None where the value says that it has none."""
    if not isinstance(value, str) or value.strip().lower() in NO_NAME:
        return None
    return " ".join(value.split())
