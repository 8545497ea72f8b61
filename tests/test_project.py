"""Check the repository itself: what it tells people to type, what it pins, what it holds and how it is written."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MAX_TRACKED_BYTES = 45 * 2**20
VENDORED = ("app/map/",)  # libraries bundled as they come
DATA = {".parquet", ".safetensors", ".png", ".jpg", ".gif", ".webp", ".ipynb", ".woff2", ".gz", ".zip"}
MACHINE_PATH = re.compile(r"(?<![\w.:/])/(?:home|root|work|opt|Users)/\w")
REGISTRY = re.compile(r"pypi\.org|pythonhosted\.org|download\.pytorch\.org|registry\.npmjs|index[-]url|find[-]links")


def tracked() -> list[Path]:
    """Return the files under version control."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def own_texts() -> list[tuple[Path, str]]:
    """Return the tracked text files that were written here, with their text."""
    paths = [path for path in tracked() if path.suffix not in DATA]
    names = [path.relative_to(ROOT) for path in paths]
    return [(n, (ROOT / n).read_text(encoding="utf-8")) for n in names if not n.as_posix().startswith(VENDORED)]


def pins(name: str) -> dict[str, Requirement]:
    """Return the pinned requirements of a list by package name."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    found = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(requirement.name): requirement for requirement in found}


def make_targets() -> set[str]:
    """Return the targets that `make` knows."""
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize(
    "document", ["README.md", "CONTRIBUTING.md", "docs/decisions.md", "docs/testing.md", "CHANGELOG.md"]
)
def test_every_make_command_of_a_document_is_a_target(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    commands = set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE))
    assert commands <= make_targets()


def test_make_help_describes_every_target_a_person_types():
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^make ([a-z-]+)", shown, re.MULTILINE)) == make_targets()


def test_the_first_commands_of_the_readme_are_make_app_and_make_test():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^make [a-z-]+", readme, re.MULTILINE)[:2] == ["make app", "make test"]


@pytest.mark.parametrize(
    ("pattern", "what"), [(MACHINE_PATH, "path"), (REGISTRY, "registry")], ids=["paths", "registries"]
)
def test_no_file_names_a_machine_or_a_registry(pattern, what):
    found = [f"{name}: {hit[0]}" for name, text in own_texts() for hit in pattern.finditer(text)]
    assert not found, f"{what} of one machine: {found}"


def test_a_clone_stays_small():
    assert sum(path.stat().st_size for path in tracked()) < MAX_TRACKED_BYTES


def test_nothing_that_runs_code_on_loading_is_tracked():
    assert not [path for path in tracked() if path.suffix in {".pkl", ".pickle", ".pt", ".pth", ".joblib", ".bin"}]


def test_every_dependency_is_pinned_within_its_range():
    pinned = pins("requirements.txt")
    for text in PROJECT["dependencies"]:
        wanted = Requirement(text)
        (pin,) = pinned[canonicalize_name(wanted.name)].specifier
        assert pin.operator == "=="
        assert wanted.specifier.contains(pin.version)


def test_every_tool_of_the_extras_is_pinned_within_its_range():
    pinned = pins("requirements.txt") | pins("requirements-extras.txt")
    for wanted in (Requirement(text) for extra in PROJECT["optional-dependencies"].values() for text in extra):
        (pin,) = pinned[canonicalize_name(wanted.name)].specifier
        assert wanted.specifier.contains(pin.version)


def test_no_package_is_pinned_twice():
    assert not pins("requirements.txt").keys() & pins("requirements-extras.txt").keys()


def test_the_version_is_said_once():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert PROJECT["version"] == version("htp") == re.search(r"^## (\S+)", changelog, re.MULTILINE)[1]


@pytest.mark.parametrize("path", [".ci/run", ".ci/chromium"])
def test_a_script_is_valid_and_executable(path):
    assert os.access(ROOT / path, os.X_OK)
    assert subprocess.run(["bash", "-n", path], cwd=ROOT, check=False).returncode == 0


def test_the_page_on_testing_names_every_file_with_tests_that_make_test_leaves_out():
    page = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
    files = [name.as_posix() for name, text in own_texts() if re.search(r"mark\.thorough", text)]
    assert "tests/faults/test_faults.py" in files
    assert [name for name in files if name not in page] == []
