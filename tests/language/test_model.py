"""Check the loss by hand, what it depends on, the anchors that the grammar allows, and rows for roads never seen."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from htp.language.batch import collate
from htp.language.model import TokenRows
from htp.language.vocabulary import Vocabulary

SIZES = (4, 6, 8)


@pytest.fixture
def asked(questions, answers, language):
    return collate(questions, answers, language.model.vocabulary, language.model.text_size)


def indifferent(language):
    """Let every token that may stand at a place be equally likely."""
    model = language.model
    with torch.no_grad():
        model.rows.small.weight.zero_()
        model.query.weight.zero_()
        model.query.bias.zero_()
        model.progress[-1].weight.zero_()
    return model


def test_the_loss_of_an_indifferent_model_is_the_mean_log_of_the_number_of_choices(new_language, asked, facts, answers):
    total, tokens = 0.0, 0
    for roads, answer in zip(facts.roads, answers, strict=True):
        before = 0
        for anchor in answer.anchors[:-1]:
            total += math.log(len(roads) - before)
            before = anchor
        total += len(answer.anchors) * sum(math.log(size) for size in SIZES)  # the last anchor has no choice
        tokens += 4 * len(answer.anchors)
    assert indifferent(new_language()).loss(asked).item() == pytest.approx(total / tokens, rel=1e-4)


def test_the_loss_is_that_of_the_answer_alone(language, asked):
    words = asked.ids.clone()
    for row, at in enumerate(asked.answer_at.tolist()):
        words[row, at - 4 : at - 2] = (words[row, at - 4 : at - 2] + 1) % 256  # of the text
    model = language.model
    embedding = model.backbone.get_input_embeddings().weight
    before = embedding.grad
    loss = model.loss(replace(asked, ids=words))
    loss.backward()
    # a text token counts as something read, never as something to predict: those that are not read get no gradient
    unread = torch.ones(len(embedding), dtype=torch.bool)
    unread[words[words < model.text_size]] = False
    assert before is None
    assert (embedding.grad[unread] == 0).all()
    assert embedding.grad[~unread].abs().sum() > 0
    model.zero_grad(set_to_none=True)


def test_the_loss_of_each_trip_does_not_depend_on_its_batch(language, questions, answers):
    model = language.model
    tokens = [4 * len(answer.anchors) for answer in answers]
    with torch.no_grad():
        alone = [
            model.loss(collate([q], [a], model.vocabulary, model.text_size)).item()
            for q, a in zip(questions, answers, strict=True)
        ]
        together = model.loss(collate(questions, answers, model.vocabulary, model.text_size)).item()
    expected = sum(loss * n for loss, n in zip(alone, tokens, strict=True)) / sum(tokens)
    assert together == pytest.approx(expected, rel=1e-4)


def test_no_anchor_lies_behind_the_one_before_and_the_last_is_the_last_road(language, asked):
    model = language.model
    h, keys = torch.randn(5, 8, 32), torch.randn(5, asked.road_mask.shape[1], 64)
    before = torch.nn.functional.pad(asked.anchors[:, :-1], (1, 0))
    logits = model.anchor_logits(h, keys, asked, before, torch.arange(8).expand(5, -1))
    for row, roads in enumerate(asked.road_mask.sum(dim=1).tolist()):
        for pattern in range(int(asked.patterns[row])):
            allowed = torch.isfinite(logits[row, pattern]).nonzero()[:, 0].tolist()
            last = pattern == asked.patterns[row] - 1
            assert allowed == ([roads - 1] if last else list(range(int(before[row, pattern]), roads)))


def test_what_is_not_there_yet_is_not_seen(language, asked):
    """Changing a later code leaves the probability of everything before it as it was."""
    model, changed = language.model, asked.ids.clone()
    last = int(asked.mask[0].sum()) - 1
    changed[0, last] = model.text_size + model.vocabulary.first_code(2)
    assert changed[0, last] != asked.ids[0, last]

    def hidden(ids):
        embedded = model.embed(ids, asked.place)
        return model.backbone(inputs_embeds=embedded, attention_mask=asked.mask.long()).last_hidden_state

    with torch.no_grad():
        torch.testing.assert_close(hidden(changed)[0, :last], hidden(asked.ids)[0, :last])


@pytest.fixture
def rows():
    torch.manual_seed(0)
    features = torch.randn(5, 3)
    features[4] = features[1]
    return TokenRows(Vocabulary((2,), 5), 16, features)


def road_rows(rows):
    return rows(rows.vocabulary.first_road + torch.arange(5)).detach()


def test_a_road_that_no_trip_drove_learns_with_one_that_is_like_it(rows):
    before = road_rows(rows)
    torch.testing.assert_close(before[4], before[1])
    optimizer = torch.optim.SGD(rows.parameters(), lr=0.1)
    rows(torch.tensor([rows.vocabulary.first_road + 1])).sum().backward()
    optimizer.step()
    after = road_rows(rows)
    assert (after - before)[4].norm() > 0.01
    torch.testing.assert_close(after[4], after[1])  # no road has anything of its own


def test_rows_are_the_same_once_training_is_over_and_follow_what_is_trained_after(rows):
    trained = road_rows(rows)
    with torch.no_grad():
        torch.testing.assert_close(road_rows(rows.eval()), trained)
        rows.train()
        rows.tell[2].bias += 1.0
        torch.testing.assert_close(road_rows(rows.eval()), trained + 1.0)
    assert not any("roads" in name or "features" in name for name in rows.state_dict())


def test_without_features_every_road_has_a_row_of_its_own():
    rows = TokenRows(Vocabulary((2,), 5), 16, None)
    rows(torch.tensor([rows.vocabulary.first_road + 1])).sum().backward()
    torch.optim.SGD(rows.parameters(), lr=0.1).step()
    assert road_rows(rows).norm(dim=1).nonzero().tolist() == [[1]]


def test_marks_lengths_and_codes_have_rows_of_their_own(rows):
    with torch.no_grad():
        rows.small.weight.copy_(torch.arange(14.0)[:, None].expand(-1, 16))
    assert rows(torch.tensor([[0, 13]]))[0, :, 0].tolist() == [0.0, 13.0]
