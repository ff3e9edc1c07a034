"""The entity catalogue: what an API offers, by name."""

from __future__ import annotations

from connector.catalogue.catalogue import Catalogue
from connector.catalogue.operation import Operation

__all__ = ["Catalogue", "Operation"]
