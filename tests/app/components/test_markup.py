"""Find what goes past the one helper that puts text into HTML."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from htp_app.components.markup import escaped, without_pictures

APP = Path(__file__).resolve().parents[3] / "app"
HELPER = APP / "components" / "markup.py"
FILES = sorted(path for path in APP.rglob("*.py") if path != HELPER)
TAG = re.compile(r"<(?!/?extra>)[a-zA-Z/]")  # <extra> is Plotly's own and no tag
NUMBER = re.compile(r"(?:[,defg%]|%H:%M)$")  # a value that is formatted so is a number or a time, or an error


def is_tame(value: ast.FormattedValue) -> bool:
    """Return whether what is put into markup cannot be somebody's text.

    It is escaped here, a number by its format, a name of this function's own, or what a function of ours returns.
    """
    spec = "".join(part.value for part in value.format_spec.values) if value.format_spec else ""
    if NUMBER.search(spec) or isinstance(value.value, ast.Constant | ast.Name):
        return True
    parts = [value.value.body, value.value.orelse] if isinstance(value.value, ast.IfExp) else [value.value]
    return all(is_ours(part) for part in parts)


def is_ours(part: ast.expr) -> bool:
    """Return whether a part of an expression is a name or constant, joined markup, or what our function returns."""
    if isinstance(part, ast.Call):
        own = isinstance(part.func, ast.Name) and part.func.id != "str"
        return own or (isinstance(part.func, ast.Attribute) and part.func.attr in {"join", "strip"})
    return isinstance(part, ast.Constant | ast.Name | ast.JoinedStr) or (
        isinstance(part, ast.BinOp) and is_ours(part.left) and is_ours(part.right)
    )


def past_the_helper(source: str) -> list[str]:
    """Return what a file puts into HTML without `escaped`, as `line: what`."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom) and "html" in {
            getattr(node, "module", None),
            *(alias.name for alias in node.names),
        }:
            found.append(f"{node.lineno}: imports html")
        if isinstance(node, ast.JoinedStr):
            said = "".join(part.value for part in node.values if isinstance(part, ast.Constant))
            values = [part for part in node.values if isinstance(part, ast.FormattedValue)] if TAG.search(said) else []
            found += [f"{value.lineno}: {ast.unparse(value.value)}" for value in values if not is_tame(value)]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "html":
            (drawn,) = node.args
            if not isinstance(drawn, ast.Constant | ast.JoinedStr | ast.Call | ast.BinOp):
                found.append(f"{node.lineno}: draws {ast.unparse(drawn)}")
        if isinstance(node, ast.keyword) and node.arg == "unsafe_allow_html":
            found.append(f"{node.value.lineno}: unsafe_allow_html")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(APP)))
def test_nothing_in_the_app_goes_past_the_helper(path):
    # the style sheet is a file of ours, named by its path
    found = [one for one in past_the_helper(path.read_text()) if not one.endswith("STATIC / 'app.css'")]
    assert not found


@pytest.mark.parametrize(
    "line",
    [
        'st.html(f"<p>{city.timezone}</p>")',
        'text = f"<b>{city.name.upper()}</b>"',
        'text = f"<b>{names[0]}</b>"',
        'text = f"<b>{str(city)}</b>"',
        'text = f"<b>{city.name if city else 1}</b>"',
        "st.html(city.name)",
        'st.markdown("x", unsafe_allow_html=True)',
        "import html",
        "from html import escape",
    ],
)
def test_what_goes_past_the_helper_is_found(line):
    assert past_the_helper(line)


def test_what_is_escaped_is_no_markup():
    assert escaped("<img src=x onerror='a(\"b\")'>&") == "&lt;img src=x onerror=&#x27;a(&quot;b&quot;)&#x27;&gt;&amp;"
    assert escaped(7) == "7"


def test_a_picture_in_a_sentence_is_text():
    assert without_pictures("![x](http://elsewhere.example/a.png) [a link](b)") == (
        "!\\[x](http://elsewhere.example/a.png) [a link](b)"
    )
