"""Check where the three decoders place points: by construction, so with random weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from htp.tokenizer.batch import Batches
from htp.tokenizer.features import describe
from htp.tokenizer.increments import INCREMENTS, NormalisedIncrements, Span

LENGTHS = (8, 9, 16, 17, 20, 26)  # 9 and 17: one point in the last pattern


@pytest.fixture(scope="module")
def routes(grid, random_trips):
    trips = random_trips(grid, LENGTHS, seed=3)
    return Batches(describe(trips, grid)).collate(np.arange(len(LENGTHS))).routes


@pytest.fixture(params=range(3), ids="weights {}".format)
def placed(request, tiny_config, routes):
    """Return a function: kind of increments -> places [B, 8P] with random weights, and the spans."""

    def place(kind, routes=routes):
        torch.manual_seed(request.param)
        increments = INCREMENTS[kind](tiny_config())
        for parameter in increments.parameters():
            torch.nn.init.normal_(parameter, std=1.0)
        patterns = routes.anchors.shape[1]
        span = increments.spans(torch.randn(len(LENGTHS), patterns, 32), routes)
        with torch.no_grad():
            return increments(torch.randn(len(LENGTHS), 8 * patterns, 16), span, routes), span

    return place


def trips_of(along_m):
    return [row[:n].double() for row, n in zip(along_m, LENGTHS, strict=True)]


@pytest.mark.parametrize("kind", ["anchored", "normalised"])
def test_points_never_run_backwards(placed, kind):
    along_m, _ = placed(kind)
    assert all((torch.diff(trip) >= 0).all() for trip in trips_of(along_m))


@pytest.mark.parametrize("kind", ["anchored", "normalised"])
def test_the_last_point_lies_the_travelled_distance_behind_the_first(placed, routes, kind):
    along_m, _ = placed(kind)
    driven = torch.stack([trip[-1] - trip[0] for trip in trips_of(along_m)]).float()
    torch.testing.assert_close(driven, routes.distance_m, atol=0.01, rtol=0)


@pytest.mark.parametrize("kind", ["anchored", "normalised"])
def test_the_first_point_lies_on_the_first_road_and_the_last_on_the_last(placed, routes, kind):
    along_m, _ = placed(kind)
    for row, trip in enumerate(trips_of(along_m)):
        last = int(routes.mask[row].sum()) - 1
        assert 0 <= trip[0] <= routes.length_m[row, 0] + 0.01
        assert routes.start_m[row, last] - 0.01 <= trip[-1] <= routes.total_m[row] + 0.01


def test_the_last_point_of_each_pattern_lies_on_its_anchor_road(placed, routes):
    along_m, span = placed("anchored")
    for row, n in enumerate(LENGTHS):
        for pattern in range(-(-n // 8)):
            anchor = routes.anchors[row, pattern]
            end = along_m[row, min(8 * pattern + 7, n - 1)].item()
            start = routes.start_m[row, anchor].item()
            assert start - 0.01 <= end <= start + routes.length_m[row, anchor].item() + 0.01
            assert end == pytest.approx(span.end_m[row, pattern].item(), abs=0.01)


def test_a_last_pattern_of_one_point_puts_it_at_the_end(placed, routes):
    along_m, span = placed("anchored")
    row = LENGTHS.index(17)
    assert along_m[row, 16].item() == pytest.approx(span.end_m[row, 2].item(), abs=0.01)
    assert along_m[row, 15].item() == pytest.approx(span.begin_m[row, 2].item(), abs=0.01)
    assert along_m[row, 16].item() == pytest.approx(along_m[row, 0].item() + routes.distance_m[row].item(), abs=0.01)


def test_the_first_point_lies_where_it_is_told_to_and_elsewhere_where_it_is_not(placed, routes):
    free, _ = placed("anchored")
    told = torch.full((len(LENGTHS),), torch.nan)
    told[2] = 1.25
    along_m, _ = placed("anchored", replace(routes, first_m=told))
    assert along_m[2, 0].item() == 1.25
    others = torch.arange(len(LENGTHS)) != 2
    torch.testing.assert_close(along_m[others], free[others])


def test_the_papers_increments_can_run_backwards(placed):
    along_m, span = placed("free")
    assert span is None
    assert any((torch.diff(trip) < 0).any() for trip in trips_of(along_m))


@pytest.mark.parametrize("kind", ["free", "normalised", "anchored"])
def test_a_trip_is_placed_the_same_alone_and_among_others(placed, tiny_config, routes, kind):
    del placed
    torch.manual_seed(0)
    increments = INCREMENTS[kind](tiny_config())
    patterns = routes.anchors.shape[1]
    h, fine = torch.randn(len(LENGTHS), patterns, 32), torch.randn(len(LENGTHS), 8 * patterns, 16)
    together = increments(fine, increments.spans(h, routes), routes)
    row, n, own = 2, 16, 2  # 16 points, two patterns
    few = {"anchors": routes.anchors[row : row + 1, :own]}
    every = {
        name: tensor[row : row + 1]
        for name, tensor in vars(routes).items()
        if isinstance(tensor, torch.Tensor) and name not in few
    }
    alone_routes = replace(routes, **every, **few)
    alone = increments(
        fine[row : row + 1, : 8 * own], increments.spans(h[row : row + 1, :own], alone_routes), alone_routes
    )
    torch.testing.assert_close(alone[0, :n], together[row, :n])


def test_the_middles_of_equal_parts_stand_for_points_not_yet_placed():
    span = Span(torch.tensor([[0.0, 80.0]]), torch.tensor([[80.0, 100.0]]))
    assert span.prior(2).tolist() == [[20.0, 60.0, 85.0, 95.0]]


def test_the_loss_of_places_counts_steps_places_and_ends_in_units_of_50_m(tiny_config, routes):
    one = {name: t[:1] for name, t in vars(routes).items() if isinstance(t, torch.Tensor)}
    routes = replace(routes, **one | {"anchors": routes.anchors[:1, :1]})  # a trip of 8 points, one pattern
    increments = NormalisedIncrements(tiny_config())
    target = torch.arange(8.0)[None] * 10
    right, off = Span(target[:, :1], target[:, -1:]), Span(target[:, :1], target[:, -1:] + 25)
    assert increments.loss(target, target, right, routes).item() == 0
    moved = target.clone()
    moved[0, 7] += 40  # one step, one place of eight
    assert increments.loss(moved, target, right, routes).item() == pytest.approx((40 / 8 + 40 / 8) / 50)
    assert increments.loss(target, target, off, routes).item() == pytest.approx(25 / 50)


def test_the_papers_loss_is_the_squared_error_of_increments_of_percent(tiny_config, routes):
    one = {name: t[:1] for name, t in vars(routes).items() if isinstance(t, torch.Tensor)}
    routes = replace(routes, **one | {"anchors": routes.anchors[:1, :1], "total_m": torch.tensor([1000.0])})
    increments = INCREMENTS["free"](tiny_config())
    target = torch.arange(8.0)[None] * 10
    moved = target.clone()
    moved[0, 7] += 50  # 5 % of the route, in units of an eighth
    assert increments.loss(moved, target, None, routes).item() == pytest.approx((0.05 * 8) ** 2 / 8)
