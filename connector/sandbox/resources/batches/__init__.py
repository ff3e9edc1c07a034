"""Batches: lines that run through the sandbox itself."""
