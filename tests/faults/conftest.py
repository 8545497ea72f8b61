"""Run work in processes that may be killed: forked from one that has imported everything, they start at once."""

from __future__ import annotations

import signal
import sys
from multiprocessing import get_context
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for doing, which the processes import as well

import doing

SECONDS = 600  # that any of them may take


@pytest.fixture(scope="session")
def processes():
    """Return the context of the processes."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["doing", "htp.train", "htp.generate_files", "htp.prepare.pipeline"])
    return context


@pytest.fixture
def meet(processes, tmp_path):
    """Return a function that does work with a fault; returns "killed", "done" or the sentence that it ends with."""

    def run(fault, work, *arguments):
        heard = tmp_path / "heard.txt"
        process = processes.Process(target=doing.meet, args=(fault, heard, work, *arguments))
        process.start()
        process.join(SECONDS)
        assert process.exitcode in {0, 2, -signal.SIGKILL}, process.exitcode
        return {0: "done", 2: None, -signal.SIGKILL: "killed"}[process.exitcode] or heard.read_text()

    return run
