"""Show the OpenAPI document as a page that loads nothing from elsewhere: addresses, fields, examples to send.

FastAPI's own pages fetch Swagger UI or ReDoc from a content network, which a service on a closed network cannot reach.
"""

from __future__ import annotations

import json
from html import escape
from typing import Any

from fastapi.responses import HTMLResponse

POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 52rem; padding: 0 1rem; color: #1b1f24; }
h2 { font-size: 1.1rem; border-top: 1px solid #d0d7de; padding-top: 1.2rem; }
h2 b { background: #0b6e4f; color: #fff; border-radius: 4px; padding: .1rem .5rem; font-size: .85rem; }
code, pre, textarea { font: 13px/1.45 ui-monospace, monospace; }
textarea { width: 100%; box-sizing: border-box; height: 9rem; }
pre { background: #f6f8fa; padding: .8rem; overflow: auto; max-height: 20rem; white-space: pre-wrap; }
table { border-collapse: collapse; } td { padding: .1rem 1rem .1rem 0; vertical-align: top; }
button { padding: .3rem .9rem; } input { width: 24rem; }
"""
SCRIPT = """
for (const form of document.querySelectorAll('form')) form.onsubmit = async event => {
  event.preventDefault();
  const out = form.querySelector('pre'), body = form.querySelector('textarea');
  const key = document.querySelector('#key')?.value;
  out.hidden = false; out.textContent = '…';
  try {
    const answer = await fetch(form.dataset.path, {
      method: form.dataset.method,
      headers: {...(body && {'Content-Type': 'application/json'}), ...(key && {Authorization: 'Bearer ' + key})},
      body: body?.value,
    });
    const binary = (answer.headers.get('Content-Type') || '').includes('parquet');
    const text = binary ? (await answer.arrayBuffer()).byteLength + ' bytes' : await answer.text();
    out.textContent = answer.status + '\\n' + text.slice(0, 20000);
  } catch (error) { out.textContent = error; }
};
"""


def page(schema: dict[str, Any]) -> HTMLResponse:
    """Return the page for an OpenAPI document."""
    parts = [
        _operation(path, method, operation, schema)
        for path, operations in schema["paths"].items()
        for method, operation in operations.items()
    ]
    info = schema["info"]
    title = escape(info["title"])
    key = '<p><label>Key: <input id="key" type="password" autocomplete="off"></label></p>'
    text = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
        f"<h1>{title}</h1><p>{escape(info['summary'])} Version {escape(info['version'])}. "
        'The same as a document for machines: <a href="/openapi.json">openapi.json</a>.</p>'
        f"{key if 'securitySchemes' in schema.get('components', {}) else ''}{''.join(parts)}<script>{SCRIPT}</script>"
    )
    return HTMLResponse(text, headers={"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer"})


def _operation(path: str, method: str, operation: dict[str, Any], schema: dict[str, Any]) -> str:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    samples = [one["value"] for one in body.get("examples", {}).values()]
    forms = "".join(_form(path, method, json.dumps(sample, indent=1)) for sample in samples)
    words = escape(operation.get("description", "")).replace("\n", " ")
    head = f"<h2><b>{method.upper()}</b> <code>{escape(path)}</code> {escape(operation['summary'])}</h2><p>{words}</p>"
    return head + _fields(body.get("schema", {}), schema) + (forms or _form(path, method, None))


def _form(path: str, method: str, sample: str | None) -> str:
    label = f"{method.upper()} {path}"
    area = "" if sample is None else f'<textarea aria-label="Body of {escape(label)}">{escape(sample)}</textarea>'
    return (
        f'<form data-path="{escape(path)}" data-method="{method.upper()}">{area}<p><button>Send</button></p>'
        "<pre hidden></pre></form>"
    )


def _fields(reference: dict[str, Any], schema: dict[str, Any]) -> str:
    """Return the table of a body's fields, those of the objects in its lists as well."""
    name = reference.get("$ref", "").rpartition("/")[2]
    if not name:
        return ""
    model = schema["components"]["schemas"][name]
    rows = []
    for field, facts in model["properties"].items():
        needed = " (needed)" if field in model.get("required", ()) else ""
        words = escape(facts.get("description", "")) + needed + _fields(facts.get("items", {}), schema)
        rows.append(f"<tr><td><code>{escape(field)}</code><td>{words}")
    return f"<table>{''.join(rows)}</table>"
