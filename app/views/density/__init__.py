"""Density: where real and generated trips go."""
