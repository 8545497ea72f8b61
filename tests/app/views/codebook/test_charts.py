"""The pictures of the page Codebook: what is drawn for numbers that can be checked by hand."""

from __future__ import annotations

import gzip
import json
import re

import numpy as np
import pytest

from htp.evaluate.codebook import Behind, CodebookUse
from htp_app.views.codebook.browsing import NUMBER, SPEED, USE, Offered
from htp_app.views.codebook.charts import LONG_UNITS, START, picture, reach, tiles, use_chart, use_words
from htp_app.views.codebook.maps import PART, WHOLE, Lines, across, line_table, places, ribbon, straight_pieces


def behind(code: int, count: int, step_m: float, speed_kmh: float) -> Behind:
    """Return a code whose patterns all drive straight ahead in equal steps."""
    path_m = np.column_stack([np.zeros(9), np.arange(9) * step_m])
    return Behind(code, count, path_m, path_m[None].astype(np.float32), np.full((3, 8), speed_kmh))


OFFERED = Offered((behind(1, 10, 5.0, 1.2), behind(4, 60, 100.0, 24.0), behind(7, 30, 50.0, 12.0)), 100)


@pytest.mark.parametrize(("order", "codes"), [(SPEED, [1, 7, 4]), (USE, [4, 7, 1]), (NUMBER, [1, 4, 7])])
def test_tiles_come_in_the_order_asked_for(order, codes):
    assert [tile.code for tile in tiles(OFFERED, 0, order)] == codes


def test_a_tile_says_its_code_and_share_and_has_a_bar_beside_the_most_used():
    one, two, three = tiles(OFFERED, 1, USE)
    assert (one.title, one.note, one.share) == ("b_4", "60.0%", 1.0)
    assert (two.title, two.note, two.share) == ("b_7", "30.0%", 0.5)
    assert three.help == "used 10 times, 10.0% of the patterns here; 1 km/h"
    assert tiles(Offered((), 0), 0, USE) == []


def test_movements_are_on_one_scale_with_the_heading_up():
    long, short = (
        re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', picture(one, LONG_UNITS / 800)) for one in OFFERED.behind[1:]
    )
    assert reach(OFFERED.behind[1]) == pytest.approx(800.0)
    assert [float(x) for x in long[0]] == START.tolist()
    assert float(long[-1][1]) == pytest.approx(START[1] - LONG_UNITS)
    assert float(short[-1][1]) == pytest.approx(START[1] - LONG_UNITS / 2, abs=0.06)


def test_a_pattern_that_has_ended_is_drawn_as_far_as_it_goes():
    path_m = np.full((9, 2), np.nan)
    path_m[:3] = [[0, 0], [0, 10], [0, 20]]
    speed_kmh = np.full((3, 8), np.nan)
    speed_kmh[:, :2] = 2.4
    svg = picture(Behind(0, 1, path_m, path_m[None].astype(np.float32), speed_kmh), 1.0)
    assert svg.count("<circle") == 3
    assert "nan" not in svg


def test_use_is_drawn_from_the_most_used_code_down_with_the_chosen_one_marked():
    bars = use_chart(CodebookUse(np.array([1, 6, 3])), 0, 2).data[0]
    assert list(bars.y) == pytest.approx([60.0, 30.0, 10.0])
    assert list(bars.customdata) == ["a_1", "a_2", "a_0"]
    assert [bars.marker.color[at] == bars.marker.color[0] for at in range(3)] == [True, False, True]


def test_use_is_said_in_words():
    assert use_words(CodebookUse(np.array([5, 5, 5, 5]))) == "4 codes, all used; perplexity 4"
    assert use_words(CodebookUse(np.array([5, 5, 0]))) == "3 codes, 1 unused; perplexity 2"


def test_places_are_ranges_one_after_another():
    assert places(np.array([3, 0]), np.array([5, 3])).tolist() == [3, 4, 0, 1, 2]


def test_a_line_is_cut_where_it_turns_and_not_where_it_stands():
    east, corner = [[0.0, 0], [10, 0], [10, 0], [20, 0]], [[20.0, 10], [20, 20]]
    pieces = straight_pieces(np.array([*east, *corner, *east]), np.array([6, 4]))
    assert pieces.tolist() == [[0, 4], [3, 6], [6, 10]]


def test_a_ribbon_goes_there_on_the_left_and_back_on_the_right():
    line = np.array([[0.0, 0.0], [10.0, 0.0]])
    assert across(line).tolist() == [[0, 1], [0, 1]]
    assert ribbon(line).tolist() == [[0, 2], [10, 2], [10, -2], [0, -2], [0, 2]]


def test_the_table_has_a_narrow_area_for_each_piece(grid):
    lonlat = grid.to_lonlat(grid.xy_m[0] + np.array([[0.0, 0], [50, 0], [100, 0]]))
    lines = Lines(np.array([0, 1]), np.array([3, 3]), np.array([WHOLE, PART]), np.array([0, 0]))
    table = line_table(grid, lonlat, lines, (np.array([3]), np.array([2])), ["Trip 9"])
    head, body = table.payload.split(b"\n", 1)
    header = json.loads(head)
    assert (header["names"], header["sides"]) == (["Trip 9"], ["whole trip", "shared part"])
    sizes = {name: length for name, _, length in header["columns"]}
    assert (sizes["first"], sizes["shade"], sizes["lon"]) == (3, 2, 7 + 5)  # there, back, and to the first again
    assert np.frombuffer(gzip.decompress(body)[:12], dtype=np.int32).tolist() == [0, 7, 12]
