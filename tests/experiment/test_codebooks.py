"""Check which tokenizers are trained for Figure 10, and what is kept of each."""

from __future__ import annotations

import json

import pytest

from htp.errors import InputError
from htp.experiment import codebooks as module
from htp.experiment.codebooks import LAYERS, SIZES, codebooks
from htp.experiment.layout import Layout
from htp.experiment.settings import ExperimentSettings


def go(tiny_data, out, budget_s=0.05, **options):
    made = codebooks(tiny_data, tiny_data / "city", ExperimentSettings(budget_s), out, report=lambda _: None, **options)
    return [path.stem for path in made]


def test_each_tokenizer_is_trained_once_and_a_stopped_run_goes_on(tiny_data, tmp_path, monkeypatch):
    trained = []

    def train(sizes, *_):
        if len(trained) == 3:
            raise KeyboardInterrupt
        trained.append(sizes)
        return {"loss": 1.0}

    monkeypatch.setattr(module, "_train", train)
    with pytest.raises(KeyboardInterrupt):
        go(tiny_data, tmp_path)
    monkeypatch.setattr(module, "_train", lambda sizes, *_: trained.append(sizes) or {"loss": 2.0})
    assert len(go(tiny_data, tmp_path)) == 6
    assert sorted(trained) == sorted({*SIZES, *LAYERS})
    assert len(trained) == 9  # the paper's four layers are in both
    assert go(tiny_data, tmp_path) == []


def test_what_is_of_another_budget_is_replaced_only_by_force(tiny_data, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_train", lambda *_: {"loss": 1.0})
    go(tiny_data, tmp_path)
    with pytest.raises(InputError, match="of other trips or another budget; give --force"):
        go(tiny_data, tmp_path, budget_s=9.0)
    assert len(go(tiny_data, tmp_path, budget_s=9.0, force=True)) == 9


def test_a_tokenizer_has_the_codebooks_asked_for_and_says_its_loss(tiny_data, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SIZES", ((4, 8),))
    monkeypatch.setattr(module, "LAYERS", ((4, 8),))
    assert go(tiny_data, tmp_path) == ["4-8"]
    facts = json.loads(Layout(tmp_path).codebooks("4-8").read_text())
    assert (facts["sizes"], facts["checked"], facts["epochs"]) == ([4, 8], 24, 1)
    assert facts["loss"] > 0.0
    assert facts["error_m"] > 0.0
    assert facts["fingerprint"]
    assert len(list(Layout(tmp_path).shared.iterdir())) == 1  # node2vec
