"""Say how drivers and their vehicles differ: SUMO's vehicle types, each with a temper.

Cautious drivers on the whole: a lane of a light passes some 850 vehicles an hour of green, so queues form at moderate
traffic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class VehicleKind(NamedTuple):
    """A kind of vehicle: its share, metres, m/s², and its speed for one of a car's."""

    name: str
    share: float
    length_m: float
    accel: float
    decel: float
    speed: float


class Temper(NamedTuple):
    """A way of driving: its share, headway, dawdling (SUMO's sigma), and what it makes of accelerations and speeds."""

    name: str
    share: float
    tau_s: float
    sigma: float
    accel: float
    speed: float


KINDS = (
    VehicleKind("car", 0.79, 4.6, 2.2, 4.2, 1.0),
    VehicleKind("van", 0.11, 6.0, 1.8, 4.0, 0.95),
    VehicleKind("lorry", 0.05, 8.5, 1.1, 3.5, 0.85),
    VehicleKind("motorcycle", 0.05, 2.2, 3.2, 5.0, 1.08),
)
TEMPERS = (
    Temper("calm", 0.3, 3.8, 0.6, 0.75, 0.8),
    Temper("usual", 0.45, 3.2, 0.5, 1.0, 0.98),
    Temper("hurried", 0.25, 2.4, 0.4, 1.25, 1.24),
)
SPEED_SPREAD = 0.16  # standard deviation of the speed, for the limit, of drivers of one temper
MIN_GAP_M = 2.6


def write_types(pace: float) -> str:
    """Return all vehicle types as XML; `pace` is the weather's share of every speed."""
    return "".join(
        f'<vType id="{kind.name}-{temper.name}" vClass="passenger" length="{kind.length_m}" minGap="{MIN_GAP_M}" '
        f'accel="{kind.accel * temper.accel:.2f}" decel="{kind.decel}" tau="{temper.tau_s / pace:.2f}" '
        f'sigma="{temper.sigma}" speedFactor="normc({kind.speed * temper.speed * pace:.3f},{SPEED_SPREAD},0.5,1.7)"/>\n'
        for kind in KINDS
        for temper in TEMPERS
    )


def draw_types(vehicles: int, rng: np.random.Generator) -> NDArray[np.str_]:
    """Draw the name of each vehicle's type, [N]."""
    names = np.array([f"{kind.name}-{temper.name}" for kind in KINDS for temper in TEMPERS])
    share = np.outer([kind.share for kind in KINDS], [temper.share for temper in TEMPERS]).ravel()
    return names[rng.choice(len(names), size=vehicles, p=share / share.sum())]
