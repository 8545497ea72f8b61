"""Train and use HTP whole, as the methods it is compared with are trained and used.

A third of a budget in seconds is the tokenizer's, the rest the language model's (ours: as for the model that ships).
What a variant changes are the types of the two stages, the tokenizer's settings and how the language model is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from htp.ablations.variant import Variant
from htp.baselines.protocol import COLUMNS
from htp.generate import answers_of, as_patterns, facts_of, with_patterns
from htp.language.decode import Sampling
from htp.language.language import Language
from htp.language.train import QuestionsAndAnswers
from htp.language.train import fit as fit_language
from htp.language.vocabulary import Vocabulary
from htp.tokenizer.codec import Tokenizer, with_points
from htp.tokenizer.features import describe
from htp.tokenizer.train import TokenizerTrainer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import geopandas as gpd

    from htp.ablations.stages import Stages
    from htp.config import LanguageTraining, TokenizerConfig
    from htp.language.batch import Answer
    from htp.language.prompt import Facts
    from htp.tokenizer.codec import Drives, Patterns
    from htp.tokenizer.features import Samples

TOKENIZER_SHARE = 1 / 3  # of the seconds of a budget
CHECKED = 100  # trips, of those trained on, whose error the tokenizer reports


class HTP(Variant):
    """Both stages: conditions to patterns, patterns to points."""

    name = "HTP"
    tokenizer_type: ClassVar[type[Tokenizer]] = Tokenizer
    trainer_type: ClassVar[type[TokenizerTrainer]] = TokenizerTrainer
    language_type: ClassVar[type[Language]] = Language
    tokenizer: Tokenizer
    language: Language

    def _train(self, trips: gpd.GeoDataFrame, stages: Stages, work: Path) -> None:
        tokenizer = self.tokenizer_type.new(self._tokenizer_config(), self.city, seed=stages.seed)
        samples, checked = self._describe(trips), self._describe(trips.iloc[:CHECKED])
        settings = stages.settings(self.config.tokenizer_training, TOKENIZER_SHARE)
        with stages.run("tokenizer", tokenizer.model, len(trips), settings.batch_size) as report:
            self.trainer_type(tokenizer, settings, work / "tokenizer").fit(samples, checked, report)
        # as it is saved, rounded to half precision: its codes are what the language model learns
        self.tokenizer = self.tokenizer_type.load(work / "tokenizer", self.city, self.device)
        facts, patterns = facts_of(trips, self.city), self.tokenizer.encode(trips)
        torch.manual_seed(stages.seed)
        language = self._new_language(facts)
        self.language = self._train_language(language, facts, answers_of(patterns), stages, work)

    def _train_language(
        self, language: Language, facts: Facts, answers: list[Answer], stages: Stages, work: Path
    ) -> Language:
        """Return the trained language model as it is saved."""
        pairs = QuestionsAndAnswers(language.ask(facts, self.city), answers)
        settings = stages.settings(self._language_training())
        with stages.run("language", language.model.backbone, len(answers), settings.batch_size) as report:
            fit_language(language, pairs, settings, work / "language", report)
        return self.language_type.load(work / "language", self.device)

    def _draw(self, like: gpd.GeoDataFrame, drives: Drives, tell: Callable[[int], None]) -> gpd.GeoDataFrame:
        facts = facts_of(like, self.city)
        answers = self.language.write(facts, self.city, drives.keys, Sampling(), tell)
        return self._to_trips(like[COLUMNS], as_patterns(answers, facts.points), drives)

    def _save(self, folder: Path) -> None:
        self.tokenizer.save(folder / "tokenizer")
        self.language.save(folder / "language")

    def _load(self, folder: Path) -> None:
        self.tokenizer = self.tokenizer_type.load(folder / "tokenizer", self.city, self.device)
        self.language = self.language_type.load(folder / "language", self.device)

    def _tokenizer_config(self) -> TokenizerConfig:
        return self.config.tokenizer

    def _language_training(self) -> LanguageTraining:
        return self.config.language_training

    def _describe(self, trips: gpd.GeoDataFrame) -> Samples:
        return describe(trips, self.city, inputs=self._tokenizer_config().inputs)

    def _new_language(self, facts: Facts) -> Language:
        """Return the untrained language model."""
        return self.language_type.new(self.config.language, self._vocabulary(), self._road_features(), facts, self.city)

    def _vocabulary(self) -> Vocabulary:
        return Vocabulary(tuple(self.tokenizer.model.config.codebook_sizes), len(self.city))

    def _road_features(self) -> torch.Tensor:
        """Return what a road's row starts from, node2vec and geometry, [V, F]."""
        return self.tokenizer.model.roads.described.cpu()

    def _to_trips(self, asked: gpd.GeoDataFrame, patterns: Patterns, drives: Drives) -> gpd.GeoDataFrame:
        """Return the columns of the conditions with the points that patterns stand for."""
        return with_points(with_patterns(asked, patterns), self.tokenizer.decode(patterns, drives))
