"""Read the speeds that were measured side by side, and lay them out as a table (Figure 8 in numbers)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from htp.errors import InputError
from htp.experiment.layout import read_json
from htp.experiment.tables import NOTHING, OURS, Cell, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from htp.experiment.layout import Layout
    from htp.experiment.results import Row


@dataclass(frozen=True)
class Speeds:
    """Milliseconds a trip of all methods in one run."""

    batches: tuple[int, ...]  # trips that are generated at once
    ms: dict[str, list[float]]  # of each method at each of the batches
    machine: str


def read_speeds(layout: Layout, rows: Sequence[Row]) -> Speeds | None:
    """Return the speeds of a folder; None where there are none, `InputError` where damaged or of other trips."""
    if not layout.speed.exists():
        return None
    facts, again = read_json(layout.speed), f"measure again by `htp experiment speed {layout.folder}`"
    try:
        assert facts is not None, "an object"
        batches, data = tuple(map(int, facts["batches"])), facts["data"]
        ms = {label: [float(times[str(batch)]) for batch in batches] for label, times in facts["ms_per_trip"].items()}
        speeds = Speeds(batches, ms, str(facts["machine"]))
    except (AssertionError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{layout.speed}: holds no speeds; {again}.") from error
    if data != rows[0].any.data["fingerprint"]:
        raise InputError(f"{layout.speed}: its speeds are of other trips than the results; {again}.")
    return speeds


def speed_table(speeds: Speeds) -> Table:
    """Return milliseconds a trip and how many times HTP's they are, at each batch."""
    ours = speeds.ms.get(OURS)
    rows = []
    for label, times in speeds.ms.items():
        ratios = [NOTHING] * len(times)
        if ours is not None:
            ratios = [f"{ms / mine:.3g}" for ms, mine in zip(times, ours, strict=True)]
        rows.append(tuple(Cell(text) for text in (label, *(f"{ms:.2f}" for ms in times), *ratios)))
    ms, times_ours = ([f"{kind}, {batch} at once" for batch in speeds.batches] for kind in ("ms", "× HTP"))
    notes = (
        "Milliseconds of wall-clock a trip, the median of turns that the methods took in one run; × HTP: over HTP's.",
        "As published: in the published sizes, the others in those of this experiment; DDIM in 100 steps for all.",
        f"Machine: {speeds.machine}.",
    )
    return Table("speed-batches", "Speed of generation, side by side", ("Method", *ms, *times_ours), tuple(rows), notes)
