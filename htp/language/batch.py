"""Put questions, with their answers where they are known, into one padded batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from htp.language.model import TokenBatch
from htp.language.prompt import Question, place_features

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from htp.language.vocabulary import Vocabulary


@dataclass(frozen=True)
class Answer:
    """The patterns of one trip."""

    anchors: NDArray[np.int32]  # [P] place in the route
    codes: NDArray[np.int16]  # [P, L]


def collate(
    questions: Sequence[Question], answers: Sequence[Answer], vocabulary: Vocabulary, text_size: int
) -> TokenBatch:
    """Return questions with their answers, padded on the right: what the model is trained on."""
    pieces = [_written(q, a, vocabulary, text_size) for q, a in zip(questions, answers, strict=True)]
    lengths = [len(ids) for ids, _ in pieces]
    ids = np.zeros((len(pieces), max(lengths)), dtype=np.int64)
    place = np.zeros((len(pieces), max(lengths), pieces[0][1].shape[1]), dtype=np.float32)
    for row, (piece, where) in enumerate(pieces):
        ids[row, : len(piece)], place[row, : len(piece)] = piece, where
    patterns = max(len(answer.anchors) for answer in answers)
    anchors = np.zeros((len(pieces), patterns), dtype=np.int64)
    codes = np.zeros((len(pieces), patterns, answers[0].codes.shape[1]), dtype=np.int64)
    for row, answer in enumerate(answers):
        anchors[row, : len(answer.anchors)], codes[row, : len(answer.codes)] = answer.anchors, answer.codes
    mask = np.arange(ids.shape[1])[None] < np.array(lengths)[:, None]
    answer_at = np.array([len(question.ids) for question in questions])
    return _asked(questions, ids, mask, place, answer_at, np.ones(len(pieces), np.int64), anchors, codes)


def collate_questions(questions: Sequence[Question], layers: int, shared: int = 0) -> TokenBatch:
    """Return questions padded so that all answers begin at the same place, for generation.

    The padding stands on the left, or behind the first `shared` tokens where those are the same in all questions.
    """
    lengths = np.array([len(question.ids) for question in questions])
    width = int(lengths.max())
    ids = np.zeros((len(questions), width), dtype=np.int64)
    first_road_at = np.ones(len(questions), np.int64) if shared else width - lengths + 1
    places = [place_features(q.road_start_m, q.road_end_m, float(q.road_end_m[-1])) for q in questions]
    place = np.zeros((len(questions), width, places[0].shape[1]), dtype=np.float32)
    for row, (question, where) in enumerate(zip(questions, places, strict=True)):
        ids[row, :shared] = question.ids[:shared]
        ids[row, width - lengths[row] + shared :] = question.ids[shared:]
        place[row, first_road_at[row] : first_road_at[row] + len(where)] = where
    number = np.arange(width)[None]
    mask = (number < shared) | (number >= (width - lengths + shared)[:, None])
    patterns = max(-(-question.points // 8) for question in questions)
    nothing = np.zeros((len(questions), patterns), dtype=np.int64)
    codes = np.zeros((len(questions), patterns, layers), dtype=np.int64)
    return _asked(questions, ids, mask, place, np.full(len(questions), width), first_road_at, nothing, codes)


def shared_tokens(questions: Sequence[Question]) -> int:
    """Return how many tokens all questions begin with; 0 where they are not about the same route.

    The last token of a question never counts, since its answer is predicted from it.
    """
    route = len(questions[0].road_start_m) + 2  # the marks around it
    shortest = min(len(question.ids) for question in questions) - 1
    ids = np.stack([question.ids[:shortest] for question in questions])
    other = (ids != ids[0]).any(axis=0)
    alike = int(other.argmax()) if other.any() else shortest
    return alike if alike >= route and len(questions) > 1 else 0


def _written(
    question: Question, answer: Answer, vocabulary: Vocabulary, text_size: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the ids of a question and its answer, and the place of every token that is a road of the route."""
    roads = len(question.road_start_m)
    first_codes = [text_size + vocabulary.first_code(layer) for layer in range(answer.codes.shape[1])]
    anchor_ids = question.ids[1 + answer.anchors].astype(np.int64)
    written = np.concatenate([anchor_ids[:, None], answer.codes.astype(np.int64) + first_codes], axis=1).ravel()
    ids = np.concatenate([question.ids, written])
    where = place_features(question.road_start_m, question.road_end_m, float(question.road_end_m[-1]))
    place = np.zeros((len(ids), where.shape[1]), dtype=np.float32)
    place[1 : 1 + roads] = where
    place[len(question.ids) :: 1 + len(first_codes)] = where[answer.anchors]
    return ids, place


def _asked(
    questions: Sequence[Question],
    ids: NDArray[np.int64],
    mask: NDArray[np.bool_],
    place: NDArray[np.float32],
    *rest: NDArray[np.int64],
) -> TokenBatch:
    answer_at, first_road_at, anchors, codes = rest
    roads = max(len(question.road_start_m) for question in questions)
    start, end = (np.zeros((len(questions), roads), dtype=np.float32) for _ in range(2))
    for row, question in enumerate(questions):
        start[row, : len(question.road_start_m)] = question.road_start_m
        end[row, : len(question.road_end_m)] = question.road_end_m
    counts = np.array([len(question.road_start_m) for question in questions])
    return TokenBatch(
        ids=torch.from_numpy(ids),
        mask=torch.from_numpy(mask),
        place=torch.from_numpy(place),
        answer_at=torch.from_numpy(answer_at),
        first_road_at=torch.from_numpy(first_road_at),
        road_mask=torch.arange(roads)[None] < torch.from_numpy(counts)[:, None],
        road_start_m=torch.from_numpy(start),
        road_end_m=torch.from_numpy(end),
        distance_m=torch.tensor([question.distance_m for question in questions]),
        patterns=torch.tensor([-(-question.points // 8) for question in questions]),
        anchors=torch.from_numpy(anchors),
        codes=torch.from_numpy(codes),
    )
