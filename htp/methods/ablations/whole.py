"""Train and use HTP whole, as the methods it is compared with are trained and used.

Of a budget in seconds, what node2vec and describing leave of it, three tenths are the tokenizer's, a tenth is for the
offsets, the rest is the language model's (ours; in the model that ships offsets had a twentieth, but of hours). What a
variant changes are the types of the two stages, the tokenizer's settings and how the language model is made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch

from htp.conditions import prompt_conditions_of
from htp.config import LanguageConfig, LanguageTraining, TokenizerConfig, TokenizerTraining, with_tuples
from htp.generate import PIECE, answers_of, as_patterns, with_patterns
from htp.language.language import Language
from htp.language.train import QuestionsAndAnswers, fit
from htp.methods.ablations.code_use import watch
from htp.methods.ablations.road_vectors import road_vectors
from htp.methods.budget import Stages
from htp.methods.protocol import COLUMNS, Method, MethodConfig
from htp.tokenizer.features import describe
from htp.tokenizer.offsets_train import BATCH_SIZE, fit_offsets
from htp.tokenizer.tokenizer import Tokenizer, decoder_conditions_of, with_points
from htp.tokenizer.train import TokenizerTrainer
from htp.train import vocabulary_of
from htp.trip_source import Sampling

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd

    from htp.language.batch import Answer
    from htp.language.prompt import PromptConditions
    from htp.methods.budget import Budget
    from htp.methods.protocol import Progress, Report
    from htp.tokenizer.features import Samples
    from htp.tokenizer.tokenizer import DecoderConditions, Patterns

TOKENIZER_UNTIL, OFFSETS_UNTIL = 0.3, 0.4  # shares of the seconds that are left when training begins
CHECKED = 100  # trips, of those trained on, whose error the tokenizer reports


@dataclass(frozen=True)
class HTPConfig(MethodConfig):
    """The sizes of both stages and how each is trained; the defaults are those of `htp train`."""

    tokenizer: TokenizerConfig = field(default_factory=TokenizerConfig)
    language: LanguageConfig = field(default_factory=LanguageConfig)
    tokenizer_training: TokenizerTraining = field(default_factory=TokenizerTraining)
    language_training: LanguageTraining = field(default_factory=LanguageTraining)

    @classmethod
    def small(cls) -> Self:
        """Return what suits two cores and a budget of minutes: the sizes are small already, batches get smaller."""
        return cls(
            tokenizer_training=TokenizerTraining(batch_size=64), language_training=LanguageTraining(batch_size=32)
        )

    @classmethod
    def from_facts(cls, facts: dict[str, Any]) -> Self:
        """Return the configuration read from JSON, whose lists are tuples."""
        return cls(
            TokenizerConfig(**with_tuples(facts["tokenizer"])),
            LanguageConfig(**facts["language"]),
            TokenizerTraining(**facts["tokenizer_training"]),
            LanguageTraining(**facts["language_training"]),
        )


class HTP(Method[HTPConfig]):
    """Both stages: conditions to patterns, patterns to points."""

    name = "HTP"
    config_type = HTPConfig
    tokenizer_type: ClassVar[type[Tokenizer]] = Tokenizer
    trainer_type: ClassVar[type[TokenizerTrainer]] = TokenizerTrainer
    language_type: ClassVar[type[Language]] = Language
    tokenizer: Tokenizer
    language: Language

    def generate(
        self, like: gpd.GeoDataFrame, *, seed: int = 0, first: int = 0, progress: Progress | None = None
    ) -> gpd.GeoDataFrame:
        """Return a trip for the conditions of each of the prepared trips `like`."""

        def make(piece: gpd.GeoDataFrame, at: int, tell: Callable[[int], None]) -> gpd.GeoDataFrame:
            return self._draw(piece, decoder_conditions_of(piece, self.city, seed, first + at), tell)

        return self._in_pieces(like, PIECE, make, progress)

    def _fit(self, trips: gpd.GeoDataFrame, budget: Budget, seed: int, report: Report) -> list[dict[str, Any]]:
        stages = Stages(budget, seed, report)
        with TemporaryDirectory(prefix="htp-") as work:
            self._train(trips, stages, Path(work))
        return stages.done

    def _train(self, trips: gpd.GeoDataFrame, stages: Stages, work: Path) -> None:
        """Train the stages on prepared trips; `work` is an empty folder."""
        self._train_tokenizer(trips, stages, work / "tokenizer")
        # as it is saved, rounded to half precision: its codes are what the language model learns
        self.tokenizer = self.tokenizer_type.load(work / "tokenizer", self.city, self.device)
        conditions, patterns = prompt_conditions_of(trips, self.city), self.tokenizer.encode(trips)
        torch.manual_seed(stages.seed)
        language = self._new_language(conditions)
        self.language = self._train_language(language, conditions, answers_of(patterns), stages, work)

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
        """Return the untrained tokenizer."""
        vectors = self._road_vectors(stages)
        return self.tokenizer_type.new(self._tokenizer_config(), self.city, seed=stages.seed, vectors=vectors)

    def _road_vectors(self, stages: Stages) -> torch.Tensor:
        """Return the node2vec embedding of the roads, [V, dim] float16, and charge its time."""
        found = road_vectors(self.city, self.config.tokenizer.road_dim, stages.seed, self.shared)
        stages.charge("node2vec", found.seconds, shared=found.shared)
        return found.vectors

    def _train_language(
        self, language: Language, conditions: PromptConditions, answers: list[Answer], stages: Stages, work: Path
    ) -> Language:
        """Return the trained language model as it is saved."""
        pairs = QuestionsAndAnswers(language.ask(conditions, self.city), answers)
        settings = stages.settings(self._language_training())
        with stages.run("language", language.model.backbone, len(answers), settings.batch_size) as report:
            fit(language, pairs, settings, work / "language", report, anew=True)
        told = language.model.rows.features
        return self.language_type.load(work / "language", torch.empty(0) if told is None else told.cpu(), self.device)

    def _draw(self, like: gpd.GeoDataFrame, drives: DecoderConditions, tell: Callable[[int], None]) -> gpd.GeoDataFrame:
        """Return a trip for each of the conditions; `tell` hears how many more are written."""
        return self._write(like[COLUMNS], prompt_conditions_of(like, self.city), drives, tell)

    def _write(
        self,
        asked: gpd.GeoDataFrame,
        conditions: PromptConditions,
        drives: DecoderConditions,
        tell: Callable[[int], None],
    ) -> gpd.GeoDataFrame:
        """Return trips for conditions of both stages that say the same."""
        answers = self.language.generate(conditions, self.city, drives.keys, Sampling(), tell)
        return self._to_trips(asked, as_patterns(answers, conditions.points), drives)

    def _save(self, folder: Path) -> None:
        self.tokenizer.save(folder / "tokenizer")
        self.language.save(folder / "language")

    def _load(self, folder: Path) -> None:
        self.tokenizer = self.tokenizer_type.load(folder / "tokenizer", self.city, self.device)
        self.language = self.language_type.load(folder / "language", self._road_features(), self.device)

    def _tokenizer_config(self) -> TokenizerConfig:
        return self.config.tokenizer

    def _language_training(self) -> LanguageTraining:
        return self.config.language_training

    def _describe(self, trips: gpd.GeoDataFrame) -> Samples:
        return describe(trips, self.city, inputs=self._tokenizer_config().inputs)

    def _new_language(self, conditions: PromptConditions) -> Language:
        """Return the untrained language model."""
        vocabulary = vocabulary_of(self.tokenizer)
        return self.language_type.new(self.config.language, vocabulary, self._road_features(), conditions, self.city)

    def _road_features(self) -> torch.Tensor:
        """Return what a road's row starts from, node2vec and geometry, [V, F]."""
        return self.tokenizer.model.roads.described.cpu()

    def _to_trips(self, asked: gpd.GeoDataFrame, patterns: Patterns, drives: DecoderConditions) -> gpd.GeoDataFrame:
        """Return the columns of the conditions with the points that patterns stand for."""
        return with_points(with_patterns(asked, patterns), self.tokenizer.decode(patterns, drives))
