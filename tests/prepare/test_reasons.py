"""Every reason that a report can name is explained."""

import ast
from pathlib import Path

import pytest

import htp.prepare
from htp.city import matching
from htp.prepare.reasons import REASONS, explained

PREPARE = Path(htp.prepare.__file__).parent


def _words(*nodes):
    words = [word.value for node in nodes for word in ast.walk(node) if isinstance(word, ast.Constant)]
    return [word for word in words if isinstance(word, str) and word.isidentifier()]


def _counted(node):
    """Return the reasons that one piece of the code counts by."""
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name in {"drop", "leave_out"}:
            return _words(*node.args)
        if name == "Counter":
            return [word.arg for word in node.keywords] + _words(
                *(arg for arg in node.args if isinstance(arg, ast.Dict))
            )
    if isinstance(node, ast.Subscript):
        counter = getattr(node.value, "id", getattr(node.value, "attr", ""))
        return _words(node.slice) if counter in {"dropped", "left_out"} else []
    if isinstance(node, ast.FunctionDef) and node.name in {"_label_one", "_parse_row", "_trip"}:
        return _words(*(part for part in ast.walk(node) if isinstance(part, ast.Return)))
    return []


def reasons_in_the_code():
    """Find the words that are counted: given to `drop`, keys of `dropped`, and what labelling returns for a failure."""
    found = {matching.NO_ROAD, matching.BROKEN}
    for path in PREPARE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            found |= set(_counted(node))
    return found - {""}  # Porto's rows without a failure


def test_every_reason_is_explained_and_none_is_made_up():
    found = reasons_in_the_code()
    assert {"too_short", "no_time", "detour", "missing_data", "broken"} <= found
    assert found == set(REASONS)


@pytest.mark.parametrize("reason", REASONS)
def test_an_explanation_names_the_reason(reason):
    assert explained(reason).startswith(f"{reason}: ")
    assert not REASONS[reason].endswith(".")
