"""Say in words why preparation leaves trips out: what each reason in a report means, and what can be done about it."""

from __future__ import annotations

REASONS = {
    "missing_data": "the row itself says that points are missing",
    "broken_row": "a row or a number in it cannot be read; look for wrong separators and for text among numbers",
    "broken_file": "the file cannot be read to its end; get it anew",
    "single_point": "there is one point alone",
    "broken_times": "times run backwards, repeat or are too far apart; sort by time and check the clock",
    "no_points": "there are fewer than two points",
    "no_time": "points have no time; record them with times, without them there is no speed",
    "out_of_town": "a point lies outside the city; make a larger city with `htp city`",
    "jump": "two points in a row are further apart than 200 km/h allows",
    "too_short": "there are too few points without a long gap; sample more often with --interval",
    "too_long": "there are too many points; sample less often with --interval",
    "no_road_nearby": "points are more than 100 m from every road; check that the city has the roads that were driven",
    "broken": "no path of roads joins the points; check that the city has the roads that were driven",
    "matched_part_too_short": "the part that could be matched has too few points",
    "off_road": "the part driven on the city's roads has too few points",
    "detour": "the matched route is over 1.3 times as long as the GPS track",
    "shortcut": "the matched route is under 0.8 times as long as the GPS track",
}


def explained(reason: str) -> str:
    """Return a reason with its meaning."""
    return f"{reason}: {REASONS[reason]}"
