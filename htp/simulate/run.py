"""Drive the vehicles of one day through the network with SUMO and record some of them as probes.

A day's folder afterwards holds `probes.parquet` (SUMO's floating car data: a row a probe and sampling time),
`roads.parquet` (mean travel time and traffic of each road and hour, all vehicles) and `statistics.xml`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from htp.simulate.demand import DAY_S
from htp.simulate.sumo import call

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from htp.simulate.routes import VehicleRoutes

PROBE_SHARE = 0.5  # of the vehicles that are recorded
LAST_S = DAY_S + 3600  # vehicles that leave before midnight may arrive until then
HOUR_S = 3600
SEEDS = 2**31  # SUMO knows so many

# Cautious drivers: a lane of a light passes some 850 vehicles an hour of green, so queues form at moderate traffic.
DRIVER = 'vClass="passenger" length="5" minGap="2.6" tau="3.4" sigma="0.5" speedFactor="normc(0.97,0.12,0.6,1.3)"'
OPTIONS = (
    "--step-length=1",
    "--time-to-teleport=300",
    "--ignore-junction-blocker=15",
    "--max-depart-delay=900",
    "--no-warnings=true",
    "--duration-log.statistics=true",
    f"--device.fcd.probability={PROBE_SHARE}",
    "--fcd-output.attributes=x,y,speed,lane",
    "--fcd-output.skip-empty=true",
    "--step-log.period=600",
    "--xml-validation=never",
)


@dataclass(frozen=True)
class DayFolder:
    """Where the files of a simulated day lie."""

    path: Path

    @property
    def vehicles(self) -> Path:
        """The vehicles and their routes (SUMO XML)."""
        return self.path / "vehicles.rou.xml"

    @property
    def signs(self) -> Path:
        """The imposed slowdown (SUMO XML)."""
        return self.path / "signs.add.xml"

    @property
    def lights(self) -> Path:
        """The programs of the traffic lights (SUMO XML)."""
        return self.path / "lights.add.xml"

    @property
    def probes(self) -> Path:
        """Positions and speeds of the probes."""
        return self.path / "probes.parquet"

    @property
    def roads(self) -> Path:
        """Travel time and traffic of each road and hour."""
        return self.path / "roads.parquet"

    @property
    def statistics(self) -> Path:
        """SUMO's own account of the day (XML)."""
        return self.path / "statistics.xml"

    @property
    def trips(self) -> Path:
        """The day's raw trips; it is written last, so a day that has it is done."""
        return self.path / "trips.parquet"


def write_vehicles(depart_s: NDArray[np.float64], routes: VehicleRoutes, file: Path) -> None:
    """Write the vehicles with a route as a SUMO route file, in order of departure."""
    with file.open("w", encoding="utf-8") as xml:
        xml.write(f'<routes>\n<vType id="car" {DRIVER}/>\n')
        for vehicle, roads in zip(routes.vehicle.tolist(), routes.roads, strict=True):
            xml.write(
                f'<vehicle id="{vehicle}" type="car" depart="{depart_s[vehicle]:.0f}" departLane="best" '
                f'departPos="random" departSpeed="0" arrivalPos="random">'
                f'<route edges="{" ".join(map(str, roads.tolist()))}"/></vehicle>\n'
            )
        xml.write("</routes>\n")


def run_sumo(
    network: Path, day: DayFolder, seed: int, interval_s: int, *, progress: Callable[[float], None] | None = None
) -> None:
    """Run the day and record its probes every `interval_s`; `progress` is told the share done.

    `InputError` if SUMO fails.
    """
    measure = day.path / "measure.add.xml"
    measure.write_text(
        f'<additional><edgeData id="hour" freq="{HOUR_S}" file="{day.roads.resolve()}" excludeEmpty="true" '
        'writeAttributes="sampledSeconds traveltime speed waitingTime left"/></additional>\n',
        encoding="utf-8",
    )
    additional = [str(file) for file in (day.lights, day.signs, measure)]

    def on_line(line: str) -> None:
        step = re.match(r"Step #(\d+)", line)
        if step and progress is not None:
            progress(min(int(step[1]) / DAY_S, 1.0))

    options = [
        f"--net-file={network}",
        f"--route-files={day.vehicles}",
        f"--additional-files={','.join(additional)}",
        f"--seed={seed % SEEDS}",
        f"--end={LAST_S}",
        f"--device.fcd.period={interval_s}",
        f"--fcd-output={day.probes}",
        f"--statistic-output={day.statistics}",
        *OPTIONS,
    ]
    call("sumo", options, day.path / "sumo.log", on_line=on_line)
