"""Clients: from a prepared request to an outcome, over the network."""

from __future__ import annotations

from connector.http.client import Client
from connector.http.describing import describe
from connector.http.prototypes import Prototype, prototypes

__all__ = ["Client", "Prototype", "describe", "prototypes"]
