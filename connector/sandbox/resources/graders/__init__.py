"""Graders, which score samples."""
