"""Read what OpenStreetMap's tags say of a way: how fast and on how many lanes each of its directions is driven.

https://wiki.openstreetmap.org/wiki/Key:maxspeed, Key:lanes. A value out of the possible counts as none, and is kept to
be said; one that says no number (`none`, `signals`, `RO:urban`) leaves the speed to the road's class.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

KMH_PER_UNIT = {"": 1.0, "km/h": 1.0, "kmh": 1.0, "kph": 1.0, "kmph": 1.0, "mph": 1.609344, "knots": 1.852}
WALK_KMH = 6.0  # ours, for `walk`
SLOWEST_KMH, FASTEST_KMH = 3.0, 150.0  # ours: what a limit can be
MAX_LANES = 20  # ours: of both directions; the widest roads have some 26 with all that run beside them
ZONE = re.compile(r"(?:[A-Z]{2}:)?zone:?(\d+)")
WITHOUT_NUMBER = re.compile(r"none|signals|variable|implicit|default|unposted|[A-Z]{2}:[\w:-]+")


@dataclass
class Oddities:
    """Values of tags that cannot be."""

    count: int = 0
    example: str = ""
    thing: str = "way"  # that has the values

    def add(self, way: Any, key: str, value: object) -> None:
        """Count one; the first is kept to be shown."""
        self.count += 1
        self.example = self.example or f"{key}={value} of {self.thing} {way}"

    def said(self) -> str:
        """Return it as a sentence for the user, nothing where there is none."""
        if not self.count:
            return ""
        return (
            f"{self.count:,} values that no road has were replaced by the default of their road's class, "
            f"such as {self.example}."
        )


@dataclass(frozen=True)
class Tags:
    """The tags of one way, or the attributes that osmnx keeps of them."""

    values: dict[str, Any]
    odd: Oddities = field(default_factory=Oddities)

    def speed_kmh(self, *, forward: bool = True) -> float | None:
        """Return the speed limit of a direction; None where there is no number."""
        key, value = self._of_direction("maxspeed", forward=forward)
        if value is None:
            imputed = first(self.values.get("speed_kph"))  # by osmnx.add_edge_speeds
            key, value = ("speed_kph", imputed) if imputed is not None else (key, None)
        if value is None:
            return None
        kmh = kmh_of(str(value))
        if kmh is None and WITHOUT_NUMBER.fullmatch(str(value).strip()):
            return None
        return self._checked(key, value, kmh, SLOWEST_KMH, FASTEST_KMH)

    def lanes(self, *, one_way: bool, forward: bool = True) -> float | None:
        """Return the lanes of a direction; None where there is no number."""
        own = None if one_way else self.values.get(f"lanes:{'forward' if forward else 'backward'}")
        key, value = ("lanes", first(self.values.get("lanes"))) if own is None else ("lanes:*", own)
        if value is None:
            return None
        found = re.match(r"\s*(\d+(?:\.\d+)?)\b", str(value))
        lanes = self._checked(key, value, float(found[1]) if found else None, 0.5, MAX_LANES)
        return lanes if lanes is None or one_way or own is not None else lanes / 2  # the tag counts both directions

    def _of_direction(self, key: str, *, forward: bool) -> tuple[str, Any]:
        own = f"{key}:{'forward' if forward else 'backward'}"
        return (own, self.values[own]) if own in self.values else (key, first(self.values.get(key)))

    def _checked(self, key: str, given: object, value: float | None, least: float, most: float) -> float | None:
        if value is not None and least <= value <= most:
            return value
        self.odd.add(first(self.values.get("osmid")), key, given)
        return None


def first(value: Any) -> Any:
    """Return the first value where osmnx has joined several ways that differ."""
    return value[0] if isinstance(value, list) and value else value


def kmh_of(text: str, unit: str = "") -> float | None:
    """Return a limit such as `50`, `30 mph`, `50;30`, `70|100`, `50,5`, `50 @ (06:00-22:00)`, `zone:30` or `walk`.

    `unit` is that of a number without one.
    """
    text = text.strip().strip("\"'")
    if text.lower().endswith("walk"):
        return WALK_KMH
    if zone := ZONE.match(text):
        return float(zone[1])
    found = re.match(r"\s*(\d+(?:[.,]\d+)?)\s*([a-zA-Z/]*)", text)
    if not found or found[2].lower() not in KMH_PER_UNIT:
        return None
    return float(found[1].replace(",", ".")) * KMH_PER_UNIT[(found[2] or unit).lower()]
