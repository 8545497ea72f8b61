"""Check Figures 9 to 11: what they are drawn from, by hand, and that they are left out where that is missing."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from htp.city.network import City
from htp.experiment.figures import charts, maps, patterns
from htp.experiment.figures.subject import Subject
from htp.experiment.report import write_report
from htp.experiment.results import load
from htp.trips import write_trips

VALUES = [0.1, 0.2, 0.3, 0.9, 0.8, 0.7, 0.6, 0.4]
USE = {"window": 4096, "steps": [10, 20], "shares": [[0.5, 0.25], [1.0, 0.75]]}
NEW = ("figure9-code-use", "figure10-codebooks", "figure11a-patterns", "figure11b-times-of-day")


@pytest.fixture
def layout(written, result, grid, random_trips):
    """Return the folder of HTP's results, with all that figures are drawn from."""
    stages = [{"stage": "node2vec", "seconds": 1.0}, {"stage": "tokenizer", "code_use": USE}]
    layout = written(result("HTP", VALUES, group="ablations", stages=stages))
    grid.save(layout.city)
    trips = random_trips(grid, [20, 30, 40])
    write_trips(trips, layout.real)
    counts = [-(-n // 8) for n in (20, 30, 40)]
    generator = np.random.default_rng(0)
    codes = [generator.integers(0, 3, 4 * count).astype(np.int16) for count in counts]
    made = trips.assign(length_token=np.zeros(3, np.int8), patterns=codes)
    write_trips(made, layout.trips("htp-seed0"))
    times = trips.assign(trip_id=["08:00", "13:00", "23:00"], roads=[trips["roads"].iloc[0]] * 3)
    write_trips(times, layout.times("htp-seed0"))
    for name, loss in (("32-64-128-256", 0.5), ("32", 0.9)):
        path = layout.codebooks(name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"fingerprint": "f00d", "loss": loss}))
    return layout


def subject_of(layout):
    return Subject(load(layout), layout, simulated=False)


def test_figures_are_written_where_there_is_what_they_need(layout):
    names = {path.name for path in write_report(layout.folder, simulated=True)}
    for figure in NEW:
        assert {f"{figure}.png", f"{figure}.svg"} <= names
        picture = (layout.report / f"{figure}.svg").read_text(encoding="utf-8")
        assert "simulated trips" in picture
        assert "OpenStreetMap contributors" in picture


DRAWN = [charts.code_use, charts.codebooks, patterns.patterns, maps.times_of_day]


@pytest.mark.parametrize("draw", DRAWN, ids=lambda draw: draw.__name__)
def test_figures_without_what_they_need_are_left_out(draw, written, result, layout):
    assert draw(subject_of(layout)) is not None
    other = written(result("TrajVAE", VALUES), result("HTP", VALUES, place=1, sentence="it failed.", group="ablations"))
    layout.codebooks("32").unlink()
    layout.codebooks("32-64-128-256").unlink()
    assert draw(subject_of(other)) is None


def test_use_is_drawn_layer_by_layer_in_percent(layout):
    use = charts.use_of(subject_of(layout))
    assert list(use.index) == [10, 20]
    assert [list(use[layer]) for layer in (1, 2)] == [[50.0, 100.0], [25.0, 75.0]]


def test_losses_are_those_of_the_same_trips(layout):
    assert charts.losses(subject_of(layout)) == ({"32-64-128-256": 0.5}, {"1": 0.9, "4": 0.5})
    layout.codebooks("32").write_text(json.dumps({"fingerprint": "beef", "loss": 0.1}))
    assert charts.losses(subject_of(layout)) == ({"32-64-128-256": 0.5}, {"4": 0.5})


def test_pieces_are_turned_upwards_from_where_they_begin():
    east = np.array([[5.0, 5.0], [15.0, 5.0], [35.0, 5.0], [35.0, -5.0]])  # then to the right, southward
    turned = patterns.upwards(east)
    np.testing.assert_allclose(turned, [[0, 0], [0, 10], [0, 30], [10, 30]], atol=1e-9)
    still = np.array([[5.0, 5.0], [6.0, 5.0]])
    np.testing.assert_allclose(patterns.upwards(still), [[0, 0], [1, 0]])


def test_panels_hold_whole_pieces_of_the_codes_used_most(layout):
    shown = patterns.panels(layout.trips("htp-seed0"), City.load(layout.city))
    counts = [panel.count for panel in shown]
    assert sum(counts) == 20 // 8 + 30 // 8 + 40 // 8
    assert counts == sorted(counts, reverse=True)
    assert all(panel.xy_m.shape == (panel.count, 8, 2) for panel in shown)
    assert all((panel.xy_m[:, 0] == 0.0).all() for panel in shown)


def test_each_time_of_day_says_its_travel_time(layout):
    panels = maps.drives_of(layout.times("htp-seed0"), City.load(layout.city))
    titles = [title for title, _, _ in panels]
    assert titles[0] == "08:00: 5 min, 20 points"  # 19 steps of 15 s
    points, route = panels[0][1:]
    assert np.abs(points - route.mean(axis=0)).max() < 2.0  # km
    assert pd.notna(route).all()


def test_speeds_side_by_side_are_drawn_at_each_batch(layout):
    alone = charts.bars(subject_of(layout))
    assert (list(alone.index), alone.to_numpy().tolist()) == (["HTP (64 at once)"], [[2.0]])
    ms = {"HTP": {"1": 30.0, "64": 1.5}, "DiffTraj": {"1": 300.0, "64": 90.0}}
    facts = {"data": "f00d", "batches": [1, 64], "ms_per_trip": ms, "processor_ms_per_trip": ms, "machine": "2 cores"}
    layout.speed.write_text(json.dumps(facts))
    found = charts.bars(subject_of(layout))
    assert [list(found[batch]) for batch in (1, 64)] == [[30.0, 300.0], [1.5, 90.0]]
    assert "speed-batches.md" in {path.name for path in write_report(layout.folder)}
