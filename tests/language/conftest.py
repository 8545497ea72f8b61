"""Offer a small language model with strong random weights over the grid, with questions and valid answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from htp.config import LanguageConfig
from htp.language.batch import Answer
from htp.language.language import Language
from htp.language.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable

    from htp.city.network import City
    from htp.language.prompt import PromptConditions, Question

SIZES = (4, 6, 8)
FEATURES = 5


@pytest.fixture(scope="session")
def vocabulary(grid: City) -> Vocabulary:
    """Return the tokens of three codebooks and the roads of the grid."""
    return Vocabulary(SIZES, len(grid))


@pytest.fixture(scope="session")
def road_features(grid: City) -> torch.Tensor:
    """Return what is known of the grid's roads: chance."""
    return torch.randn(len(grid), FEATURES, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="session")
def new_language(
    grid: City, vocabulary: Vocabulary, road_features: torch.Tensor, facts: PromptConditions
) -> Callable[[], Language]:
    """Return what makes an untrained built-in model; the same one every time."""

    def make() -> Language:
        torch.manual_seed(0)
        config = LanguageConfig(hidden=32, layers=2, heads=2, kv_heads=1, intermediate=32, text_vocabulary=300)
        return Language.new(config, vocabulary, road_features, facts, grid)

    return make


@pytest.fixture(scope="session")
def language(new_language: Callable[[], Language]) -> Language:
    """Return a model that tells tokens apart, with strong random weights; not to be changed."""
    language = new_language()
    torch.manual_seed(1)
    for name, parameter in language.model.named_parameters():
        if name.startswith(("rows.", "query", "key", "progress", "place")):
            torch.nn.init.normal_(parameter, std=0.4)
    language.model.eval()
    return language


@pytest.fixture(scope="session")
def questions(language: Language, facts: PromptConditions, grid: City) -> list[Question]:
    """Return the questions of the five trips."""
    return language.ask(facts, grid)


@pytest.fixture(scope="session")
def answers(facts: PromptConditions) -> list[Answer]:
    """Return valid answers: anchors that never fall and end on the last road, codes in range."""
    rng, made = np.random.default_rng(0), []
    for roads, points in zip(facts.roads, facts.points, strict=True):
        patterns = -(-points // 8)
        anchors = np.sort(rng.integers(0, len(roads), patterns))
        anchors[-1] = len(roads) - 1
        codes = np.stack([rng.integers(0, size, patterns) for size in SIZES], axis=1)
        made.append(Answer(anchors.astype(np.int32), codes.astype(np.int16)))
    return made
