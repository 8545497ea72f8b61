"""Print a line for each breach of the house's rules that no linter knows; end with 1 where there is one.

A file has at most 400 lines, a function at most 40 without its decorators and docstring, and in `htp/` and `app/`
no two classes share a name.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_LINES, MAX_FUNCTION_LINES = 400, 40
ROOT = Path(__file__).resolve().parents[1]
CODE = ("htp", "app")
CHECKED = (*CODE, ".ci", "tests")


def breaches(root: Path) -> Iterator[str]:
    """Yield what breaks a rule in the Python files below a folder, as `path:line: what`."""
    trees = {}
    for path in sorted(path for folder in CHECKED for path in (root / folder).rglob("*.py")):
        name, text = path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")
        trees[name] = ast.parse(text)
        if (lines := len(text.splitlines())) > MAX_LINES:
            yield f"{name}:1: {lines} lines, at most {MAX_LINES}"
        yield from long_functions(name, trees[name])
    yield from shared_names((name, tree) for name, tree in trees.items() if name.startswith(CODE))


def long_functions(name: str, tree: ast.Module) -> Iterator[str]:
    """Yield the functions of a file that are too long."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = node.body[0] if ast.get_docstring(node) else None
            lines = node.end_lineno - node.lineno + 1
            lines -= docstring.end_lineno - docstring.lineno + 1 if docstring else 0
            if lines > MAX_FUNCTION_LINES:
                yield f"{name}:{node.lineno}: function {node.name} has {lines} lines, at most {MAX_FUNCTION_LINES}"


def shared_names(trees: Iterable[tuple[str, ast.Module]]) -> Iterator[str]:
    """Yield every place of a class whose name another class has, too."""
    places = defaultdict(list)
    for name, tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{name}:{node.lineno}")
    for name, found in places.items():
        if len(found) > 1:
            yield from (f"{place}: class {name} is not the only one of that name" for place in found)


if __name__ == "__main__":
    found = list(breaches(ROOT))
    sys.stdout.writelines(f"{line}\n" for line in found)
    sys.exit(bool(found))
