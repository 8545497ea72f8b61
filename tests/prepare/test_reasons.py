"""Every reason that a report can name is explained."""

import ast
from pathlib import Path

import pytest

import htp.prepare
from htp.city import matching
from htp.prepare.reasons import REASONS, explained

PREPARE = Path(htp.prepare.__file__).parent


def reasons_in_the_code():
    """Find the words that are counted: given to `drop`, keys of `dropped`, and what labelling returns for a failure."""
    found = {matching.NO_ROAD, matching.BROKEN}
    for path in PREPARE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "drop":
                found |= {
                    word.value for arg in node.args[1:] for word in ast.walk(arg) if isinstance(word, ast.Constant)
                }
            if isinstance(node, ast.Subscript) and getattr(node.value, "id", "") == "dropped":
                found |= {word.value for word in ast.walk(node.slice) if isinstance(word, ast.Constant)}
            if isinstance(node, ast.FunctionDef) and node.name in {"_label_one", "_parse_row"}:
                returned = [word for part in ast.walk(node) if isinstance(part, ast.Return) for word in ast.walk(part)]
                found |= {
                    word.value for word in returned if isinstance(word, ast.Constant) and isinstance(word.value, str)
                }
    return found - {""}  # Porto's rows without a failure


def test_every_reason_is_explained_and_none_is_made_up():
    found = reasons_in_the_code()
    assert {"too_short", "no_time", "detour", "missing_data", "broken"} <= found
    assert found == set(REASONS)


@pytest.mark.parametrize("reason", REASONS)
def test_an_explanation_names_the_reason(reason):
    assert explained(reason).startswith(f"{reason}: ")
    assert not REASONS[reason].endswith(".")
