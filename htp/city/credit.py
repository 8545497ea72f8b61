"""Write whom a map credits for its roads as HTML and as plain text."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from htp.city.network import OSM_ATTRIBUTION

if TYPE_CHECKING:
    from htp.city.network import City

OSM_LINK = f'<a href="https://www.openstreetmap.org/copyright" target="_blank" rel="noopener">{OSM_ATTRIBUTION}</a>'


def credit_html(city: City) -> str:
    """Return a city's attribution for a map: people's own words are no HTML; OpenStreetMap's lead to its page."""
    return html.escape(city.attribution).replace(OSM_ATTRIBUTION, OSM_LINK)


def credit_text(attribution: str) -> str:
    """Return a sentence for a caption, nothing where nobody is credited."""
    return f"Roads: {attribution}." if attribution else ""


def attribution_of(facts: dict[str, Any]) -> str:
    """Return the attribution that facts of a city name; those of older versions name none and are OpenStreetMap's."""
    return str(facts.get("attribution", OSM_ATTRIBUTION))
