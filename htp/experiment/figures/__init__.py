"""Draw the paper's figures from results, as pictures (PNG, SVG).

A figure is a function that takes a `Subject` and returns what matplotlib draws, or None where results have not what it
needs. To add one, write it and name it here. Its module brings matplotlib, so it is imported when a figure is drawn.
"""

FIGURES = {  # name of the files to module and function
    "figure5-maps": ("maps", "maps"),  # Figures 5 and 6: one city each
    "figure7-lengths": ("charts", "lengths"),
    "figure8-speed": ("charts", "speed"),
    "figure9-code-use": ("charts", "code_use"),
    "figure10-codebooks": ("charts", "codebooks"),
    "figure11a-patterns": ("patterns", "patterns"),
    "figure11b-times-of-day": ("maps", "times_of_day"),
}
