"""Hold what an experiment is run with, and say on which machine and with which versions it runs."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from htp.errors import InputError

UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0}
GIB = 2**30


@dataclass(frozen=True)
class ExperimentSettings:
    """What is the same for all methods of an experiment."""

    budget_s: float  # of training, each method and seed
    seeds: int = 1  # 0, 1, …
    trips: int | None = None  # the first so many are trained on; None: all
    heldout: int | None = None  # the first so many are asked for; None: all
    device: str = "cpu"

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        for name in ("budget_s", "seeds", "trips", "heldout"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise InputError(f"{name} is {value}; give more than 0.")


def seconds_of(budget: str) -> float:
    """Return the seconds of a budget such as 90s, 20m or 2h; `InputError` where it is none."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", budget.strip())
    if match is None or float(match[1]) == 0:
        raise InputError(f"--budget {budget!r}: give a number of seconds, minutes or hours, such as 90s, 20m or 2h.")
    return float(match[1]) * UNITS_S[match[2]]


def budget_of(seconds: float) -> str:
    """Return seconds as a budget is written, in the largest unit that divides them."""
    unit = next(unit for unit in "hms" if seconds % UNITS_S[unit] == 0 or unit == "s")
    return f"{seconds / UNITS_S[unit]:g}{unit}"


def stamp(device: str) -> dict[str, Any]:
    """Return what every file of results says of how it came about: machine, versions, when it was finished."""
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    return {"machine": machine(device), "versions": versions(), "finished": finished}


def versions() -> dict[str, str]:
    """Return the versions of what results depend on."""
    return {"python": platform.python_version(), **{name: version(name) for name in ("htp", "torch", "numpy")}}


def machine(device: str) -> str:
    """Return in words what results are computed on: cores and how many of them are used, memory, processor."""
    import torch  # noqa: PLC0415  not needed to read results

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    threads = torch.get_num_threads()
    parts = [f"{cores} cores ({threads} used to train and generate)", f"{memory_gib:.0f} GiB memory", _processor()]
    return ", ".join(parts + ([torch.cuda.get_device_name()] if device.startswith("cuda") else []))


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        found = re.search(r"^model name\s*:\s*(.+)$", information.read_text(encoding="utf-8"), re.MULTILINE)
        if found:
            return found[1].strip()
    return platform.processor() or platform.machine()
