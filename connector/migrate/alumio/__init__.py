"""Exports of Alumio."""

from connector.migrate.alumio.build import import_alumio

__all__ = ["import_alumio"]
