"""Data and models: what is there, and what can be added."""
