"""Check the SUMO network on the grid of 5 x 5 crossings: lights, lanes, and which road leads into which."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from htp.errors import InputError
from htp.simulate.network import DRIVEN, PRIMARY, build_network, driven_ms, lane_count, lit_nodes, road_rank, stop_nodes
from htp.simulate.sumo import call

if TYPE_CHECKING:
    from pathlib import Path

    from htp.city.network import City


def test_lights_stand_where_named_main_streets_cross(secondary_grid: City):
    corners = {0, 4, 20, 24}  # two neighbours only
    assert set(lit_nodes(secondary_grid).tolist()) == set(range(25)) - corners


def test_a_main_street_crossing_only_residential_ones_has_no_lights(grid: City):
    assert len(lit_nodes(grid)) == 0


def test_minor_roads_stop_where_they_meet_a_main_one(grid: City):
    assert set(stop_nodes(grid).tolist()) == {2, 7, 12, 17, 22}  # Avenida 2 is primary, the rest residential


def test_roads_are_driven_at_a_share_of_their_limit_by_class(grid: City):
    speeds_ms = driven_ms(grid)
    assert speeds_ms[0] == pytest.approx(10 * DRIVEN[6])
    assert speeds_ms.max() == pytest.approx(20 * DRIVEN[2])


def test_link_roads_rank_as_their_class_and_unknown_classes_as_residential(grid: City):
    classes = ["primary_link", "busway", *["residential"] * 78]
    rank = road_rank(replace(grid, roads=grid.roads.assign(highway=classes)))
    assert rank[0] == PRIMARY
    assert rank[1] == rank[2]


def test_one_way_main_roads_get_a_second_lane(triangle: City):
    main = replace(triangle, roads=triangle.roads.assign(highway=["primary", "residential", "primary_link"]))
    assert lane_count(main).tolist() == [2, 1, 1]


def test_turns_are_those_of_the_grid_and_none_turns_around(grid: City, tmp_path: Path):
    network = build_network(grid, tmp_path)
    turns = set(zip(network.source.tolist(), network.target.tolist(), strict=True))
    expected = {
        (a, b)
        for a in range(80)
        for b in range(80)
        if grid.v[a] == grid.u[b] and grid.u[a] != grid.v[b]  # corners have two neighbours, so no dead ends
    }
    assert turns == expected


def test_every_crossing_a_block_apart_has_a_light_of_its_own(secondary_grid: City, tmp_path: Path):
    network = build_network(secondary_grid, tmp_path)
    assert len(np.unique(network.light[network.light != ""])) == 21


def test_sumo_that_fails_is_reported_with_its_own_words(tmp_path: Path):
    with pytest.raises(InputError, match=r"netconvert failed.*nowhere"):
        call("netconvert", ["--node-files=nowhere.xml", "--edge-files=nowhere.xml"], tmp_path / "log")
