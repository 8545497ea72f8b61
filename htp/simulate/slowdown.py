"""Slow the arterial roads by time of day, as congestion would: this is imposed, not an outcome of the traffic.

The demand that a simulation can carry does not congest a city by itself (see docs/simulation.md), so the speed limit
of arterial roads falls about the peaks: by class, by street (a smooth random field) and by direction (into the centre
in the morning, out of it in the evening). SUMO applies it as variable speed signs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from htp.simulate.demand import DAY_S, middles_m
from htp.simulate.network import TERTIARY, driven_ms, lane_count, road_rank

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from htp.city.network import City
    from htp.simulate.circumstances import Circumstances

STEP_S = 900  # signs change every quarter of an hour
SLOWEST = 0.35  # no sign goes below this share of the speed limit
DEPTH = np.array([0.42, 0.45, 0.49, 0.47, 0.36])  # share of the limit lost in a full peak: motorway … tertiary
INBOUND_TILT = 0.3  # a peak is this much stronger in its direction and weaker against it
STREET_SPREAD = 0.25  # standard deviation of the random field over streets, about 1
DAY_SPREAD = 0.15  # and of the field that each day adds
WAVE_M = 3000.0  # length over which the field changes


class Peak(NamedTuple):
    """A time of slow traffic; `inbound` is 1 towards the centre, -1 away from it, 0 both ways."""

    hour: float
    spread_h: float
    strength: float
    inbound: float


WEEKDAY = (Peak(8.08, 0.7, 1.0, 1.0), Peak(13.3, 1.3, 0.3, 0.0), Peak(18.5, 0.95, 1.0, -1.0))
WEEKEND = (Peak(12.8, 1.6, 0.5, 0.5), Peak(19.2, 1.6, 0.5, -0.5))


class Slowdown:
    """The share of its speed limit that traffic on each road can reach at each time of a day."""

    def __init__(self, city: City, today: Circumstances, seed: int) -> None:
        """Draw the field of streets: one for every day of a seed, and a weaker one of the day."""
        rank = road_rank(city)
        self.roads = np.flatnonzero(rank <= TERTIARY)  # [A] the arterial roads, which are slowed
        self._city = city
        self._today = today
        self._peaks = WEEKEND if today.weekend else WEEKDAY
        field = 1 + STREET_SPREAD * _street_field(city, [seed, 1])
        field += DAY_SPREAD * _street_field(city, [seed, 1, today.day.toordinal()])
        self._depth = today.peak * DEPTH[rank[self.roads]] * np.clip(field, 0.4, 1.6)[self.roads]
        self._inbound = _inbound(city)[self.roads]

    def factor(self, time_s: float) -> NDArray[np.float64]:
        """Return the share of the limit that is left on the arterial roads at a time after midnight, [A]."""
        lost = np.zeros(len(self.roads))
        for peak in self._peaks:
            late_h = time_s / 3600 - peak.hour - self._today.shift_h
            height = peak.strength * np.exp(-0.5 * (late_h / peak.spread_h) ** 2)
            lost += height * (1 + INBOUND_TILT * peak.inbound * self._inbound)
        return np.clip(1 - lost * self._depth, SLOWEST, 1.0)

    def write_signs(self, file: Path) -> None:
        """Write a variable speed sign a road as a SUMO additional file; speeds in m/s, changes below 2 % left out.

        Incidents that leave a road open are on its sign, too.
        """
        lanes = lane_count(self._city)[self.roads]
        free_ms = driven_ms(self._city)[self.roads]
        times_s = np.arange(0, DAY_S + STEP_S, STEP_S)
        factors = np.array([self.factor(time_s + STEP_S / 2) for time_s in times_s])  # [S, A]
        for incident in self._today.incidents:
            if incident.left > 0:
                under_way = (times_s + STEP_S / 2 >= incident.from_s) & (times_s + STEP_S / 2 < incident.until_s)
                factors[np.ix_(under_way, self.roads == incident.road)] *= incident.left
        with file.open("w", encoding="utf-8") as xml:
            xml.write("<additional>\n")
            for place, road in enumerate(self.roads.tolist()):
                names = " ".join(f"{road}_{lane}" for lane in range(lanes[place]))
                xml.write(f'<variableSpeedSign id="sign{road}" lanes="{names}">\n')
                shown = 1.0
                for time_s, factor in zip(times_s.tolist(), factors[:, place].tolist(), strict=True):
                    if abs(factor - shown) >= 0.02:
                        xml.write(f'<step time="{time_s}" speed="{factor * free_ms[place]:.2f}"/>\n')
                        shown = factor
                xml.write("</variableSpeedSign>\n")
            xml.write("</additional>\n")


def _street_field(city: City, seed: list[int]) -> NDArray[np.float64]:
    """Return how much each road is slowed beyond the usual, about standard normal, [V]: half by place, half by name."""
    rng = np.random.default_rng(seed)
    middle_m = middles_m(city)
    waves = rng.normal(scale=2 * np.pi / WAVE_M, size=(2, 16))
    phases = rng.uniform(0, 2 * np.pi, size=16)
    place = np.cos(middle_m @ waves + phases).sum(axis=1) / np.sqrt(8)
    _, street = np.unique(city.roads["name"].fillna("").astype(str), return_inverse=True)
    by_name = rng.normal(size=street.max() + 1)[street]
    return (place + by_name) / np.sqrt(2)


def _inbound(city: City) -> NDArray[np.float64]:
    """Return the cosine between each road and the way to the centre (the middle of all road length), [V]."""
    start_m, end_m = city.xy_m[city.first_vertex[:-1]], city.xy_m[city.first_vertex[1:] - 1]
    middle_m = middles_m(city)
    centre_m = np.average(middle_m, axis=0, weights=city.length_m)
    along, inward = end_m - start_m, centre_m - middle_m
    size = np.hypot(*along.T) * np.hypot(*inward.T)
    return np.divide((along * inward).sum(axis=1), size, out=np.zeros(len(city)), where=size > 0)
