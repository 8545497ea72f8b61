"""Read times as text: Unix seconds to nanoseconds, ISO 8601 and its kin, dates day or month first, names of months.

A time without a zone is local; one in the hour that clocks leave out is none, one in the hour that they repeat is told
apart by the order of the trip's points.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from htp.errors import InputError

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import ArrayLike, NDArray

UNITS = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (np.inf, 1e9))  # Unix times below this number, units a second
SERIAL_DAYS = (25_569.0, 73_051.0)  # spreadsheets count days from 30 December 1899: these are the years 1970 to 2099
SERIAL_STEP = 0.01  # ours, of a day: seconds of a simulation lie further apart
EARLIEST_S = 1e8  # ours: numbers below it, 1973, count from the start of a simulation or a day
DIGITS = r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?"  # 20240514081530
ZONED = r"(?:Z|[T ]\d{2}[^+-]*[+-]\d{2}(?::?\d{2})?)[ \t]*$"  # a time, not a date alone, that ends on its zone
NUMBERS_FIRST = r"^\s*(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})(?:[ ,T]|$)"  # 05/04/2024, whichever is the day
MONTHS = r"(?i)\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
CLOCK = r"^\s*\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s*$"  # a time of day alone


def is_local(text: str) -> bool:
    """Say whether a text is a date and a time without a zone, a spreadsheet's number of days among them."""
    is_time = re.search(r"\d[/.-]\d.*\d:\d\d|^\s*\d{5}\.\d{4,}\s*$", text) is not None
    return is_time and re.search(r"Z|UTC|GMT|:\d\d(\.\d+)?\s*[+-]\d\d", text) is None


@dataclass
class DateOrder:
    """Find out of all dates of a column whether the day comes first."""

    day_first: int = 0  # dates whose first number can only be a day
    month_first: int = 0
    undecided: str = ""  # the first date that could be either
    dotted: bool = False  # who writes dots writes the day first

    def add(self, column: pa.ChunkedArray) -> None:
        """Look at some rows, text."""
        kin = pc.filter(column, pc.match_substring_regex(column, NUMBERS_FIRST))
        if not len(kin):
            return
        text = pd.Series(kin.to_pandas(), dtype=str)
        found = text.str.extract(NUMBERS_FIRST)[[0, 1]].astype(int)
        self.day_first += int((found[0] > 12).sum())
        self.month_first += int((found[1] > 12).sum())
        either = (found <= 12).all(axis=1)
        if not self.undecided and either.any():
            self.undecided = str(text[either].iloc[0])
        self.dotted |= bool(text.str.contains(r"^\s*\d+\.", regex=True).any())

    def decide(self, where: str, *, said: bool | None) -> bool | None:
        """Return whether the day comes first, None where no date asks; `InputError` where that cannot be told."""
        if said is not None or not (self.undecided or self.day_first or self.month_first):
            return said
        if self.day_first and self.month_first:
            raise InputError(
                f"{where}: some dates begin with the day, some with the month; say which, --dates day-first."
            )
        if self.day_first or self.month_first or self.dotted:
            return not self.month_first
        raise InputError(
            f"{where}: {self.undecided!r} may be read day or month first, and no other date tells; "
            "give --dates day-first or --dates month-first."
        )


def parse_times(
    text: pd.Series,
    timezone: str,
    *,
    trip: ArrayLike | None = None,
    day_first: bool | None = None,
    first_day: date | None = None,
) -> NDArray[np.float64]:
    """Return Unix seconds; NaN for what is no time. What most values are decides between numbers and dates.

    `trip` is the trip of each value, in the order of the file; `first_day` the day that small numbers count from.
    """
    text = text.reset_index(drop=True)
    number = np.full(len(text), np.nan)
    plain = ~text.str.contains(":", regex=False).to_numpy(dtype=bool)  # others are never numbers: 0.2 s a chunk
    number[plain] = pd.to_numeric(text[plain], errors="coerce").to_numpy(dtype=np.float64)
    finite = np.abs(number[np.isfinite(number)])
    if len(finite) and 2 * len(finite) >= (text.str.strip() != "").sum():
        filled = text[np.isfinite(number)].str.strip()
        if not filled.str.fullmatch(DIGITS).all():
            return _of_numbers(number, finite, timezone, first_day)
        text = text.str.replace(r"^\s*(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?\s*$", _spelt_out, regex=True)
    if first_day is not None:
        text = text.str.replace(CLOCK, lambda clock: f"{first_day} {clock[0].strip():0>5}", regex=True)
    moment, zoned = _moments(text, day_first=day_first)
    local = moment.dt.tz_localize(None)
    unknown = moment.notna() & ~zoned
    seconds = _seconds(moment.dt.tz_localize(None))
    seconds[unknown] = _local_seconds(local[unknown], timezone, None if trip is None else np.asarray(trip)[unknown])
    return seconds


def _spelt_out(found: re.Match[str]) -> str:
    year, month, day, hour, minute, second = found.groups()
    return f"{year}-{month}-{day} {hour}:{minute}:{second or '00'}"


def _of_numbers(
    number: NDArray[np.float64], finite: NDArray[np.float64], timezone: str, first_day: date | None
) -> NDArray[np.float64]:
    middle = float(np.quantile(finite, 0.5, method="lower"))  # a mean of two huge numbers would be none
    steps = np.diff(np.unique(finite))
    if SERIAL_DAYS[0] <= middle < SERIAL_DAYS[1] and len(steps) and np.median(steps) < SERIAL_STEP:
        days = pd.Series(np.where((number >= 0) & (number < SERIAL_DAYS[1]), number, np.nan))
        local = pd.Timestamp("1899-12-30") + pd.to_timedelta((days * 86_400).round(3), unit="s")
        return _local_seconds(local.dt.as_unit("us"), timezone, None)
    if first_day is not None and middle < EARLIEST_S:
        return number + pd.Timestamp(first_day).tz_localize(timezone, nonexistent="shift_forward").timestamp()
    return np.asarray(number / next(scale for below, scale in UNITS if middle < below))


def _moments(text: pd.Series, *, day_first: bool | None) -> tuple[pd.Series, NDArray[np.bool_]]:
    """Return times as if in UTC, or in it where a zone is given, and which have one; NaT for what is none.

    All are tried as ISO 8601, then what is left after small repairs, with its numbers in order, by names of months.
    """
    moment = pd.to_datetime(text, format="ISO8601", errors="coerce", utc=True).dt.as_unit("us")
    zoned = text.str.contains(ZONED, regex=True).to_numpy(dtype=bool, copy=True)
    left = moment.isna() & (text.str.strip() != "")
    if not left.any():
        return moment, zoned
    some = _repaired(text[left], day_first=day_first)
    found = pd.to_datetime(some, format="ISO8601", errors="coerce", utc=True).dt.as_unit("us")
    named = found.isna() & some.str.contains(MONTHS, regex=True)
    if named.any():
        found[named] = _by_month_names(some[named])
    zoned[left] = some.str.contains(ZONED, regex=True)
    moment[left] = found
    return moment, zoned


def _repaired(text: pd.Series, *, day_first: bool | None) -> pd.Series:
    """Return times as ISO 8601 writes them, as far as they are of its kin."""
    text = text.str.strip().str.replace(r"\[[^\]]*\]$", "", regex=True)  # Java: 2024-05-14T08:15Z[UTC]
    text = text.str.replace(r"\s*(?:UTC|GMT)(?=$|\s\d{4}$)", "Z", regex=True)
    text = text.str.replace(r"Z\s(\d{4})$", r" \1 Z", regex=True)  # ctime: Tue May 14 04:01:30 UTC 2024
    text = text.str.replace(r"(\d)\s+([+-]\d{2}:?\d{2})$", r"\1\2", regex=True)
    text = text.str.replace(r"^(\d{4})[/.](\d{1,2})[/.](\d{1,2})", r"\1-\2-\3", regex=True)
    text = text.str.replace(r"^(\d{4})-(\d)(?=-)", r"\1-0\2", regex=True)
    text = text.str.replace(r"^(\d{4}-\d{2})-(\d)(?!\d)", r"\1-0\2", regex=True)
    text = text.str.replace(r"(:\d{2}),(\d+)", r"\1.\2", regex=True)  # a decimal comma
    if day_first is not None:
        order = (3, 2, 1) if day_first else (3, 1, 2)
        text = text.str.replace(NUMBERS_FIRST, lambda found: _year_first(*found.group(*order)), regex=True)
    text = text.str.replace(r"(?<=\d)[ T]+(\d)(?=:\d)", r" 0\1", regex=True)
    return text.str.strip().str.replace(
        r"(?i)(\d{2})(:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*([ap])\.?\s?m\.?", _to_24_hours, regex=True
    )


def _year_first(year: str, month: str, day: str) -> str:
    return f"{year if len(year) == 4 else '20' + year}-{month:0>2}-{day:0>2} "


def _to_24_hours(found: re.Match[str]) -> str:
    hour = int(found[1]) % 12 + (12 if found[3].lower() == "p" else 0)
    return f"{hour:02d}{found[2]}"


def _by_month_names(text: pd.Series) -> pd.Series:
    """Return times such as `Tue, 14 May 2024 04:01:30 +0000` or `14-May-2024 04:01` as if in UTC."""
    known = ~text.str.contains(r"\b[A-Z]{3,5}\b", regex=True)  # CLT, CEST: a zone of that name is not one place's
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what the parser does not know; those are no times of ours
        found = pd.to_datetime(text.where(known), format="mixed", dayfirst=True, errors="coerce", utc=True)
    return found.dt.as_unit("us")


def _local_seconds(local: pd.Series, timezone: str, trip: NDArray[np.int64] | None) -> NDArray[np.float64]:
    """Return Unix seconds of local times."""
    once = local.dt.tz_localize(timezone, ambiguous="NaT", nonexistent="NaT")
    seconds = _seconds(once.dt.tz_convert("UTC").dt.tz_localize(None))
    if not once.isna().any():
        return seconds
    summer, winter = (
        _seconds(
            local.dt.tz_localize(timezone, ambiguous=np.full(len(local), first), nonexistent="NaT")
            .dt.tz_convert("UTC")
            .dt.tz_localize(None)
        )
        for first in (True, False)
    )
    twice = np.isnan(seconds) & np.isfinite(summer)
    seconds[twice] = summer[twice]
    if trip is not None and twice.any():
        for one in pd.unique(trip[twice]):
            points = np.flatnonzero(trip == one)
            points = points[np.isfinite(seconds[points])]
            seconds[points] = _told_apart(seconds[points], winter[points], twice[points])
    return seconds


def _told_apart(
    first_s: NDArray[np.float64], second_s: NDArray[np.float64], twice: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the times of one trip in order, those in the repeated hour as its first or second pass fits the others."""
    places = np.flatnonzero(twice)
    best, least = first_s, np.inf
    for cut in range(len(places) + 1):  # the places before it lie in the first pass, the others in the second
        time_s = first_s.copy()
        time_s[places[cut:]] = second_s[places[cut:]]
        step_s = np.diff(time_s)
        # steps back cost most, then the longest gap; of equals the first pass
        cost = float(np.abs(step_s[step_s < 0]).sum() * 1e3 + (step_s**2).sum() / 1e6)
        if cost < least or (cost == least and cut == len(places)):
            best, least = time_s, cost
    return best


def _seconds(moment: pd.Series) -> NDArray[np.float64]:
    """Return Unix seconds of times in UTC; NaN for NaT."""
    seconds = moment.to_numpy(dtype="datetime64[us]").astype(np.int64) / 1e6
    return np.where(moment.isna(), np.nan, seconds)


def check_dates(text: pd.Series, time_s: NDArray[np.float64], where: str) -> None:
    """Raise `InputError` where most times, as text and as Unix seconds, count from no date."""
    finite = time_s[np.isfinite(time_s)]
    early = len(finite) and np.quantile(np.abs(finite), 0.5, method="lower") < EARLIEST_S
    if early or (not len(finite) and text.str.fullmatch(CLOCK).any()):
        raise InputError(
            f"{where}: times such as {next(iter(text), '')!r} count from no date; "
            "say the day that they start on, as in --first-day 2024-05-14."
        )
