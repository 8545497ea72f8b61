"""Find and call the programs of Eclipse SUMO; the only file that knows where they are installed."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def program(name: str) -> Path:
    """Return the path of SUMO's program `name`; `InputError` if the package `eclipse-sumo` is not installed."""
    try:
        import sumo  # noqa: PLC0415  only the simulation needs it, and it is an extra
    except ImportError as error:
        raise InputError(
            "The simulation needs Eclipse SUMO, which is not installed; install it with `pip install htp[demo]`."
        ) from error
    return Path(sumo.SUMO_HOME) / "bin" / name


def call(name: str, options: Sequence[str], log: Path, *, on_line: Callable[[str], None] | None = None) -> None:
    """Run a SUMO program to its end, its output going to `log`; `InputError` with its last error if it fails.

    `on_line` gets every piece of its standard output as it comes; SUMO separates its step log by carriage returns.
    """
    with log.open("w", encoding="utf-8") as errors:
        command = [str(program(name)), *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)  # noqa: S603  our own options
        try:
            for line in process.stdout or ():  # universal newlines: a carriage return ends a line too
                if on_line is not None:
                    on_line(line)
        except BaseException:
            process.terminate()
            raise
        finally:
            process.wait()
    if process.returncode != 0:
        lines = log.read_text(encoding="utf-8").splitlines()
        said = next((line for line in lines if line.startswith("Error")), "it said nothing")
        raise InputError(f"SUMO's {name} failed ({said}); see {log}, then run the command again.")
