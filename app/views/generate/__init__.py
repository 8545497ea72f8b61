"""Generate: trips along a route."""
