"""Know again what a result was made of: data, settings, a job."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def fingerprint_of(facts: Mapping[str, Any]) -> str:
    """Return 16 hexadecimal digits that are the same for the same facts, in whatever order they come."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
