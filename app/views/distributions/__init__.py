"""Distributions: lengths, speeds and times of real and generated trips."""
