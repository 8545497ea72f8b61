"""Write a city's roads as a SUMO network and read back which road leads into which.

A SUMO edge has the name of its road_id and the geometry of its road, in metres of the city's metric CRS, so that a
route of the simulation is a list of road_id and its positions need no conversion.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import numpy as np

from htp.simulate.sumo import call

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from htp.city.network import City

# From the most to the least important; a link road ("primary_link") ranks as its class.
CLASSES = ("motorway", "trunk", "primary", "secondary", "tertiary", "unclassified", "residential", "living_street")
MOTORWAY, TRUNK, PRIMARY, SECONDARY, TERTIARY, UNCLASSIFIED, RESIDENTIAL, LIVING_STREET = range(len(CLASSES))
# Speed on a free road for one of its limit, ours: main roads are driven faster, streets with parked cars slower.
DRIVEN = np.array([1.6, 1.55, 1.5, 1.25, 0.95, 0.75, 0.55, 0.5])
LIGHTS_APART_M = 30  # lights closer than this share one program
NETCONVERT = (
    "--tls.join",
    f"--tls.join-dist={LIGHTS_APART_M}",
    "--tls.default-type=static",
    "--junctions.corner-detail=0",
    "--default.junctions.radius=2",
    "--no-turnarounds.except-deadend=true",
    "--rectangular-lane-cut=true",
    "--offset.disable-normalization=true",
)


@dataclass(frozen=True)
class SumoNetwork:
    """A SUMO network file and its permitted turns; row i of every array is turn i, from one road into the next."""

    file: Path
    source: NDArray[np.int32]  # [N] road_id that the turn leaves
    target: NDArray[np.int32]  # [N] road_id that it enters
    direction: NDArray[np.str_]  # [N] SUMO's: s straight, l left, r right, L and R slight, t turn around
    light: NDArray[np.str_]  # [N] name of the traffic light that governs it, "" for none
    link: NDArray[np.int32]  # [N] its place in the light's state, -1 for none


def road_rank(city: City) -> NDArray[np.int64]:
    """Return the place of each road's class in `CLASSES`, [V]; classes that are not there rank as residential."""
    ranks = {name: rank for rank, name in enumerate(CLASSES)}
    classes = city.roads["highway"].astype(str).str.removesuffix("_link")
    return classes.map(ranks).fillna(RESIDENTIAL).to_numpy(dtype=np.int64)


def driven_ms(city: City) -> NDArray[np.float64]:
    """Return the speed at which an ordinary driver drives each road when it is free, m/s, [V]."""
    return city.roads["speed_kmh"].to_numpy(dtype=float) / 3.6 * DRIVEN[road_rank(city)]


def lane_count(city: City) -> NDArray[np.int64]:
    """Return the lanes that each road has in the simulation, [V].

    A one-way primary or secondary road has at least two: mapped with one behind a two-lane road it is where the
    simulation locks up.
    """
    lanes = np.maximum(city.roads["lanes"].fillna(1).to_numpy(dtype=np.int64), 1)
    link = city.roads["highway"].astype(str).str.endswith("_link").to_numpy()
    wide = ~has_opposite(city) & ~link & np.isin(road_rank(city), (PRIMARY, SECONDARY))
    return np.where(wide, np.maximum(lanes, 2), lanes)


def has_opposite(city: City) -> NDArray[np.bool_]:
    """Return whether another road leads the opposite way between the same two nodes, [V]."""
    nodes = int(max(city.u.max(), city.v.max())) + 1
    return np.isin(city.v * nodes + city.u, city.u * nodes + city.v)


def lit_nodes(city: City) -> NDArray[np.int64]:
    """Return the nodes that get a traffic light.

    A light stands where three neighbours or more meet under two names or more, the highest class being secondary or
    above and a second named road tertiary or above. Ours: `netconvert --tls.guess` finds none in an OSM network.
    """
    rank = road_rank(city)
    names = city.roads["name"].to_numpy(dtype=object)
    link = city.roads["highway"].astype(str).str.endswith("_link").to_numpy()
    neighbours: dict[int, set[int]] = {}
    streets: dict[int, set[str]] = {}
    best: dict[int, int] = {}
    for road, (u, v) in enumerate(zip(city.u.tolist(), city.v.tolist(), strict=True)):
        for node, other in ((u, v), (v, u)):
            neighbours.setdefault(node, set()).add(other)
            best[node] = min(best.get(node, RESIDENTIAL), int(rank[road]))
            if isinstance(names[road], str) and rank[road] <= TERTIARY and not link[road]:
                streets.setdefault(node, set()).add(names[road])
    lit = [
        node
        for node, around in neighbours.items()
        if len(around) >= 3 and best[node] <= SECONDARY and len(streets.get(node, ())) >= 2
    ]
    return np.array(sorted(lit), dtype=np.int64)


def stop_nodes(city: City) -> NDArray[np.int64]:
    """Return the nodes where who comes from a minor road has to stop: it meets a road of tertiary class or above."""
    rank = road_rank(city)
    main, minor = (np.union1d(city.u[some], city.v[some]) for some in (rank <= TERTIARY, rank > TERTIARY))
    return np.intersect1d(main, minor)


def build_network(city: City, folder: Path) -> SumoNetwork:
    """Write `network.net.xml` into the folder with netconvert and return it; its traffic lights are placeholders."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_nodes(city, folder / "nodes.xml")
    _write_edges(city, folder / "edges.xml")
    file = folder / "network.net.xml"
    inputs = [f"--node-files={folder / 'nodes.xml'}", f"--edge-files={folder / 'edges.xml'}"]
    call("netconvert", [*inputs, f"--output-file={file}", *NETCONVERT], folder / "netconvert.log")
    return _read_turns(file)


def _write_nodes(city: City, file: Path) -> None:
    xy_m = np.empty((int(max(city.u.max(), city.v.max())) + 1, 2))
    xy_m[city.v] = city.xy_m[city.first_vertex[1:] - 1]
    xy_m[city.u] = city.xy_m[city.first_vertex[:-1]]
    lit, stop = set(lit_nodes(city).tolist()), set(stop_nodes(city).tolist())
    with file.open("w", encoding="utf-8") as xml:
        xml.write("<nodes>\n")
        for node, (x_m, y_m) in enumerate(xy_m.tolist()):
            kind = "traffic_light" if node in lit else "priority_stop" if node in stop else "priority"
            xml.write(f'<node id="{node}" x="{x_m:.2f}" y="{y_m:.2f}" type="{kind}"/>\n')
        xml.write("</nodes>\n")


def _write_edges(city: City, file: Path) -> None:
    priority = 2 * (len(CLASSES) - road_rank(city))
    spread = np.where(has_opposite(city), "right", "center")
    lanes = lane_count(city)
    speed_ms = driven_ms(city)
    with file.open("w", encoding="utf-8") as xml:
        xml.write("<edges>\n")
        for road in range(len(city)):
            vertices = city.xy_m[city.first_vertex[road] : city.first_vertex[road + 1]]
            shape = " ".join(f"{x_m:.2f},{y_m:.2f}" for x_m, y_m in vertices.tolist())
            xml.write(
                f'<edge id="{road}" from="{city.u[road]}" to="{city.v[road]}" priority="{priority[road]}" '
                f'numLanes="{lanes[road]}" speed="{speed_ms[road]:.2f}" spreadType="{spread[road]}" shape="{shape}"/>\n'
            )
        xml.write("</edges>\n")


def _read_turns(file: Path) -> SumoNetwork:
    """Read the turns between roads; several lanes of one turn give several rows, a row a link of the light."""
    rows = []
    for _, element in ET.iterparse(file):  # noqa: S314  netconvert's own output
        if element.tag == "connection" and not element.attrib["from"].startswith(":"):
            said = element.attrib
            rows.append(
                (int(said["from"]), int(said["to"]), said["dir"], said.get("tl", ""), said.get("linkIndex", -1))
            )
        element.clear()
    source, target, direction, light, link = zip(*rows, strict=True)
    return SumoNetwork(
        file=file,
        source=np.array(source, dtype=np.int32),
        target=np.array(target, dtype=np.int32),
        direction=np.array(direction, dtype=np.str_),
        light=np.array(light, dtype=np.str_),
        link=np.array(link, dtype=np.int32),
    )
