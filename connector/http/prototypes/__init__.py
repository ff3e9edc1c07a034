"""The kinds of client there are."""

from __future__ import annotations

from connector.http.prototypes.prototype import Endpoint, FixedEndpoint, Prototype
from connector.registry import Registry

__all__ = ["Endpoint", "FixedEndpoint", "Prototype", "prototypes"]

GROUP = "openai_connector.clients"


def prototypes() -> Registry[Prototype]:
    """Return the prototypes that ship with the connector, then those that other distributions declare."""
    from connector.http.prototypes.azure import AZURE
    from connector.http.prototypes.camunda import CAMUNDA
    from connector.http.prototypes.compatible import COMPATIBLE
    from connector.http.prototypes.http import HTTP
    from connector.http.prototypes.openai import OPENAI

    registry = Registry("client prototype", (OPENAI, AZURE, COMPATIBLE, HTTP, CAMUNDA))
    registry.add_installed(GROUP, Prototype)
    return registry
