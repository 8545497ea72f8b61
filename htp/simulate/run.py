"""Drive the vehicles of one day through the network with SUMO and record all of them.

A day's folder afterwards holds SUMO's floating car data (a row a vehicle and 5 s, from which the record is made),
`roads.parquet` (mean travel time and traffic of each road and hour, all vehicles) and `statistics.xml`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from htp.simulate.demand import DAY_S
from htp.simulate.record import RECORD_S
from htp.simulate.sumo import call

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LAST_S = DAY_S + 3600  # vehicles that leave before midnight may arrive until then
HOUR_S = 3600
SEEDS = 2**31  # SUMO knows so many

OPTIONS = (
    "--step-length=1",
    "--time-to-teleport=300",
    "--ignore-junction-blocker=15",
    "--max-depart-delay=900",
    "--no-warnings=true",
    "--duration-log.statistics=true",
    f"--device.fcd.period={RECORD_S}",
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
        return self.path / "vehicles.rou.xml.gz"

    @property
    def signs(self) -> Path:
        """The imposed slowdown (SUMO XML)."""
        return self.path / "signs.add.xml"

    @property
    def lights(self) -> Path:
        """The programs of the traffic lights (SUMO XML)."""
        return self.path / "lights.add.xml"

    @property
    def closures(self) -> Path:
        """The roads that are closed for a while (SUMO XML)."""
        return self.path / "closures.add.xml"

    @property
    def floating_cars(self) -> Path:
        """SUMO's own record of all vehicles, large; gone when the day is done."""
        return self.path / "floating-cars.parquet"

    @property
    def record(self) -> Path:
        """Where the vehicles were; it is written last, so a day that has it is done."""
        return self.path / "record.parquet"

    @property
    def roads(self) -> Path:
        """Travel time and traffic of each road and hour."""
        return self.path / "roads.parquet"

    @property
    def statistics(self) -> Path:
        """SUMO's own account of the day (XML)."""
        return self.path / "statistics.xml"


def run_sumo(network: Path, day: DayFolder, seed: int, *, progress: Callable[[float], None] | None = None) -> None:
    """Run the day and record where all vehicles are; `progress` is told the share done.

    `InputError` if SUMO fails.
    """
    measure = day.path / "measure.add.xml"
    measure.write_text(
        f'<additional><edgeData id="hour" freq="{HOUR_S}" file="{day.roads.resolve()}" excludeEmpty="true" '
        'writeAttributes="sampledSeconds traveltime speed waitingTime left"/></additional>\n',
        encoding="utf-8",
    )
    additional = [str(file) for file in (day.lights, day.signs, day.closures, measure)]

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
        f"--fcd-output={day.floating_cars}",
        f"--statistic-output={day.statistics}",
        *OPTIONS,
    ]
    call("sumo", options, day.path / "sumo.log", on_line=on_line)
