"""Check that our own loop over the built-in backbone reads what `transformers` reads."""

from __future__ import annotations

import pytest
import torch

from htp.language.kv_cache import DynamicKVCache, InPlaceKVCache, kv_cache_of

STEPS = 3


def padded(*counts):
    """Return a mask of texts with so many tokens, padding on the left."""
    width = max(counts)
    return torch.stack([torch.arange(width) >= width - count for count in counts])


def all_read(kv_cache, embedded, mask, steps, shared=None):
    """Return the hidden states of the shared tokens, of the next ones and of the steps; padding's as zeros."""
    states = [] if shared is None else [kv_cache.share(shared)]
    states.append(kv_cache.read(embedded, mask) * mask[..., None])
    return [*states, *(kv_cache.step(one) for one in steps)]


@pytest.fixture
def backbone(language):
    return language.model.backbone


@pytest.fixture
def random(backbone):
    torch.manual_seed(3)
    return lambda *shape: torch.randn(*shape, backbone.config.hidden_size)


@pytest.mark.parametrize("shared", [0, 7])
@pytest.mark.parametrize("counts", [(9, 9), (4, 9, 1, 6), (1,)])
def test_both_readers_read_the_same(backbone, random, counts, shared):
    embedded, mask, steps = random(len(counts), max(counts)), padded(*counts), random(STEPS, len(counts))
    before = random(1, shared) if shared else None
    with torch.inference_mode():
        ours = all_read(InPlaceKVCache(backbone, len(counts), max(counts) + STEPS), embedded, mask, steps, before)
        theirs = all_read(DynamicKVCache(backbone, len(counts)), embedded, mask, steps, before)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("kind", ["ours", "theirs"])
def test_texts_that_leave_change_nothing_for_those_that_stay(backbone, random, kind):
    counts = (2, 5, 3, 5)
    embedded, mask, shared, steps = random(4, 5), padded(*counts), random(1, 6), random(STEPS, 4)

    def readers():
        return InPlaceKVCache(backbone, 4, 8) if kind == "ours" else DynamicKVCache(backbone, 4)

    with torch.inference_mode():
        stayed, left = readers(), readers()
        for kv_cache in (stayed, left):
            kv_cache.share(shared)
            kv_cache.read(embedded, mask)
            kv_cache.step(steps[0])
        left.leave(2)
        for step in steps[1:]:
            torch.testing.assert_close(left.step(step[2:]), stayed.step(step)[2:], atol=1e-5, rtol=1e-5)


def test_questions_read_in_several_runs_are_as_those_read_at_once(backbone, random, monkeypatch):
    counts = (3, 8, 5, 8)
    embedded, mask, steps = random(4, 8), padded(*counts), random(STEPS, 4)
    with torch.inference_mode():
        at_once = all_read(InPlaceKVCache(backbone, 4, 11), embedded, mask, steps)
        monkeypatch.setattr("htp.compute.batching.CPU_TOKENS", 9)
        in_runs = all_read(InPlaceKVCache(backbone, 4, 11), embedded, mask, steps)
    for one, other in zip(in_runs, at_once, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


def test_the_built_in_backbone_has_its_own_reader_and_every_other_the_general_one(backbone):
    assert isinstance(kv_cache_of(backbone, 1, 1), InPlaceKVCache)
    assert isinstance(kv_cache_of(torch.nn.Module(), 1, 1), DynamicKVCache)
