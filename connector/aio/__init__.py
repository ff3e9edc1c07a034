"""Concurrency and files, each written once: events, signals, a bounded map, atomic files."""
