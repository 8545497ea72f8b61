"""Read the speeds that were measured side by side, and lay them out as a table (Figure 8 in numbers)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from htp.errors import InputError
from htp.experiment.layout import read_json
from htp.experiment.tables import NOTHING, OURS, Cell, ResultTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from htp.experiment.layout import Layout
    from htp.experiment.results import Row


@dataclass(frozen=True)
class Speeds:
    """Milliseconds a trip of all methods in one run."""

    batches: tuple[int, ...]  # trips that are generated at once
    ms: dict[str, list[float]]  # of each method at each of the batches
    processor_ms: dict[str, list[float]]  # of all cores together; does not grow when other programs run
    machine: str


def read_speeds(layout: Layout, rows: Sequence[Row]) -> Speeds | None:
    """Return the speeds of a folder; None where there are none, `InputError` where damaged or of other trips."""
    if not layout.speed.exists():
        return None
    facts, again = read_json(layout.speed), f"measure again by `htp experiment speed {layout.folder}`"
    try:
        assert facts is not None, "an object"
        batches, data = tuple(map(int, facts["batches"])), facts["data"]
        ms, processor_ms = (
            {label: [float(times[str(batch)]) for batch in batches] for label, times in facts[name].items()}
            for name in ("ms_per_trip", "processor_ms_per_trip")
        )
        speeds = Speeds(batches, ms, processor_ms, str(facts["machine"]))
    except (AssertionError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{layout.speed}: holds no speeds; {again}.") from error
    if data != rows[0].any.data["fingerprint"]:
        raise InputError(f"{layout.speed}: its speeds are of other trips than the results; {again}.")
    return speeds


def speed_table(speeds: Speeds) -> ResultTable:
    """Return milliseconds a trip and how many times HTP's they are, at each batch."""
    rows = []
    for label, times in speeds.ms.items():
        texts = [label, *(f"{ms:.2f}" for ms in times), *_ratios(speeds.ms, label)]
        rows.append(tuple(map(Cell, [*texts, *_ratios(speeds.processor_ms, label)])))
    kinds = ("ms", "× HTP", "× HTP, processor")
    columns = [f"{kind}, {batch} at once" for kind in kinds for batch in speeds.batches]
    notes = (
        "Milliseconds of wall-clock a trip, the median of turns that the methods took in one run; × HTP: over HTP's.",
        "× HTP, processor: the same of processor time, which does not grow when other programs run.",
        "As published: in the published sizes, the others in those of this experiment; DDIM in 100 steps for all.",
        f"Machine: {speeds.machine}.",
    )
    return ResultTable("speed-batches", "Speed of generation, side by side", ("Method", *columns), tuple(rows), notes)


def _ratios(ms: dict[str, list[float]], label: str) -> list[str]:
    """Return how many times HTP's a method takes at each batch; dashes where HTP was not measured."""
    if OURS not in ms:
        return [NOTHING] * len(ms[label])
    return [f"{theirs / ours:.3g}" for theirs, ours in zip(ms[label], ms[OURS], strict=True)]
