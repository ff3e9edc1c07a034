"""Exports of Alumio."""

from connector.importing.alumio.build import import_alumio

__all__ = ["import_alumio"]
