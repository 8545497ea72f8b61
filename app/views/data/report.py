"""Show the report of a preparation: what was kept, and what was dropped or left out for which reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from htp.prepare.reasons import REASONS
from htp_app.components.figures import figures
from htp_app.components.markup import escaped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def report_panel(report: Mapping[str, Any]) -> None:
    """Draw figures, a bar of all rows, and a table of the reasons for trips and for points of those that were kept."""
    rows, kept = _trips(report), report["kept"]
    offset_m, ratio = report.get("offset_m", {}), report.get("matched_to_gps_length", {})
    cells = {
        "Kept": f"{kept:,} of {rows:,}<small>{kept / max(rows, 1):.1%}</small>",
        "To train on": f"{report['train']:,}<small>{report['heldout']:,} held out</small>",
        "Points beside their road": f"{offset_m.get('0.5', 0):.1f} m<small>median; 90 %: "
        f"{offset_m.get('0.9', 0):.0f} m</small>",
        "Route to GPS length": f"{ratio.get('0.5', 0):.2f}<small>median</small>",
    }
    st.html(figures(cells.items(), "four") + _bar(report) + _table(report) + _points(report))
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
        f"title='{escaped(_words(name))}: {count:,}'></i>"
        for name, count in parts
    )
    return f"<div class='outcome' role='img' aria-label='Share of trips kept'>{spans}</div>"


def _table(report: Mapping[str, Any]) -> str:
    lines = [("kept", report["kept"], "matched to roads and labelled")]
    lines += [(name, count, _why(name, report)) for name, count in report["dropped"].items()]
    return _lines(("Outcome", "Trips", "Share", "Why"), lines, _trips(report))


def _points(report: Mapping[str, Any]) -> str:
    """Return a table of the points that were left out of trips of which others remain; nothing where none were."""
    left_out = report.get("left_out", {})
    if not left_out:
        return ""
    lines = [(name, count, _why(name, report)) for name, count in left_out.items()]
    read = report.get("points_read", report.get("points", 0) + sum(left_out.values()))
    return _lines(("Left out", "Points", "Share", "Why"), lines, read)


def _lines(heads: Sequence[str], lines: Sequence[tuple[str, int, str]], whole: int) -> str:
    body = "".join(
        f"<tr><th scope='row'><i class='{'kept' if name == 'kept' else 'dropped'}'></i>{escaped(_words(name))}</th>"
        f"<td>{count:,}</td><td>{count / max(whole, 1):.1%}</td><td>{escaped(why)}</td></tr>"
        for name, count, why in lines
    )
    head = "".join(f"<th scope='col'>{text}</th>" for text in heads)
    return f"<table class='stored report'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _why(reason: str, report: Mapping[str, Any]) -> str:
    """Return what a reason means, with the first value or trip that shows it."""
    shown = report.get("examples", {}).get(reason)
    return REASONS.get(reason, "").replace("`", "") + (f" ({shown})" if shown else "")


def _words(reason: str) -> str:
    return reason.replace("_", " ").capitalize()
