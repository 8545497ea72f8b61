"""Measure in one run how fast a checkpoint generates, beside other ways of generating and the machine's limits.

A ratio holds on the machine and in the run that it was measured in, so everything is measured side by side.
"""
