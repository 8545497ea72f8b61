"""Send tables to the browser through a component of their own, so that they travel once and not with every click.

A component's bytes arrive only when they are the whole of its `data`, and all of `data` is sent again when any of it
changes. So a table has an (invisible) component to itself, and the map names it by its key. Streamlit recognises a
message that the browser already has by its hash and sends the hash.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from htp_app.map.table import PackedTable

KEY_BYTES = 16  # hexadecimal characters before the table

_RECEIVE = """
export default function ({ data }) {
  globalThis.htpBytes ??= { raw: new Map(), waiting: new Map(), tables: new Map() };
  const { raw, waiting } = globalThis.htpBytes;
  const key = new TextDecoder().decode(data.subarray(0, %d));
  if (raw.has(key)) return;
  raw.set(key, data.subarray(%d));
  if (raw.size > 8) raw.delete(raw.keys().next().value);
  for (const resolve of waiting.get(key) ?? []) resolve(raw.get(key));
  waiting.delete(key);
}
"""

_transport = st.components.v2.component("htp_transport", js=_RECEIVE % (KEY_BYTES, KEY_BYTES), isolate_styles=False)


def send(name: str, table: PackedTable) -> None:
    """Send a table to the browser; `name` is its place on the page, the same on every run."""
    with st.container(key=f"transport-{name}"):
        _transport(key=f"bytes-{name}", data=table.key.encode() + table.payload, height=1)
