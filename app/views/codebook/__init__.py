"""Codebook: what the model's tokens stand for."""
