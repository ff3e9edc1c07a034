"""Any HTTP API: an address and headers."""

from __future__ import annotations

from pydantic import Field

from connector.http.addresses import check_base_uri
from connector.http.parameters import Common
from connector.http.prototypes.prototype import Endpoint, FixedEndpoint, Prototype

__all__ = ["HTTP"]


class Parameters(Common):
    """An address; credentials go into `headers`."""

    base_uri: str = Field(description="The address below which every path lies.")


def endpoint(parameters: Parameters) -> Endpoint:
    return FixedEndpoint(check_base_uri(parameters.base_uri, parameters.allowed_hosts))


HTTP = Prototype("http", "Any HTTP API, by its address and headers.", Parameters, endpoint, lists_models=False)
