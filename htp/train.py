"""Make a checkpoint: train each stage on prepared trips and keep beside it all that generation needs.

The stages themselves know neither files nor each other; what is trained on what is decided here.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from htp.checkpoint import Checkpoint
from htp.city.network import City
from htp.compute import distributed
from htp.conditions import prompt_conditions_of
from htp.errors import InputError
from htp.files import replacing
from htp.generate import answers_of, load_tokenizer
from htp.json_files import read_object
from htp.language.language import Language
from htp.language.redrawn import Redrawn
from htp.language.train import QuestionsAndAnswers, fit
from htp.language.vocabulary import Vocabulary
from htp.recording import Recording
from htp.routes.conditions import route_conditions_of
from htp.routes.generator import RouteGenerator
from htp.routes.train import RouteTrainer
from htp.tokenizer.features import describe
from htp.tokenizer.offsets_train import fit_offsets
from htp.tokenizer.tokenizer import Tokenizer
from htp.tokenizer.train import TokenizerTrainer
from htp.travel_time.model import TravelTimeModel
from htp.trips import PREPARED, compact, read_trips, write_trips

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import geopandas as gpd

    from htp.config import LanguageConfig, LanguageTraining, TokenizerConfig, TokenizerTraining

SETTINGS = "settings.json"  # of a stage
CHECKED = 1000  # held-out trips on which a training reports its error


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
    """Train stage 1 on `data`/train.parquet, anew or from the tokenizer of the checkpoint `start`.

    Of the `config`, a tokenizer that is gone on with takes how steps are placed alone.
    """
    distributed.meet()
    files, city = Checkpoint(out), City.load(city_folder)
    if files.language.exists():
        raise InputError(f"{out}: holds a language model, useless with another tokenizer; choose another --out.")
    train, heldout = _prepared(data, "train"), _prepared(data, "heldout").iloc[:CHECKED]
    if start is None:
        tokenizer = Tokenizer.new(config, city, seed=settings.seed)
    else:
        tokenizer = Tokenizer.moved(Checkpoint(start).tokenizer, city, config.increments, seed=settings.seed)
    inputs = tokenizer.model.config.inputs
    samples, checked = describe(train, city, inputs=inputs), describe(heldout, city, inputs=inputs)
    if distributed.is_first():
        city.save(files.city)
        Recording.of(train).save(files.recording)
        _write_settings(files.tokenizer, settings, None if start is None else Checkpoint(start).tokenizer)
    TokenizerTrainer(tokenizer, settings, files.tokenizer).fit(samples, checked, report)
    if distributed.is_first():
        files.seal()


def train_decoder(
    data: Path,
    checkpoint: Path,
    settings: TokenizerTraining,
    *,
    redrawn: float = 0.0,
    report: Callable[[dict], None] = print,
) -> None:
    """Train the decoder of a checkpoint further on `data`/train.parquet; its codes stay, and so does stage 2.

    Of a share `redrawn` of the trips some patterns are told as the checkpoint's language model would write them.
    """
    distributed.refuse("training the decoder")
    files, tokenizer = Checkpoint(checkpoint), load_tokenizer(checkpoint)
    inputs, city, heldout = tokenizer.model.config.inputs, tokenizer.city, _prepared(data, "heldout").iloc[:CHECKED]
    trips = _further(data, files)
    train, checked = (describe(some, city, inputs=inputs) for some in (trips, heldout))
    told = {"redrawn": _redrawn(trips, tokenizer, files, redrawn)} if redrawn else {}
    TokenizerTrainer(tokenizer, settings, files.tokenizer).fit_decoder(train, checked, report, **told)
    with replacing(files.tokenizer / SETTINGS) as path:
        known = read_object(files.tokenizer / SETTINGS)
        this = {"minutes": settings.minutes, "learning_rate": settings.learning_rate, "redrawn": redrawn}
        known["decoder"] = [*known.get("decoder", []), this]
        path.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
    files.seal()


def _redrawn(trips: gpd.GeoDataFrame, tokenizer: Tokenizer, files: Checkpoint, share: float) -> Redrawn:
    """Return what draws codes of these trips anew by the checkpoint's language model."""
    language = Language.load(files.language, tokenizer.model.roads.described, str(tokenizer.device))
    conditions = prompt_conditions_of(trips, tokenizer.city)
    answers = answers_of(tokenizer.encode(trips))
    return Redrawn(language, QuestionsAndAnswers(language.ask(conditions, tokenizer.city), answers), share)


def train_offsets(data: Path, checkpoint: Path, *, seed: int = 0, report: Callable[[dict], None] = print) -> None:
    """Train the model of offsets of a checkpoint anew on `data`/train.parquet; its codes stay as they are."""
    distributed.refuse("training offsets")
    files, tokenizer = Checkpoint(checkpoint), load_tokenizer(checkpoint)
    if tokenizer.model.noise is None:
        raise InputError(f"{checkpoint}: its tokenizer regresses offsets, so there is no model of them to train.")
    samples = describe(_further(data, files), tokenizer.city, inputs=tokenizer.model.config.inputs)
    fit_offsets(tokenizer.model.noise, samples, seed=seed, report=report)
    tokenizer.save(files.tokenizer)
    files.seal()


def train_language(  # noqa: PLR0913  the command's options
    data: Path,
    checkpoint: Path,
    settings: LanguageTraining,
    *,
    base: str | None = None,
    start: Path | None = None,
    config: LanguageConfig,
    report: Callable[[dict], None] = print,
) -> None:
    """Train stage 2 on `data`/train.parquet with the checkpoint's tokenizer; add travel times and held-out trips.

    Anew on a built-in model, on the model `base`, or further from the language model of the checkpoint `start`.
    """
    files, tokenizer = Checkpoint(checkpoint), load_tokenizer(checkpoint)
    city, train = tokenizer.city, _further(data, files)
    conditions, patterns = prompt_conditions_of(train, city), tokenizer.encode(train)
    torch.manual_seed(settings.seed)
    vocabulary = vocabulary_of(tokenizer)
    features = tokenizer.model.roads.described
    if start is not None:
        language = _language_of(start, tokenizer, checkpoint)
    elif base is None:
        language = Language.new(config, vocabulary, features, conditions, city)
    else:
        language = Language.on_base(base, vocabulary, features, settings.lora_rank)
    pairs = QuestionsAndAnswers(language.ask(conditions, city), answers_of(patterns))
    if distributed.is_first():  # before the long work, so that only sealing comes after it
        _write_settings(files.language, settings, None if start is None else Checkpoint(start).language)
        Recording.of(train).save(files.recording)  # what is generated is as long as what this model has learned
        TravelTimeModel.fit(train, city).save(files.conditions)
        write_trips(compact(_prepared(data, "heldout")), files.heldout)
    fit(language, pairs, settings, files.language, report, anew=start is None)
    if distributed.is_first():
        files.seal()


def train_routes(
    data: Path, checkpoint: Path, settings: LanguageTraining, report: Callable[[dict], None] = print
) -> None:
    """Train HTP+'s writer of routes on `data`/train.parquet with the roads of the checkpoint's tokenizer."""
    distributed.refuse("training routes")
    files, tokenizer = Checkpoint(checkpoint), load_tokenizer(checkpoint)
    train = _further(data, files)
    route_generator = RouteGenerator.new(tokenizer.city, tokenizer.model.roads.described, seed=settings.seed)
    _write_settings(files.routes, settings)
    fit_routes(route_generator, train, settings, files.routes, report)
    files.seal()


def fit_routes(
    route_generator: RouteGenerator,
    trips: gpd.GeoDataFrame,
    settings: LanguageTraining,
    folder: Path,
    report: Callable[[dict], None],
) -> None:
    """Train a writer of routes on prepared trips and save it."""
    conditions = prompt_conditions_of(trips, route_generator.city)
    last_points = np.array([line.coords[-1] for line in trips.geometry])
    told = route_conditions_of(conditions, route_generator.city.to_metres(last_points))
    RouteTrainer(route_generator, settings, folder).fit(told, conditions.roads, report)


def vocabulary_of(tokenizer: Tokenizer) -> Vocabulary:
    """Return the new tokens of a language model: a tokenizer's codes and its city's roads."""
    return Vocabulary(tuple(tokenizer.model.config.codebook_sizes), len(tokenizer.city))


def _language_of(start: Path, tokenizer: Tokenizer, checkpoint: Path) -> Language:
    """Return the language model of `start`, put on the tokenizer's city where that is another one.

    `InputError` unless it writes the codes of this tokenizer; one that was fine-tuned from that of `start`, for
    this city or another, has its codes still.
    """
    theirs, ours = load_tokenizer(start).model, tokenizer.model
    language = Language.load(Checkpoint(start).language, theirs.roads.described)
    same_city = torch.equal(theirs.roads.node2vec, ours.roads.node2vec)
    same = same_city and _equal(theirs.encoder, ours.encoder) and _equal(theirs.quantizer, ours.quantizer)
    if not same and not _went_on(checkpoint, start):
        raise InputError(
            f"{start}: its language model is of another tokenizer than {checkpoint} has; go on with its own tokenizer "
            "(`htp train tokenizer --from`), or train the language model anew."
        )
    if same_city:
        return language
    vocabulary = Vocabulary(language.model.vocabulary.codebook_sizes, len(ours.roads.node2vec))
    return language.moved(vocabulary, ours.roads.described, theirs.roads.anywhere)


def _went_on(checkpoint: Path, start: Path) -> bool:
    """Say whether the tokenizer of a checkpoint was trained on from that of `start`."""
    ours, theirs = (read_object(Checkpoint(at).tokenizer / "settings.json") for at in (checkpoint, start))
    return ours.get("before") == theirs


def _equal(one: nn.Module, other: nn.Module) -> bool:
    weights, others = one.state_dict(), other.state_dict()
    return weights.keys() == others.keys() and all(torch.equal(weights[name], others[name]) for name in weights)


def _write_settings(stage: Path, settings: TokenizerTraining | LanguageTraining, start: Path | None = None) -> None:
    """Write the settings of a training, and under `before` those of the stage that it went on from."""
    facts: dict = asdict(settings)
    if start is not None:
        facts["before"] = read_object(start / SETTINGS)
    stage.mkdir(parents=True, exist_ok=True)
    with replacing(stage / SETTINGS) as path:
        path.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def _further(data: Path, files: Checkpoint) -> gpd.GeoDataFrame:
    """Return the training trips for a stage behind the tokenizer; `InputError` unless they have its interval."""
    train, interval_s = _prepared(data, "train"), Recording.load(files.recording).interval_s
    if Recording.of(train).interval_s != interval_s:
        raise InputError(
            f"{data / 'train.parquet'}: has a point every {Recording.of(train).interval_s:g} s, the tokenizer of "
            f"{files.folder} learned {interval_s:g} s; prepare the trips with --interval {interval_s:g}, or train a "
            "tokenizer on these."
        )
    return train


def _prepared(data: Path, name: str) -> gpd.GeoDataFrame:
    if data.is_file():
        raise InputError(f"{data}: is a file; give the folder that `htp prepare` wrote, which holds train.parquet.")
    path = data / f"{name}.parquet"
    if not path.exists():
        raise InputError(f"{path}: no such file; prepare trips with `htp prepare TRIPS --city CITY --out {data}`.")
    trips = read_trips(path, list(PREPARED))
    if trips.empty:
        raise InputError(f"{path}: holds no trips; prepare more trips or another --heldout share.")
    if len(np.unique(trips["interval"])) > 1:
        raise InputError(f"{path}: holds trips of several sampling intervals; prepare them at one with --interval.")
    return trips
