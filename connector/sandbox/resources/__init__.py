"""Stored objects that clients create, read and delete, and that change with time."""
