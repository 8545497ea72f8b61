"""Offer methods that learn nothing and are done at once, and results written by hand."""

# ruff: noqa: ARG002, ARG003  fakes take what methods take
from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from htp.errors import InputError
from htp.experiment.layout import Layout
from htp.experiment.results import LENGTH, METRICS
from htp.methods.registry import MethodEntry

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HIGH_IS_GOOD = {"G-Den", "G-Pat", "R-Den", "R-Pat"}
CONDITIONS = ["trip_id", "start_time", "interval", "roads", "geometry"]


@dataclass(frozen=True)
class FakeConfig:
    """Has a size, as every configuration."""

    width: int = 64

    @classmethod
    def small(cls) -> FakeConfig:
        return cls(width=2)


class Copier:
    """Generates the very trips that it is asked for; says what it was called for in `calls`."""

    config_type, builds_on = FakeConfig, None
    calls: ClassVar[list[str]] = []

    def __init__(self, config=None, device="cpu"):
        self.config, self.device, self.trained = config or FakeConfig(), device, []

    def share(self, folder, base=None):
        pass

    def fit(self, trips, city, budget=None, *, seed=0, report=print):
        self.calls.append(f"fit {type(self).__name__} {seed} on {len(trips)} for {budget.seconds:g} s")
        self.trained = [{"stage": "copying", "steps": 3}]
        report({"stage": "copying", "loss": 0.5})
        return self

    def generate(self, like, *, seed=0, progress=None):
        self.calls.append(f"generate {type(self).__name__} {seed}")
        if progress is not None:
            for done in (10, len(like)):
                progress(done, len(like))
        return like[CONDITIONS]

    def save(self, folder):
        folder.mkdir(parents=True)
        (folder / "model.txt").write_text(type(self).__name__)

    @classmethod
    def load(cls, folder, city, device="cpu"):
        assert (folder / "model.txt").read_text() == cls.__name__
        return cls()


class Failing(Copier):
    """Generates nothing."""

    reason: ClassVar[Exception] = InputError("it draws what is no number.")

    def generate(self, like, *, seed=0, progress=None):
        raise self.reason


class Ours(Copier):
    """Stands for HTP; takes what is shared."""

    def share(self, folder, base=None):
        self.calls.append(f"share {folder.name} {base and base.name}")


class Joint(Ours):
    """Stands for HTP+, whose first stage is HTP's."""

    builds_on = "HTP"

    def fit(self, trips, city, budget=None, *, seed=0, report=print):
        super().fit(trips, city, budget, seed=seed, report=report)
        self.trained.insert(0, {"stage": "taken", "seconds": 40.0, "shared": True})
        return self


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Put `copier` and `failing` in place of the baselines and `HTP` and `HTP+` of the ablations; return the calls."""
    Copier.calls.clear()
    monkeypatch.setattr("htp.evaluate.bootstrap.RESAMPLES", 20)  # of 500, which take a second
    fakes = {"copier": Copier, "failing": Failing, "HTP": Ours, "HTP+": Joint}
    groups = ("baselines", "baselines", "ablations", "ablations")
    entries = {
        name: MethodEntry(name, group, "", at) for at, (name, group) in enumerate(zip(fakes, groups, strict=True))
    }
    for module in ("methods.registry", "experiment.job", "experiment.speed"):
        monkeypatch.setattr(f"htp.{module}.METHODS", entries)
    monkeypatch.setattr(MethodEntry, "made_by", property(lambda entry: fakes[entry.name]))
    return Copier.calls


def result_of(label: str, values: list[float], **changes: Any) -> dict[str, Any]:
    """Return what a result's file holds; `values` are the paper's eight metrics."""
    lines = {
        name: {
            "value": value,
            "floor": 0.5,
            "ceiling": changes.get("ceiling"),
            "low_is_good": name not in HIGH_IS_GOOD,
            "bootstrap": {"low": value / 2, "high": value * 2},
        }
        for name, value in zip((*METRICS, LENGTH), [*values, 0.25], strict=True)
    }
    lengths = {"real": {"20": 3, "22": 1}, "generated": {"20": 2, "21": 2}}
    statistics = {"trips": 1234, "mean_points": 43.4, "mean_distance_km": 4.83, "interval_s": 15.0}
    data = {
        "city": "Grid",
        "fingerprint": changes.get("fingerprint", "f00d"),
        "used": {"train": 1000, "heldout": 234},
        "simulated": changes.get("simulated", False),
        "statistics": statistics | {"roads": 80, "area_km2": 0.16},
    }
    sentence = changes.get("sentence")
    found = {
        "training": {"seconds": 61.0, "stages": changes.get("stages", [])},
        "generation": {"ms_per_trip": changes.get("ms", 2.0), "processor_ms_per_trip": 1.5, "batch": 64},
        "evaluation": {"metrics": lines, "beyond": {}, "lengths": lengths},
    }
    return {
        "version": 1,
        "key": "k",
        "method": label.lower(),
        "label": label,
        "group": changes.get("group", "baselines"),
        "place": changes.get("place", 0),
        "seed": changes.get("seed", 0),
        "sentence": sentence,
        "setting": {"budget_s": changes.get("budget_s", 60.0), "device": "cpu"},
        "config": {},
        "machine": "2 cores",
        "data": data,
    } | ({} if sentence else found)


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Layout]:
    """Return what writes results, each as `result_of` takes it, and returns their layout."""

    def write(*results: dict[str, Any]) -> Layout:
        layout = Layout(tmp_path / "results")
        for number, content in enumerate(results):
            path = layout.result(f"{number}-seed{content['seed']}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(content), encoding="utf-8")
        return layout

    return write


@pytest.fixture(scope="session")
def result() -> Callable[..., dict[str, Any]]:
    """Return `result_of`."""
    return result_of
