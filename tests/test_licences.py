"""Check that `.ci/licences.py`, a part of `make lint`, finds licences that nobody has agreed to."""

from __future__ import annotations

import re
import runpy
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
licences = runpy.run_path(str(ROOT / ".ci" / "licences.py"))
NOTICE = (ROOT / "NOTICE").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("expression", "classifiers", "words", "kind"),
    [
        ("MIT AND PSF-2.0", ["License :: OSI Approved :: BSD License"], None, "MIT AND PSF-2.0"),
        (None, ["License :: OSI Approved :: BSD License"], "GPL", "BSD-3-Clause"),
        (None, ["Topic :: MIT"], "GNU General Public License (GPL)", "GPL"),
        (None, [], "LGPL-2.1-only", "LGPL"),
        (None, ["License :: OSI Approved :: GNU Affero General Public License v3"], None, "AGPL"),
        (None, [], "MPL-2.0 AND MIT", "MPL-2.0"),
        (None, [], "ask the author", "unknown"),
        (None, [], None, "unknown"),
    ],
)
def test_a_package_s_kind_is_what_it_says(expression, classifiers, words, kind):
    assert licences["kind_of"](expression, classifiers, words) == kind


@pytest.mark.parametrize(
    ("kind", "allowed"),
    [
        ("MIT", True),
        ("Apache-2.0 OR GPL-3.0-only", True),
        ("(Apache-2.0 OR GPL-3.0-only) AND MIT", True),
        ("MIT AND GPL-3.0-only", False),
        ("GPL", False),
        ("unknown", False),
    ],
)
def test_a_kind_is_allowed_where_every_part_is(kind, allowed):
    assert licences["is_allowed"](kind) is allowed


def test_a_new_kind_and_one_that_notice_leaves_out_are_found():
    said = licences["breaches"]
    assert list(said([("igraph", "GPL"), ("numpy", "MIT")], NOTICE)) == [
        "igraph: GPL, which is not in .ci/licences.py; drop it, or name it there and in NOTICE"
    ]
    assert list(said([("gensim", "GPL")], NOTICE))  # another kind than it was named with
    assert list(said([("gensim", "LGPL")], "")) == ["gensim: LGPL, which NOTICE does not name"]


def test_all_pinned_packages_are_of_kinds_that_are_agreed_to():
    kinds = dict(licences["installed_kinds"](licences["pinned"](ROOT)))
    assert {"numpy", "torch", "streamlit"} <= kinds.keys()
    assert list(licences["breaches"](kinds.items(), NOTICE)) == []


def test_the_core_has_no_package_under_the_gpl():
    core = [line.split("==")[0] for line in (ROOT / "requirements.txt").read_text().splitlines() if "==" in line]
    kinds = dict(licences["installed_kinds"](core))
    assert [name for name, kind in kinds.items() if re.match("A?GPL", kind)] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert not any(line.startswith("igraph") for line in project["dependencies"])
