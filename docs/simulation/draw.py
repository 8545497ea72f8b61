"""Draw the pictures of docs/simulation.md from a simulation's work folder: `python docs/simulation/draw.py CITY WORK`.

Needs matplotlib, which nothing else here does. WORK is the `work` folder of the simulation, with its days.
"""  # noqa: INP001  a script

from __future__ import annotations

import gzip
import sys
from collections import Counter
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import shapely
from PIL import Image

from htp.city.network import City
from htp.simulate.check import busiest_arterials, check_day
from htp.simulate.circumstances import Circumstances
from htp.simulate.record import Record
from htp.simulate.run import DayFolder

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

HERE = Path(__file__).parent
CORRIDOR_M = 4000.0
COLOURS = ("tab:blue", "tab:orange")  # of weekdays, of the weekend


def draw_density(city: City, days: list[DayFolder], file: Path) -> None:
    """Draw how many vehicles were recorded at each place on all days, on a logarithmic scale."""
    lonlat = city.to_lonlat(np.concatenate([Record.load(day.record).xy_m for day in days]))
    low, high = np.percentile(lonlat, [0.5, 99.5], axis=0)
    figure, axes = plt.subplots(layout="constrained", figsize=(5.2, 6.2))
    edges = [np.linspace(low[0], high[0], 420), np.linspace(low[1], high[1], 500)]
    axes.hist2d(*lonlat.T, bins=edges, norm=mpl.colors.LogNorm(), cmap="inferno", rasterized=True)
    axes.locator_params(axis="x", nbins=5)
    axes.set_aspect(1 / np.cos(np.radians(low[1])))
    axes.set(facecolor="black", xlabel="longitude", ylabel="latitude", title="vehicles (simulated), logarithmic scale")
    _save(figure, file)


def draw_hours(city: City, days: list[DayFolder], file: Path) -> None:
    """Draw over the hours of each day: mean speed, share that stands, travel time on the busiest arterials."""
    figure, panels = plt.subplots(1, 3, layout="constrained", figsize=(11, 3))
    for day in days:
        figures = check_day(city, day, Record.load(day.record))
        weekend = Circumstances(date.fromisoformat(day.path.name)).weekend
        for axes, key in zip(
            panels, ("speed_ms_by_hour", "standing_share_by_hour", "travel_time_by_hour"), strict=True
        ):
            axes.plot(np.arange(24) + 0.5, np.array(figures[key], dtype=float), color=COLOURS[weekend], linewidth=0.8)
    titles = ("mean speed, m/s", "share of vehicles that stand", "travel time, 23:00 = 1 (100 busiest arterials)")
    for axes, title in zip(panels, titles, strict=True):
        axes.set_title(title, fontsize=9)
        axes.set(xlabel="hour", xticks=range(0, 25, 4))
        axes.grid(alpha=0.3)
    kinds = [mpl.lines.Line2D([], [], color=colour) for colour in COLOURS]
    panels[0].legend(kinds, ["weekdays", "weekend"], fontsize=8)
    _save(figure, file)


def draw_corridor(city: City, day: DayFolder, file: Path) -> None:
    """Draw the vehicles on one street in time and distance, in the morning peak and at night."""
    roads = corridor(city, day)
    place_m = pd.Series(np.concatenate([[0], np.cumsum(city.length_m[roads])[:-1]]), index=roads)
    record = Record.load(day.record)
    here = np.isin(record.road, roads)
    seen = pd.DataFrame(
        {
            "vehicle": np.repeat(record.vehicle, record.count)[here],
            "hour": record.time_s[here] / 3600,
            "speed_ms": record.speed_ms[here],
        }
    )
    lines = city.roads.geometry.iloc[record.road[here]].to_crs(city.crs).to_numpy()
    along_m = shapely.line_locate_point(lines, shapely.points(record.xy_m[here]))
    seen["at_m"] = place_m[record.road[here]].to_numpy() + along_m
    figure, panels = plt.subplots(1, 2, layout="constrained", figsize=(11, 4), sharey=True)
    for axes, (start_h, title) in zip(panels, ((7.75, "07:45 to 08:30"), (22.5, "22:30 to 23:15")), strict=True):
        inside = seen[seen["hour"].between(start_h, start_h + 0.75)]
        for _, rows in inside.groupby("vehicle"):
            axes.plot((rows["hour"] - start_h) * 60, rows["at_m"], color="0.7", linewidth=0.5, zorder=1)
        shown = axes.scatter(
            (inside["hour"] - start_h) * 60,
            inside["at_m"],
            c=inside["speed_ms"],
            s=2,
            cmap="RdYlGn",
            vmin=0,
            vmax=15,
            zorder=2,
        )
        axes.set(title=title, xlabel="minutes")
    name = city.roads["name"].iloc[roads[0]]
    panels[0].set_ylabel(f"metres along the street ({name})")
    figure.colorbar(shown, ax=panels, label="m/s")
    _save(figure, file)


def corridor(city: City, day: DayFolder) -> NDArray[np.int64]:
    """Return the most driven chain of roads: each the one that most vehicles take after the one before it, [R]."""
    follows: dict[int, Counter[int]] = {}
    passed: Counter[int] = Counter()
    with gzip.open(day.vehicles) as xml:
        for _, element in ET.iterparse(xml):  # noqa: S314  our own file
            if element.tag == "route":
                roads = [int(road) for road in element.attrib["edges"].split()]
                passed.update(roads)
                for before, after in pairwise(roads):
                    follows.setdefault(before, Counter())[after] += 1
            element.clear()
    chains = [_chain(city, follows, int(road)) for road in busiest_arterials(city, day.roads)]
    through = [np.average([passed[road] for road in chain], weights=city.length_m[chain]) for chain in chains]
    return np.array(chains[int(np.argmax(through))])


def _chain(city: City, follows: dict[int, Counter[int]], first: int) -> list[int]:
    chain = [first]
    while city.length_m[chain].sum() < CORRIDOR_M and chain[-1] in follows:
        following = follows[chain[-1]].most_common(1)[0][0]
        if following in chain:
            break
        chain.append(following)
    return chain


def _save(figure: Figure, file: Path) -> None:
    """Write the picture in 64 colours, which keeps it small."""
    figure.savefig(file, dpi=85)
    plt.close(figure)
    Image.open(file).convert("RGB").quantize(64).save(file, optimize=True)


if __name__ == "__main__":
    the_city = City.load(sys.argv[1])
    the_days = [DayFolder(path.parent) for path in sorted(Path(sys.argv[2]).glob("*/record.parquet"))]
    draw_density(the_city, the_days, HERE / "density.png")
    draw_hours(the_city, the_days, HERE / "hours.png")
    draw_corridor(the_city, the_days[0], HERE / "corridor.png")
