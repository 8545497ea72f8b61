"""Write the versions installed in this environment as the two pinned lists, from the ranges in pyproject.toml.

`requirements.txt` pins what htp and the app need; `requirements-extras.txt` what the extras add to that. Both hold the
whole tree of dependencies. A local version tag is dropped (torch 2.13.0+cpu becomes 2.13.0), and what torch brings
along for one platform's accelerator is left to torch, which pins it itself.
"""

from __future__ import annotations

import tomllib
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
ACCELERATOR = ("nvidia-", "cuda-", "triton")
HEAD = "# Written by `make lock` from pyproject.toml; {use}\n"


def closure(requirements: list[str]) -> set[str]:
    """Return the names of all installed packages that the requirements lead to on this platform."""
    found: set[str] = set()
    seen: set[tuple[str, str]] = set()
    queue = [(Requirement(text), "") for text in requirements]
    while queue:
        requirement, extra = queue.pop()
        name = canonicalize_name(requirement.name)
        if name.startswith(ACCELERATOR) or (requirement.marker and not requirement.marker.evaluate({"extra": extra})):
            continue
        try:
            needs = distribution(name).requires or []
        except PackageNotFoundError:
            message = f"{name} is not installed; run `make venv` with every extra before `make lock`."
            raise SystemExit(message) from None
        found.add(name)
        for wanted in {"", *requirement.extras} - {extra for known, extra in seen if known == name}:
            seen.add((name, wanted))
            queue += [(Requirement(text), wanted) for text in needs]
    return found


def write(path: Path, use: str, names: set[str], markers: dict[str, str]) -> None:
    """Write one pinned list, a package a line in alphabetical order, `markers` where pyproject.toml has one."""
    pins = [f"{name}=={Version(version(name)).public}{markers.get(name, '')}\n" for name in sorted(names)]
    path.write_text(HEAD.format(use=use) + "".join(pins), encoding="utf-8")


def main() -> None:
    """Write both lists."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    direct = [Requirement(text) for text in project["dependencies"]]
    markers = {str(canonicalize_name(r.name)): f"; {r.marker}" for r in direct if r.marker}
    needed = closure(project["dependencies"])
    extras = closure([text for extra in project["optional-dependencies"].values() for text in extra]) - needed
    write(ROOT / "requirements.txt", "what htp and the app need. pip install -r requirements.txt -e .", needed, markers)
    write(ROOT / "requirements-extras.txt", "constraints for the extras: pip install -c this -e '.[dev]'", extras, {})


if __name__ == "__main__":
    main()
