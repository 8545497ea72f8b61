"""Check that a stage trained by two processes is one model: written once, gone on with after a stop."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from multiprocessing.connection import wait
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch.distributed import TCPStore

from htp.checkpoint import Checkpoint
from htp.compute import distributed
from htp.config import LanguageTraining, TokenizerTraining
from htp.errors import InputError
from htp.generate import Generator
from htp.train import train_decoder, train_offsets, train_routes

sys.path.insert(0, str(Path(__file__).parent))  # for the program, which the processes import as well

import train_in_processes


@pytest.fixture
def train(processes, tiny_data):
    """Return a function that trains a stage in two processes; whether it was stopped, it says in its return code."""

    def run(stage, checkpoint, *stop):
        store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
        told = (store.port, stage, tiny_data, checkpoint, *stop)
        both = [processes.Process(target=train_in_processes.as_one_of_two, args=(n, *told)) for n in range(2)]
        for process in both:
            process.start()
        wait([process.sentinel for process in both])
        if any(process.exitcode for process in both):  # the other one waits for it
            for process in both:
                process.terminate()
        for process in both:
            process.join()
        codes = [process.exitcode for process in both]
        assert stop or codes == [0, 0]
        return codes[0]

    return run


def log_of(folder):
    return [json.loads(line) for line in (folder / "training.jsonl").read_text().splitlines()]


def seen(checkpoint):
    """Return the model that each process had as they parted."""
    return [load_file(checkpoint / f"seen-{number}.safetensors") for number in range(2)]


def assert_one_model(first, second):
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name


@pytest.mark.slow
@pytest.mark.thorough
def test_torchrun_starts_the_processes(tiny_data, tmp_path):
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    command = [*launcher, train_in_processes.__file__, "tokenizer", tiny_data, tmp_path]
    ended = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert_one_model(*seen(tmp_path))
    assert [line["epoch"] for line in log_of(tmp_path / "tokenizer") if "epoch" in line] == [1, 2, 3]
    Checkpoint(tmp_path).verify()


@pytest.mark.slow
@pytest.mark.thorough
def test_two_processes_train_one_tokenizer_and_go_on_after_a_stop(train, tmp_path):
    train("tokenizer", tmp_path / "whole")
    assert_one_model(*seen(tmp_path / "whole"))
    log = [line for line in log_of(tmp_path / "whole" / "tokenizer") if "epoch" in line]
    assert [line["epoch"] for line in log] == [1, 2, 3]  # one process writes
    assert log[-1]["steps"] < log[0]["steps"]
    Checkpoint(tmp_path / "whole").verify()
    assert train("tokenizer", tmp_path / "stopped", "stop") != 0
    assert (tmp_path / "stopped" / "tokenizer" / "resume.pt").exists()
    train("tokenizer", tmp_path / "stopped")
    for name, tensor in seen(tmp_path / "stopped")[0].items():
        torch.testing.assert_close(tensor, seen(tmp_path / "whole")[0][name], msg=name)
    assert [line["epoch"] for line in log_of(tmp_path / "stopped" / "tokenizer") if "epoch" in line] == [1, 2, 2, 3]


@pytest.mark.slow
def test_two_processes_train_one_language_model_and_go_on_after_a_stop(train, tiny_checkpoint, tmp_path):
    for part in ("city", "tokenizer"):
        shutil.copytree(tiny_checkpoint / part, tmp_path / part)
    shutil.copy(tiny_checkpoint / "recording.json", tmp_path)
    assert train("language", tmp_path, "stop") != 0
    train("language", tmp_path)
    assert_one_model(*seen(tmp_path))
    log = [line for line in log_of(tmp_path / "language") if "loss" in line]
    assert [line["step"] for line in log] == [1, 2, 2, 3, 4, 5, 6]  # 96 trips, 16 in each process, two epochs
    assert log[-1]["loss"] < log[0]["loss"]
    assert Generator.load(tmp_path).language.model


def test_one_process_keeps_all_batches_and_its_own_clock():
    model, batches = torch.nn.Linear(1, 1), [1, 2, 3]
    assert distributed.together(model) is model
    assert distributed.share(batches) is batches
    assert distributed.agreed(1.5) == 1.5
    assert distributed.is_first()


def test_several_processes_get_as_many_batches_each_and_none_twice(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "3")
    shares = []
    for number in range(3):
        monkeypatch.setenv("RANK", str(number))
        shares.append(list(distributed.share(list(range(11)))))
    assert shares == [[0, 3, 6], [1, 4, 7], [2, 5, 8]]
    with pytest.raises(InputError, match="2 batches cannot be shared by 3 processes; give a smaller --batch-size"):
        distributed.share([0, 1])


def test_what_all_do_alike_is_done_as_if_alone(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "3")
    model = torch.nn.Linear(1, 1)
    with distributed.alone():
        assert distributed.together(model) is model
        assert distributed.share([0, 1]) == [0, 1]
    assert distributed.count() == 3


@pytest.mark.parametrize(
    "train_alone",
    [
        train_offsets,
        lambda data, out: train_decoder(data, out, TokenizerTraining()),
        lambda data, out: train_routes(data, out, LanguageTraining()),
    ],
    ids=["offsets", "decoder", "routes"],
)
def test_what_one_process_does_is_refused_to_several(train_alone, monkeypatch, tmp_path):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(InputError, match="is done in one process; start it with `htp train`"):
        train_alone(tmp_path, tmp_path)
