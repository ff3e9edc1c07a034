"""Clients: from a prepared request to an outcome, over the network."""

from __future__ import annotations

from connector.http.client import Client
from connector.http.configuration import describe
from connector.http.forward import Passage, Passed
from connector.http.forward_request import Onward
from connector.http.prototypes import Prototype, prototypes

__all__ = ["Client", "Onward", "Passage", "Passed", "Prototype", "describe", "prototypes"]
