"""Say in words why preparation leaves trips out: what each reason in a report means, and what can be done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

REASONS = {
    "missing_data": "the row itself says that points are missing",
    "broken_row": "a row or a number in it cannot be read; look for wrong separators and for text among numbers",
    "broken_file": "the file or its rest cannot be read; get it anew",
    "single_point": "there is one point alone",
    "broken_times": "times repeat or are too far apart; check the clock",
    "no_points": "there are fewer than two points",
    "no_time": "points have no time; record them with times, without them there is no speed",
    "unread_time": "a time cannot be read; write times as in 2024-05-06T08:15:00-04:00 or as Unix seconds",
    "unread_position": "a longitude or latitude cannot be read; write degrees with a decimal point",
    "repeated_time": "an earlier point of the trip has the same time",
    "out_of_town": "points lie outside the city; make a larger city with `htp city`",
    "jump": "points lie further apart than 200 km/h allows",
    "too_short": "there are too few points without a long gap; sample more often with --interval",
    "no_road_nearby": "points are more than 100 m from every road; check that the city has the roads that were driven",
    "broken": "no path of roads joins the points; check that the city has the roads that were driven",
    "matched_part_too_short": "the part that could be matched has too few points",
    "off_road": "driven off the city's roads, or too few points in a row on them",
    "detour": "the matched route is over 1.3 times as long as the GPS track",
    "shortcut": "the matched route is under 0.8 times as long as the GPS track",
    "unmatched": "points lie beyond the parts that could be matched",
}


def explained(reason: str, examples: Mapping[str, str] | None = None) -> str:
    """Return a reason with its meaning, and with the first value or trip that shows it where that is known."""
    shown = (examples or {}).get(reason)
    return f"{reason}: {REASONS[reason]}" + (f" ({shown})" if shown else "")
