"""Check the residual quantization: the gradient of every layer, codes there and back, the start and the dead codes."""

from __future__ import annotations

import pytest
import torch

from htp.tokenizer.quantizer import Quantizer


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


@pytest.fixture
def quantizer(tiny_config):
    return Quantizer(tiny_config())


@pytest.fixture
def embedded():
    return torch.randn(6, 20, 32), torch.arange(20)[None] < torch.arange(15, 21)[:, None]


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_the_commitment_of_every_layer_gives_the_encoder_a_gradient(quantizer, layer):
    vectors = torch.randn(1, 100, 8, requires_grad=True)
    _, _, losses = quantizer.residual(vectors)
    losses.flatten()[layer].backward()
    assert vectors.grad.norm() > 1e-4


def test_the_gradient_of_a_deeper_layer_is_that_of_its_detached_residual(quantizer):
    vectors = torch.randn(1, 100, 8, requires_grad=True)
    quantizer.residual(vectors)  # k-means
    quantizer.eval()
    quantizer.residual.train(mode=False)
    _, codes, _ = quantizer.residual(vectors)
    books = quantizer.residual.codebooks
    residual = vectors - books[0][codes[..., 0]].detach()  # equation 4
    expected = (residual - books[1][codes[..., 1]].detach()).square().mean()
    expected.backward()
    assert vectors.grad.abs().sum() > 0


def test_codes_stand_for_the_embedding_that_they_were_made_from(quantizer, embedded):
    h, mask = embedded
    quantizer.train()(h, mask)
    quantizer.eval()
    quantized, codes, _ = quantizer(h, mask)
    torch.testing.assert_close(quantizer.look_up(codes)[mask], quantized[mask], atol=1e-5, rtol=1e-5)
    for layer, size in enumerate((4, 6, 8)):
        assert codes[..., layer].max() < size
        assert codes[..., layer].min() >= 0


def test_each_layer_refines_the_one_before(quantizer, embedded):
    h, mask = embedded
    quantizer.train()(h, mask)
    vectors = quantizer.project_in(h[mask])
    codes = quantizer.eval()(h, mask)[1][mask]
    books = quantizer.residual.codebooks
    left = [vectors - sum(books[i][codes[:, i]] for i in range(layers)) for layers in range(4)]
    errors = [residual.square().sum(dim=1).mean().item() for residual in left]
    assert errors == sorted(errors, reverse=True)
    assert errors[3] < 0.6 * errors[0]


def test_padding_is_neither_quantized_nor_learned_from(quantizer, embedded):
    h, mask = embedded
    quantizer.train()(h, mask)
    quantizer.eval()
    first = quantizer(h, mask)
    other = quantizer(torch.where(mask[:, :, None], h, torch.full_like(h, 50.0)), mask)
    for a, b in zip(first, other, strict=True):
        torch.testing.assert_close(a, b)
    assert (first[0][~mask] == 0).all()


def test_the_codebooks_start_from_k_means_of_the_first_patterns(quantizer):
    centres = torch.randn(4, 32) * 5
    h = centres[torch.arange(200) % 4][None] + 0.01 * torch.randn(1, 200, 32)
    quantizer.train()(h, torch.ones(1, 200, dtype=torch.bool))
    vectors = quantizer.project_in(h[0])
    nearest = torch.cdist(quantizer.residual.codebooks[0], vectors).amin(dim=1)
    spread = torch.cdist(vectors[:4], vectors[:4]).mean()
    assert (nearest < 0.6 * spread).all()  # a mean of two clusters at worst
    assert (nearest < 0.05 * spread).sum() >= 2


def test_a_dead_code_is_revived_where_patterns_are(quantizer, embedded):
    h, mask = embedded
    quantizer.train()(h, mask)
    book = quantizer.residual.layers[0]._codebook
    book.embed[0, 2] = 1000.0
    book.embed_avg[0, 2] = 1000.0
    book.cluster_size[0, 2] = 0.0
    quantizer(h, mask)
    assert quantizer.residual.codebooks[0][2].abs().max() < 10.0


def test_nothing_changes_a_quantizer_that_is_not_trained(quantizer, embedded):
    quantizer.train()(*embedded)
    before = {name: tensor.clone() for name, tensor in quantizer.eval().state_dict().items()}
    quantizer(*embedded)
    for name, tensor in quantizer.state_dict().items():
        torch.testing.assert_close(tensor, before[name], msg=name)
