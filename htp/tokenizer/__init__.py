"""Stage 1: turn trips into travel patterns and back with a road-conditioned RQ-VAE (paper §4.1)."""
