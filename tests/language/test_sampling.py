"""Check the writing of answers: the grammar holds whatever the weights are; draws follow the model's probabilities."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from htp.language.batch import collate, collate_questions, shared_tokens
from htp.language.depth import DepthModel
from htp.language.model import LanguageModel
from htp.language.sampling import draw, in_batches, sample_batch, sampler_of
from htp.trip_source import Sampling

SIZES = (4, 6, 8)


def keys_of(count, seed=0):
    return np.column_stack([np.full(count, seed), np.arange(count)]).astype(np.uint64)


def as_lists(answers):
    return [(answer.anchors.tolist(), answer.codes.tolist()) for answer in answers]


def sample_answers(model, questions, keys, sampling, **options):
    return in_batches(questions, keys, lambda some, keys: sample_batch(model, some, keys, sampling), **options)


def step_by_step(model, questions, answers):
    """Return the log-probability of each answer, read one token at a time with the cache."""
    asked = collate_questions(questions, len(SIZES))
    writer, rows = sampler_of(model)(model, asked, Sampling(), 0), torch.arange(len(questions))
    said, before = [torch.zeros(len(questions))], torch.zeros(len(questions), dtype=torch.long)
    for pattern in range(max(len(answer.anchors) for answer in answers)):
        real = torch.tensor([pattern < len(answer.anchors) for answer in answers])
        at = [min(pattern, len(answer.anchors) - 1) for answer in answers]
        anchor = torch.tensor([int(answer.anchors[i]) for answer, i in zip(answers, at, strict=True)])
        codes = torch.tensor(np.stack([answer.codes[i] for answer, i in zip(answers, at, strict=True)]).astype(int))
        number = torch.full_like(before, pattern)[:, None]
        logits = model.anchor_logits(writer.last[:, None], writer.keys, asked, before[:, None], number)[:, 0]
        said.append(real * logits.log_softmax(-1)[rows, anchor].nan_to_num(neginf=0.0))
        before = anchor

        def known(layer, _, codes=codes, real=real):
            said.append(real * model.code_logits(writer.last, layer).log_softmax(-1)[rows, codes[:, layer]])
            return codes[:, layer]

        writer.code = known
        writer.codes(anchor, pattern, torch.zeros(len(questions), len(SIZES)), go_on=True)
    return torch.stack(said).sum(dim=0)


@pytest.mark.parametrize("model_type", [DepthModel, LanguageModel])
def test_what_is_trained_all_at_once_is_what_is_written_step_by_step(model_type, language, questions, answers):
    model = model_type(language.model.backbone, language.model.vocabulary, language.model.text_size)
    model.load_state_dict(language.model.state_dict(), strict=False)
    with torch.no_grad():
        loss = model.loss(collate(questions, answers, model.vocabulary, model.text_size))
        written = step_by_step(model, questions, answers)
    tokens = sum((1 + len(SIZES)) * len(answer.anchors) for answer in answers)
    assert -written.sum().item() / tokens == pytest.approx(loss.item(), rel=1e-4)


@pytest.mark.parametrize("temperature", [0.0, 1.0, 5.0])
def test_every_answer_is_valid_whatever_the_weights_are(language, questions, facts, temperature):
    for seed in range(3):
        written = sample_answers(language.model, questions, keys_of(5, seed), Sampling(temperature))
        for answer, roads, points in zip(written, facts.roads, facts.points, strict=True):
            assert len(answer.anchors) == len(answer.codes) == -(-points // 8)
            assert (np.diff(answer.anchors) >= 0).all()
            assert answer.anchors[0] >= 0
            assert answer.anchors[-1] == len(roads) - 1
            assert (answer.codes >= 0).all()
            assert (answer.codes < SIZES).all()


def test_an_answer_does_not_depend_on_what_is_written_beside_it(language, questions):
    keys, sampling = keys_of(5, seed=3), Sampling()
    together = as_lists(sample_answers(language.model, questions, keys, sampling))
    in_pairs = as_lists(sample_answers(language.model, questions, keys, sampling, batch_size=2))
    alone = [as_lists(sample_answers(language.model, [q], keys[[i]], sampling))[0] for i, q in enumerate(questions)]
    assert in_pairs == together
    assert alone == together


def test_trips_along_one_route_share_its_tokens_and_are_written_as_if_alone(language, facts, grid, monkeypatch):
    at, count = 4, 3
    later = pd.DatetimeIndex([facts.depart[at], *(facts.depart[at] + pd.Timedelta(hours=h) for h in (9, 100))])
    points = np.array([facts.points[at] - 9, facts.points[at], facts.points[at] + 70])
    many = replace(
        facts,
        roads=[facts.roads[at]] * count,
        depart=later,
        points=points,
        distance_m=facts.distance_m[[at] * count],
        interval_s=facts.interval_s[[at] * count],
        length_tokens=facts.length_tokens[[at] * count],
    )
    questions, keys = language.ask(many, grid), keys_of(count, seed=6)
    assert len({len(question.ids) for question in questions}) > 1
    assert shared_tokens(questions) > len(facts.roads[at]) + 2  # and the words before the time
    together = as_lists(sample_answers(language.model, questions, keys, Sampling()))
    monkeypatch.setattr("htp.language.sampling.shared_tokens", lambda _: 0)
    assert as_lists(sample_answers(language.model, questions, keys, Sampling())) == together


def test_questions_about_several_routes_share_nothing_and_neither_does_a_single_one(questions):
    assert shared_tokens(questions) == 0
    assert shared_tokens(questions[:1]) == 0


def test_another_key_gives_another_answer_and_the_same_key_the_same(language, questions):
    question = [questions[4]] * 3
    first, other, again = as_lists(
        sample_answers(language.model, question, np.array([[0, 0], [0, 1], [0, 0]], dtype=np.uint64), Sampling())
    )
    assert first == again
    assert first != other


def test_at_temperature_0_chance_has_no_say_and_each_token_is_the_likeliest(language, questions):
    first = as_lists(sample_answers(language.model, questions, keys_of(5, 1), Sampling(0.0)))
    assert first == as_lists(sample_answers(language.model, questions, keys_of(5, 2), Sampling(0.0)))
    anchors, codes = first[0]
    asked = collate_questions(questions[:1], 3)
    writer = sampler_of(language.model)(language.model, asked, Sampling(0.0), 0)
    with torch.no_grad():
        logits = language.model.anchor_logits(
            writer.last[:, None],
            writer.keys,
            asked,
            torch.zeros(1, 1, dtype=torch.long),
            torch.zeros(1, 1, dtype=torch.long),
        )
        assert logits.argmax().item() == anchors[0]
        state = language.model.depth[0](writer.last, writer.road(torch.tensor(anchors[:1])))
        assert language.model.code_logits(state, 0).argmax().item() == codes[0][0]


def test_progress_is_told_of_every_answer(language, questions):
    heard = []
    sample_answers(language.model, questions, keys_of(5), Sampling(), batch_size=2, progress=heard.append)
    assert heard == [2, 2, 1]


PROBABILITIES = [0.1, 0.5, 0.05, 0.35]


def drawn_shares(sampling):
    """Return how often each of four tokens is drawn over evenly spread uniforms."""
    uniform = (torch.arange(10_000) + 0.5) / 10_000
    logits = torch.tensor(PROBABILITIES).log().expand(10_000, -1)
    return (torch.bincount(draw(logits, uniform, sampling), minlength=4) / 10_000).tolist()


def test_draws_follow_the_probabilities():
    assert drawn_shares(Sampling()) == pytest.approx(PROBABILITIES, abs=2e-4)


def test_a_temperature_of_a_half_squares_the_probabilities():
    squared = np.square(PROBABILITIES) / np.square(PROBABILITIES).sum()
    assert drawn_shares(Sampling(0.5)) == pytest.approx(squared, abs=2e-4)


@pytest.mark.parametrize(
    ("top_p", "kept"),
    [(5e-324, [1]), (0.4, [1]), (0.5, [1]), (0.6, [1, 3]), (0.84, [1, 3]), (0.9, [0, 1, 3]), (1.0, [0, 1, 2, 3])],
)
def test_top_p_keeps_the_likeliest_tokens_that_reach_it_and_their_ratio(top_p, kept):
    shares = drawn_shares(Sampling(top_p=top_p))
    total = sum(PROBABILITIES[token] for token in kept)
    assert shares == pytest.approx([p / total * (i in kept) for i, p in enumerate(PROBABILITIES)], abs=2e-4)


@pytest.mark.parametrize("uniform", [0.0, 0.5, 1.0 - 2**-24, 1.0])
@pytest.mark.parametrize("top_p", [0.3, 1.0])
def test_what_is_forbidden_is_never_drawn(uniform, top_p):
    logits = torch.tensor([[-torch.inf, 1.0, -torch.inf, 2.0, -torch.inf]])
    assert draw(logits, torch.tensor([uniform]), Sampling(top_p=top_p)).item() in (1, 3)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"temperature": -0.1}, "temperature is -0.1; give 0 to 5"),
        ({"temperature": 9.0}, "temperature is 9.0; give 0 to 5"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"top_p": 0.0}, "top_p is 0.0; give a number above 0"),
        ({"top_p": 1.1}, "top_p is 1.1"),
    ],
    ids=str,
)
def test_other_temperatures_and_shares_are_refused(settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        Sampling(**settings)
