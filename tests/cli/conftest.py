"""Run the program as a shell does."""

from __future__ import annotations

import sys

import pytest

from htp.cli.main import main


@pytest.fixture
def htp(monkeypatch, capsys):
    """Return a function that runs the program with arguments and returns exit code, output and messages."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["htp", *(str(argument) for argument in arguments)])
        monkeypatch.setattr(sys.modules["__main__"], "__package__", None)  # else `python -m pytest` gives the name
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        heard = capsys.readouterr()
        return ended.value.code or 0, heard.out, heard.err

    return run
