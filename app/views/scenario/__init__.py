"""Scenario: closed roads, other speeds."""
