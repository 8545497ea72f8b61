"""Evaluate: how close generated trips are to real ones."""
