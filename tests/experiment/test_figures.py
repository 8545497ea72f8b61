"""Check what figures count by hand; what they say is checked with the report."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest

from htp.experiment.figures import FIGURES
from htp.experiment.figures.charts import density, edges_of
from htp.experiment.figures.maps import Frame
from htp.experiment.figures.subject import style


def test_points_are_counted_in_cells_from_the_south_west():
    frame = Frame(np.array([100.0, 200.0]), 10.0, (2, 3))
    points = np.array([[101.0, 201.0], [109.0, 209.0], [125.0, 215.0], [131.0, 201.0], [101.0, 199.0]])
    counts, outside = frame.count(points)
    assert counts.tolist() == [[2, 0, 0], [0, 0, 1]]
    assert outside == pytest.approx(2 / 5)


def test_the_frame_holds_nearly_all_points_in_square_cells():
    points = np.random.default_rng(0).uniform([0, 0], [1000, 500], (20_000, 2))
    frame = Frame.around(points)
    counts, outside = frame.count(points)
    assert 0.0 <= outside < 0.01
    assert counts.sum() == round((1 - outside) * 20_000)
    assert frame.shape[1] == 220
    assert frame.shape[0] == pytest.approx(220 * 580 / 1080, abs=2)


def test_the_density_of_lengths_is_a_share_a_point():
    edges = edges_of({20: 3, 22: 1})
    assert edges.tolist() == [19.5, 20.5, 21.5, 22.5]
    assert density({20: 3, 22: 1}, edges).tolist() == [0.75, 0.0, 0.25]
    wide = edges_of({20: 1, 199: 1})  # 180 lengths in bins of 5
    assert np.diff(wide).tolist() == [5.0] * 36
    assert (density({20: 1, 199: 1}, wide) * 5).sum() == 1.0


def test_trips_beyond_the_real_lengths_count_in_the_whole():
    assert density({20: 1, 90: 3}, edges_of({20: 1, 21: 1})).tolist() == [0.25, 0.0]


def test_twenty_methods_can_be_told_apart():
    assert len({style(at) for at in range(20)}) == 20


def test_every_figure_of_the_list_can_be_drawn():
    for module, draw in FIGURES.values():
        assert callable(getattr(import_module(f"htp.experiment.figures.{module}"), draw))
