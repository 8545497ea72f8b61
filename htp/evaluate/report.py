"""Hold the result of an evaluation; print it as a table or write it as JSON.

Every metric stands beside its bootstrap interval, its noise floor and, where reconstructed trips were given, the
tokenizer's ceiling. The paper's metrics are apart from those beyond it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from htp.evaluate.calibration import LEVELS
from htp.evaluate.closest import NEAR_COPY_M
from htp.evaluate.stops import ALL_DAY, BANDS

if TYPE_CHECKING:
    from rich.console import RenderableType

    from htp.evaluate.bootstrap import Interval
    from htp.evaluate.calibration import Calibration
    from htp.evaluate.closest import Closest
    from htp.evaluate.measure import Measures
    from htp.evaluate.stops import StopFigure
    from htp.evaluate.told_apart import ToldApart
    from htp.evaluate.validity import Validity


CALIBRATED = (
    "Calibrated draws hold as many of the real values between them as the heading says. CRPS: how far draws are from "
    "the real value, less half of how far from each other; beside it what it would be were the real one of the draws."
)


@dataclass(frozen=True)
class Line:
    """One metric."""

    name: str  # as in the paper's tables
    value: float  # generated trips against real ones
    floor: float  # two sets of trips as good as the real ones, of this size, by chance alone
    ceiling: float | None  # real trips through the tokenizer and back against real ones; None: not given
    low_is_good: bool
    bootstrap: Interval  # where the value lies if other trips are drawn, on both sides

    @property
    def times_floor(self) -> float | None:
        """How many times its noise floor a divergence is; None for similarities, or where the floor is 0."""
        return self.value / self.floor if self.low_is_good and self.floor > 0 else None


@dataclass(frozen=True)
class Size:
    """What one set of trips is made of."""

    trips: int
    points: int
    unmatched: int  # points that map matching found no road for; they count in all metrics but R-Den and R-Pat

    @classmethod
    def of(cls, measures: Measures) -> Size:
        """Count measured trips."""
        return cls(len(measures.points), int(measures.points.sum()), measures.unmatched)


@dataclass(frozen=True)
class Bins:
    """The bins of one divergence: equal parts of the real values, both ends open."""

    count: int
    first: float  # upper edge of the lowest bin; metres, but points for Length, km/h for speeds, m/s² for Acceleration
    last: float  # lower edge of the highest bin


@dataclass(frozen=True)
class Report:
    """The result of an evaluation."""

    lines: tuple[Line, ...]  # the paper's metrics, and Length
    beyond: tuple[Line, ...]  # metrics beyond the paper, but for those that the real trips have no values for
    sizes: dict[str, Size]  # real, generated and, where given, ceiling
    bins: dict[str, Bins]  # by metric
    splits: int  # random halvings that the noise floor is got from
    resamples: int  # bootstrap samples behind each interval
    level_percent: float  # share of the samples within the interval
    seed: int  # of the halvings and the samples
    validity: Validity | None  # None where the trips do not pair up
    closest: Closest | None  # None where no training trips were given
    told: ToldApart | None  # None where a side has too few trips
    stops: tuple[StopFigure, ...] = ()
    calibration: Calibration | None = None  # None where no draws were given

    def __getitem__(self, name: str) -> Line:
        """Return a metric by its name, the paper's or one beyond it."""
        return next(line for line in (*self.lines, *self.beyond) if line.name == name)

    def to_json(self) -> str:
        """Return everything as JSON."""
        content = asdict(self)
        metrics, beyond = ({line.pop("name"): line for line in content.pop(part)} for part in ("lines", "beyond"))
        return json.dumps({"metrics": metrics, "beyond": beyond, **content}, indent=2) + "\n"

    def __rich__(self) -> RenderableType:
        """Return the report as it is printed by rich."""
        parts: list[RenderableType] = [self._table("Generated trips against real ones", self.lines)]
        if self.beyond:
            parts.append(self._table("Beyond the paper", self.beyond))
        parts.append(Text(self._notes(), style="dim"))
        if self.told is not None:
            parts += [_told_table(self.told), Text(_told_notes(self.told), style="dim")]
        if self.calibration is not None:
            parts += [_calibration_table(self.calibration), Text(CALIBRATED, style="dim")]
        if self.stops:
            parts += [_stops_table(self.stops), _bands_table(self.stops)]
        if self.validity is None:
            parts.append(
                Text("Conditions not checked: the generated trips have other ids than the real ones.", style="dim")
            )
        else:
            parts.append(_validity_table(self.validity))
        if self.closest is not None:
            parts += [_closest_table(self.closest), Text(_closest_notes(self.closest), style="dim")]
        return Group(*parts)

    def print(self, console: Console | None = None) -> None:
        """Print the report."""
        (console or Console()).print(self)

    def _table(self, title: str, lines: tuple[Line, ...]) -> Table:
        with_ceiling = any(line.ceiling is not None for line in lines)
        ceiling = ["tokenizer's ceiling"] if with_ceiling else []
        table = Table("metric", title=title, title_justify="left")
        for column in ("generated", f"{self.level_percent:g} % interval", "noise floor", "× floor", *ceiling):
            table.add_column(column, justify="right")
        for line in lines:
            times = f"{line.times_floor:.2f}" if line.times_floor is not None else ""
            ceiling = [f"{line.ceiling:.5f}" if line.ceiling is not None else ""] if with_ceiling else []
            interval = f"{line.bootstrap.low:.5f} – {line.bootstrap.high:.5f}"
            arrow = "↓" if line.low_is_good else "↑"
            table.add_row(f"{line.name} {arrow}", f"{line.value:.5f}", interval, f"{line.floor:.5f}", times, *ceiling)
        return table

    def _notes(self) -> str:
        sizes = "; ".join(
            f"{name}: {size.trips:,} trips, {size.points:,} points, {size.unmatched:,} of them without a road"
            for name, size in self.sizes.items()
        )
        return (
            f"{sizes}.\nNoise floor: what two sets of as many real trips get by chance, from {self.splits} random "
            "halvings of the real trips (twice the trips halve a divergence). "
            f"Interval: {self.resamples} bootstrap samples of the trips of both sides, moved to the metric's own value."
        )


def _told_table(told: ToldApart) -> Table:
    title = f"Told apart by a classifier: AUC {told.auc:.3f} ({told.low:.3f} to {told.high:.3f})"
    table = Table("what gives them away", title=title, title_justify="left")
    for column in ("real, median", "generated, median", "AUC of this alone"):
        table.add_column(column, justify="right")
    for telling in told.telling:
        table.add_row(telling.name, f"{telling.real:.4g}", f"{telling.generated:.4g}", f"{telling.auc:.3f}")
    return table


def _told_notes(told: ToldApart) -> str:
    return (
        f"AUC: of a generated and a real trip, how often gradient boosting finds the generated one by how it moves; "
        f"0.5 is chance. {told.real:,} real and {told.generated:,} generated trips, each asked about by a model that "
        "has not seen its pair. Lengths in metres, speeds in m/s."
    )


def _calibration_table(found: Calibration) -> Table:
    title = f"Calibration: {found.draws} draws for each of {found.trips:,} trips"
    table = Table("quantity", title=title, title_justify="left")
    for column in (*(f"in the {level:.0%} interval" for level in LEVELS), "CRPS", "CRPS of a draw"):
        table.add_column(column, justify="right")
    for one in found.spreads:
        held = (f"{100 * share:.1f} %" for share in one.coverage)
        table.add_row(one.quantity, *held, f"{one.crps:,.1f}", f"{one.crps_of_draws:,.1f}")
    return table


def _stops_table(found: tuple[StopFigure, ...]) -> Table:
    table = Table("stops and junctions", title="Stops, and driving near junctions", title_justify="left")
    for column in ("real", "generated", "generated / real", "95 % interval"):
        table.add_column(column, justify="right")
    for one in found:
        if one.band == ALL_DAY:
            ratio, interval = f"{one.generated / one.real:.2f}", f"{one.low:.2f} – {one.high:.2f}"
            table.add_row(one.name, f"{one.real:.3g}", f"{one.generated:.3g}", ratio, interval)
    return table


def _bands_table(found: tuple[StopFigure, ...]) -> Table:
    """Return generated over real in each part of the day."""
    table = Table("generated / real", title_justify="left")
    bands = [band for band in BANDS if band != ALL_DAY]
    for band in bands:
        first, last = BANDS[band]
        table.add_column(f"{band}, {first} to {last} h", justify="right")
    ratios = {(one.name, one.band): f"{one.generated / one.real:.2f}" for one in found}
    for name in dict.fromkeys(one.name for one in found):
        table.add_row(name, *(ratios.get((name, band), "") for band in bands))
    return table


def _validity_table(validity: Validity) -> Table:
    table = Table(title=f"{validity.trips:,} trips against their conditions", title_justify="left")
    shares = {
        "on the route": validity.on_route,
        "number of points": validity.points,
        "time within 2 %": validity.time,
        "distance within 2 %": validity.distance,
        "all of these": validity.everything,
    }
    for name in shares:
        table.add_column(name, justify="right")
    table.add_row(*("not given" if share is None else f"{100 * share:.2f} %" for share in shares.values()))
    return table


def _closest_table(closest: Closest) -> Table:
    table = Table("trips", title=f"Distance to the closest of {closest.train:,} training trips", title_justify="left")
    near = f"near copies (< {closest.limit_m:.1f} m)"
    for name in ("number", "closest of all", "1st percentile", "median", near):
        table.add_column(name, justify="right")
    for name, found in {"generated": closest.generated, "real": closest.heldout}.items():
        distances = (f"{metres:,.1f} m" for metres in (found.closest_m, found.percentile_1_m, found.median_m))
        table.add_row(name, f"{found.trips:,}", *distances, f"{100 * found.near_copies:.2f} %")
    return table


def _closest_notes(closest: Closest) -> str:
    return (
        "Distance: mean over points at equal shares of the travel time. The real trips, never trained on, are the "
        f"reference: a near copy is closer than {NEAR_COPY_M:g} m and closer than the 1st percentile of the real trips"
        f"{'' if closest.limit_m < NEAR_COPY_M else ' (which is farther)'}."
    )
