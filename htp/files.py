"""Write files whole or not at all, know again what they were made of, keep text from being computed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from htp.errors import InputError, no_right, no_room

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# how text begins that a spreadsheet computes, full-width letters as in Japanese ones; -5 is a number
FORMULA = re.compile(r"[=@＝＠]|[+\-＋－](?![\d.]+$)")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` that takes its place when the block ends well, and vanishes otherwise.

    Its content is on the disk before it has the name, so that a power cut leaves the one or the other. `InputError`
    where the disk is full or nobody may write there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    except OSError as error:
        if sentence := no_right(error):
            raise InputError(sentence.replace(str(error.filename), str(path), 1)) from error
        raise
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)  # whoever wrote it, and however
        force_to_disk(temporary)
        temporary.replace(path)
    except Exception as error:
        if sentence := no_room(error):
            raise InputError(f"{path}: {sentence}") from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def force_to_disk(path: Path) -> None:
    """Return when a file's content is on the disk, so that a power cut leaves it whole."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def fingerprint_of(facts: Mapping[str, Any]) -> str:
    """Return 16 hexadecimal digits that are the same for the same facts, in whatever order they come."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def plain_cell(text: str) -> str:
    """Return text as one line that no spreadsheet computes (OWASP: CSV injection).

    What would be a formula gets an apostrophe in front, which makes it text. Leading spaces go, for some programs pass
    over them, and so do breaks: pandas does not quote a carriage return.
    """
    line = re.sub(r"[\t\r\n]+", " ", text).strip()
    return f"'{line}" if FORMULA.match(line) else line
