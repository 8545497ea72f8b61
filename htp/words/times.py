"""Read when trips start: a grammar marks the day and the time of day, dateparser reads the day.

dateparser alone reads too much, "may" and "12" as days and "lunes 8h30" as one in 2030, and too little: "el viernes a
las 17:30" and "meio-dia" are nothing to it. So it sees what the grammar has marked as a day, and nothing else.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from htp.words.line import Wording

LANGUAGES = ("en", "es", "pt")
WEEKDAY = (
    r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|mon|tue|wed|thu|fri|sat|lunes|martes|miercoles|jueves|viernes|lun|jue|vie|sab|dom|seg|sex|"
    r"sabado|domingo|(?:segunda|terca|quarta|quinta|sexta)(?:-feira|\s+feira)?)"
)
MONTH = (
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|"
    r"aug|sep|sept|oct|nov|dec|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|setiembre|octubre|"
    r"noviembre|diciembre|janeiro|fevereiro|marco|maio|junho|julho|setembro|outubro|novembro|dezembro)"
)
NTH = r"(?:st|nd|rd|th|º|ª|°)?"
DATE = (
    rf"(?:\d{{4}}-\d{{1,2}}-\d{{1,2}}|\d{{1,2}}/\d{{1,2}}(?:/\d{{4}}|/\d{{2}})?|\d{{1,2}}[.-]\d{{1,2}}[.-]\d{{4}}|"
    rf"\d{{1,2}}{NTH}(?:\s+(?:of|de))?\s+{MONTH}(?:(?:\s+de|\s+of)?\s+\d{{4}})?|"
    rf"{MONTH}\s+\d{{1,2}}{NTH}(?:\s+\d{{4}})?)"
)
NEXT = r"(?:next|proximo|proxima)"
DAY = re.compile(
    r"\b(?:(?:on|this|el|la|los|em|na|no|aos?|a|este|esta|dia|the|del?|d[ao])\s+)*"
    rf"(?:(?P<next>{NEXT})\s+)?(?:(?P<weekday>{WEEKDAY})\b\.?\s*)?(?:,?\s*(?:the|dia|el|o|d[eo])?\s*(?P<date>{DATE})\b)?"
    r"(?P<coming>\s+(?:que\s+viene|que\s+vem|proximo|proxima))?"
)
AWAY = {  # days from today
    0: r"today|hoy|hoje",
    2: r"(?:the\s+)?day\s+after\s+tomorrow|pasado\s+manana|depois\s+de\s+amanha",
    1: r"tomorrow|manana|amanha",
}
RELATIVE = re.compile("|".join(rf"\b(?P<d{days}>{words})\b" for days, words in AWAY.items()))

PART = (
    r"(?:\s*(?P<part>a\.?\s?m\b\.?|p\.?\s?m\b\.?|(?:in\s+the|de\s+la|por\s+la|da|de|a|at)\s+"
    r"(?:morning|afternoon|evening|night|manana|tarde|noche|madrugada|manha|noite)\b))"
)
PART_BEFORE = re.compile(
    r"(?:\b(?:in\s+the|de\s+la|por\s+la|da|de|a|at|this)\s+)?"
    r"\b(?P<part>morning|afternoon|evening|night|tarde|noche|manha|noite|(?<=la\s)manana)\s*,?\s*$"
)
NOT_LONG = (
    r"(?<!in\s)(?<!en\s)(?<!em\s)(?<!for\s)(?<!of\s)(?<!de\s)(?<!taking\s)(?<!durante\s)"  # 1h30 is no time of day
)
AT = r"(?:at|around|about|as|a\s+las?|las|sobre\s+las|pelas|@)"
CLOCKS = tuple(
    re.compile(pattern)
    for pattern in (
        (
            rf"(?:\b{AT}\s+|(?<![\w.,/-]){NOT_LONG})(?P<hour>\d{{1,2}})\s?[:h]\s?(?P<minute>\d{{2}})(?::\d{{2}})?(?!\d|:\d|\s*min)"
            rf"(?:\s?(?:h|hrs|horas)\b)?{PART}?"
        ),
        (
            rf"\b{AT}\s+(?P<hour>\d{{1,2}})(?:\.(?P<minute>\d{{2}}))?(?!\d|[.,:]\d)(?:\s?(?:h|hrs|horas|o.?clock)\b)?"
            rf"(?P<half>\s+(?:y\s+media|e\s+meia))?{PART}?(?!\s*(?:de\s+[a-z]|min|s\b|sec|seg|/))"
        ),
        rf"(?<![\w.,:/-])(?P<hour>\d{{1,2}})(?:\.(?P<minute>\d{{2}}))?{PART}",
        (
            rf"(?:\ba\s+)?(?<![\w.,:/-]){NOT_LONG}(?P<hour>\d{{1,2}})h\b"
            rf"(?!\s*\d){PART}?"
        ),
        (
            r"\b(?:at\s+|al\s+|ao\s+|a\s+la\s+|a\s+)?(?:(?P<noon>noon|midday|mediodia|meio[\s-]dia)|"
            r"(?P<midnight>midnight|medianoche|meia[\s-]noite))\b"
        ),
    )
)


def take_clock(line: Wording) -> dt.time | None:
    """Take out the time of day; what is none, such as 25:00, stays where it is."""
    for pattern in CLOCKS:
        for found in pattern.finditer(line.folded):
            parts, begin = found.groupdict(), found.start()
            before = None if parts.get("part") else PART_BEFORE.search(line.folded[:begin])
            if before is not None:  # "Friday evening at 8"
                parts["part"], begin = before["part"], before.start()
            clock = _clock(parts)
            if clock is not None:
                line.remove(begin, found.end())
                return clock
    return None


def _clock(parts: dict[str, Any]) -> dt.time | None:
    if parts.get("noon") or parts.get("midnight"):
        return dt.time(12 if parts["noon"] else 0)
    hour, minute = int(parts["hour"]), int(parts.get("minute") or (30 if parts.get("half") else 0))
    part = (parts.get("part") or "").replace(".", "").replace(" ", "")
    if part and not 1 <= hour <= 12:
        part = ""  # "17:30 in the afternoon"
    if part.endswith(("pm", "afternoon", "evening", "tarde")) or (
        part.endswith(("night", "noche", "noite")) and hour > 5
    ):
        hour = hour % 12 + 12
        if part.endswith(("night", "noche", "noite")) and hour == 12:
            hour = 0
    elif part.endswith(("am", "morning", "manana", "manha", "madrugada")):
        hour %= 12
    return dt.time(hour, minute) if hour < 24 and minute < 60 else None


def day_spans(text: str) -> list[tuple[int, int]]:
    """Return where in a folded text words stand that may be a day."""
    found = [match.span() for match in DAY.finditer(text) if match["weekday"] or match["date"]]
    found += [match.span() for match in RELATIVE.finditer(text)]
    return found


def day_of(words: str, base: dt.date, today: dt.date) -> dt.date | None:
    """Return the day that folded words name, None where there is none such.

    A weekday is the first one from `base` on, a date without a year is of the year of `base`; tomorrow follows `today`.
    """
    relative = RELATIVE.fullmatch(words.strip())
    if relative is not None:
        return today + dt.timedelta(days=next(days for days in AWAY if relative[f"d{days}"]))
    found = DAY.fullmatch(words.strip())
    if found is None:
        return None
    if found["date"]:
        date = re.sub(rf"(\d){NTH}(?=\s)", r"\1", found["date"]).replace(" of ", " ")
        read: dt.datetime | None = _reader(base)(date)
        return None if read is None else read.date()
    if not found["weekday"]:
        return None
    read = _reader(dt.date(2024, 1, 1))(found["weekday"].replace(" feira", "-feira"))
    if read is None:
        return None
    days = (read.weekday() - base.weekday()) % 7
    if (found["next"] or found["coming"]) and days == 0:
        days = 7
    return base + dt.timedelta(days=days)


def contradicts(words: str, day: dt.date) -> bool:
    """Return whether folded words name a date and another weekday than that day's."""
    found = DAY.fullmatch(words.strip())
    if found is None or not (found["weekday"] and found["date"]):
        return False
    read = _reader(dt.date(2024, 1, 1))(found["weekday"].replace(" feira", "-feira"))
    return read is not None and read.weekday() != day.weekday()


@cache
def _reader(base: dt.date) -> Any:
    """Return what reads a day, seen from `base`: dateparser, imported when it is first needed (0.4 s)."""
    from dateparser.date import DateDataParser  # noqa: PLC0415

    settings = {
        "RELATIVE_BASE": dt.datetime.combine(base, dt.time()),
        "PREFER_DATES_FROM": "current_period",
        "DATE_ORDER": "DMY",
        "PREFER_LOCALE_DATE_ORDER": False,
        "RETURN_AS_TIMEZONE_AWARE": False,
        "PARSERS": ["absolute-time"],
    }
    parser = DateDataParser(languages=list(LANGUAGES), settings=settings)
    return lambda text: parser.get_date_data(text).date_obj
