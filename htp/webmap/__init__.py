"""Write trips as a map in one HTML file that opens without a network: for a mail, a report, a colleague without HTP.

`leaflet.js.gz` and `leaflet.css.gz` are Leaflet 1.9.4 as it is published: `npm pack leaflet@1.9.4`, then `gzip -9n` of
its `dist/leaflet.js` and `dist/leaflet.css`.
"""

from htp.webmap.webmap import trips_map

__all__ = ["trips_map"]
