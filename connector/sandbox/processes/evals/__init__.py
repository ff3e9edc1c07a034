"""Evals and their runs."""
