"""Responses: prompt, items, history, output and streams."""
