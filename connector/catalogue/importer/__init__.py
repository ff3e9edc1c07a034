"""The importer: build a catalogue folder from an OpenAPI document, and compare both."""

from __future__ import annotations

from connector.catalogue.importer.build import import_document

__all__ = ["import_document"]
