"""Clients: from a prepared request to an outcome, over the network."""

from __future__ import annotations

from connector.http.client import Client
from connector.http.configuration import describe
from connector.http.forward import Forward, ForwardResponse
from connector.http.forward_request import ForwardRequest
from connector.http.prototypes import Prototype, prototypes

__all__ = ["Client", "Forward", "ForwardRequest", "ForwardResponse", "Prototype", "describe", "prototypes"]
