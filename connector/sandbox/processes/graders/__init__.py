"""Graders: what a sample is worth."""
