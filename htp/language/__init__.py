"""Stage 2: write travel patterns for given conditions with a language model (paper §4.2)."""
