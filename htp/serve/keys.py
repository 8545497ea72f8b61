"""Know who may use the service: API keys, of which only the SHA-256 hashes are kept in a file.

A key is 256 random bits, so a plain hash keeps it: there is nothing to guess. A line of the file is a hash and a name;
lines that begin with # are comments.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from htp.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

LINE = re.compile(r"([0-9a-f]{64})\s+(\S+)")


@dataclass(frozen=True)
class Keys:
    """The names of those who may ask, by the hash of their key."""

    names: dict[str, str]

    @classmethod
    def load(cls, path: Path) -> Keys:
        """Read a file of hashes; `InputError` names the line that is wrong."""
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: cannot be read; give a file of lines that `htp key NAME` prints.") from error
        names = {}
        for number, line in enumerate(lines, 1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            found = LINE.fullmatch(line.strip())
            if found is None:
                raise InputError(f"{path}: line {number} is no SHA-256 hash and a name; take it from `htp key NAME`.")
            names[found[1]] = found[2]
        if not names:
            raise InputError(f"{path}: holds no key, so nobody could ask; make one with `htp key NAME`.")
        return cls(names)

    def name_of(self, key: str) -> str | None:
        """Return whose key it is, None if nobody's.

        Compares with every hash, each in constant time, so that the time taken tells nothing.
        """
        given, name = _hash(key), None
        for known, whose in self.names.items():
            if hmac.compare_digest(given, known):
                name = whose
        return name


def new_key(name: str) -> tuple[str, str]:
    """Return a new key and the line of the file that lets it in; `InputError` for a name with spaces."""
    if not LINE.fullmatch(f"{'0' * 64} {name}"):
        raise InputError(f"the name {name!r} is empty or has spaces; give one word.")
    key = secrets.token_urlsafe(32)
    return key, f"{_hash(key)} {name}"


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
