"""Acme's models: the OpenAI API below an address of theirs, with a key in a header of theirs."""

from __future__ import annotations

from pydantic import Field

from connector.plugins import ClientParameters, ClientPrototype, FixedEndpoint, Secret, environment

__all__ = ["ACME"]


class AcmeParameters(ClientParameters):
    """A region and a key."""

    region: str = Field(default="eu", pattern="^[a-z]{2}$", description="Where the models run.")
    key: Secret = Field(description="The key.", json_schema_extra=environment("ACME_KEY"))


def endpoint(parameters: AcmeParameters) -> FixedEndpoint:
    """Return where calls go, and what lets them in."""
    address = f"https://{parameters.region}.acme.example/v1"
    return FixedEndpoint(address, {"X-Acme-Key": parameters.key.get_secret_value()})


ACME = ClientPrototype("acme", "Acme's models.", AcmeParameters, endpoint)
