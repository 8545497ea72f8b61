"""Keep what everybody whom this process serves shares, a store a model: the latest few of a kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st

from htp_app.model import Model

if TYPE_CHECKING:
    from collections.abc import Callable

Key = TypeVar("Key")
Value = TypeVar("Value")

# how `st.cache_resource` tells models apart: each stays where it is as long as the process lives
BY_PLACE: dict[str | type[Any], Callable[[Any], Any]] = {Model: id}


def keep(store: dict[Key, Value], key: Key, value: Value, most: int) -> None:
    """Put a value into a store; of more than `most`, those that came first go."""
    store[key] = value
    while len(store) > most:
        del store[next(iter(store))]


@st.cache_resource(show_spinner=False, hash_funcs=BY_PLACE)
def store(name: str, served: Model | None = None) -> dict[Any, Any]:  # noqa: ARG001  one a name and model
    """Return the store of a name and a model, or of the whole process, for `keep`."""
    return {}
