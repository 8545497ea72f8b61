"""Name what is changed on a city's roads: some closed, some at another speed limit; read and write it as JSON."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from htp.city import City

MIN_KMH, MAX_KMH = 5.0, 130.0  # ours
KIND, VERSION = "htp-scenario", 1  # in a file
MAX_BYTES = 4_000_000  # of a file: every road of a large city several times over
MAX_NAME = 80  # letters
KMH = 3.6  # of a metre a second


@dataclass(frozen=True)
class Scenario:
    """Changes of roads; a road is closed or has a speed, not both."""

    closed: tuple[int, ...] = ()  # road_id, in order
    speeds_kmh: tuple[tuple[int, float], ...] = ()  # (road_id, new limit), in order
    name: str = field(default="", compare=False)  # what people call it

    @property
    def changed(self) -> tuple[int, ...]:
        """Every road that is changed, in order."""
        return tuple(sorted({*self.closed, *(road for road, _ in self.speeds_kmh)}))

    def close(self, roads: Iterable[int]) -> Scenario:
        """Return this scenario with roads closed."""
        roads = {int(road) for road in roads}
        rest = self.reset(roads)
        return replace(rest, closed=tuple(sorted({*rest.closed, *roads})))

    def set_speed(self, roads: Iterable[int], kmh: float) -> Scenario:
        """Return this scenario with roads open at a speed limit; `InputError` for one out of range."""
        if not (math.isfinite(kmh) and MIN_KMH <= kmh <= MAX_KMH):
            raise InputError(f"a speed of {kmh:g} km/h; give {MIN_KMH:g} to {MAX_KMH:g} km/h.")
        roads = {int(road) for road in roads}
        rest = self.reset(roads)
        return replace(rest, speeds_kmh=tuple(sorted({*rest.speeds_kmh, *((road, float(kmh)) for road in roads)})))

    def reset(self, roads: Iterable[int]) -> Scenario:
        """Return this scenario with roads as they were."""
        gone = {int(road) for road in roads}
        return replace(
            self,
            closed=tuple(road for road in self.closed if road not in gone),
            speeds_kmh=tuple((road, kmh) for road, kmh in self.speeds_kmh if road not in gone),
        )

    def check(self, city: City) -> None:
        """Raise `InputError` where the city has no road of a number that the scenario names."""
        unknown = [road for road in self.changed if not 0 <= road < len(city)]
        if unknown:
            raise InputError(
                f"road {unknown[0]} is not in {city.name}, whose roads are 0 to {len(city) - 1}; "
                "use a scenario that was made for this city."
            )

    def limits_kmh(self, city: City) -> NDArray[np.float64]:
        """Return the speed limit of each road, that of a closed one as it was, [V]."""
        limits = city.roads["speed_kmh"].to_numpy(dtype=float).copy()
        if self.speeds_kmh:
            roads, kmh = zip(*self.speeds_kmh, strict=True)
            limits[list(roads)] = kmh
        return limits

    def seconds(self, city: City) -> NDArray[np.float64]:
        """Return the seconds to drive each road from end to end, infinite where it is closed, [V]."""
        old_kmh, new_kmh = city.roads["speed_kmh"].to_numpy(dtype=float), self.limits_kmh(city)
        seconds = np.where(new_kmh == old_kmh, city.free_flow_s, city.length_m / (new_kmh / KMH))
        seconds[list(self.closed)] = np.inf
        return seconds

    def to_json(self, city: City) -> str:
        """Return the scenario as a file that `from_json` reads."""
        facts = {
            "type": KIND,
            "version": VERSION,
            "city": city.name,
            "roads": len(city),  # road numbers count for these roads only
            "name": self.name,
            "closed": list(self.closed),
            "speeds_kmh": {str(road): kmh for road, kmh in self.speeds_kmh},
        }
        return json.dumps(facts, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, content: bytes | str, city: City) -> Scenario:
        """Read a file's content; `InputError` says what is wrong with it."""
        if len(content) > MAX_BYTES:
            raise InputError(f"The file has {len(content):,} bytes; a scenario has at most {MAX_BYTES:,}.")
        try:
            facts = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise InputError("The file is no JSON; give a scenario that was saved on this page.") from error
        if not isinstance(facts, dict) or facts.get("type") != KIND:
            raise InputError("The file is no scenario; give one that was saved on this page.")
        if facts.get("version") != VERSION:
            raise InputError(
                f"The scenario is of version {_short(facts.get('version'))}; this program reads version {VERSION}."
            )
        if facts.get("city") != city.name or facts.get("roads") != len(city):
            raise InputError(
                f"The scenario was made for {_short(facts.get('city'))} with {_short(facts.get('roads'))} roads; "
                f"the city here is {city.name} with {len(city)}. Use it with its own city."
            )
        scenario = cls._of_facts(facts)
        scenario.check(city)
        return scenario

    @classmethod
    def _of_facts(cls, facts: dict[str, Any]) -> Scenario:
        closed, speeds = facts.get("closed", []), facts.get("speeds_kmh", {})
        if not isinstance(closed, list) or not all(type(road) is int for road in closed):
            raise InputError("The scenario's “closed” is no list of road numbers; save it again.")
        if not isinstance(speeds, dict) or not all(
            road.isascii() and road.isdecimal() and len(road) < 10 and type(kmh) in (int, float)
            for road, kmh in speeds.items()
        ):
            raise InputError("The scenario's “speeds_kmh” does not give road numbers their km/h; save it again.")
        both = sorted({*closed} & {int(road) for road in speeds})
        if both:
            raise InputError(f"The scenario closes road {both[0]} and gives it a speed; choose one of them.")
        scenario = cls(name=str(facts.get("name") or "")[:MAX_NAME]).close(closed)
        for road, kmh in speeds.items():
            _check_speed(int(road), float(kmh))
        return replace(scenario, speeds_kmh=tuple(sorted((int(road), float(kmh)) for road, kmh in speeds.items())))


def _check_speed(road: int, kmh: float) -> None:
    try:
        Scenario().set_speed([road], kmh)
    except InputError as error:
        raise InputError(f"Road {road} has {error}") from error


def _short(value: object) -> str:
    return f"“{str(value)[:60]}”"
