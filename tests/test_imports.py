"""Hold what `make lint` does not say of imports: heavy packages have one place, light parts start without torch.

Read from the source by `ast`, so imports inside functions and for type checking count as well.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FRONT_USERS = {"app", "cli", "serve", "experiment"}  # the top of the layers in pyproject.toml
PLACES = {  # a file, or the folder that shares it
    "ray": "htp/scale/",
    "fastapi": "htp/serve/",
    "streamlit": "app/",
    "osmnx": "htp/city/",
}
FILES = sorted(path.relative_to(ROOT) for folder in ("htp", "app") for path in (ROOT / folder).rglob("*.py"))


def part_of(path: Path) -> str:
    """Return the name of the part that a file belongs to: htp/city/routing.py is `city`, app/main.py is `app`."""
    return "app" if path.parts[0] == "app" else Path(path.parts[1]).stem


@cache
def imported(path: Path, root: Path = ROOT) -> frozenset[str]:
    """Return the full dotted names that a file imports, those in functions included."""
    tree = ast.parse((root / path).read_text(encoding="utf-8"))
    package = path.parts[:-1]
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            names |= {f"{base}.{alias.name}" for alias in node.names}
    return frozenset(names)


def users_of(package: str) -> set[Path]:
    """Return the files that import a package from outside."""
    return {path for path in FILES if any(name.split(".")[0] == package for name in imported(path))}


def test_only_the_top_of_the_layers_imports_the_front_of_the_package():
    front = {"htp", "htp.Client", "htp.Conditions", "htp.Generator", "htp.Route"}
    users = {path for path in FILES if imported(path) & front and path.name not in {"__init__.py", "__main__.py"}}
    assert {part_of(path) for path in users} <= FRONT_USERS


@pytest.mark.parametrize(("package", "place"), PLACES.items(), ids=PLACES)
def test_a_heavy_package_appears_in_one_place(package, place):
    assert all(path.as_posix().startswith(place) for path in users_of(package))


def test_what_needs_no_network_starts_without_torch():
    code = (
        "import sys\nfor module in sys.argv[1:]:\n    __import__(module)\n    assert 'torch' not in sys.modules, module"
    )
    modules = ["htp", "htp.trips", "htp.city", "htp.prepare", "htp.evaluate", "htp.cli.main"]
    run = subprocess.run([sys.executable, "-c", code, *modules], cwd=ROOT, check=False, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import htp.city.routing", {"htp.city.routing"}),
        ("from htp import trips", {"htp.trips"}),
        ("from ..trips import Route", {"htp.trips.Route"}),
        ("from . import network", {"htp.city.network"}),
        ("def f():\n    import torch", {"torch"}),
    ],
    ids=["plain", "from the front", "one up", "beside", "in a function"],
)
def test_every_way_of_importing_is_seen(source, names, tmp_path):
    (tmp_path / "htp" / "city").mkdir(parents=True)
    (tmp_path / "htp" / "city" / "routing.py").write_text(source)
    assert imported(Path("htp/city/routing.py"), tmp_path) == names
