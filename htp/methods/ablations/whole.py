"""Train and use HTP whole, as the methods it is compared with are trained and used.

Of a budget in seconds, what node2vec and describing leave of it, three tenths are the tokenizer's, a tenth is for the
offsets, the rest is the language model's (ours; in the model that ships offsets had a twentieth, but of hours). What a
variant changes are the types of the two stages, the tokenizer's settings and how the language model is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from htp.conditions import prompt_conditions_of
from htp.generate import answers_of, as_patterns, with_patterns
from htp.language.anchors import begin_anchors
from htp.language.language import Language
from htp.language.sampling import Sampling
from htp.language.train import QuestionsAndAnswers
from htp.language.train import fit as fit_language
from htp.language.vocabulary import Vocabulary
from htp.methods.ablations.code_use import watch
from htp.methods.ablations.road_vectors import road_vectors
from htp.methods.ablations.variant import Variant
from htp.methods.baselines.protocol import COLUMNS
from htp.tokenizer.features import describe
from htp.tokenizer.offsets_train import BATCH_SIZE, fit_offsets
from htp.tokenizer.roads import road_features
from htp.tokenizer.tokenizer import Tokenizer, with_points
from htp.tokenizer.train import TokenizerTrainer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import geopandas as gpd

    from htp.config import LanguageTraining, TokenizerConfig
    from htp.language.batch import Answer
    from htp.language.prompt import PromptConditions
    from htp.methods.ablations.stages import Stages
    from htp.tokenizer.features import Samples
    from htp.tokenizer.tokenizer import DecoderConditions, Patterns

TOKENIZER_UNTIL, OFFSETS_UNTIL = 0.3, 0.4  # shares of the seconds that are left when training begins
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
        self._train_tokenizer(trips, stages, work / "tokenizer")
        # as it is saved, rounded to half precision: its codes are what the language model learns
        self.tokenizer = self.tokenizer_type.load(work / "tokenizer", self.city, self.device)
        facts, patterns = prompt_conditions_of(trips, self.city), self.tokenizer.encode(trips)
        torch.manual_seed(stages.seed)
        language = self._new_language(facts)
        self.language = self._train_language(language, facts, answers_of(patterns), stages, work)

    def _train_tokenizer(self, trips: gpd.GeoDataFrame, stages: Stages, folder: Path) -> None:
        """Train the RQ-VAE, then, if offsets are drawn, their model; without one its time is the RQ-VAE's."""
        tokenizer = self._new_tokenizer(stages)
        samples, checked = self._describe(trips), self._describe(trips.iloc[:CHECKED])
        noise, sizes = tokenizer.model.noise, tokenizer.model.config.codebook_sizes
        offsets_until = stages.spent + OFFSETS_UNTIL * (1 - stages.spent)
        until = offsets_until if noise is None else stages.spent + TOKENIZER_UNTIL * (1 - stages.spent)
        settings = stages.settings(self.config.tokenizer_training, until)
        with (
            stages.run("tokenizer", tokenizer.model, len(trips), settings.batch_size) as report,
            watch(tokenizer.model.quantizer, sizes) as use,
        ):
            self.trainer_type(tokenizer, settings, folder).fit_patterns(samples, checked, report)
        stages.done[-1]["code_use"] = use.facts()
        if noise is not None:
            with stages.run("offsets", noise.memory, len(trips), BATCH_SIZE) as report:
                fit_offsets(noise, samples, seed=stages.seed, report=report, seconds=stages.left_s(offsets_until))
        tokenizer.save(folder)

    def _new_tokenizer(self, stages: Stages) -> Tokenizer:
        """Return the untrained tokenizer, as `Tokenizer.new` makes it."""
        vectors, features = self._road_vectors(stages), torch.from_numpy(road_features(self.city))
        torch.manual_seed(stages.seed)
        model = self.tokenizer_type.model_type(self._tokenizer_config(), vectors, features)
        return self.tokenizer_type(model, self.city)

    def _road_vectors(self, stages: Stages) -> torch.Tensor:
        """Return the node2vec embedding of the roads, [V, dim] float16, and charge its time."""
        found = road_vectors(self.city, self.config.tokenizer.road_dim, stages.seed, self.shared)
        stages.charge("node2vec", found.seconds, shared=found.shared)
        return found.vectors

    def _train_language(
        self, language: Language, facts: PromptConditions, answers: list[Answer], stages: Stages, work: Path
    ) -> Language:
        """Return the trained language model as it is saved."""
        pairs = QuestionsAndAnswers(language.ask(facts, self.city), answers)
        settings = stages.settings(self._language_training())
        with stages.run("language", language.model.backbone, len(answers), settings.batch_size) as report:
            if self.language_type.model_type.names_anchors:
                begin_anchors(language, pairs, stages.seed)
            fit_language(language, pairs, settings, work / "language", report)
        return self.language_type.load(work / "language", self.device)

    def _draw(self, like: gpd.GeoDataFrame, drives: DecoderConditions, tell: Callable[[int], None]) -> gpd.GeoDataFrame:
        return self._write(like[COLUMNS], prompt_conditions_of(like, self.city), drives, tell)

    def _write(
        self, asked: gpd.GeoDataFrame, facts: PromptConditions, drives: DecoderConditions, tell: Callable[[int], None]
    ) -> gpd.GeoDataFrame:
        """Return trips for facts and drives that say the same."""
        answers = self.language.write(facts, self.city, drives.keys, Sampling(), tell)
        return self._to_trips(asked, as_patterns(answers, facts.points), drives)

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

    def _new_language(self, facts: PromptConditions) -> Language:
        """Return the untrained language model."""
        return self.language_type.new(self.config.language, self._vocabulary(), self._road_features(), facts, self.city)

    def _vocabulary(self) -> Vocabulary:
        return Vocabulary(tuple(self.tokenizer.model.config.codebook_sizes), len(self.city))

    def _road_features(self) -> torch.Tensor:
        """Return what a road's row starts from, node2vec and geometry, [V, F]."""
        return self.tokenizer.model.roads.described.cpu()

    def _to_trips(self, asked: gpd.GeoDataFrame, patterns: Patterns, drives: DecoderConditions) -> gpd.GeoDataFrame:
        """Return the columns of the conditions with the points that patterns stand for."""
        return with_points(with_patterns(asked, patterns), self.tokenizer.decode(patterns, drives))
