"""Generate realistic GPS trips for a city: travel patterns by a language model, points by an RQ-VAE."""

__version__ = "0.1.0"
