"""Check the density of steps: what it must keep by construction, its likelihood by hand, and that it learns."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from htp.recording import REFERENCE_S
from htp.tokenizer.batch import Batches
from htp.tokenizer.features import describe
from htp.tokenizer.increments import Span
from htp.tokenizer.roads import RouteContext
from htp.tokenizer.steps import REST_M, STEP_M, StepDensity

LENGTHS = (8, 9, 16, 17, 20, 26)


@pytest.fixture(scope="module")
def batch(grid, random_trips):
    return Batches(describe(random_trips(grid, LENGTHS, seed=3), grid)).collate(np.arange(len(LENGTHS)))


@pytest.fixture
def density(tiny_config):
    torch.manual_seed(0)
    return StepDensity(tiny_config())


def known_of(density, routes, first_m=0.0):
    """Return what is known of the trips, with patterns that are to end evenly along the way."""
    config_dim, road_dim = density.tell_pattern.in_features, density.tell_roads.in_features
    patterns = routes.anchors.shape[1]
    generator = torch.Generator().manual_seed(1)
    h = torch.randn(len(routes.points), patterns, config_dim, generator=generator)
    embedded = torch.randn(*routes.roads.shape, road_dim, generator=generator)
    context = RouteContext(embedded, torch.randn(*routes.roads.shape, 2, generator=generator))
    ends = first_m + routes.distance_m[:, None] * torch.arange(1, patterns + 1) / patterns
    begins = torch.cat([torch.full_like(ends[:, :1], first_m), ends[:, :-1]], dim=1)
    return density.know(h, Span(begins, ends), context, routes)


def drawn_by(density, routes, seed=0):
    uniform = torch.rand(len(LENGTHS), routes.point_mask.shape[1], 2, generator=torch.Generator().manual_seed(seed))
    return density.draw(known_of(density, routes), torch.zeros(len(LENGTHS)), uniform)


@pytest.mark.parametrize("seed", range(3))
def test_steps_never_run_backwards_and_the_last_ends_where_the_trip_does(density, batch, seed):
    routes = batch.routes
    for parameter in density.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    along_m = drawn_by(density, routes, seed)
    for trip, n, distance_m in zip(along_m, LENGTHS, routes.distance_m.tolist(), strict=True):
        steps = torch.diff(trip[:n])
        assert (steps >= 0).all()
        assert ((steps == 0) | (steps >= REST_M - 1e-3)).all()  # a car stands, or it goes
        assert trip[n - 1].item() == pytest.approx(distance_m, abs=0.01)
        assert (trip[n:] <= distance_m + 0.01).all()


def test_a_trip_is_drawn_the_same_alone_and_among_others(density, batch):
    routes = batch.routes
    together = drawn_by(density, routes)
    row, n = 2, 16
    every = {name: t[row : row + 1] for name, t in vars(known_of(density, routes)).items()}
    known = replace(known_of(density, routes), **every)
    uniform = torch.rand(len(LENGTHS), routes.point_mask.shape[1], 2, generator=torch.Generator().manual_seed(0))
    alone = density.draw(known, torch.zeros(1), uniform[row : row + 1])
    torch.testing.assert_close(alone[0, :n], together[row, :n])


def test_the_same_car_seen_twice_as_often_has_steps_of_half_the_length(density, batch):
    """One component with a mean of one unit: 50 m in 15 s, 25 m in 7.5 s."""
    with torch.no_grad():
        for parameter in density.out.parameters():
            parameter.zero_()
        bias = density.out.bias.view(5, -1)
        bias[1], bias[2], bias[3], bias[4] = 1.0, -20.0, -30.0, -30.0  # mean, spread, neither last nor needed step
    for interval_s in (REFERENCE_S, REFERENCE_S / 2):
        interval = torch.full_like(batch.routes.interval_s, interval_s)
        routes = replace(batch.routes, interval_s=interval, distance_m=torch.full_like(batch.routes.distance_m, 1e6))
        steps = torch.diff(drawn_by(density, routes), dim=1)[:, :5]
        assert steps.median().item() == pytest.approx(STEP_M * interval_s / REFERENCE_S, rel=0.05)


def test_likelihoods_are_those_of_a_logistic_density_by_hand():
    """One component of mean 0.5 and spread 0.1, in units: what rests, what goes, what has arrived."""
    mixture = tuple(torch.tensor([[[value]]]) for value in (0.0, 0.5, math.log(0.1)))
    per_step = torch.tensor([[1 / STEP_M]])

    def of(step, *, arrived=False):
        given = torch.tensor([[step]]), per_step, torch.tensor([[arrived]])
        return StepDensity._log_likelihood(mixture, *given).item()

    def cumulative(x):
        return 1 / (1 + math.exp(-(x - 0.5) / 0.1))

    share = cumulative(0.7)
    assert of(0.0) == pytest.approx(math.log(cumulative(REST_M / STEP_M)), rel=1e-4)
    assert of(0.7) == pytest.approx(math.log(share * (1 - share) / 0.1), rel=1e-4)
    assert of(0.7, arrived=True) == pytest.approx(math.log(1 - share), rel=1e-4)


def test_it_learns_cars_that_stand_half_of_the_time(density, batch):
    """Cars that stand still with even odds and go 100 m otherwise: so do the draws, and hardly anything between."""
    generator = torch.Generator().manual_seed(5)
    wide = replace(batch.routes, distance_m=50.0 * (batch.routes.points - 1))  # what such cars drive in the mean
    optimizer = torch.optim.Adam(density.parameters(), 5e-3)
    mask, shape = wide.point_mask, wide.point_mask.shape
    for _ in range(150):
        going = torch.rand(shape, generator=generator) < 0.5
        jitter = 1 + 0.02 * torch.randn(shape, generator=generator)
        along_m = torch.cumsum(torch.where(going, 100.0 * jitter, 0.0), dim=1)
        loss = density.loss(known_of(density, wide), along_m, mask)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    known, inner = known_of(density, wide), []
    for _ in range(10):
        uniform = torch.rand(*shape, 2, generator=generator)
        steps = torch.diff(density.draw(known, torch.zeros(len(LENGTHS)), uniform), dim=1)
        inner.append(steps[torch.arange(1, shape[1])[None] < wide.points[:, None] - 1])
    drawn = torch.cat(inner)
    assert (drawn == 0).float().mean().item() == pytest.approx(0.5, abs=0.12)
    assert ((drawn > 80) & (drawn < 120)).float().mean().item() == pytest.approx(0.5, abs=0.12)
