"""Run a command of `htp` in a process of its own, so that neither its work nor its end disturbs the app.

One command at a time: two are slower together, and need twice the memory.
"""

from __future__ import annotations

import atexit
import logging
import os
import re
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

WATCH_S = 0.3  # from one look at the process to the next
END_S = 5.0  # that a stopped process has to end by itself
PROGRESS = re.compile(r"\w+ (\d+)/(\d+)")  # as htp.progress writes it
REFUSAL = "htp: "  # what the sentence on bad input begins with
TERMINAL = ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")  # would make the command draw a bar instead

_log = logging.getLogger(__name__)
_one_at_a_time = threading.Lock()
_running: set[subprocess.Popen[str]] = set()


def run(arguments: Sequence[str], folder: Path, progress: Callable[[int, int], None]) -> str:
    """Run `htp ARGUMENTS` in a folder and return what it printed; `InputError` with the sentence that it ended with.

    `progress` hears (done, total) as the command says it; when it raises, the command is stopped.
    """
    while not _one_at_a_time.acquire(timeout=WATCH_S):
        progress(0, 0)  # somebody may have pressed Stop while others were served
    try:
        return _Command(arguments, folder).watch(progress)
    finally:
        _one_at_a_time.release()


class _Command:
    """A command that has been started."""

    def __init__(self, arguments: Sequence[str], folder: Path) -> None:
        self.name = f"htp {arguments[0]}"
        self.done, self.total = 0, 0
        self.printed: list[str] = []
        self.complaints: list[str] = []
        # -P: a file in the folder is no module of Python's
        self.process = subprocess.Popen(  # noqa: S603  our own command
            [sys.executable, "-P", "-m", "htp", *arguments],
            cwd=folder,
            env={name: value for name, value in os.environ.items() if name not in TERMINAL},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,  # its workers end with it
        )
        _running.add(self.process)
        self.readers = [threading.Thread(target=reader, daemon=True) for reader in (self._read_out, self._read_err)]
        for reader in self.readers:
            reader.start()

    def watch(self, progress: Callable[[int, int], None]) -> str:
        """Return what the command printed when it has ended."""
        try:
            while True:
                progress(self.done, self.total)
                try:
                    code = self.process.wait(WATCH_S)
                    break
                except subprocess.TimeoutExpired:
                    continue
        finally:
            end(self.process)
            for reader in self.readers:
                reader.join(END_S)
        if code:
            raise InputError(self._sentence(code))
        return "".join(self.printed)

    def _sentence(self, code: int) -> str:
        refusals = [line.removeprefix(REFUSAL).strip() for line in self.complaints if line.startswith(REFUSAL)]
        if refusals:
            return refusals[-1]
        _log.error("%s ended with code %d:\n%s", self.name, code, "".join(self.complaints))
        if code < 0:
            return f"`{self.name}` was ended by the system ({signal.Signals(-code).name}); it may need more memory."
        return f"`{self.name}` failed (code {code}); the log of the app says why."

    def _read_out(self) -> None:
        assert self.process.stdout
        self.printed.extend(self.process.stdout)

    def _read_err(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            said = PROGRESS.fullmatch(line.strip())
            if said:
                self.done, self.total = int(said[1]), int(said[2])
            else:
                self.complaints.append(line)


def end(process: subprocess.Popen[str]) -> None:
    """End a command with all that it has started, if it has not ended."""
    _running.discard(process)
    if process.poll() is not None:
        return
    for how in (signal.SIGTERM, signal.SIGKILL):
        os.killpg(process.pid, how)
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            continue
        return


@atexit.register
def _end_all() -> None:
    for process in list(_running):
        end(process)
