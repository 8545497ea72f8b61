"""Trips that no model of movement made: what a figure has to be better than to mean something."""
