"""Check the noise schedule by hand and the samplers against predictors that are known to be right."""

from __future__ import annotations

import pytest
import torch

from htp.methods.baselines.baseline import DiffusionSampling
from htp.methods.baselines.data import Streams
from htp.methods.baselines.diffusion import Schedule, ddim_times

CPU = torch.device("cpu")


@pytest.fixture
def schedule():
    return Schedule(500, 1e-4, 0.05)


def knowing(schedule, clean):
    """Return the predictor that knows what lies under the noise."""

    def predict(x, step):
        kept = schedule.kept[step].reshape(-1, *[1] * (x.ndim - 1))
        return (x - kept.sqrt() * clean) / (1 - kept).sqrt()

    return predict


def test_three_steps_of_noise_by_hand():
    schedule = Schedule(3, 0.1, 0.3)
    torch.testing.assert_close(schedule.betas, torch.tensor([0.1, 0.2, 0.3]))
    torch.testing.assert_close(schedule.kept, torch.tensor([0.9, 0.9 * 0.8, 0.9 * 0.8 * 0.7]))
    x, noise = torch.tensor([[2.0], [2.0]]), torch.tensor([[1.0], [-1.0]])
    noised = schedule.noised(x, torch.tensor([0, 2]), noise)
    torch.testing.assert_close(noised, torch.tensor([[0.9**0.5 * 2 + 0.1**0.5], [0.504**0.5 * 2 - 0.496**0.5]]))


def test_almost_nothing_is_left_at_the_end_of_the_published_schedules(schedule):
    assert schedule.kept[-1] < 1e-5
    assert Schedule(1000, 1e-4, 0.02).kept[-1] < 1e-4


def test_steps_come_in_pairs_from_both_ends(schedule):
    torch.manual_seed(0)
    even, odd = schedule.random_steps(8), schedule.random_steps(5)
    assert ((even[:4] + even[4:]) == 499).all()
    assert len(odd) == 5
    assert ((odd[:2] + odd[3:]) == 499).all()


def test_ddim_visits_every_fifth_of_500_steps_as_published():
    assert ddim_times(500, 100) == list(range(495, -1, -5))
    assert ddim_times(1000, 100) == list(range(990, -1, -10))
    assert ddim_times(10, 4) == [7, 5, 2, 0]
    assert ddim_times(6, 100) == [5, 4, 3, 2, 1, 0]


@pytest.mark.parametrize(
    "sampling", [DiffusionSampling(steps=1), DiffusionSampling(steps=30), DiffusionSampling(sampler="ddpm")], ids=str
)
def test_a_perfect_predictor_leads_back_to_the_clean_points(sampling, schedule):
    clean = torch.linspace(-1, 1, 12).reshape(2, 2, 3)
    found = schedule.sample(knowing(schedule, clean), Streams(0, [0, 1], CPU), (2, 3), sampling)
    torch.testing.assert_close(found, clean, atol=1e-3, rtol=0)


@pytest.mark.parametrize("sampling", [DiffusionSampling(), DiffusionSampling(sampler="ddpm")], ids=["ddim", "ddpm"])
def test_the_best_predictor_for_a_gaussian_draws_that_gaussian(sampling, schedule):
    mean, deviation = 0.7, 0.3

    def predict(x, step):
        kept = schedule.kept[step][:, None]
        return (1 - kept).sqrt() * (x - kept.sqrt() * mean) / (kept * deviation**2 + 1 - kept)

    drawn = schedule.sample(predict, Streams(1, [0], CPU), (20_000,), sampling)
    assert drawn.mean().item() == pytest.approx(mean, abs=0.01)
    assert drawn.std().item() == pytest.approx(deviation, abs=0.02)


def test_the_loss_is_the_error_of_the_predicted_noise(schedule):
    x = torch.randn(2000, 2, 3)
    assert schedule.loss(knowing(schedule, x), x).item() == pytest.approx(0.0, abs=1e-5)
    assert schedule.loss(lambda x, _: torch.zeros_like(x), x).item() == pytest.approx(1.0, abs=0.05)


def test_a_trips_numbers_depend_on_seed_and_place_alone():
    alone, among = Streams(7, [3], CPU), Streams(7, [1, 3], CPU)
    for _ in range(2):  # the stream goes on
        torch.testing.assert_close(alone.normal(4)[0], among.normal(4)[1], rtol=0, atol=0)
    assert not torch.equal(Streams(7, [3], CPU).normal(4), Streams(8, [3], CPU).normal(4))
    assert not torch.equal(Streams(7, [3], CPU).normal(4), Streams(7, [4], CPU).normal(4))
