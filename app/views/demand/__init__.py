"""Demand: a day's trips between zones."""
