"""Check that the anchor head knows distances before the transformer is trained, and that nothing else is touched."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from htp.language.anchors import begin_anchors
from htp.language.train import QuestionsAndAnswers


def loss_of(language, questions, answers):
    """Return nats an anchor, by distances alone."""
    asked = language.collate(questions, answers)
    number = torch.arange(asked.anchors.shape[1]).expand(len(asked.anchors), -1)
    real = number < asked.patterns[:, None]
    logits = language.model.anchor_distances(asked, F.pad(asked.anchors[:, :-1], (1, 0)), number)
    return F.cross_entropy(logits[real], asked.anchors[real]).item()


def test_distances_alone_say_much_about_anchors_and_the_rest_stays(new_language, questions, answers):
    language = new_language()
    before = {name: weight.clone() for name, weight in language.model.state_dict().items()}
    at_first = loss_of(language, questions, answers)
    last = begin_anchors(language, QuestionsAndAnswers(questions, answers), seed=0)
    assert last < 0.8 * at_first
    assert math.isclose(loss_of(language, questions, answers), last, rel_tol=0.2)
    changed = {name for name, weight in language.model.state_dict().items() if not torch.equal(weight, before[name])}
    assert changed
    assert all(name.startswith("progress.") for name in changed)


def test_the_same_seed_gives_the_same_head(new_language, questions, answers):
    pairs = QuestionsAndAnswers(questions, answers)
    one, other = new_language(), new_language()
    assert begin_anchors(one, pairs, seed=3) == begin_anchors(other, pairs, seed=3)
