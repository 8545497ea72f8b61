"""Show the report of a preparation: what was kept, and what was dropped for which reason."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import streamlit as st

from htp.prepare.reasons import REASONS
from htp_app.components.figures import figures

if TYPE_CHECKING:
    from collections.abc import Mapping


def report_panel(report: Mapping[str, Any]) -> None:
    """Draw figures, a bar of all rows and a table of the reasons."""
    rows, kept = _trips(report), report["kept"]
    offset_m, ratio = report.get("offset_m", {}), report.get("matched_to_gps_length", {})
    cells = {
        "Kept": f"{kept:,} of {rows:,}<small>{kept / max(rows, 1):.1%}</small>",
        "To train on": f"{report['train']:,}<small>{report['heldout']:,} held out</small>",
        "Points beside their road": f"{offset_m.get('0.5', 0):.1f} m<small>median; 90 %: "
        f"{offset_m.get('0.9', 0):.0f} m</small>",
        "Route to GPS length": f"{ratio.get('0.5', 0):.2f}<small>median</small>",
    }
    st.html(figures(cells.items(), "four") + _bar(report) + _table(report))
    sources = ", ".join(source["name"] for source in report.get("sources", []))
    st.caption(
        f"{sources}, prepared for {report['city']['name']} every {report['settings']['interval_s']:g} s in "
        f"{report['seconds']:g} s. " + " ".join(report.get("notes", []))
    )


def _trips(report: Mapping[str, Any]) -> int:
    """Return how many trips were in the files, further drives of one row among them."""
    return int(report["rows"]) + int(report.get("further_drives", 0))


def _bar(report: Mapping[str, Any]) -> str:
    rows = max(_trips(report), 1)
    parts = [("kept", report["kept"]), *report["dropped"].items()]
    spans = "".join(
        f"<i class='{'kept' if name == 'kept' else 'dropped'}' style='width:{100 * count / rows:.2f}%' "
        f"title='{html.escape(_words(name))}: {count:,}'></i>"
        for name, count in parts
    )
    return f"<div class='outcome' role='img' aria-label='Share of trips kept'>{spans}</div>"


def _table(report: Mapping[str, Any]) -> str:
    rows = max(_trips(report), 1)
    lines = [("kept", report["kept"], "matched to roads and labelled")]
    lines += [(name, count, REASONS.get(name, "").replace("`", "")) for name, count in report["dropped"].items()]
    body = "".join(
        f"<tr><th scope='row'><i class='{'kept' if name == 'kept' else 'dropped'}'></i>{html.escape(_words(name))}</th>"
        f"<td>{count:,}</td><td>{count / rows:.1%}</td><td>{html.escape(why)}</td></tr>"
        for name, count, why in lines
    )
    head = "".join(f"<th scope='col'>{text}</th>" for text in ("Outcome", "Trips", "Share", "Why"))
    return f"<table class='stored report'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _words(reason: str) -> str:
    return reason.replace("_", " ").capitalize()
