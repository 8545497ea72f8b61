"""Run work in processes that may be killed."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for doing, which the processes import as well

import doing

SECONDS = 600  # that any of them may take


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
