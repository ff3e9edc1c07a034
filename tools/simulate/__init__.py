"""Simulations that hold what the connector foretells against what then happens, in figures."""
