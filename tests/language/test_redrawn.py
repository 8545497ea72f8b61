"""Check that redrawn codes are the language model's, of some patterns of some trips, and the trips' own elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from htp.errors import InputError
from htp.language.language import Language
from htp.language.model import LanguageModel
from htp.language.redrawn import Redrawn
from htp.language.train import QuestionsAndAnswers

SOME = np.array([2, 0])


@pytest.fixture
def pairs(questions, answers):
    return QuestionsAndAnswers(questions, answers)


def own(pairs, rows):
    """Return the codes of trips, padded as a batch of the tokenizer's is."""
    codes = [torch.from_numpy(pairs.answers[row].codes.astype(np.int64)) for row in rows]
    width = max(map(len, codes))
    return torch.stack([F.pad(each, (0, 0, 0, width - len(each)), value=0) for each in codes])


def test_no_trip_is_touched_at_a_share_of_none(language, pairs):
    codes = own(pairs, SOME)
    assert Redrawn(language, pairs, 0.0)(SOME, codes) is codes


def test_the_same_random_numbers_redraw_the_same_patterns_and_leave_others(language, pairs):
    codes, redrawn = own(pairs, SOME), Redrawn(language, pairs, 1.0)
    torch.manual_seed(5)
    one = redrawn(SOME, codes)
    torch.manual_seed(5)
    assert torch.equal(redrawn(SOME, codes), one)
    times = 300
    many = own(pairs, np.tile(SOME, times))
    changed = (redrawn(np.tile(SOME, times), many) != many).any(dim=-1).unflatten(0, (times, len(SOME)))
    real = torch.arange(codes.shape[1]) < torch.tensor([len(pairs.answers[row].codes) for row in SOME])[:, None]
    share = changed.float().mean(dim=0)[real]  # half of them, but for those that were drawn as they are
    assert ((share > 0.3) & (share < 0.6)).all()


def test_codes_are_drawn_as_the_model_says_after_the_true_patterns(language, pairs):
    """The first codes of a pattern come as often as their probability after what was driven before."""
    times, model = 800, language.model
    asked, many = (pairs.collate(language, rows, torch.device("cpu")) for rows in (SOME, np.tile(SOME, times)))
    patterns = asked.codes.shape[1]
    with torch.inference_mode():
        expected = model.code_logits(model.read(asked, patterns)[0][:, :, 1], 0).softmax(dim=-1)
        torch.manual_seed(0)
        drawn = F.one_hot(model.redraw(many)[..., 0], expected.shape[-1]).float()
    found = drawn.unflatten(0, (times, len(SOME))).mean(dim=0)
    np.testing.assert_allclose(found[asked.real], expected[asked.real], atol=0.06)


def test_a_model_that_writes_token_by_token_is_refused(language, pairs):
    plain = LanguageModel(language.model.backbone, language.model.vocabulary, language.model.text_size)
    with pytest.raises(InputError, match="by a language model with a depth network alone"):
        Redrawn(Language(plain, language.tokenizer), pairs, 0.5)
