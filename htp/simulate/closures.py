"""Close roads for a while: vehicles that would drive them are led around from the roads before them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from htp.simulate.circumstances import Circumstances
    from htp.simulate.network import SumoNetwork

AHEAD = 4  # roads before the closed one at which drivers learn of it


def write_closures(network: SumoNetwork, today: Circumstances, file: Path) -> None:
    """Write the closed roads of a day as a SUMO additional file."""
    with file.open("w", encoding="utf-8") as xml:
        xml.write("<additional>\n")
        for incident in today.incidents:
            if incident.left > 0:
                continue
            warned = np.array([incident.road])
            for _ in range(AHEAD):
                warned = np.union1d(warned, network.source[np.isin(network.target, warned)])
            names = " ".join(str(road) for road in warned.tolist() if road != incident.road)
            xml.write(
                f'<rerouter id="closed{incident.road}" edges="{names}">'
                f'<interval begin="{incident.from_s:.0f}" end="{incident.until_s:.0f}">'
                f'<closingReroute id="{incident.road}"/></interval></rerouter>\n'
            )
        xml.write("</additional>\n")
