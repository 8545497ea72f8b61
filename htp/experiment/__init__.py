"""Compare methods: each trained for the same time on the same trips, measured on the same held-out ones (paper §5).

`run` trains, generates and measures, one JSON file a result; `report` reads these files and writes the paper's tables
and figures. Neither knows how a method works: all answer fit, generate, save and load.
"""
