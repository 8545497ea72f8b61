"""What the page Demand lets people choose, kept in the session and in the URL."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from htp.errors import InputError
from htp.planning.demand.day import check_shares
from htp.planning.demand.table import MAX_TRIPS
from htp_app.state import LINEAR, LOG, MAX_SEED, one_of, read_day, read_hours, read_query, whole_number

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

ALL_DAY = (0, 24)


@dataclass(frozen=True)
class DemandChoices:
    """The day to make trips of, and how they are looked at."""

    day: dt.date
    count: int = 10_000  # trips of the table that the page makes; a table of one's own says how many
    seed: int = 1
    shares: tuple[float, ...] | None = None  # of the departures in each hour; None: as the held-out trips depart
    hours: tuple[int, int] = ALL_DAY  # shown on the map, without the second
    scale: str = LOG
    show: bool = False  # whether there are trips

    def same_day(self, other: DemandChoices) -> bool:
        """Whether the other choices ask for the same trips, however they are looked at."""
        return replace(other, hours=self.hours, scale=self.scale, show=self.show) == self

    def to_query(self) -> dict[str, str]:
        """Return the choices as the parameters of a URL; the profile and the view only where somebody chose."""
        query = {
            "day": self.day.isoformat(),
            "n": str(self.count),
            "seed": str(self.seed),
            "profile": "" if self.shares is None else ",".join(f"{share:g}" for share in self.shares),
            "hours": "" if self.hours == ALL_DAY else f"{self.hours[0]}-{self.hours[1]}",
            "scale": "" if self.scale == LOG else self.scale,
            "show": "1" if self.show else "",
        }
        return {name: value for name, value in query.items() if value}

    def with_query(self, query: Mapping[str, str]) -> tuple[DemandChoices, list[str]]:
        """Return these choices under a URL's parameters, and a sentence on each that could not be used."""
        fields, problems = read_query(query, _READERS)
        return replace(self, **fields), problems


def _shares(text: str) -> tuple[float, ...]:
    try:
        shares = tuple(float(part) for part in text.split(","))
    except ValueError:
        shares = (math.nan,)
    try:
        check_shares(shares)
    except InputError as error:
        raise InputError("it takes the shares of 24 hours, as in 0,0,1,3, … with one above 0") from error
    return shares


_READERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "day": ("day", read_day),
    "n": ("count", whole_number(1, MAX_TRIPS)),
    "seed": ("seed", whole_number(0, MAX_SEED)),
    "profile": ("shares", _shares),
    "hours": ("hours", read_hours),
    "scale": ("scale", one_of(LOG, LINEAR)),
    "show": ("show", lambda text: text == "1"),
}
