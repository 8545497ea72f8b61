"""Pack numbers for the browser: a line of JSON, then the gzipped columns; `frontend/src/bytes.js` unpacks them."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

TYPES = {"<i4": "i4", "<u2": "u2", "|u1": "u1"}  # NumPy's name of a column's type: the browser's


@dataclass(frozen=True)
class PackedTable:
    """Columns that travel to the browser once and are then known by their key."""

    key: str  # changes with the content
    payload: bytes

    @classmethod
    def pack(cls, columns: Mapping[str, NDArray[Any]], **header: Any) -> PackedTable:
        """Pack columns (int32, uint16 or uint8) and whatever JSON values the header should carry."""
        facts = {
            "columns": [[name, TYPES[values.dtype.str], len(values)] for name, values in columns.items()],
            **header,
        }
        body = gzip.compress(
            b"".join(np.ascontiguousarray(values).tobytes() for values in columns.values()), 6, mtime=0
        )
        content = json.dumps(facts, ensure_ascii=False).encode() + b"\n" + body
        return cls(hashlib.blake2s(content, digest_size=8).hexdigest(), content)
