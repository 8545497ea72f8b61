"""Offer HTP and its ablations in a size that is trained and drawn from in a moment."""

from __future__ import annotations

import string
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
import torch
from transformers import BertConfig, BertModel, BertTokenizerFast

from htp.config import LanguageConfig, LanguageTraining, TokenizerConfig, TokenizerTraining
from htp.language import anchors
from htp.methods.ablations import without_llm
from htp.methods.ablations.whole import HTPConfig
from htp.methods.budget import Budget
from htp.methods.registry import ABLATIONS, METHODS
from htp.tokenizer import offsets_train

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import geopandas as gpd

    from htp.city.network import City
    from htp.methods.protocol import Method

TINY = HTPConfig(
    TokenizerConfig((4, 6, 8, 10), (16, 16, 16, 32), quantizer_dim=8, head_dim=16, road_dim=16, road_layers=1),
    LanguageConfig(hidden=32, layers=1, heads=2, kv_heads=1, intermediate=32, text_vocabulary=300),
    TokenizerTraining(batch_size=8),
    LanguageTraining(batch_size=8),
)
POINTS = (20, 33, 60, 24, 41, 28, 35, 22, 50, 26)


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder as the package of the sentence encoder is installed, with a small encoder of random weights."""
    folder = tmp_path_factory.mktemp("package") / "model"
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *string.printable.split()[0]]
    pieces += [f"##{letter}" for letter in string.ascii_lowercase + string.digits]
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(pieces))
    BertTokenizerFast(vocab_file=str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(0)
    sizes = {"hidden_size": without_llm.WIDTH, "num_hidden_layers": 1, "intermediate_size": 16}
    BertModel(BertConfig(vocab_size=len(pieces), **sizes)).save_pretrained(folder)
    return folder.parent


@pytest.fixture(scope="module", autouse=True)
def encoder_installed(encoder_folder: Path) -> Iterator[None]:
    """Let the small encoder stand for the package, installed or not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(without_llm, "find_spec", lambda _: SimpleNamespace(submodule_search_locations=[encoder_folder]))
        yield


@pytest.fixture(scope="module", autouse=True)
def soon_learned() -> Iterator[None]:
    """Train offsets for two steps and the first idea of anchors for ten: what they learn is tested elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(offsets_train, "EPOCHS", 0)
        patch.setattr(offsets_train, "MIN_STEPS", 2)
        patch.setattr(anchors, "STEPS", 10)
        yield


@pytest.fixture(scope="session")
def trips(grid: City, random_trips: Callable[..., gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    """Return ten prepared trips through the grid."""
    return random_trips(grid, POINTS, seed=4)


@pytest.fixture(scope="session", params=list(ABLATIONS))
def name(request: pytest.FixtureRequest) -> str:
    """Return each of the variants' names, one after another."""
    return request.param


@pytest.fixture(scope="session")
def tiny(grid: City, trips: gpd.GeoDataFrame) -> Callable[[str], Method]:
    """Return what gives the variant of a name, trained for two epochs; the same one each time."""

    @cache
    @torch.enable_grad()  # whoever asks for it first
    def trained(name: str) -> Method:
        return METHODS[name].made_by(TINY).fit(trips, grid, Budget(epochs=2), seed=1, report=lambda _: None)

    return trained
