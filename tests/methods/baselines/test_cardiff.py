"""Check what is Cardiff's own: roads given or made up, attributes, the frozen autoencoder, middles of roads."""

from __future__ import annotations

import numpy as np
import shapely
import torch

from htp.methods.baselines.baseline import DiffusionSampling
from htp.methods.baselines.cardiff import CardiffNetwork, ModulatedLayer, RoadDiT, places_of
from htp.methods.baselines.data import AttributeBatch, Normalisation
from htp.methods.baselines.segments import numbered


def coordinates(made):
    return shapely.get_coordinates(made.geometry.to_numpy())


def test_the_middle_of_each_road_is_placed_in_the_box_of_the_city(triangle):
    places = places_of(triangle).numpy()
    np.testing.assert_array_equal(places[:3], 0.0)
    np.testing.assert_allclose(
        places[3:], [[0, -1], [1, 0], [0, 0]], atol=0.03
    )  # AB, BC, CA; metres lie a little askew


def test_it_takes_the_road_asked_for_or_makes_up_its_own(tiny, trips):
    moved = trips.assign(roads=[np.array(route)[::-1] for route in trips["roads"]])
    given, own = DiffusionSampling(steps=5), DiffusionSampling(steps=5, own_roads=True)
    draw = tiny("cardiff").generate
    assert np.abs(coordinates(draw(trips, sampling=given)) - coordinates(draw(moved, sampling=given))).max() > 0
    np.testing.assert_array_equal(coordinates(draw(trips, sampling=own)), coordinates(draw(moved, sampling=own)))
    assert np.abs(coordinates(draw(trips, sampling=given)) - coordinates(draw(trips, sampling=own))).max() > 0


def test_own_roads_are_the_same_whatever_the_batch(tiny, trips):
    together = tiny("cardiff").generate(trips, sampling=DiffusionSampling(steps=3, own_roads=True))
    apart = tiny("cardiff").generate(trips, sampling=DiffusionSampling(steps=3, own_roads=True, batch_size=3))
    np.testing.assert_allclose(coordinates(apart), coordinates(together), atol=5e-6)


def test_the_loss_trains_both_stages_but_not_the_frozen_autoencoder(untrained, trips, grid):
    network = CardiffNetwork(untrained("cardiff").config, grid)
    network.segments.requires_grad_(requires_grad=False).eval()
    wanted = AttributeBatch.of(trips, grid, Normalisation.of(trips, grid))
    network.loss(torch.randn(len(trips), 2, 15), numbered(wanted.roads, 128), wanted).backward()
    assert network.roads.leave.weight.grad.abs().sum() > 0
    assert network.unet.leave.weight.grad.abs().sum() > 0
    assert network.told_noise.layers[0].weight.grad.abs().sum() > 0
    assert all(weight.grad is None for weight in network.segments.parameters())


def test_the_autoencoder_comes_first(tiny):
    assert [stage["stage"] for stage in tiny("cardiff").trained] == ["segments", "diffusion"]
    assert not any(weight.requires_grad for weight in tiny("cardiff").model.segments.parameters())


def test_a_new_layer_changes_nothing_and_a_new_network_says_nothing():
    h, told = torch.randn(2, 4, 8), torch.randn(2, 8)
    torch.testing.assert_close(ModulatedLayer(8, 2)(h, told), h)
    found = RoadDiT(4, 6, 8, 2, 2)(torch.randn(2, 4, 6), told)
    torch.testing.assert_close(found, torch.zeros(2, 4, 6))


def test_it_learns_what_the_condition_says():
    torch.manual_seed(0)
    net = RoadDiT(4, 6, 16, 1, 2)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
    told = torch.cat([torch.ones(8, 16), -torch.ones(8, 16)])
    asked = torch.cat([torch.ones(8, 4, 6), torch.zeros(8, 4, 6)])
    for _ in range(60):
        loss = (net(torch.randn(16, 4, 6), told) - asked).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.05
