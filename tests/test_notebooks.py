"""Run every notebook from its first cell to its last, and keep their outputs small."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
LONG = "your_own_city"  # trains three stages
MAX_BYTES = 400_000
COMMANDS_HERE = """
import sys
from htp.cli.main import main
from htp.language import anchors
from htp.tokenizer import offsets_train

offsets_train.EPOCHS, offsets_train.MIN_STEPS, anchors.STEPS = 0, 7, 10

def terminal(command, lines=40):  # does in the kernel, which has imported everything, what a process would do
    sys.argv = command.format(**globals()).split()
    try:
        main()
    except SystemExit as ended:
        assert not ended.code
"""


def test_there_is_a_notebook():
    assert NOTEBOOKS


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=pytest.mark.thorough if path.stem == LONG else ()) for path in NOTEBOOKS],
    ids=lambda path: path.stem,
)
def test_a_notebook_runs(path, monkeypatch):
    notebook = nbformat.read(path, as_version=4)
    first = next(number for number, cell in enumerate(notebook.cells) if cell.cell_type == "code")
    notebook.cells.insert(first + 1, nbformat.v4.new_code_cell(COMMANDS_HERE))
    run(notebook, "0.05", monkeypatch)


@pytest.mark.slow
@pytest.mark.thorough
def test_a_notebook_runs_its_commands_in_processes(monkeypatch):
    run(nbformat.read(FOLDER / "your_own_city.ipynb", as_version=4), "0.1", monkeypatch)


def run(notebook, minutes, monkeypatch):
    """Run a notebook's cells, with so many minutes of training where there is any."""
    monkeypatch.setenv("HTP_NOTEBOOK_MINUTES", minutes)
    NotebookClient(notebook, timeout=1800, resources={"metadata": {"path": str(FOLDER)}}).execute()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_executed_and_small(path):
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in cells)
    assert path.stat().st_size < MAX_BYTES
