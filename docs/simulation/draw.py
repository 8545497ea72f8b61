"""Draw the pictures of docs/simulation.md from a simulation's work folder: `python docs/simulation/draw.py CITY WORK`.

Needs matplotlib, which nothing else here does. WORK is the `work` folder of the simulation, with its days.
"""  # noqa: INP001  a script

from __future__ import annotations

import sys
from collections import Counter
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
from htp.simulate.run import DayFolder
from htp.trips import read_trips

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

HERE = Path(__file__).parent
CORRIDOR_M = 4000.0


def draw_density(days: list[DayFolder], file: Path) -> None:
    """Draw how many GPS points of all days fall on each place, on a logarithmic scale."""
    lonlat = np.concatenate([shapely.get_coordinates(read_trips(day.trips).geometry.to_numpy()) for day in days])
    low, high = np.percentile(lonlat, [0.5, 99.5], axis=0)
    figure, axes = plt.subplots(layout="constrained", figsize=(5.2, 6.2))
    edges = [np.linspace(low[0], high[0], 420), np.linspace(low[1], high[1], 500)]
    axes.hist2d(*lonlat.T, bins=edges, norm=mpl.colors.LogNorm(), cmap="inferno", rasterized=True)
    axes.locator_params(axis="x", nbins=5)
    axes.set_aspect(1 / np.cos(np.radians(low[1])))
    axes.set(
        facecolor="black", xlabel="longitude", ylabel="latitude", title="GPS points (simulated), logarithmic scale"
    )
    _save(figure, file)


def draw_hours(city: City, days: list[DayFolder], file: Path) -> None:
    """Draw over the hours: mean speed, share of standing points, travel time on the busiest arterials."""
    figure, panels = plt.subplots(1, 3, layout="constrained", figsize=(11, 3))
    for day in days:
        figures = check_day(city, day.path)
        for axes, key in zip(
            panels, ("speed_ms_by_hour", "standing_share_by_hour", "travel_time_by_hour"), strict=True
        ):
            axes.plot(np.arange(24) + 0.5, np.array(figures[key], dtype=float), marker=".", label=day.path.name)
    titles = ("mean speed of probes, m/s", "share of standing points", "travel time, 23:00 = 1 (100 busiest arterials)")
    for axes, title in zip(panels, titles, strict=True):
        axes.set_title(title, fontsize=9)
        axes.set(xlabel="hour", xticks=range(0, 25, 4))
        axes.grid(alpha=0.3)
    panels[0].legend(fontsize=8)
    _save(figure, file)


def draw_corridor(city: City, day: DayFolder, file: Path) -> None:
    """Draw the probes on one street in time and distance, in the morning peak and at night."""
    roads = corridor(city, day)
    place_m = pd.Series(np.concatenate([[0], np.cumsum(city.length_m[roads])[:-1]]), index=roads)
    probes = pd.read_parquet(day.probes)
    probes = probes[~probes["vehicle_lane"].str.startswith(":")]
    probes["road"] = probes["vehicle_lane"].str.rsplit("_", n=1).str[0].astype(int)
    probes = probes[probes["road"].isin(roads)]
    lines = city.roads.geometry.iloc[probes["road"]].to_crs(city.crs).to_numpy()
    along_m = shapely.line_locate_point(lines, shapely.points(probes["vehicle_x"], probes["vehicle_y"]))
    probes["at_m"] = place_m[probes["road"]].to_numpy() + along_m
    figure, panels = plt.subplots(1, 2, layout="constrained", figsize=(11, 4), sharey=True)
    for axes, (start_h, title) in zip(panels, ((7.75, "07:45 to 08:30"), (22.5, "22:30 to 23:15")), strict=True):
        inside = probes[probes["timestep_time"].between(start_h * 3600, (start_h + 0.75) * 3600)]
        for _, points in inside.sort_values("timestep_time").groupby("vehicle_id"):
            minute = points["timestep_time"] / 60 - start_h * 60
            axes.plot(minute, points["at_m"], color="0.7", linewidth=0.5, zorder=1)
        shown = axes.scatter(
            inside["timestep_time"] / 60 - start_h * 60,
            inside["at_m"],
            c=inside["vehicle_speed"],
            s=4,
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
    for _, element in ET.iterparse(day.vehicles):  # noqa: S314  our own file
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
    the_days = [DayFolder(path.parent) for path in sorted(Path(sys.argv[2]).glob("*/trips.parquet"))]
    draw_density(the_days, HERE / "density.png")
    draw_hours(the_city, the_days, HERE / "hours.png")
    draw_corridor(the_city, the_days[0], HERE / "corridor.png")
