"""Check that `.ci/house.py`, a part of `make lint`, finds what it is there to find, and finds nothing else."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

breaches = runpy.run_path(str(Path(__file__).resolve().parents[1] / ".ci" / "house.py"))["breaches"]
LONG = "def walk():\n" + "    step()\n" * 39  # 40 lines, as many as there may be
DOCSTRING = '    """Walk.\n\n    Step by step.\n    """\n'


@pytest.fixture
def said_of(tmp_path):
    """Return a function that says what is wrong with files of these texts, by their paths."""

    def found(**texts):
        for name, text in texts.items():
            path = tmp_path / f"{name.replace('__', '/')}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        return list(breaches(tmp_path))

    return found


def test_a_file_has_400_lines_at_most(said_of):
    assert said_of(htp__walk="x = 1\n" * 400) == []
    assert said_of(tests__test_walk="x = 1\n" * 401) == ["tests/test_walk.py:1: 401 lines, at most 400"]


def test_a_function_has_40_lines_at_most_without_its_decorators_and_docstring(said_of):
    decorated = "@cache\n@twice\n" + LONG.replace("():\n", "():\n" + DOCSTRING)
    assert said_of(htp__walk=LONG, app__walk=decorated) == []
    method = "class Walk:\n    async " + (LONG + "    step()\n").replace("\n    ", "\n        ")
    assert said_of(app__walk=method) == ["app/walk.py:2: function walk has 41 lines, at most 40"]


def test_no_two_classes_of_the_package_and_the_app_share_a_name(said_of):
    walk = "class Walk:\n    pass\n"
    assert said_of(htp__walk=walk, app__run="class Run:\n    pass\n", tests__test_walk=walk) == []
    assert said_of(app__walk="\n" + walk) == [
        "app/walk.py:2: class Walk is not the only one of that name",
        "htp/walk.py:1: class Walk is not the only one of that name",
    ]
