"""HTP without patterns: the language model writes every point as text, its cell of one metre (paper §5.3).

     01234 05678 01251 05690 …    metres east and north of the city's south-west corner, as many pairs as points

The question is HTP's, road tokens included. The grammar holds the number of points and the city's box, nothing else:
no point knows of its route. About six tokens a point instead of five for eight points.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
import torch

from htp.city.linear_referencing import lines_through
from htp.compute.weights import load_weights, save_weights
from htp.conditions import prompt_conditions_of
from htp.errors import InputError
from htp.language.backbone import encode_texts
from htp.language.batch import Answer, collate_questions
from htp.language.language import Language
from htp.language.vocabulary import Vocabulary
from htp.methods.ablations.text_model import Grammar, TextModel, Tree, collate_written, tree_of, write_text
from htp.methods.ablations.whole import HTP
from htp.methods.protocol import COLUMNS
from htp.tokenizer.roads import road_features
from htp.trip_source import Sampling

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import geopandas as gpd
    from numpy.typing import NDArray

    from htp.city.network import City
    from htp.config import LanguageTraining
    from htp.language.model import TokenBatch
    from htp.language.prompt import Question
    from htp.methods.budget import Stages
    from htp.tokenizer.tokenizer import DecoderConditions

FEATURES = "roads.safetensors"  # what is known of the roads, [V, F]
MARGIN_M = 100.0  # around the roads; points further out are written at the edge, ours
SHORTER = 4  # times fewer trips a batch than HTP's, for answers are ten times as long; ours


@dataclass(frozen=True)
class Cells:
    """The box of a city in cells of one metre."""

    corner_m: NDArray[np.float64]  # [2] south-west
    counts: NDArray[np.int64]  # [2] cells east and north

    @classmethod
    def of(cls, city: City) -> Cells:
        """Return the box around the roads."""
        low, high = city.xy_m.min(axis=0) - MARGIN_M, city.xy_m.max(axis=0) + MARGIN_M
        return cls(low, np.ceil(high - low).astype(np.int64))

    def at(self, xy_m: NDArray[np.float64]) -> NDArray[np.int32]:
        """Return the cell of each point, [N, 2]."""
        return np.clip(np.floor(xy_m - self.corner_m), 0, self.counts - 1).astype(np.int32)

    def middle_m(self, cells: NDArray[np.integer]) -> NDArray[np.float64]:
        """Return the middle of each cell, [N, 2] metres."""
        return cells + 0.5 + self.corner_m

    def text(self, cell: int) -> str:
        """Return how a number of metres is written: all equally long."""
        return f" {cell:0{len(str(int(self.counts.max()) - 1))}d}"


class CellLanguage(Language):
    """Conditions to cells. The `codes` of an answer are cells here, [T, 2]; it has no anchors."""

    model_type = TextModel
    model: TextModel
    cells: Cells
    ids: list[list[int]]  # text ids of each number of metres
    trees: tuple[Tree, Tree]  # east, north

    def over(self, city: City) -> CellLanguage:
        """Prepare to write the cells of a city; return itself."""
        self.cells = Cells.of(city)
        self.ids = encode_texts(self.tokenizer, [self.cells.text(n) for n in range(int(self.cells.counts.max()))])
        east, north = (tree_of(enumerate(self.ids[:count])) for count in self.cells.counts.tolist())
        self.trees = east, north
        return self

    def collate(self, questions: Sequence[Question], answers: Sequence[Answer]) -> TokenBatch:
        """Return a padded batch of questions and the text of their points."""
        written = [[token for cell in answer.codes.ravel() for token in self.ids[cell]] for answer in answers]
        return collate_written(questions, [np.array(ids, dtype=np.int64) for ids in written])

    def sample_batch(self, questions: list[Question], keys: NDArray[np.uint64], sampling: Sampling) -> list[Answer]:
        """Return the answers to questions of like length."""
        batch = collate_questions(questions, layers=1).to(self.model.rows.small.weight.device)
        grammars = [self._grammar(question.points) for question in questions]
        return write_text(self.model, batch, grammars, keys, sampling)

    def _grammar(self, points: int) -> Grammar:
        cells = []
        for _ in range(points):
            for tree in self.trees:
                cell = yield tree
                cells.append(cell)
        return answer_of(np.array(cells, np.int32).reshape(-1, 2))


class WithoutRQVAE(HTP):
    """The language model alone; the whole budget is its own."""

    name = "w/o RQ-VAE"
    language_type = CellLanguage
    language: CellLanguage
    features: torch.Tensor  # [V, F] of the roads

    def _train(self, trips: gpd.GeoDataFrame, stages: Stages, work: Path) -> None:
        conditions = prompt_conditions_of(trips, self.city)
        vectors = self._road_vectors(stages).float()
        self.features = torch.cat([vectors, torch.from_numpy(road_features(self.city))], dim=1)
        torch.manual_seed(stages.seed)
        vocabulary = Vocabulary((), len(self.city))  # roads, lengths and marks: no codes
        language = CellLanguage.new(self.config.language, vocabulary, self.features, conditions, self.city)
        assert isinstance(language, CellLanguage)
        language.over(self.city)
        xy, row = shapely.get_coordinates(trips.geometry.to_numpy(), return_index=True)
        cells = np.split(language.cells.at(self.city.to_metres(xy)), np.cumsum(np.bincount(row))[:-1])
        trained = self._train_language(language, conditions, [answer_of(part) for part in cells], stages, work)
        assert isinstance(trained, CellLanguage)
        self.language = trained.over(self.city)

    def _road_features(self) -> torch.Tensor:
        return self.features

    def _draw(self, like: gpd.GeoDataFrame, drives: DecoderConditions, tell: Callable[[int], None]) -> gpd.GeoDataFrame:
        conditions = prompt_conditions_of(like, self.city)
        answers = self.language.generate(conditions, self.city, drives.keys, Sampling(), tell)
        cells = np.concatenate([answer.codes for answer in answers])
        lonlat = self.city.to_lonlat(self.language.cells.middle_m(cells))
        return like[COLUMNS].set_geometry(lines_through(lonlat, conditions.points), crs="EPSG:4326")

    def _save(self, folder: Path) -> None:
        self.language.save(folder / "language")
        save_weights({"features": self.features}, folder / FEATURES)

    def _load(self, folder: Path) -> None:
        self.features = load_weights(folder / FEATURES)["features"]
        language = CellLanguage.load(folder / "language", self.features, self.device)
        assert isinstance(language, CellLanguage)
        if (known := language.model.vocabulary.roads) != len(self.city):
            raise InputError(
                f"{folder}: {self.name} knows {known} roads, the city has {len(self.city)}; train it on it."
            )
        self.language = language.over(self.city)

    def _language_training(self) -> LanguageTraining:
        settings = self.config.language_training
        return replace(settings, batch_size=max(settings.batch_size // SHORTER, 1))


def answer_of(cells: NDArray[np.int32]) -> Answer:
    """Return the cells of a trip [T, 2] as the trainer takes answers; they are no codes of int16."""
    return Answer(np.zeros(0, np.int32), cells)  # type: ignore[arg-type]
