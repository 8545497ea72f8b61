"""Times of day: the same route at two departures."""
