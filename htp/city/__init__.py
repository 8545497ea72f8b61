"""Hold a city's directed roads: build, load, route, snap, match, and place points along routes. No torch here."""

from htp.city.network import City

__all__ = ["City"]
