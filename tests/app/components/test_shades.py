"""Shades, areas and legends of counts."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from packed import unpack

from htp.city.grid import cells_of
from htp.evaluate.density import EXTRA, HIT, MISSED, Density
from htp_app.components.shades import (
    FULL,
    count_shades,
    difference_shades,
    kind_shades,
    kinds_legend,
    legend,
    ticks,
)
from htp_app.map.areas import area_table, cell_shapes, road_shapes
from htp_app.state import LINEAR, LOG


def test_linear_shades_are_shares_of_the_greatest_count():
    assert count_shades(np.array([0, 5, 10]), 10, LINEAR).tolist() == [0, 128, FULL]


def test_log_shades_tell_few_points_apart():
    shades = count_shades(np.array([0, 1, 10, 1000]), 1000, LOG).astype(int)
    assert shades[[0, 3]].tolist() == [0, FULL]
    assert shades[1] > count_shades(np.array([1]), 1000, LINEAR)[0] + 20
    assert (np.diff(shades) > 0).all()


@pytest.mark.parametrize("scale", [LOG, LINEAR])
def test_a_difference_of_nothing_is_in_the_middle_and_both_signs_are_as_far_from_it(scale):
    shades = difference_shades(np.array([-8, -3, 0, 3, 8]), 8, scale).astype(int)
    assert shades[[0, 4]].tolist() == [0, FULL]
    assert shades[2] in (127, 128)
    assert abs(shades[1] + shades[3] - FULL) <= 1


def test_no_counts_at_all_have_shades_too():
    assert count_shades(np.array([0]), 0, LOG).tolist() == [0]
    assert difference_shades(np.array([0]), 0, LINEAR)[0] in (127, 128)


def test_every_kind_has_a_colour_of_its_own_ramp():
    assert kind_shades(np.array([HIT, MISSED, EXTRA], np.uint8)).tolist() == [0, 128, FULL]


def test_ticks_run_from_none_to_the_greatest():
    assert ticks(90, LINEAR) == [0, 30, 60, 90]
    assert ticks(999, LOG) == [0, 9, 99, 999]


def test_one_legend_holds_both_scales():
    text = legend(999, 90, LOG)
    assert text.count("linear-gradient") == 2
    assert "+90" in text
    assert "−90" in text
    assert legend(999, None, LOG).count("linear-gradient") == 1


def test_the_legend_of_hits_and_misses_counts_them():
    assert "Only held-out: <b>7</b>" in kinds_legend({HIT: 90, MISSED: 7, EXTRA: 8})


def test_cells_are_squares_of_100_m_where_their_points_lie(grid):
    xy_m = grid.xy_m[[3, 30]]
    shapes = cell_shapes(cells_of(xy_m))
    assert shapely.area(shapes) == pytest.approx([10_000, 10_000])
    assert shapely.covers(shapes, shapely.points(xy_m)).all()


def test_both_directions_of_a_street_are_ribbons_beside_each_other(grid):
    there, back = road_shapes(grid, np.array([0, 1]))
    assert there.area == pytest.approx(100 * 25, rel=0.01)
    assert there.intersection(back).area < 1


def test_a_table_of_areas_carries_counts_shades_and_names(grid):
    density = Density(np.array([4, 7]), np.array([3, 0]), np.array([1, 2]))
    shapes = road_shapes(grid, density.places[[1]])
    table = area_table(grid, shapes, density, np.array([1]), np.array([9], np.uint8), (["Calle ñ"], ("a", "b")))
    header, columns = unpack(table)
    assert header["names"] == ["Calle ñ"]
    assert header["sides"] == ["a", "b"]
    assert {name: columns[name].tolist() for name in ("real", "generated", "shade", "first")} == {
        "real": [0],
        "generated": [2],
        "shade": [9],
        "first": [0, 5],
    }
    ring = shapely.Polygon(grid.to_metres(np.column_stack([columns["lon"], columns["lat"]]) * 1e-6))
    assert ring.area == pytest.approx(2500, rel=0.02)
