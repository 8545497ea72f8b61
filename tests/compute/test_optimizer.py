"""Tests for htp.compute.optimizer: Muon against PyTorch's own, and what it makes orthogonal."""

from __future__ import annotations

import torch

from htp.compute.optimizer import Muon, orthogonal


def test_singular_values_come_near_one_whatever_the_shape():
    torch.manual_seed(0)
    for shape in ((3, 16, 16), (2, 24, 8), (2, 8, 24)):
        values = torch.linalg.svdvals(orthogonal(torch.randn(shape)))
        assert values.min() > 0.3  # the iteration ends between 0.7 and 1.2, but for values near zero
        assert values.max() < 1.3


def test_steps_are_those_of_pytorchs_muon_but_for_its_bfloat16():
    torch.manual_seed(0)
    shapes = [(16, 8), (8, 16), (16, 8)]
    ours = [torch.nn.Parameter(torch.randn(shape)) for shape in shapes]
    theirs = [torch.nn.Parameter(one.detach().clone()) for one in ours]
    settings = {"weight_decay": 0.01, "adjust_lr_fn": "match_rms_adamw"}
    optimizers = Muon(ours, 0.01, 0.01), torch.optim.Muon(theirs, 0.01, **settings)
    before = [one.detach().clone() for one in ours]
    for _ in range(4):
        for one, other in zip(ours, theirs, strict=True):
            one.grad = torch.randn_like(one)
            other.grad = one.grad.clone()
        for optimizer in optimizers:
            optimizer.step()
    for one, other, start in zip(ours, theirs, before, strict=True):
        assert (one - other).norm() < 0.03 * (one - start).norm()


def test_a_matrix_without_a_gradient_stays():
    matrix = torch.nn.Parameter(torch.ones(4, 4))
    Muon([matrix], 0.1, 0.1).step()
    assert torch.equal(matrix.detach(), torch.ones(4, 4))
