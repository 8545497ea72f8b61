"""Benchmark a tiny checkpoint: what is compared makes valid trips, shares add up, limits follow from shapes."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
import torch

from htp.bench import bench, roofline, workload
from htp.bench.bench import run
from htp.bench.plain import PlainSampler
from htp.bench.roofline import Machine, TokenCost
from htp.bench.stages import STAGES, shares
from htp.bench.workload import Timing, Workload, timed
from htp.cli.main import main
from htp.compute.random_streams import keys_of
from htp.conditions import prompt_conditions_of
from htp.generate import Generator
from htp.trip_source import Sampling


@pytest.fixture(scope="module")
def generator(tiny_checkpoint):
    return Generator.load(tiny_checkpoint, "cpu")


@pytest.fixture(scope="module")
def measured(tiny_checkpoint):
    """Return a benchmark of one turn each and few steps of diffusion, and what was heard of its progress."""
    heard = []
    with pytest.MonkeyPatch.context() as patch:
        for module, name, value in (
            (workload, "TURNS", 1),
            (roofline, "TURNS", 1),
            (roofline, "COPIED_BYTES", 1 << 16),
            (roofline, "GEMM", 32),
            (bench, "DDIM_STEPS", 2),
        ):
            patch.setattr(module, name, value)
        found = run(tiny_checkpoint, (1, 3), device="cpu", small_rivals=True, progress=lambda *at: heard.append(at))
    return found, heard


@pytest.mark.parametrize(
    ("spent", "turns", "median"),
    [([7, 3, 6, 1], 2, 4.5), ([7, 1, 3, 1, 2, 0], 5, 1.0), ([9, 1], 1, 9.0)],
    ids=["until it is enough", "five at most", "a long first one"],
)
def test_the_median_of_turns_counts_and_the_first_run_only_if_it_is_long(monkeypatch, spent, turns, median):
    clock, left = [0.0], iter(spent)

    def make():
        clock[0] += next(left)

    monkeypatch.setattr(workload.time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(workload.time, "process_time", lambda: 2 * clock[0])  # two threads
    assert timed(make, 4) == Timing(4, turns, median, 2 * median)


def test_as_many_trips_are_asked_for_as_wanted_along_one_route_or_many(generator):
    asked = Workload.of(generator)
    same, distinct = asked.ask("one route", 30), asked.ask("distinct routes", 30)
    assert len(same) == len(distinct) == 30
    assert len({tuple(c.route.roads) for c in same}) == 1
    assert distinct[:24] == asked.conditions
    assert distinct[24:] == asked.conditions[:6]


def test_one_way_is_so_many_times_as_fast_as_another():
    one, other = Timing(64, 3, 2.0, 1.6), Timing(4, 3, 8.0, 10.0)
    assert one.trips_per_s == 32
    assert one.times(other) == 64
    assert one.saves(other) == 100


def test_the_plain_way_writes_valid_answers_with_the_same_backbone(generator):
    trips, language = generator.heldout(), generator.language
    facts = prompt_conditions_of(trips, generator.city)
    answers = PlainSampler(language).generate(facts, generator.city, keys_of(0, 0, len(trips)), Sampling())
    assert len(answers) == len(trips)
    for answer, points, roads in zip(answers, facts.points, facts.roads, strict=True):
        assert answer.codes.shape == (-(-points // 8), 4)
        assert (np.diff(answer.anchors) >= 0).all()
        assert answer.anchors[-1] == len(roads) - 1
        assert (answer.codes >= 0).all()
        assert (answer.codes < language.model.vocabulary.codebook_sizes).all()


def test_the_plain_way_has_the_weights_of_the_model(generator):
    model = generator.language.model
    causal = PlainSampler(generator.language).causal
    ids = torch.tensor([[3, 1, 4, model.text_size + 2, model.text_size + model.vocabulary.first_road + 5]])
    with torch.inference_mode():
        h = model.backbone(inputs_embeds=model.embed(ids, torch.zeros(1, 5, 44))).last_hidden_state
        logits, expected = causal(input_ids=ids).logits, model.code_logits(h, 1)
    assert logits.shape[-1] == model.text_size + len(model.vocabulary)
    first = model.text_size + model.vocabulary.first_code(1)
    size = model.vocabulary.codebook_sizes[1]
    torch.testing.assert_close(logits[..., first : first + size], expected, atol=1e-4, rtol=1e-4)


def test_the_stages_share_all_of_the_time_and_leave_no_clock_behind(generator):
    asked = Workload.of(generator).ask("distinct routes", 3)
    before = [line.wkt for line in generator.generate(asked).geometry]
    found = shares(generator, asked)
    assert tuple(found) == STAGES
    assert sum(found.values()) == pytest.approx(1.0)
    assert all(share > 0 for share in found.values())
    assert "ask" not in vars(generator.language)
    assert not generator.language.model.backbone._forward_hooks
    assert [line.wkt for line in generator.generate(asked).geometry] == before


def test_what_a_token_needs_follows_from_the_shapes(generator):
    model = generator.language.model  # 32 wide, 1 layer, 2 heads of 16 and 1 of keys and values, 32 within
    token = TokenCost.of(model, 100)
    attention, feed_forward = 32 * 32 + 2 * 32 * 16 + 32 * 32, 3 * 32 * 32
    norms, depth = 16 + 16 + 3 * 32, 4 * (2 * 32 + 64 * 128 + 128 + 128 * 32 + 32)
    assert token.weight_bytes == 4 * (attention + feed_forward + norms + depth)
    assert token.cache_bytes == 4 * 2 * 16 * 100
    assert token.flops == 2 * (attention + feed_forward + norms + depth) + 4 * 32 * 100


def test_a_step_is_limited_by_memory_for_few_trips_and_by_products_for_many():
    token, machine = TokenCost(weight_bytes=1000, cache_bytes=10, flops=300), Machine(bytes_per_s=100, flops_per_s=1000)
    assert token.seconds(1, machine) == pytest.approx(10.1)
    assert token.seconds(100, machine) == pytest.approx(30.0)


def test_a_benchmark_compares_everything_and_is_json(measured):
    found, heard = measured
    assert heard[-1][0] == heard[-1][1]
    read = json.loads(found.to_json())
    assert [(line["work"], line["timing"]["trips"]) for line in read["speeds"]] == [
        ("one route", 1),
        ("one route", 3),
        ("distinct routes", 1),
        ("distinct routes", 3),
    ]
    assert [(line["name"], line["work"]) for line in read["rivals"]] == [
        ("transformers.generate", "one route"),
        ("transformers.generate", "distinct routes"),
        ("DiffTraj", "distinct routes"),
        ("ControlTraj", "distinct routes"),
    ]
    for line in read["rivals"]:
        ours = next(one for one in read["speeds"] if one["work"] == line["work"] and one["timing"]["trips"] == 3)
        assert line["times"] == pytest.approx(ours["trips_per_s"] / line["trips_per_s"])
    assert read["peak_memory_bytes"] > 50 << 20
    assert read["threads"] == torch.get_num_threads()
    assert read["first_trip_s"] > 0


@pytest.mark.parametrize("batches", ["", "0", "1,x", "-4", "1.5", "1000000000"])
def test_batches_that_are_none_are_a_sentence(monkeypatch, capsys, tiny_checkpoint, batches):
    monkeypatch.setattr(sys, "argv", ["htp", "bench", "--checkpoint", str(tiny_checkpoint), f"--batches={batches}"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "give numbers of trips up to 100,000" in " ".join(capsys.readouterr().err.split())


def test_the_command_prints_tables_for_people_and_json_for_programs(monkeypatch, capsys, tiny_checkpoint, measured):
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr("htp.bench.bench.run", lambda *_, **__: measured[0])
    said = []
    for options in ([], ["--json"]):
        monkeypatch.setattr(sys, "argv", ["htp", "bench", "--checkpoint", str(tiny_checkpoint), *options])
        with pytest.raises(SystemExit):
            main()
        said.append(capsys.readouterr().out)
    for words in ("trips/s", "transformers.generate", "ControlTraj", "token loop", "GB/s", "Peak memory"):
        assert words in said[0]
    assert json.loads(said[1])["device"] == "cpu"
