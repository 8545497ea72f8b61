"""Check the commands: what they take, what they print and their exit codes."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from htp.cli.experiment import experiment
from htp.errors import InputError

RUN = CliRunner()


@pytest.fixture
def go(tiny_data, tmp_path, calls):
    """Return what runs `htp experiment run` on the tiny data."""

    def run(*options):
        told = ["run", tiny_data, "--city", tiny_data / "city", "--out", tmp_path / "out", "--workers", "1", *options]
        return RUN.invoke(experiment, [str(part) for part in told])

    return run


@pytest.mark.parametrize("command", ["run", "codebooks", "speed", "report"])
def test_a_command_says_what_it_takes(command):
    said = RUN.invoke(experiment, [command, "--help"])
    assert said.exit_code == 0
    assert f"{command} [OPTIONS]" in said.output


def test_results_and_their_report_are_made_by_two_commands(go, tmp_path):
    made = go("--methods", "copier,HTP", "--budget", "5s", "--heldout", "20")
    assert made.exit_code == 0, made.output
    assert "2 results (2 made, 0 there already, 0 failed)" in made.output
    assert "1 there already" in go("--methods", "copier", "--budget", "5s", "--heldout", "20").output
    said = RUN.invoke(experiment, ["report", str(tmp_path / "out"), "--simulated"])
    assert said.exit_code == 0, said.output
    assert "files of tables and figures" in said.output
    assert (tmp_path / "out" / "report" / "table1.tex").exists()


def test_a_failed_method_ends_with_code_1_after_the_others(go, tmp_path):
    made = go("--budget", "5s")
    assert made.exit_code == 1
    assert "failing-seed0 failed: it draws what is no number." in made.output
    assert (tmp_path / "out" / "results" / "htp-seed0.json").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            ["--budget", "5s", "--methods", "flying"],
            "choose among all, references, baselines, ablations, copier, failing, HTP, HTP+",
        ),
        (["--budget", "five"], "such as 90s, 20m or 2h"),
    ],
    ids=["method", "budget"],
)
def test_bad_options_are_refused_before_anything_is_written(go, tmp_path, options, sentence):
    made = go(*options)
    assert isinstance(made.exception, InputError)
    assert sentence in str(made.exception)
    assert not (tmp_path / "out").exists()


def test_codebooks_are_compared_by_a_command(tiny_data, tmp_path, monkeypatch):
    monkeypatch.setattr("htp.experiment.codebooks._train", lambda sizes, *_: {"loss": sum(sizes)})
    told = ["codebooks", tiny_data, "--city", tiny_data / "city", "--out", tmp_path, "--budget", "9s"]
    said = RUN.invoke(experiment, [str(part) for part in told])
    assert said.exit_code == 0, said.output
    assert "9 tokenizers trained" in said.output
    assert "0 tokenizers trained" in RUN.invoke(experiment, [str(part) for part in told]).output


def test_speed_is_measured_by_a_command(go, tmp_path):
    assert go("--methods", "copier,HTP", "--budget", "5s").exit_code == 0
    said = RUN.invoke(experiment, ["speed", str(tmp_path / "out"), "--batches", "1,2"])
    assert said.exit_code == 0, said.output
    assert "speed.json" in said.output
    assert (tmp_path / "out" / "speed.json").exists()


def test_the_commands_are_known_without_torch_and_matplotlib():
    code = "import sys, htp.cli.experiment; print('torch' in sys.modules, 'matplotlib' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["False", "False"]
