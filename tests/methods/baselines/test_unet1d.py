"""Check the sizes of the UNets against the published ones and what their blocks do."""

from __future__ import annotations

import pytest
import torch

from htp.methods.baselines.attention import attend
from htp.methods.baselines.unet1d import ResBlock, StepEmbedding, UNet1d, UNetShape, Upsample, sinusoid


def weights(*modules):
    return sum(weight.numel() for module in modules for weight in module.parameters())


def test_difftrajs_unet_has_its_published_size():
    shape = UNetShape(128, (1, 2, 2, 2), 512, 0.1)
    # 16,196,354 in all, measured, less two embeddings of attributes of 864,768
    assert weights(UNet1d(shape), StepEmbedding(128, 512)) == 16_196_354 - 2 * 864_768


@pytest.mark.parametrize("length", [8, 13, 15, 200])
@pytest.mark.parametrize("context", [None, 6], ids=["alone", "looking"])
def test_any_length_goes_in_and_comes_out(length, context):
    net = UNet1d(UNetShape(4, (1, 2, 2, 2), 8, groups=2, attended=(1,) if context else (), context_width=context))
    looked_at = None if context is None else torch.randn(2, 3, context)
    assert net(torch.randn(2, 2, length), torch.randn(2, 8), looked_at).shape == (2, 2, length)


def test_a_trip_does_not_see_the_others_of_its_batch():
    torch.manual_seed(0)
    net = UNet1d(UNetShape(8, (1, 2), 8, groups=2, attended=(0,), context_width=4)).eval()
    x, told, context = torch.randn(3, 2, 10), torch.randn(3, 8), torch.randn(3, 5, 4)
    torch.testing.assert_close(net(x, told, context)[1:2], net(x[1:2], told[1:2], context[1:2]))


def test_step_and_context_reach_the_result():
    torch.manual_seed(0)
    net = UNet1d(UNetShape(8, (1, 2), 8, groups=2, attended=(0,), context_width=4)).eval()
    x, told, context = torch.randn(1, 2, 10), torch.randn(1, 8), torch.randn(1, 5, 4)
    found = net(x, told, context)
    assert not torch.allclose(net(x, told + 1, context), found)
    assert not torch.allclose(net(x, told, context + torch.randn(1, 5, 4)), found)


def test_norms_over_single_channels_would_not_hear_the_step():
    torch.manual_seed(0)
    x = torch.randn(1, 8, 10)
    deaf, hearing = (ResBlock(8, 8, UNetShape(8, (1,), 4, groups=groups)).eval() for groups in (8, 2))
    one, other = torch.ones(1, 4), -torch.ones(1, 4)
    torch.testing.assert_close(deaf(x, one), deaf(x, other), atol=1e-5, rtol=0)
    assert not torch.allclose(hearing(x, one), hearing(x, other), atol=1e-2)


def test_every_point_is_doubled_and_the_surplus_cut():
    layer = Upsample(1)
    torch.nn.init.dirac_(layer.conv.weight)
    torch.nn.init.zeros_(layer.conv.bias)
    x = torch.tensor([[[1.0, 2.0, 3.0]]])
    assert layer(x, 6).tolist() == [[[1, 1, 2, 2, 3, 3]]]
    assert layer(x, 5).tolist() == [[[1, 1, 2, 2, 3]]]


def test_waves_of_a_place_by_hand():
    found = sinusoid(torch.tensor([0, 1]), 4)
    torch.testing.assert_close(found[0], torch.tensor([0.0, 0.0, 1.0, 1.0]))
    torch.testing.assert_close(found[1], torch.tensor([0.8414710, 1e-4, 0.5403023, 1.0]))


def test_attention_agrees_with_torchs_own():
    torch.manual_seed(0)
    query, key, value = torch.randn(2, 5, 8), torch.randn(2, 7, 8), torch.randn(2, 7, 8)
    mask = torch.arange(7)[None] < torch.tensor([7, 4])[:, None]
    split = [part.unflatten(-1, (2, -1)).transpose(1, 2) for part in (query, key, value)]
    expected = torch.nn.functional.scaled_dot_product_attention(*split, attn_mask=mask[:, None, None])
    found = attend(query, key, value, heads=2, mask=mask)
    torch.testing.assert_close(found, expected.transpose(1, 2).flatten(2))
