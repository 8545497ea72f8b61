"""Check what a run does, what it leaves out because it is done, and what it keeps of a failure."""

from __future__ import annotations

import json
import shutil

import pytest

from htp.errors import InputError
from htp.experiment.layout import Layout
from htp.experiment.run import run
from htp.experiment.settings import ExperimentSettings
from htp.methods.registry import choose
from htp.trips import count_trips, read_trips, write_trips


@pytest.fixture
def go(tiny_data, tmp_path, calls):
    """Return what runs methods on the tiny data and returns the tally; `said` collects the reports."""

    def run_all(methods="copier", budget_s=5.0, data=tiny_data, *, force=False, **settings):
        settings = ExperimentSettings(budget_s, **settings)
        chosen = choose(methods)
        return run(
            data, tiny_data / "city", chosen, settings, layout.folder, force=force, workers=1, report=said.append
        )

    layout, said = Layout(tmp_path / "out"), []
    run_all.layout, run_all.said = layout, said
    return run_all


def result(layout, stem="copier-seed0"):
    return json.loads(layout.result(stem).read_text(encoding="utf-8"))


def test_a_result_says_what_was_made_of_what_and_how_long_it_took(go):
    tally = go(heldout=20, trips=50)
    assert (tally.finished, tally.skipped, tally.failed) == (["copier-seed0"], [], {})
    facts = result(go.layout)
    assert (facts["method"], facts["label"], facts["group"], facts["seed"]) == ("copier", "Copier", "baselines", 0)
    assert facts["config"] == {"width": 2}
    assert facts["setting"] == {"budget_s": 5.0, "device": "cpu"}
    assert facts["data"]["used"] == {"train": 50, "heldout": 20}
    assert facts["training"]["stages"] == [{"stage": "copying", "steps": 3}]
    made = facts["generation"]
    assert (made["trips"], made["batch"]) == (20, 10)  # finished as 10 and 10
    assert made["ms_per_trip"] == pytest.approx(1000 * made["seconds"] / 20, abs=0.06)
    assert facts["evaluation"]["metrics"]["T-Dist"]["value"] == 0.0  # they are the real trips
    assert {"low", "high"} == set(facts["evaluation"]["metrics"]["T-Dist"]["bootstrap"])
    assert set(facts["versions"]) == {"python", "htp", "torch", "numpy"}
    assert "cores" in facts["machine"]
    assert count_trips(go.layout.real) == count_trips(go.layout.trips("copier-seed0")) == 20


def test_reports_of_training_name_the_method(go):
    go()
    assert {"method": "copier", "seed": 0, "stage": "copying", "loss": 0.5} in go.said
    assert go.said[-1] == {"method": "copier", "seed": 0, "state": "finished"}


def test_what_has_a_result_is_not_run_again(go, calls):
    go()
    before = go.layout.result("copier-seed0").read_bytes()
    calls.clear()
    tally = go("copier,HTP")
    assert tally.skipped == ["copier-seed0"]
    assert tally.finished == ["htp-seed0"]
    assert not [call for call in calls if "Copier" in call]
    assert go.layout.result("copier-seed0").read_bytes() == before


def test_a_method_that_builds_on_another_takes_it_and_counts_its_seconds(go, calls):
    go("HTP,HTP+")
    assert [call for call in calls if not call.startswith("generate")] == [
        "share shared None",
        "fit Ours 0 on 96 for 5 s",
        "share shared htp-seed0",
        "fit Joint 0 on 96 for 5 s",
    ]
    training = result(go.layout, "htp+-seed0")["training"]
    assert training["shared_seconds"] == 40.0
    assert 40.0 <= training["seconds"] < 42.0
    assert result(go.layout, "htp-seed0")["training"]["shared_seconds"] == 0.0


def test_what_a_method_builds_on_is_trained_first_and_once(go, calls):
    assert go("HTP+", seeds=2).finished == ["htp+-seed0", "htp+-seed1"]
    fits = ["fit Ours 0", "fit Joint 0", "fit Ours 1", "fit Joint 1"]
    assert [call.partition(" on ")[0] for call in calls if call.startswith("fit")] == fits
    calls.clear()
    assert go("HTP").finished == ["htp-seed0"]
    assert not [call for call in calls if call.startswith("fit")]


def test_a_base_with_a_result_of_other_settings_is_not_trained_over(go, calls):
    go("HTP")
    calls.clear()
    with pytest.raises(InputError, match=r"htp-seed0\.json: there is a result of other trips"):
        go("HTP+", budget_s=6.0)
    assert calls == []


def test_one_route_at_three_times_of_day_is_generated_by_htp_alone(go):
    go("copier,HTP")
    trips = read_trips(go.layout.times("htp-seed0"))
    assert [start.hour for start in trips["start_time"].dt.tz_convert("America/Santiago")] == [8, 13, 23]
    assert not go.layout.times("copier-seed0").exists()


def test_every_seed_is_a_result_of_its_own(go, calls):
    go(seeds=2)
    assert calls == [
        "fit Copier 0 on 96 for 5 s",
        "generate Copier 0",
        "fit Copier 1 on 96 for 5 s",
        "generate Copier 1",
    ]
    assert result(go.layout, "copier-seed1")["seed"] == 1


def test_a_stopped_run_goes_on_with_the_trained_model(go, calls, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as stopping:
        stopping.setattr(choose("copier")[0].made_by, "generate", stop)
        with pytest.raises(KeyboardInterrupt):
            go()
    assert not go.layout.result("copier-seed0").exists()
    calls.clear()
    go()
    assert calls == ["generate Copier 0"]
    assert result(go.layout)["training"]["stages"] == [{"stage": "copying", "steps": 3}]


def test_a_run_stopped_while_it_measured_goes_on_with_the_generated_trips(go, calls, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as stopping:
        stopping.setattr("htp.experiment.scoring.Scoring.compare", stop)
        with pytest.raises(KeyboardInterrupt):
            go()
    calls.clear()
    go()
    assert calls == []
    assert result(go.layout)["generation"]["batch"] == 14  # as it was then: 10 and 14 of 24


def test_a_model_trained_for_another_budget_is_not_taken(go, calls):
    go()
    go.layout.result("copier-seed0").unlink()
    calls.clear()
    go(budget_s=7.0)
    assert calls[0] == "fit Copier 0 on 96 for 7 s"


def test_a_method_that_fails_is_on_record_and_the_others_go_on(go):
    tally = go("failing,HTP")
    assert tally.failed == {"failing-seed0": "it draws what is no number."}
    assert tally.finished == ["htp-seed0"]
    facts = result(go.layout, "failing-seed0")
    assert facts["sentence"] == "it draws what is no number."
    assert "evaluation" not in facts


def test_an_error_of_the_program_is_a_failure_too_and_named(go, monkeypatch):
    monkeypatch.setattr(choose("failing")[0].made_by, "reason", ZeroDivisionError("division by zero"))
    assert go("failing").failed == {"failing-seed0": "ZeroDivisionError: division by zero"}


def test_a_method_with_a_tokenizer_gets_a_ceiling_and_no_other(go, monkeypatch):
    def through(trips, tokenizer, seed, first):
        assert (tokenizer, seed, first) == ("a tokenizer", 0, 0)
        return trips.assign(geometry=trips.geometry.to_numpy()[::-1])

    monkeypatch.setattr(choose("HTP")[0].made_by, "tokenizer", "a tokenizer", raising=False)
    monkeypatch.setattr("htp.experiment.job.reconstruct", through)
    go("copier,HTP")
    ceilings = [
        result(go.layout, stem)["evaluation"]["metrics"]["T-Dist"]["ceiling"] for stem in ("copier-seed0", "htp-seed0")
    ]
    assert ceilings == [None, 0.0]  # the same trips in another order


def test_what_failed_is_tried_again(go, calls, monkeypatch):
    go("failing")
    failing = choose("failing")[0].made_by
    monkeypatch.setattr(failing, "generate", failing.__mro__[1].generate)
    calls.clear()
    assert go("failing").finished == ["failing-seed0"]
    assert calls == ["generate Failing 0"]  # it had been trained
    assert result(go.layout, "failing-seed0")["sentence"] is None


@pytest.mark.parametrize("change", [{"budget_s": 6.0}, {"trips": 50}, {"heldout": 10}], ids=str)
def test_results_of_other_settings_are_replaced_only_by_force(go, change):
    go()
    before = go.layout.result("copier-seed0").read_bytes()
    with pytest.raises(InputError, match=r"copier-seed0\.json: there is a result of other trips.*\(96 trips, 5s\)"):
        go(**change)
    assert go.layout.result("copier-seed0").read_bytes() == before
    assert go(**change, force=True).finished == ["copier-seed0"]
    assert go(**change).skipped == ["copier-seed0"]


def test_other_trips_are_noticed_though_they_have_the_same_name(go, tiny_data, tmp_path):
    go()
    other = shutil.copytree(tiny_data, tmp_path / "other")
    write_trips(read_trips(other / "heldout.parquet").iloc[::-1], other / "heldout.parquet")
    with pytest.raises(InputError, match="other trips"):
        go(data=other)


def test_a_damaged_result_is_named_and_kept(go):
    path = go.layout.result("copier-seed0")
    path.parent.mkdir(parents=True)
    path.write_text("{")
    with pytest.raises(InputError, match=r"copier-seed0\.json: is no whole result"):
        go()
    assert path.read_text() == "{"


@pytest.mark.slow
def test_trajvae_is_trained_for_a_few_seconds_and_measured(tiny_data, tmp_path):
    settings, layout = ExperimentSettings(3.0), Layout(tmp_path)
    arguments = (tiny_data, tiny_data / "city", choose("trajvae"), settings, tmp_path)
    assert run(*arguments, workers=1, report=lambda _: None).finished == ["trajvae-seed0"]
    facts = result(layout, "trajvae-seed0")
    assert 3.0 <= facts["training"]["seconds"] < 30.0
    assert facts["training"]["stages"][0]["steps"] > 0
    assert facts["generation"]["batch"] == 24
    assert facts["evaluation"]["metrics"]["Length"]["value"] == 0.0  # it is told the number of points
    assert 0.0 < facts["evaluation"]["metrics"]["PR-Dist"]["value"] <= 1.0
    assert run(*arguments, workers=1, report=lambda _: None).skipped == ["trajvae-seed0"]
