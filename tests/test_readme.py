"""Hold what the README tells people to type: commands that exist, with options that exist, and Python that runs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from htp.cli.main import app

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = ("README.md", "CONTRIBUTING.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")))


def blocks(text: str, language: str) -> list[str]:
    """Return the fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def commands(document: str) -> list[list[str]]:
    """Return the arguments of every line of a document that calls `htp`."""
    text = (ROOT / document).read_text(encoding="utf-8")
    lines = [line.replace(".venv/bin/", "") for block in blocks(text, "[a-z]*") for line in block.splitlines()]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("htp ")]


def parse(arguments: list[str]) -> None:
    """Let the program read arguments without doing anything."""
    command = typer.main.get_command(app)
    while hasattr(command, "commands"):
        name, *arguments = arguments
        command = command.commands[name]
    command.make_context(command.name, list(arguments)).close()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_of_a_document_can_be_read_by_the_program(document):
    for arguments in commands(document):
        parse(arguments)


def test_a_command_with_an_option_that_does_not_exist_is_found_out():
    with pytest.raises(Exception, match="--sideways"):
        parse(["generate", "--checkpoint", "c", "--out", "o.csv", "--sideways"])


def test_the_tour_of_the_readme_goes_through_every_stage():
    assert [arguments[0] for arguments in commands("README.md")][:6] == [
        "city",
        "prepare",
        "train",
        "train",
        "generate",
        "generate",
    ]


@pytest.mark.slow
def test_the_python_of_the_readme_makes_trips_with_the_generator_that_ships(monkeypatch):
    monkeypatch.chdir(ROOT)
    (code,) = blocks(README, "python")
    names: dict[str, object] = {}
    exec(code, names)  # noqa: S102  our own README
    trips = names["trips"]
    assert len(trips) == 20
    assert trips.crs == "EPSG:4326"
