"""Audit a whole checkpoint: the losses are the models' own, the result can be read by people and programs."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from htp.cli.main import main
from htp.conditions import prompt_conditions_of
from htp.errors import InputError
from htp.evaluate.privacy import Audit, AuditFigure, audit
from htp.evaluate.privacy.chance import Estimate
from htp.evaluate.privacy.losses import language_loss, tokenizer_loss
from htp.generate import Generator, answers_of, reconstruct
from htp.tokenizer.batch import Batches
from htp.tokenizer.features import describe
from htp.tokenizer.tokenizer import Tokenizer
from htp.trips import read_trips, write_trips

NAMES = [
    "distance to the closest training trip",
    "closer than a held-out trip",
    "near copies",
    "membership by the tokenizer",
    "sure members by the tokenizer",
    "membership by the language model",
    "sure members by the language model",
]


@pytest.fixture(scope="module")
def generator(tiny_checkpoint):
    return Generator.load(tiny_checkpoint, device="cpu")


@pytest.fixture(scope="module")
def heldout(tiny_data):
    return read_trips(tiny_data / "heldout.parquet")


@pytest.fixture(scope="module")
def result(tiny_checkpoint, tiny_data, heldout):
    made = heldout.iloc[:10].assign(trip_id=[f"made-{number}" for number in range(10)])
    return audit(tiny_checkpoint, tiny_data / "train.parquet", made, heldout, sample=20)


def test_the_tokenizers_loss_of_a_trip_is_what_it_is_by_itself(generator, heldout):
    model, batches = generator.tokenizer.model, Batches(describe(heldout, generator.city))
    with torch.inference_mode():
        alone = [float(model(batches.collate(np.array([row]))).parts["steps"]) for row in range(len(heldout))]
    np.testing.assert_allclose(tokenizer_loss(heldout, generator.tokenizer), alone, rtol=0.01, atol=0.001)


def test_where_steps_are_regressed_it_is_how_far_points_lie_from_where_they_were(heldout, generator):
    config = replace(generator.tokenizer.model.config, increments="anchored")
    tokenizer = Tokenizer.new(config, generator.city, vectors=generator.tokenizer.model.roads.node2vec)
    back = reconstruct(heldout, tokenizer)
    length_m = [generator.city.length_m[roads].sum() for roads in heldout["roads"]]
    pairs = zip(heldout["percent"], back["percent"], length_m, strict=True)
    expected = [np.abs(one - two).mean() * metres for one, two, metres in pairs]
    np.testing.assert_allclose(tokenizer_loss(heldout, tokenizer), expected, rtol=0.02, atol=0.1)


def test_the_language_models_loss_of_a_trip_is_what_it_is_by_itself(generator, heldout):
    tokenizer, language = generator.tokenizer, generator.language
    questions = language.ask(prompt_conditions_of(heldout, generator.city), generator.city)
    answers = answers_of(tokenizer.encode(heldout))
    with torch.inference_mode():
        pairs = zip(questions, answers, strict=True)
        expected = [float(language.model.loss(language.collate([q], [a]))) for q, a in pairs]
    np.testing.assert_allclose(language_loss(heldout, tokenizer, language), expected, rtol=1e-4)


def test_an_audit_has_every_figure_or_says_why_not(result):
    assert [figure.name for figure in result.figures][:7] == NAMES
    assert result.trips == {"training": 96, "generated": 10, "held-out": 24}
    assert any("Generate from half of the held-out trips" in sentence for sentence in result.unknown)
    for figure in result.figures:
        assert figure.found.low <= figure.found.value <= figure.found.high


def test_the_same_seed_gives_the_same_audit(result, tiny_checkpoint, tiny_data, heldout):
    made = heldout.iloc[:10].assign(trip_id=[f"made-{number}" for number in range(10)])
    heard = []
    again = audit(
        tiny_checkpoint,
        tiny_data / "train.parquet",
        made,
        heldout,
        sample=20,
        progress=lambda done, total: heard.append((done, total)),
    )
    assert again == result
    assert heard[-1] == (170, 170)  # 96 + 10 + 24 read, 20 and 20 asked about


def test_training_trips_are_no_held_out_trips(tiny_checkpoint, tiny_data, heldout):
    train = tiny_data / "train.parquet"
    with pytest.raises(InputError, match="are training trips themselves"):
        audit(tiny_checkpoint, train, heldout, train, sample=20)


def test_trips_that_were_not_prepared_are_refused(tiny_checkpoint, tiny_data, heldout):
    with pytest.raises(InputError, match="no column 'percent'; give training and held-out trips of `htp prepare`"):
        audit(tiny_checkpoint, tiny_data / "train.parquet", heldout, heldout.drop(columns="percent"), sample=20)


def test_a_figure_leaks_only_beyond_both_intervals():
    def figure(found, expected, *, low_is_bad=False):
        return AuditFigure("", found, expected, "share", "", low_is_bad=low_is_bad)

    assert figure(Estimate(0.6, 0.55, 0.65), Estimate.exactly(0.5)).leaks
    assert not figure(Estimate(0.6, 0.49, 0.7), Estimate.exactly(0.5)).leaks
    assert not figure(Estimate(0.6, 0.55, 0.65), Estimate(0.5, 0.4, 0.6)).leaks
    assert not figure(Estimate(0.4, 0.3, 0.45), Estimate.exactly(0.5)).leaks
    assert figure(Estimate(0.8, 0.7, 0.9), Estimate.exactly(1.0), low_is_bad=True).leaks


def test_an_audit_is_json_and_a_section_of_a_card():
    figure = AuditFigure(
        "near copies", Estimate(0.02, 0.01, 0.03), Estimate(0.0, 0.0, 0.004), "share", "Two in a hundred."
    )
    result = Audit((figure,), ("Routes were given.",), {"training": 5000, "generated": 10}, 2000, 7)
    read = json.loads(result.to_json())
    assert read["figures"]["near copies"]["found"] == {"value": 0.02, "low": 0.01, "high": 0.03}
    assert read["figures"]["near copies"]["leaks"] is True
    assert (read["seed"], read["trips"]["training"]) == (7, 5000)
    lines = result.to_markdown()
    assert lines[0] == "## Does it give training trips away?"
    assert "| near copies | 2.00 % | 1.00 % to 3.00 % | 0.00 % | leaks |" in lines
    assert "- Two in a hundred. That is more than chance explains." in lines
    assert "- Routes were given." in lines


@pytest.fixture
def command(monkeypatch, tiny_checkpoint, tiny_data, heldout, tmp_path):
    """Return a function that runs `htp audit` on six generated trips, with further options."""
    write_trips(heldout.iloc[:6].assign(trip_id=list("abcdef")), tmp_path / "made.parquet")
    tables = ("--train", tiny_data / "train.parquet", "--heldout", tiny_data / "heldout.parquet")
    usual = ("--checkpoint", tiny_checkpoint, *tables, "--generated", tmp_path / "made.parquet", "--sample", 50)

    def run(*options):
        monkeypatch.setenv("COLUMNS", "160")
        monkeypatch.setattr(sys, "argv", ["htp", "audit", *map(str, usual), *options])
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code

    return run


def test_the_command_prints_an_audit_for_people_and_for_programs(command, capsys):
    command()
    out = capsys.readouterr().out
    assert "membership by the language model" in out
    assert "Whoever guesses by how likely the language model finds it" in out
    command("--json")
    assert json.loads(capsys.readouterr().out)["trips"] == {"training": 96, "generated": 6, "held-out": 24}
