"""Read JSON that strangers may have written, within bounds: how long, how deep, how long a name may be.

What is beyond them, no JSON, or not an object is an `InputError` of one sentence, never a fault: Python's own reader
gives up on deep nesting with a `RecursionError`, and file systems on long names with an `OSError`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from htp.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 16 << 20  # ours: the largest that HTP writes, a manifest of 100,000 parts, has 15 MiB
MAX_DEPTH = 32  # ours: what HTP writes has 6 at most
MAX_LETTERS = 4_096  # of a name or text; ours: the longest that HTP writes, an attribution, has some hundreds
MAX_NAME = 200  # of the name of a city, a model, a time zone; ours


def read_object(path: Path) -> dict[str, Any]:
    """Return the object in a file; `InputError` where the file is missing or holds something else."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from error
    return parse_object(content, str(path))


def parse_object(content: bytes | str, where: str, most_letters: int = MAX_LETTERS) -> dict[str, Any]:
    """Return the object that JSON holds; `InputError`, which names `where` it stood, for anything else.

    `most_letters` is how long a name or text in it may be.
    """
    if len(content) > MAX_BYTES:
        raise InputError(f"{where}: has over {MAX_BYTES >> 20} MiB, more than such a file may have.")
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: is no JSON that could be read.") from error
    if not isinstance(found, dict):
        raise InputError(f"{where}: holds no JSON object.")
    _check_bounds(found, where, most_letters)
    return cast("dict[str, Any]", found)


def object_in(facts: dict[str, Any], name: str, where: str) -> dict[str, Any]:
    """Return the object of this name within another; `InputError` where it is none."""
    if not isinstance(found := facts.get(name), dict):
        raise InputError(f"{where}: {name} is no JSON object.")
    return found


def text_in(facts: dict[str, Any], name: str, where: str, most: int = MAX_LETTERS) -> str:
    """Return the text of this name in an object; `InputError` where it is none or has too many letters."""
    found = facts.get(name)
    if not isinstance(found, str):
        raise InputError(f"{where}: {name} is no text.")
    if len(found) > most:
        raise InputError(f"{where}: {name} has {len(found):,} letters; at most {most:,} are read.")
    return found


def _check_bounds(found: dict[str, Any], where: str, most_letters: int) -> None:
    """Refuse what is nested too deep or holds too long a name or text, level by level instead of by recursion."""
    level: list[Any] = [found]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for one in level:
            inner = [*one.keys(), *one.values()] if isinstance(one, dict) else one
            if any(isinstance(value, str) and len(value) > most_letters for value in inner):
                raise InputError(f"{where}: holds a text of over {most_letters:,} letters.")
            below += [value for value in inner if isinstance(value, dict | list)]
        if not below:
            return
        level = below
    raise InputError(f"{where}: is nested over {MAX_DEPTH} deep.")
