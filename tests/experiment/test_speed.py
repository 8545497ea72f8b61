"""Check how speeds are measured, and the table that is made of them."""

from __future__ import annotations

import json

import pytest

from htp.errors import InputError
from htp.experiment import speed
from htp.experiment.results import load
from htp.experiment.run import run
from htp.experiment.settings import ExperimentSettings
from htp.experiment.speed import batches_of, measure_speed, read_speeds, speed_table
from htp.methods.registry import choose

VALUES = [0.1, 0.2, 0.3, 0.9, 0.8, 0.7, 0.6, 0.4]


@pytest.fixture
def results(tiny_data, tmp_path, calls):
    """Return a folder with the results of three methods that are done at once."""
    methods = choose("copier,HTP,HTP+")
    run(tiny_data, tiny_data / "city", methods, ExperimentSettings(5.0), tmp_path, workers=1, report=lambda _: None)
    calls.clear()
    return tmp_path


def test_methods_take_turns_at_every_batch(results, calls, monkeypatch):
    monkeypatch.setattr(speed, "TURNS", 2)
    facts = json.loads(measure_speed(results, (1, 4), report=lambda _: None).read_text())
    assert facts["batches"] == [1, 4]
    assert list(facts["ms_per_trip"]) == ["Copier", "HTP", "HTP+"]
    assert all(len(turns["4"]) == 2 for turns in facts["turns_ms"].values())
    assert calls == ["generate Copier 0", "generate Ours 0", "generate Joint 0"] * 5  # one that does not count


def test_a_slow_method_takes_one_turn_and_the_median_counts(results, monkeypatch):
    seconds = {"Copier": iter([9.0, 30.0]), "HTP": iter([9.0, 4.0, 2.0, 3.0]), "HTP+": iter([9.0, 1.0, 1.0, 1.0])}
    monkeypatch.setattr(speed, "TURNS", 3)
    monkeypatch.setattr(speed.Runner, "turn", lambda runner, _: (next(seconds[runner.label]), 0.5))
    facts = json.loads(measure_speed(results, (2,), report=lambda _: None).read_text())
    assert facts["turns_ms"]["Copier"]["2"] == [[15_000.0, 250.0]]
    assert facts["processor_ms_per_trip"]["HTP"] == {"2": 250.0}
    assert facts["ms_per_trip"] == {"Copier": {"2": 15_000.0}, "HTP": {"2": 1500.0}, "HTP+": {"2": 500.0}}


def test_published_sizes_are_measured_beside_those_of_the_experiment(tiny_data, tmp_path, monkeypatch):
    from htp.methods.baselines.difftraj import DiffTraj, DiffTrajConfig  # noqa: PLC0415  brings torch

    small = DiffTrajConfig(length=16, base=8, multipliers=(1, 2), groups=4, time_width=8, attribute_width=8)
    monkeypatch.setattr(DiffTrajConfig, "small", lambda: small)
    monkeypatch.setattr("htp.evaluate.bootstrap.RESAMPLES", 20)
    methods = choose("difftraj")
    settings = ExperimentSettings(0.1, heldout=4)
    run(tiny_data, tiny_data / "city", methods, settings, tmp_path, workers=1, report=lambda _: None)
    sizes = []

    def turn(runner, _):
        sizes.append((runner.label, runner.method.config.base))
        return 1.0, 1.0

    monkeypatch.setattr(speed.Runner, "turn", turn)
    monkeypatch.setattr(DiffTraj, "fit", lambda method, *_, **__: method)
    measure_speed(tmp_path, (1,), report=lambda _: None)
    assert set(sizes) == {("DiffTraj as published", 128), ("DiffTraj", 8)}


@pytest.mark.parametrize("batches", [(0,), (25,)])
def test_batches_that_there_are_no_trips_for_are_refused(results, batches):
    with pytest.raises(InputError, match="there are 24 held-out ones"):
        measure_speed(results, batches)


@pytest.mark.parametrize("text", ["", "1,", "a", "0", "-1", "1.5"])
def test_batches_are_whole_numbers(text):
    assert batches_of("1, 16,64,16") == (1, 16, 64)
    with pytest.raises(InputError, match="such as 1,16,64"):
        batches_of(text)


def speeds_file(layout, **changes):
    ms = {"DiffTraj as published": {"1": 900.0, "64": 300.0}, "HTP": {"1": 30.0, "64": 1.5}}
    worked = {label: dict.fromkeys(times, 10.0) for label, times in ms.items()}
    facts = {
        "data": "f00d",
        "batches": [1, 64],
        "ms_per_trip": ms,
        "processor_ms_per_trip": worked,
        "machine": "2 cores",
    }
    facts |= changes
    layout.speed.write_text(json.dumps(facts))


def test_the_table_says_how_many_times_htps_a_method_takes(written, result):
    layout = written(result("HTP", VALUES, group="ablations"))
    rows = load(layout)
    assert read_speeds(layout, rows) is None
    speeds_file(layout)
    table = speed_table(read_speeds(layout, rows))
    assert tuple(table.texts.columns[:4]) == ("Method", "ms, 1 at once", "ms, 64 at once", "× HTP, 1 at once")
    assert table.texts.columns[-1] == "× HTP, processor, 64 at once"
    texts = table.texts.to_numpy().tolist()
    assert texts[0] == ["DiffTraj as published", "900.00", "300.00", "30", "200", "1", "1"]
    assert texts[1] == ["HTP", "30.00", "1.50", "1", "1", "1", "1"]


def test_speeds_that_are_damaged_or_of_other_trips_are_refused(written, result):
    layout = written(result("HTP", VALUES, group="ablations"))
    rows = load(layout)
    speeds_file(layout, data="beef")
    with pytest.raises(InputError, match="of other trips than the results; measure again by `htp experiment speed"):
        read_speeds(layout, rows)
    for damage in ({"batches": [2]}, {"ms_per_trip": None}, {"machine": None, "batches": None}):
        speeds_file(layout, **damage)
        with pytest.raises(InputError, match="holds no speeds"):
            read_speeds(layout, rows)
    layout.speed.write_text("{")
    with pytest.raises(InputError, match="holds no speeds"):
        read_speeds(layout, rows)
