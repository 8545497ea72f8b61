"""Check how stages are trained further and apart: on a language model, offsets alone, routes beside."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch

from htp.checkpoint import Checkpoint
from htp.conditions import conditions_of
from htp.config import LanguageConfig, LanguageTraining, TokenizerConfig, TokenizerTraining
from htp.errors import InputError
from htp.generate import Generator, load_tokenizer
from htp.generate_files import generate_like
from htp.language.language import Language
from htp.train import train_decoder, train_language, train_offsets, train_routes, train_tokenizer
from htp.trip_source import Sampling
from htp.trips import read_trips, write_trips

pytestmark = pytest.mark.usefixtures("hurried")
SHORT = LanguageTraining(epochs=0.5, batch_size=16, learning_rate=1e-3)


def quiet(_):
    """Hear a training's report and say nothing."""


@pytest.fixture
def first_stage(tiny_checkpoint, tmp_path):
    """Return a checkpoint of the tiny one's tokenizer alone."""
    for part in ("city", "tokenizer"):
        shutil.copytree(tiny_checkpoint / part, tmp_path / "next" / part)
    shutil.copy(tiny_checkpoint / "recording.json", tmp_path / "next")
    Checkpoint(tmp_path / "next").seal()
    return tmp_path / "next"


def test_a_language_model_is_trained_on_and_its_settings_say_from_what(tiny_checkpoint, tiny_data, first_stage):
    train_language(tiny_data, first_stage, SHORT, start=tiny_checkpoint, config=LanguageConfig(), report=quiet)
    old, new = Generator.load(tiny_checkpoint), Generator.load(first_stage)
    before, after = old.language.model.rows.small.weight, new.language.model.rows.small.weight
    assert before.shape == after.shape
    assert (before != after).any()
    assert (before - after).abs().max() < 0.1  # a few small steps away, not begun anew
    settings = json.loads((first_stage / "language" / "settings.json").read_text())
    assert settings["epochs"] == 0.5
    assert settings["before"] == json.loads((tiny_checkpoint / "language" / "settings.json").read_text())


def test_a_language_model_of_other_codes_is_refused(tiny_checkpoint, tiny_data, first_stage):
    tokenizer = load_tokenizer(first_stage)
    with torch.no_grad():
        next(tokenizer.model.encoder.parameters()).add_(0.5)
    tokenizer.save(first_stage / "tokenizer")
    with pytest.raises(InputError, match="another tokenizer"):
        train_language(tiny_data, first_stage, SHORT, start=tiny_checkpoint, config=LanguageConfig(), report=quiet)
    assert not (first_stage / "language").exists()


@pytest.fixture
def elsewhere(triangle, random_trips, tmp_path):
    """Return a folder as `htp prepare` writes it, of trips through another city."""
    folder = tmp_path / "elsewhere"
    triangle.save(folder / "city")
    write_trips(random_trips(triangle, [24] * 24, 4), folder / "train.parquet")
    write_trips(random_trips(triangle, [24] * 4, 5), folder / "heldout.parquet")
    return folder


def moved_tokenizer(data, start, out):
    settings = TokenizerTraining(epochs=1, batch_size=16)
    train_tokenizer(data, data / "city", out, TokenizerConfig(), settings, start=start, report=quiet)


def test_with_few_trips_both_stages_go_on_from_those_of_another_city(tiny_checkpoint, elsewhere, tmp_path):
    start, out = tiny_checkpoint, tmp_path / "moved"
    moved_tokenizer(elsewhere, start, out)
    train_language(elsewhere, out, SHORT, start=start, config=LanguageConfig(), report=quiet)
    old, new = Generator.load(start), Generator.load(out)
    assert len(new.city) != len(old.city)
    assert new.language.model.vocabulary.roads == len(new.city)
    before, after = old.language.model.rows.small.weight, new.language.model.rows.small.weight
    assert (before - after).abs().max() < 0.1  # a few small steps away, not begun anew
    asked = conditions_of(new.heldout(), new.city)
    assert len(new.generate(asked, seed=1)) == len(asked)


@pytest.mark.thorough
def test_both_stages_go_on_in_the_same_city_as_well(tiny_checkpoint, tiny_data, tmp_path):
    start, out = tiny_checkpoint, tmp_path / "finer"
    moved_tokenizer(tiny_data, start, out)
    train_language(tiny_data, out, SHORT, start=start, config=LanguageConfig(), report=quiet)
    before, after = (Generator.load(at).language.model.rows for at in (start, out))
    for old, new in zip(before.parameters(), after.parameters(), strict=True):
        assert (old - new).abs().max() < 0.1  # a few small steps away, not begun anew


def test_roads_of_another_city_begin_like_the_known_roads_that_they_are_like(tiny_checkpoint):
    tokenizer = load_tokenizer(tiny_checkpoint)
    roads, features = tokenizer.model.roads, tokenizer.model.roads.described
    language = Language.load(Checkpoint(tiny_checkpoint).language, features)
    vocabulary = language.model.vocabulary
    tokens = torch.arange(vocabulary.roads) + vocabulary.first_road
    known = language.model.rows(tokens)
    torch.testing.assert_close(language.moved(vocabulary, features, slice(None)).model.rows(tokens), known)
    other_embedding = features.clone()
    other_embedding[:, : roads.anywhere.start] += 1.0  # it says another thing in every city
    alike, other = (
        language.moved(vocabulary, some, roads.anywhere).model.rows(tokens) for some in (features, other_embedding)
    )
    assert torch.equal(alike, other)
    assert alike.std(dim=0).mean() > 0


def test_a_language_model_is_not_moved_onto_the_codes_of_a_new_tokenizer(tiny_checkpoint, elsewhere, tmp_path):
    sizes = load_tokenizer(tiny_checkpoint).model.config
    settings, out = TokenizerTraining(epochs=1, batch_size=16), tmp_path / "new"
    train_tokenizer(elsewhere, elsewhere / "city", out, sizes, settings, report=quiet)
    with pytest.raises(InputError, match="another tokenizer"):
        train_language(elsewhere, out, SHORT, start=tiny_checkpoint, config=LanguageConfig(), report=quiet)


def test_trips_of_another_interval_than_the_tokenizers_are_refused(first_stage, tiny_data, tmp_path):
    for name in ("train", "heldout"):
        trips = read_trips(tiny_data / f"{name}.parquet")
        write_trips(trips.assign(interval=np.float32(4.0)), tmp_path / f"{name}.parquet")
    with pytest.raises(
        InputError, match=r"a point every 4 s, the tokenizer of .* learned 15 s; prepare .* --interval 15"
    ):
        train_language(tmp_path, first_stage, SHORT, config=LanguageConfig(), report=quiet)


def test_offsets_are_trained_alone_and_the_codes_stay(tiny_data, first_stage):
    trips, before = read_trips(tiny_data / "heldout.parquet"), load_tokenizer(first_stage)
    train_offsets(tiny_data, first_stage, seed=5, report=quiet)
    after = load_tokenizer(first_stage)
    np.testing.assert_array_equal(after.encode(trips).codes, before.encode(trips).codes)
    changed = {
        name
        for name, tensor in after.model.state_dict().items()
        if not torch.equal(tensor, before.model.state_dict()[name])
    }
    assert changed
    assert all(name.startswith("noise.") for name in changed)
    Checkpoint(first_stage).verify()


def test_the_decoder_is_trained_further_and_the_codes_stay(tiny_data, first_stage):
    trips, before, lines = read_trips(tiny_data / "heldout.parquet"), load_tokenizer(first_stage), []
    settings = TokenizerTraining(epochs=3, batch_size=8, learning_rate=3e-3)
    train_decoder(tiny_data, first_stage, settings, report=lines.append)
    after = load_tokenizer(first_stage)
    np.testing.assert_array_equal(after.encode(trips).codes, before.encode(trips).codes)
    old, new = before.model.state_dict(), after.model.state_dict()
    changed = {name.partition(".")[0] for name in new if not torch.equal(new[name], old[name])}
    assert changed == {"decoder", "roads"}
    losses = [line["steps"] for line in lines if "steps" in line]
    assert losses[-1] < losses[0]
    (told,) = json.loads((Checkpoint(first_stage).tokenizer / "settings.json").read_text())["decoder"]
    assert told == {"minutes": None, "learning_rate": 3e-3, "redrawn": 0.0}
    Checkpoint(first_stage).verify()


def test_the_decoder_is_trained_on_codes_that_the_language_model_writes(tiny_data, tiny_checkpoint, tmp_path):
    folder, settings = (
        shutil.copytree(tiny_checkpoint, tmp_path / "redrawn"),
        TokenizerTraining(epochs=1, batch_size=32),
    )
    before, trips = load_tokenizer(folder), read_trips(tiny_data / "heldout.parquet")
    train_decoder(tiny_data, folder, settings, redrawn=0.6, report=quiet)
    after = load_tokenizer(folder)
    np.testing.assert_array_equal(after.encode(trips).codes, before.encode(trips).codes)
    alone = shutil.copytree(tiny_checkpoint, tmp_path / "alone")
    train_decoder(tiny_data, alone, settings, report=quiet)
    name = "decoder.steps.out.weight"
    redrawn, own = (tokenizer.model.state_dict()[name] for tokenizer in (after, load_tokenizer(alone)))
    assert not torch.equal(redrawn, own)
    assert json.loads((folder / "tokenizer" / "settings.json").read_text())["decoder"][0]["redrawn"] == 0.6
    Checkpoint(folder).verify()


def test_routes_are_written_for_given_trips_once_they_are_learned(tiny_checkpoint, tiny_data, tmp_path):
    folder = shutil.copytree(tiny_checkpoint, tmp_path / "plus")
    generator, like = Generator.load(folder), tiny_data / "heldout.parquet"
    with pytest.raises(InputError, match="htp train routes"):
        generate_like(generator, like, tmp_path / "out.parquet", Sampling(), plus="start")
    train_routes(tiny_data, folder, SHORT, report=quiet)
    generator = Generator.load(folder)
    count = generate_like(generator, like, tmp_path / "out.parquet", Sampling(), plus="start", seed=3)
    real, made = read_trips(like), read_trips(tmp_path / "out.parquet")
    assert count == len(real) == len(made)
    assert [a[0] for a in made["roads"]] == [b[0] for b in real["roads"]]
    assert any(len(a) != len(b) or (a != b).any() for a, b in zip(made["roads"], real["roads"], strict=True))
    asked, found = (conditions_of(trips, generator.city) for trips in (real, made))
    for one, other in zip(asked, found, strict=True):
        assert generator.city.is_connected(np.asarray(other.route.roads))
        assert other.distance_m == pytest.approx(one.distance_m, rel=0.02)
