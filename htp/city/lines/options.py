"""Hold what a person says about a layer of centre lines, where the file itself does not."""

from __future__ import annotations

from dataclasses import dataclass, field

from htp.city.simplify import DEFAULT_SPEED_KMH
from htp.city.tags import KMH_PER_UNIT
from htp.errors import InputError

ROLES = ("oneway", "speed", "name", "class", "lanes", "id")  # what a field can say


@dataclass(frozen=True)
class LineOptions:
    """What is said of a layer of centre lines; None and nothing: what the file says, or its usual names."""

    fields: dict[str, str] = field(default_factory=dict)  # role -> name of the field; "" for none
    classes: dict[str, str] = field(default_factory=dict)  # value of the class -> ours; "" to leave such lines out
    speed_unit: str | None = None  # of numbers without a unit
    crs: str | None = None
    layer: str | None = None  # where the file has several
    attribution: str | None = None  # as maps show it
    licence: str | None = None

    def __post_init__(self) -> None:
        for role in self.fields:
            if role not in ROLES:
                raise InputError(f"--field {role}=…: a field says one of {', '.join(ROLES)}.")
        for value, kind in self.classes.items():
            if kind and kind not in DEFAULT_SPEED_KMH:
                raise InputError(f"--class {value}={kind}: the classes are {', '.join(DEFAULT_SPEED_KMH)}.")
        if self.speed_unit is not None and self.speed_unit.lower() not in KMH_PER_UNIT:
            raise InputError(f"--speed-unit {self.speed_unit}: give km/h or mph.")
