"""What the page Demand lets people choose, kept in the session and in the URL."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from htp.errors import InputError
from htp.planning.demand.day import check_shares
from htp.planning.demand.table import MAX_TRIPS
from htp_app.links import ALL_DAY, DAY, FLAG, HOURS, Linked, LinkType, linked, one_of, whole_number
from htp_app.state import LINEAR, LOG, SEED

if TYPE_CHECKING:
    import datetime as dt


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


SHARES = LinkType(_shares, lambda shares: ",".join(f"{share:g}" for share in shares))


@dataclass(frozen=True)
class DemandChoices(Linked):
    """The day to make trips of, and how they are looked at."""

    day: dt.date = linked("day", DAY)  # noqa: RUF009  a field
    count: int = linked("n", whole_number(1, MAX_TRIPS), 10_000, always=True)  # of the page's own table of trips
    seed: int = linked("seed", SEED, 1, always=True)
    shares: tuple[float, ...] | None = linked("profile", SHARES, None)  # of each hour; None: as held-out trips depart
    hours: tuple[int, int] = linked("hours", HOURS, ALL_DAY)  # shown on the map, without the second
    scale: str = linked("scale", one_of(LOG, LINEAR), LOG)
    show: bool = linked("show", FLAG, default=False)  # whether there are trips

    def same_day(self, other: DemandChoices) -> bool:
        """Whether the other choices ask for the same trips, however they are looked at."""
        return replace(other, hours=self.hours, scale=self.scale, show=self.show) == self
