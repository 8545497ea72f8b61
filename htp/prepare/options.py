"""Say how trips are prepared."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from htp.errors import InputError
from htp.prepare.readers.projection import transformer
from htp.recording import MAX_POINTS, MIN_POINTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

HELDOUT_BY = ("trip", "day")
ROLES = ("trip_id", "time", "lon", "lat")  # what the columns of a plain CSV are named by


@dataclass(frozen=True)
class Hints:
    """What a file of trips does not say of itself, as far as the user says it."""

    day_first: bool | None = None  # of 05/04/2024; None: as other dates of the column show
    first_day: date | None = None  # of times that count from the start of a simulation or a day
    crs: str | None = None  # of coordinates that are no degrees in WGS 84, such as EPSG:32719
    timezone: str | None = None  # IANA, of times that carry none; None: the city's

    def __post_init__(self) -> None:
        """Check CRS and time zone; `InputError` where there is no such."""
        if self.crs is not None:
            transformer(self.crs)
        if self.timezone is not None and self.timezone not in available_timezones():
            raise InputError(f"{self.timezone[:60]!r} is no time zone; write one such as America/Santiago or UTC.")

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {**vars(self), "first_day": self.first_day and self.first_day.isoformat()}


@dataclass(frozen=True)
class PrepareOptions:
    """Options of `htp prepare`; the first four decide what the prepared trips are, the rest how fast they are made."""

    interval_s: float | None = None  # sampling interval of the prepared trips; None: the one most of them have
    columns: Mapping[str, str] = field(default_factory=dict)  # role -> column of a plain CSV; the rest is guessed
    heldout_share: float = 0.1  # design: split 90/10
    seed: int = 0  # of the split
    workers: int | None = None  # processes; None: one a core
    ray: str | None = None  # address of a Ray cluster whose workers take the place of processes; see `htp.scale`
    min_points: int = MIN_POINTS
    max_points: int = MAX_POINTS
    hints: Hints = field(default_factory=Hints)
    heldout_by: str = "trip"  # or "day", of the city's clocks: what is held out as a whole
    heldout_area: tuple[float, float, float, float] | None = None  # west, south, east, north: instead of a share

    def __post_init__(self) -> None:
        """Check every value; `InputError` says which is wrong."""
        if self.interval_s is not None and not 0 < self.interval_s <= 3600:
            raise InputError(f"The interval is {self.interval_s} s; give one above 0 and up to 3600 s.")
        if not MIN_POINTS <= self.min_points <= self.max_points <= MAX_POINTS:
            raise InputError(
                f"Trips of {self.min_points} to {self.max_points} points were asked for; give a range within "
                f"{MIN_POINTS} to {MAX_POINTS}."
            )
        if not 0 <= self.heldout_share < 1:
            raise InputError(
                f"The held-out share is {self.heldout_share}; give one from 0 up to, but not including, 1."
            )
        if self.heldout_by not in HELDOUT_BY:
            raise InputError(f"{self.heldout_by!r} cannot be held out as a whole; choose {' or '.join(HELDOUT_BY)}.")
        if self.heldout_area is not None:
            west, south, east, north = self.heldout_area
            if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
                raise InputError(f"{self.heldout_area} is no box in degrees; give west, south, east, north.")
        if self.workers is not None and self.workers < 1:
            raise InputError(f"{self.workers} workers were asked for; give 1 or more.")
        unknown = sorted(set(self.columns) - set(ROLES))
        if unknown:
            raise InputError(f"{unknown[0]!r} names no column of trips; name {', '.join(ROLES)}.")
