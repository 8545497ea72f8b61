"""Write conditions as a question and patterns as its answer (paper §4.2, Figure 4, and A.1).

    <|t_begin|> <road_7> <road_9> … <|t_end|>
    Main roads: A, B. Tuesday 08:15, 12 min 15 s, 6.02 km, every 15 s, 50 points.
    <t_5> <|p_begin|> <road_9> <a_3> <b_17> <c_99> <d_4> …

Ours: before its four codes each pattern names the road it ends on (its anchor), so the model always knows where it is.
The length token follows from travel time and interval, hence it is given, not guessed; <|p_end|> follows from that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from htp.city.network import City
    from htp.language.vocabulary import Vocabulary

MAIN_ROADS = 2  # names in a question, ours
MAX_NAME = 60  # characters of a street name that are read
PLACE_WAVES = 10  # wavelengths of 64 m to 32 km
PLACE = 4 + 4 * PLACE_WAVES
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class PromptConditions:
    """The conditions of B trips, complete."""

    roads: Sequence[NDArray[np.int32]]
    depart: pd.DatetimeIndex  # in the city's time zone
    points: NDArray[np.int64]  # [B]
    distance_m: NDArray[np.float64]  # [B]
    interval_s: NDArray[np.float64]  # [B]
    length_tokens: NDArray[np.int8]  # [B]


@dataclass(frozen=True)
class Question:
    """A question up to the first token of its answer; its roads stand at places 1 to R."""

    ids: NDArray[np.int32]  # [S] text ids, then new tokens from `text_size` on
    road_start_m: NDArray[np.float32]  # [R]
    road_end_m: NDArray[np.float32]  # [R]
    distance_m: float
    points: int


def question_texts(conditions: PromptConditions, city: City) -> list[str]:
    """Return the part of each question that is words."""
    names = city.roads["name"].to_numpy(dtype=object)
    texts = []
    for row, roads in enumerate(conditions.roads):
        when = conditions.depart[row]
        seconds = round((conditions.points[row] - 1) * conditions.interval_s[row])
        main = ", ".join(main_roads(roads, city.length_m[roads], names)) or "none"
        texts.append(
            f"Main roads: {main}. {DAYS[when.day_of_week]} {when:%H:%M}, {seconds // 60} min {seconds % 60:02d} s, "
            f"{conditions.distance_m[row] / 1000:.2f} km, every {conditions.interval_s[row]:g} s, "
            f"{conditions.points[row]} points."
        )
    return texts


def main_roads(roads: NDArray[np.int32], length_m: NDArray[np.float64], names: NDArray[np.object_]) -> list[str]:
    """Return the names with the greatest length on a route, longest first."""
    total: dict[str, float] = {}
    for name, length in zip(names[roads], length_m, strict=True):
        if isinstance(name, str) and name:
            total[name] = total.get(name, 0.0) + length
    return [name[:MAX_NAME] for name in sorted(total, key=lambda n: -total[n])[:MAIN_ROADS]]


def ask(
    conditions: PromptConditions,
    city: City,
    vocabulary: Vocabulary,
    text_size: int,
    encode: Callable[[list[str]], list[list[int]]],
) -> list[Question]:
    """Return the question of every trip; `encode` turns texts into text ids, `text_size` is where new tokens begin."""
    texts = encode(question_texts(conditions, city))
    begin, end = (text_size + vocabulary.mark(mark) for mark in ("<|t_begin|>", "<|t_end|>"))
    answer = text_size + vocabulary.mark("<|p_begin|>")
    questions = []
    for row, roads in enumerate(conditions.roads):
        length = text_size + vocabulary.length(int(conditions.length_tokens[row]))
        route = (text_size + vocabulary.first_road + roads).tolist()
        ids = [begin, *route, end, *texts[row], length, answer]
        end_m = np.cumsum(city.length_m[roads])
        questions.append(
            Question(
                np.array(ids, dtype=np.int32),
                (end_m - city.length_m[roads]).astype(np.float32),
                end_m.astype(np.float32),
                float(conditions.distance_m[row]),
                int(conditions.points[row]),
            )
        )
    return questions


def place_features(start_m: NDArray[np.float32], end_m: NDArray[np.float32], total_m: float) -> NDArray[np.float32]:
    """Return where roads lie on their route, [R, PLACE]; ours: else the model has to add up lengths it cannot see."""
    both = np.stack([start_m, end_m], axis=1).astype(np.float64)
    phase = both[:, :, None] * (2 * np.pi / (64.0 * 2.0 ** np.arange(PLACE_WAVES)))
    waves = np.concatenate([np.sin(phase), np.cos(phase)], axis=2).reshape(len(both), -1)
    return np.concatenate([both / 5000.0, both / max(total_m, 1.0), waves], axis=1).astype(np.float32)
