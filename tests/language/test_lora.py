"""Check stage 2 on other models, tiny and random here: what is trained, what is stored, what is found again."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file
from transformers import LlamaConfig, LlamaForCausalLM, Qwen3Config, Qwen3ForCausalLM

import htp.language.train as training
from htp.compute import training_loop
from htp.config import LanguageTraining
from htp.errors import InputError
from htp.language.backbone import built_in_tokenizer, from_base
from htp.language.batch import collate
from htp.language.language import Language
from htp.language.train import QuestionsAndAnswers, fit
from htp.trip_source import Sampling

SIZES = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "tie_word_embeddings": True,
}
KINDS = {
    "qwen3": lambda size: Qwen3ForCausalLM(Qwen3Config(vocab_size=size, head_dim=16, **SIZES)),
    "llama": lambda size: LlamaForCausalLM(LlamaConfig(vocab_size=size, **SIZES)),
}
SETTINGS = LanguageTraining(epochs=1, batch_size=2, learning_rate=5e-3, lora_rank=4)  # three steps


@pytest.fixture(scope="module", params=KINDS)
def base(request, tmp_path_factory):
    """Return the folder of a causal model with its tokenizer, as the hub gives it."""
    folder = tmp_path_factory.mktemp("models") / request.param
    tokenizer = built_in_tokenizer(["Main roads: Calle Uno, Avenida 2. Monday"], 300)
    torch.manual_seed(0)
    KINDS[request.param](len(tokenizer) + 5).save_pretrained(folder)  # models have more rows than tokens
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def new(base, vocabulary, road_features):
    """Return what puts tokens and adapters on the base; the same ones every time."""

    def make(model=base):
        torch.manual_seed(1)
        return Language.on_base(str(model), vocabulary, road_features, SETTINGS.lora_rank)

    return make


@pytest.fixture
def train(new, facts, grid, answers):
    def run(folder, stop_at=None):
        def report(line):
            if line["step"] == stop_at:
                raise KeyboardInterrupt

        language = new()
        fit(language, QuestionsAndAnswers(language.ask(facts, grid), answers), SETTINGS, folder, report)
        return language

    return run


def loss_of(language, facts, grid, answers):
    model = language.model.eval()
    with torch.no_grad():
        return model.loss(collate(language.ask(facts, grid), answers, model.vocabulary, model.text_size)).item()


def test_only_adapters_rows_and_heads_are_trained(new, train, tmp_path):
    before = {name: tensor.clone() for name, tensor in new().model.named_parameters()}
    after = dict(train(tmp_path).model.named_parameters())
    changed = {name for name in after if name in before and not torch.equal(after[name], before[name])}
    assert any(name.startswith("rows.") for name in changed)
    of_backbone = {name for name in changed if name.startswith("backbone.")}
    assert of_backbone
    assert all("lora_" in name for name in of_backbone)


def test_nothing_of_the_base_model_is_stored(train, tmp_path, base):
    train(tmp_path)
    files = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    weights = [name for name in files if name.endswith(".safetensors")]
    assert weights == ["adapter/adapter_model.safetensors", "tokens.safetensors"]
    assert not any(name.endswith((".bin", ".pt", ".pkl")) for name in files)
    assert all("lora_" in name for name in load_file(tmp_path / weights[0]))
    rows = load_file(tmp_path / "tokens.safetensors")
    assert not any(80 in tensor.shape for tensor in rows.values())  # no road has a row of its own
    assert rows["rows.small.weight"].shape == (4 + 8 + 4 + 6 + 8, 32)
    assert not any("embed_tokens" in name or name.startswith("backbone") for name in rows)
    assert json.loads((tmp_path / "language.json").read_text())["base"] == str(base)


def test_a_loaded_model_gives_the_loss_of_the_one_that_was_saved(train, tmp_path, facts, grid, answers, road_features):
    trained = train(tmp_path / "first")
    loaded = Language.load(tmp_path / "first", road_features)
    loss = loss_of(loaded, facts, grid, answers)
    assert loss == pytest.approx(loss_of(trained, facts, grid, answers), rel=0.01)  # weights are kept in bfloat16
    loaded.save(tmp_path / "again")
    assert loss_of(Language.load(tmp_path / "again", road_features), facts, grid, answers) == loss


def test_a_loaded_model_writes_valid_answers(train, tmp_path, facts, grid, road_features):
    train(tmp_path)
    keys = torch.zeros(5, 2).numpy().astype("uint64")
    written = Language.load(tmp_path, road_features).generate(facts, grid, keys, Sampling())
    for answer, roads in zip(written, facts.roads, strict=True):
        assert answer.anchors[-1] == len(roads) - 1


def test_a_training_that_was_stopped_ends_where_one_that_was_not_ends(train, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "LOG_STEPS", 1)
    monkeypatch.setattr(training_loop, "SAVE_EVERY_S", -1.0)
    whole = train(tmp_path / "whole").model.state_dict()
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "stopped", stop_at=2)
    for name, tensor in train(tmp_path / "stopped").model.state_dict().items():
        torch.testing.assert_close(tensor, whole[name], msg=name)


def test_a_base_model_that_is_not_there_any_more_is_named(new, base, tmp_path, road_features):
    moved = tmp_path / "moved"
    moved.symlink_to(base)
    new(moved).save(tmp_path / "language")
    facts = json.loads((tmp_path / "language" / "language.json").read_text())
    gone = tmp_path / "gone"
    (tmp_path / "language" / "language.json").write_text(json.dumps(facts | {"base": str(gone)}))
    with pytest.raises(InputError, match=f"needs the base model {gone}, which is not there any more"):
        Language.load(tmp_path / "language", road_features)


def test_another_model_under_the_name_of_the_base_is_noticed(new, base, tmp_path, road_features):
    new().save(tmp_path)
    facts = json.loads((tmp_path / "language.json").read_text())
    (tmp_path / "language.json").write_text(json.dumps(facts | {"base_norm": facts["base_norm"] * 1.1}))
    with pytest.raises(InputError, match=f"was trained on another model than {base} is now"):
        Language.load(tmp_path, road_features)


def test_a_missing_gguf_file_is_a_sentence(tmp_path):
    with pytest.raises(InputError, match=r"missing\.gguf: no such GGUF file"):
        from_base(str(tmp_path / "missing.gguf"))


def test_a_gguf_file_that_is_none_is_a_sentence(tmp_path):
    (tmp_path / "model.gguf").write_bytes(b"not a model" * 100)
    with pytest.raises(InputError, match=r"model\.gguf: no causal language model could be loaded from it"):
        from_base(str(tmp_path / "model.gguf"))


def test_a_folder_without_a_model_is_a_sentence(tmp_path):
    with pytest.raises(InputError, match="no causal language model could be loaded from it"):
        from_base(str(tmp_path))


def test_a_model_of_the_other_kind_leaves_nothing_behind(new, new_language, tmp_path):
    built_in, adapted = new_language(), new()
    built_in.save(tmp_path)
    only_built_in = sorted(path.name for path in tmp_path.iterdir())
    adapted.save(tmp_path)
    assert not {"config.json", "model.safetensors", "tokenizer.json"} & {path.name for path in tmp_path.iterdir()}
    built_in.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == only_built_in
