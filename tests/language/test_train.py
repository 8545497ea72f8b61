"""Check the training of stage 2: it learns, keeps a log, stops on time, goes on after a stop, and is saved whole."""

from __future__ import annotations

import json

import pytest
import torch

import htp.language.train as training
from htp.compute import training_loop
from htp.config import LanguageTraining
from htp.errors import InputError
from htp.language.batch import collate
from htp.language.language import Language
from htp.language.train import QuestionsAndAnswers, fit

SETTINGS = LanguageTraining(epochs=2, batch_size=2, learning_rate=1e-2)  # three steps an epoch


@pytest.fixture(autouse=True)
def log_and_save_every_step(monkeypatch):
    monkeypatch.setattr(training, "LOG_STEPS", 1)
    monkeypatch.setattr(training_loop, "SAVE_EVERY_S", -1.0)


@pytest.fixture
def pairs(questions, answers):
    return QuestionsAndAnswers(questions, answers)


@pytest.fixture
def train(new_language, pairs):
    """Return a function that trains a new model in a folder, stopped by Ctrl-C when a step is reported."""

    def run(folder, settings=SETTINGS, stop_at=None):
        def report(line):
            if line["step"] == stop_at:
                raise KeyboardInterrupt

        language = new_language()
        fit(language, pairs, settings, folder, report)
        return language

    return run


def log_of(folder):
    return [json.loads(line) for line in (folder / "training.jsonl").read_text().splitlines()]


def test_a_model_learns_answers_by_heart(train, tmp_path, pairs):
    before = len(log_of(tmp_path)) if (tmp_path / "training.jsonl").exists() else 0
    language = train(tmp_path, LanguageTraining(epochs=12, batch_size=5, learning_rate=3e-2))
    losses = [line["loss"] for line in log_of(tmp_path)[before:] if "loss" in line]
    assert losses[-1] < 0.8 * losses[0]
    model = language.model
    with torch.no_grad():
        loss = model.loss(collate(pairs.questions, pairs.answers, model.vocabulary, model.text_size))
    assert loss.item() < 0.85 * losses[0]


def test_a_training_that_was_stopped_ends_where_one_that_was_not_ends(train, tmp_path):
    whole = train(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "stopped", stop_at=3)
    assert (tmp_path / "stopped" / "resume.pt").exists()
    resumed = train(tmp_path / "stopped")
    for name, tensor in resumed.model.state_dict().items():
        torch.testing.assert_close(tensor, whole.model.state_dict()[name], msg=name)
    steps = [line["step"] for line in log_of(tmp_path / "stopped") if "loss" in line]
    assert steps == [1, 2, 3, 3, 4, 5, 6]
    assert not (tmp_path / "stopped" / "resume.pt").exists()


def test_training_stops_when_its_minutes_are_over(train, tmp_path, monkeypatch):
    clock = iter(range(0, 10**6, 6))  # every look at the clock is six seconds later
    monkeypatch.setattr(training_loop.time, "monotonic", lambda: float(next(clock)))
    train(tmp_path, LanguageTraining(epochs=100, minutes=1, batch_size=5))
    assert 1 <= log_of(tmp_path)[-1]["step"] < 12


def test_a_training_of_another_model_is_not_gone_on_with(train, tmp_path, facts, grid, vocabulary, pairs):
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, stop_at=2)
    other = Language.new(training_config(hidden=16), vocabulary, torch.zeros(len(grid), 5), facts, grid)
    with pytest.raises(InputError, match="a model of another kind was stopped here"):
        fit(other, pairs, SETTINGS, tmp_path, print)


def test_a_training_that_an_older_version_was_stopped_in_is_a_sentence(train, tmp_path):
    (tmp_path / "training" / "checkpoint-500").mkdir(parents=True)
    with pytest.raises(
        InputError, match="the training of an older version was stopped here; it cannot be gone on with"
    ):
        train(tmp_path)


def test_the_last_line_says_what_the_training_came_to(train, tmp_path):
    train(tmp_path)
    *lines, last = log_of(tmp_path)
    assert [line.keys() for line in lines] == [
        {"step", "minutes", "loss", "grad_norm", "learning_rate", "epoch"} for _ in range(6)
    ]
    assert last["train_loss"] == pytest.approx(sum(line["loss"] for line in lines) / 6, rel=1e-3)
    assert (last["step"], last["epoch"]) == (6, 2.0)


def training_config(hidden):
    from htp.config import LanguageConfig  # noqa: PLC0415

    return LanguageConfig(hidden=hidden, layers=1, heads=1, kv_heads=1, intermediate=16, text_vocabulary=300)


def test_a_saved_model_gives_the_same_loss_when_it_is_loaded(train, tmp_path, pairs, road_features):
    language = train(tmp_path, LanguageTraining(epochs=1, batch_size=5))
    loaded = Language.load(tmp_path, road_features)
    losses = []
    for model in (language.model.eval(), loaded.model):
        with torch.no_grad():
            asked = collate(pairs.questions, pairs.answers, model.vocabulary, model.text_size)
            losses.append(model.loss(asked).item())
    assert losses[1] == pytest.approx(losses[0], rel=0.01)  # weights are kept in bfloat16
    assert {path.suffix for path in tmp_path.iterdir()} <= {".json", ".jsonl", ".safetensors"}
    loaded.save(tmp_path / "again")
    again = Language.load(tmp_path / "again", road_features).model.state_dict()
    for name, tensor in loaded.model.state_dict().items():
        torch.testing.assert_close(tensor, again[name], atol=0, rtol=0, msg=name)


@pytest.mark.parametrize(
    "name", ["language.json", "tokens.safetensors", "backbone.safetensors", "config.json", "tokenizer.json"]
)
@pytest.mark.parametrize("damage", ["missing", "cut off"])
def test_a_missing_or_damaged_file_is_a_sentence(new_language, road_features, tmp_path, name, damage):
    new_language().save(tmp_path)
    if damage == "missing":
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:40])
    with pytest.raises(InputError, match="the language model is missing or damaged"):
        Language.load(tmp_path, road_features)


def test_a_model_over_a_larger_city_is_refused(new_language, road_features, tmp_path):
    new_language().save(tmp_path)
    facts = json.loads((tmp_path / "language.json").read_text())
    (tmp_path / "language.json").write_text(json.dumps(facts | {"roads": 81}))
    with pytest.raises(InputError, match="knows 81 roads, the city has 80; train it on it"):
        Language.load(tmp_path, road_features)
