"""Building a catalogue folder from an OpenAPI document."""

from __future__ import annotations

from connector.catalogue.importer.build import import_document

__all__ = ["import_document"]
