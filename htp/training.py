"""Make a checkpoint: train each stage on prepared trips and keep beside it all that generation needs.

The stages themselves know neither files nor each other; what is trained on what is decided here.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import torch

from htp.checkpoint import Checkpoint
from htp.city.network import City
from htp.errors import InputError
from htp.generate import facts_of, load_tokenizer
from htp.language.batch import Answer
from htp.language.language import Language
from htp.language.train import QuestionsAndAnswers, fit
from htp.language.vocabulary import Vocabulary
from htp.prepare.travel_time import TravelTimeModel
from htp.tokenizer.codec import Patterns, Tokenizer
from htp.tokenizer.features import describe
from htp.tokenizer.train import TokenizerTrainer
from htp.trips import compact, read_trips, write_trips

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import geopandas as gpd

    from htp.config import LanguageConfig, LanguageTraining, TokenizerConfig, TokenizerTraining

CHECKED = 1000  # held-out trips on which a training reports its error
COLUMNS = ["trip_id", "start_time", "interval", "roads", "percent", "offset", "geometry"]


def train_tokenizer(  # noqa: PLR0913  the command's options
    data: Path,
    city_folder: Path,
    out: Path,
    config: TokenizerConfig,
    settings: TokenizerTraining,
    *,
    start: Path | None = None,
    report: Callable[[dict], None] = print,
) -> None:
    """Train stage 1 on `data`/train.parquet, anew or from the tokenizer of the checkpoint `start`."""
    files, city = Checkpoint(out), City.load(city_folder)
    if files.language.exists():
        raise InputError(f"{out}: holds a language model, useless with another tokenizer; choose another --out.")
    train, heldout = _prepared(data, "train"), _prepared(data, "heldout").iloc[:CHECKED]
    if start is None:
        tokenizer = Tokenizer.new(config, city, seed=settings.seed)
    else:
        tokenizer = Tokenizer.moved(Checkpoint(start).tokenizer, city, seed=settings.seed)
    inputs = tokenizer.model.config.inputs
    samples, checked = describe(train, city, inputs=inputs), describe(heldout, city, inputs=inputs)
    city.save(files.city)
    _write_settings(files.tokenizer, settings)
    TokenizerTrainer(tokenizer, settings, files.tokenizer).fit(samples, checked, report)
    files.seal()


def train_language(
    data: Path,
    checkpoint: Path,
    settings: LanguageTraining,
    *,
    base: str | None = None,
    config: LanguageConfig,
    report: Callable[[dict], None] = print,
) -> None:
    """Train stage 2 on `data`/train.parquet with the checkpoint's tokenizer; add travel times and held-out trips."""
    files, tokenizer = Checkpoint(checkpoint), load_tokenizer(checkpoint)
    city, train = tokenizer.city, _prepared(data, "train")
    facts, patterns = facts_of(train, city), tokenizer.encode(train)
    torch.manual_seed(settings.seed)
    vocabulary = Vocabulary(tuple(tokenizer.model.config.codebook_sizes), len(city))
    roads = tokenizer.model.roads
    features = torch.cat([roads.node2vec.float(), roads.features], dim=1)
    if base is None:
        language = Language.new(config, vocabulary, features, facts, city)
    else:
        language = Language.on_base(base, vocabulary, features, settings.lora_rank)
    pairs = QuestionsAndAnswers(language.ask(facts, city), answers_of(patterns))
    _write_settings(files.language, settings)
    fit(language, pairs, settings, files.language, report)
    TravelTimeModel.fit(train, city).save(files.conditions)
    write_trips(compact(_prepared(data, "heldout")), files.heldout)
    files.seal()


def answers_of(patterns: Patterns) -> list[Answer]:
    """Return the patterns of each trip as the answer to its question."""
    ends = zip(patterns.first[:-1], patterns.first[1:], strict=True)
    return [Answer(patterns.anchors[a:b], patterns.codes[a:b]) for a, b in ends]


def _write_settings(stage: Path, settings: TokenizerTraining | LanguageTraining) -> None:
    stage.mkdir(parents=True, exist_ok=True)
    (stage / "settings.json").write_text(json.dumps(asdict(settings), indent=2) + "\n", encoding="utf-8")


def _prepared(data: Path, name: str) -> gpd.GeoDataFrame:
    path = data / f"{name}.parquet"
    if not path.exists():
        raise InputError(f"{path}: no such file; prepare trips with `htp prepare TRIPS --city CITY --out {data}`.")
    trips = read_trips(path, COLUMNS)
    if trips.empty:
        raise InputError(f"{path}: holds no trips; prepare more trips or another --heldout share.")
    if len(np.unique(trips["interval"])) > 1:
        raise InputError(f"{path}: holds trips of several sampling intervals; prepare them at one with --interval.")
    return trips
