"""Exports of Alumio."""

from connector.migrate.alumio.build import import_alumio, translate_objects

__all__ = ["import_alumio", "translate_objects"]
