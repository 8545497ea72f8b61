"""Check the density of offsets: it learns a known process and draws it again, each trip from its own numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from htp.tokenizer.offsets import LEVELS, OFFSET_M, OffsetDensity, movement_of

KEPT, SPREAD_M = 0.9, 4.0  # an AR(1) process: each offset is 0.9 of the last one plus noise, 4 m in all


@pytest.fixture(scope="module")
def noise():
    torch.manual_seed(0)
    return OffsetDensity()


@pytest.fixture(scope="module")
def learned():
    """Return a density that learned the process from 64 trips of 48 points at a time, for 300 steps."""
    torch.manual_seed(0)
    noise, process = OffsetDensity(), np.random.default_rng(0)
    optimizer = torch.optim.Adam(noise.parameters(), lr=1e-2)
    for step in range(300):
        for group in optimizer.param_groups:
            group["lr"] = 1e-2 * (1 - step / 300)
        loss = noise.loss(state(64, 48), torch.from_numpy(made_up_offsets(process, 64, 48)), everywhere(64, 48))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return noise


def made_up_offsets(rng, trips, points):
    offset, fresh = rng.normal(0, SPREAD_M, (trips, points, 2)), SPREAD_M * math.sqrt(1 - KEPT**2)
    for place in range(1, points):
        offset[:, place] = KEPT * offset[:, place - 1] + offset[:, place] / SPREAD_M * fresh
    return offset.astype(np.float32)


def state(trips, points):
    """Return the movement of cars that go straight on at a steady speed."""
    return movement_of(
        torch.arange(points).float().expand(trips, -1) * 100, torch.zeros(trips, points, 2), torch.full((trips,), 15.0)
    )


def wandering(trips, points):
    return movement_of(
        torch.rand(trips, points).cumsum(1) * 80, torch.rand(trips, points, 2) - 0.5, torch.full((trips,), 15.0)
    )


def everywhere(trips, points):
    return torch.ones(trips, points, dtype=torch.bool)


def numbers(trips, points, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(trips, points, generator=generator), torch.randn(trips, points, 2, generator=generator)


def test_it_learns_the_density_of_an_autoregressive_process(learned):
    offset = torch.from_numpy(made_up_offsets(np.random.default_rng(1), 100, 48))
    with torch.no_grad():
        found = learned.loss(state(100, 48), offset, everywhere(100, 48)).item()
    fresh = SPREAD_M * math.sqrt(1 - KEPT**2) / OFFSET_M
    best = 1 + 2 * math.log(fresh)  # of two coordinates, without the constant log 2 pi, all points but the first
    assert best < found < best + 0.1


def test_what_it_draws_spreads_and_lasts_like_what_it_learned_from(learned):
    drawn = learned.draw(state(400, 48), *numbers(400, 48)).numpy()
    assert drawn.std() == pytest.approx(SPREAD_M, rel=0.15)
    assert np.abs(drawn.mean(axis=(0, 1))).max() < 1.0
    later = drawn[:, 10:]  # away from the start
    lag_1 = np.corrcoef(later[:, 1:, 0].ravel(), later[:, :-1, 0].ravel())[0, 1]
    assert lag_1 == pytest.approx(KEPT, abs=0.05)


def test_a_draw_depends_on_its_own_numbers_alone(noise):
    movement = wandering(3, 16)
    uniform, normal = numbers(3, 16)
    together = noise.draw(movement, uniform, normal)
    alone = noise.draw(movement[1:2], uniform[1:2], normal[1:2])
    torch.testing.assert_close(alone, together[1:2], atol=1e-4, rtol=1e-5)


def test_a_draw_does_not_depend_on_the_numbers_of_later_points(noise):
    movement = wandering(1, 16)
    uniform, normal = numbers(1, 16)
    first = noise.draw(movement, uniform, normal)
    normal[:, 9:] = 3.0
    second = noise.draw(movement, uniform, normal)
    torch.testing.assert_close(second[:, :9], first[:, :9], atol=0, rtol=0)
    assert (second[:, 9:] != first[:, 9:]).all()


@pytest.mark.parametrize("scale_m", [0.0, 5.0, 1e4], ids=["on the road", "a few metres", "a jump of 10 km"])
def test_the_loss_is_finite_whatever_the_receiver_did(noise, scale_m):
    offset = torch.randn(2, 16, 2) * scale_m
    loss = noise.loss(state(2, 16), offset, everywhere(2, 16))
    loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(p.grad).all() for p in noise.parameters())
    noise.zero_grad()


def test_points_that_are_padding_do_not_count(noise):
    movement = wandering(1, 16)
    offset, mask = torch.randn(1, 16, 2), torch.arange(16)[None] < 9
    padded = noise.loss(movement, torch.where(mask[..., None], offset, torch.tensor(99.0)), mask)
    torch.testing.assert_close(noise.loss(movement, offset, mask), padded)


def test_movement_is_the_step_before_the_step_after_and_the_turn():
    along_m, turn = torch.tensor([[0.0, 50.0, 150.0]]), torch.tensor([[[0.0, 0.0], [-1.0, 1.0], [0.0, 0.0]]])
    found = movement_of(along_m, turn, torch.tensor([15.0]))
    assert found[0].tolist() == [[0.0, 1.0, 0.0, 0.0], [1.0, 2.0, -1.0, 1.0], [2.0, 0.0, 0.0, 0.0]]


def test_a_step_is_told_as_a_speed_whatever_the_interval():
    along_m, turn = torch.tensor([[0.0, 50.0, 150.0]]), torch.zeros(1, 3, 2)
    slow = movement_of(along_m, turn, torch.tensor([15.0]))
    assert torch.allclose(movement_of(along_m / 3, turn, torch.tensor([5.0])), slow)


def test_calibration_gives_the_draws_the_sizes_of_real_offsets(noise):
    numbers_of = numbers(200, 16)
    movement = wandering(200, 16)
    raw = noise.draw_uncalibrated(movement, *numbers_of)
    noise.calibrate(raw[..., 1].flatten(), 3 * raw[..., 1].flatten())
    drawn = noise.draw(movement, *numbers_of)
    large = raw[..., 1].abs() > 1.0  # below it half a centimetre a level tells quantiles apart
    torch.testing.assert_close(drawn[..., 1][large], 3 * raw[..., 1][large], rtol=0.1, atol=0.1)
    torch.testing.assert_close(drawn[..., 0], raw[..., 0], rtol=0, atol=0)
    noise.calibrate(raw[..., 1].flatten(), raw[..., 1].flatten())


def test_quantiles_that_are_all_the_same_are_still_told_apart():
    noise = OffsetDensity()
    noise.calibrate(torch.zeros(100), torch.zeros(100))
    assert (noise.drawn_m.half().diff() > 0).all()
    assert len(noise.drawn_m) == len(LEVELS)
    assert noise.draw(wandering(2, 16), *numbers(2, 16)).isfinite().all()
