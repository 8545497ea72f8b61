"""Unpack tables for the map as the browser does it."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from htp_app.map.table import PackedTable


def unpack(table: PackedTable) -> tuple[dict, dict[str, np.ndarray]]:
    head, body = table.payload.split(b"\n", 1)
    header, buffer, at = json.loads(head), gzip.decompress(body), 0
    columns = {}
    for name, kind, length in header["columns"]:
        columns[name] = np.frombuffer(buffer, np.dtype(kind), length, at)
        at += columns[name].nbytes
    assert at == len(buffer)
    return header, columns
