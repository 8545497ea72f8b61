"""Draw the paper's figures from results, as pictures (PNG, SVG) and as pages that can be zoomed (HTML).

A figure is a module with three functions, `there`, which says whether results have what it needs, `draw` by matplotlib
and `page` by plotly; all take a `Subject`. To add one, write its module and name it here. The modules bring both
libraries, so they are imported when a figure is drawn.
"""

FIGURES = {  # name of the files to module
    "figure5-maps": "maps",  # Figures 5 and 6: one city each
    "figure7-lengths": "lengths",
    "figure8-speed": "speed",
    "figure9-code-use": "code_use",
    "figure10-codebooks": "codebooks",
    "figure11a-patterns": "patterns",
    "figure11b-times-of-day": "times_of_day",
}
