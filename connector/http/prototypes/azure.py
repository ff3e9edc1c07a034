"""Azure OpenAI: its v1 surface, or with an api_version the older one with deployments in the path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote

from pydantic import Field

from connector.errors import ConfigurationError
from connector.http.addresses import check_base_uri
from connector.http.parameters import Common, Secret, environment
from connector.http.prototypes.prototype import Prototype
from connector.model import JSON, Fault, InvalidRequest, members
from connector.request.path import check_segment
from connector.request.wire import Wire

__all__ = ["AZURE"]

BY_DEPLOYMENT = frozenset({
    "/completions", "/chat/completions", "/embeddings", "/audio/transcriptions", "/audio/translations",
    "/audio/speech", "/images/generations", "/images/edits",
})  # fmt: skip
NAMES = "it names a deployment, and stands in the path: a name without slashes is allowed"


class Parameters(Common):
    """An endpoint and one of two kinds of key."""

    endpoint: str = Field(
        description="The resource's address, such as https://example.openai.azure.com.",
        json_schema_extra=environment("AZURE_OPENAI_ENDPOINT"),
    )
    api_key: Secret | None = Field(
        default=None, description="The resource's key.", json_schema_extra=environment("AZURE_OPENAI_API_KEY")
    )
    token: Secret | None = Field(
        default=None,
        description="A Microsoft Entra token, in place of api_key.",
        json_schema_extra=environment("AZURE_OPENAI_AD_TOKEN"),
    )
    api_version: str | None = Field(
        default=None,
        description="A dated version of the older surface; without it the v1 surface is used.",
        json_schema_extra=environment("OPENAI_API_VERSION"),
    )
    deployments: dict[str, str] = Field(
        default_factory=dict[str, str], description="Deployment names by model, where they differ."
    )


class AzureEndpoint:
    """The v1 surface takes paths as they are; the older one wants a version and, for some, a deployment."""

    def __init__(self, parameters: Parameters) -> None:
        address = check_base_uri(parameters.endpoint, parameters.allowed_hosts)
        self._version = parameters.api_version
        self._deployments = parameters.deployments
        self.base_uri = f"{address}/openai" if self._version else f"{address}/openai/v1"
        self._headers = _build_credentials(parameters)
        self.is_fixed = self._version is None

    def place(self, wire: Wire, payload: JSON) -> Wire:
        if self._version is None:
            return wire
        path = wire.path
        if path in BY_DEPLOYMENT:
            path = f"/deployments/{self._find_deployment(payload)}{path}"
        return replace(wire, path=path, query=(("api-version", self._version), *wire.query))

    def _find_deployment(self, payload: JSON) -> str:
        model = members(payload).get("model")
        if not isinstance(model, str) or not model:
            allowed = "it names the deployment on Azure's older surface"
            raise InvalidRequest("azure-openai", [Fault("payload.model", "missing", allowed)])
        deployment = self._deployments.get(model, model)
        if "/" in deployment or "\\" in deployment:
            raise InvalidRequest("azure-openai", [Fault("payload.model", f"is {deployment[:40]!r}", NAMES)])
        if fault := check_segment(deployment):
            raise InvalidRequest("azure-openai", [Fault("payload.model", *fault)])
        return quote(deployment, safe="")

    def credentials(self, wire: Wire) -> Mapping[str, str]:  # noqa: ARG002  the protocol's signature
        if not self._headers:
            raise ConfigurationError("azure-openai needs a key: set AZURE_OPENAI_API_KEY or give api_key or token")
        return self._headers


def _build_credentials(parameters: Parameters) -> dict[str, str]:
    if parameters.token is not None:
        return {"Authorization": f"Bearer {parameters.token.get_secret_value()}"}
    if parameters.api_key is None:
        return {}
    key = parameters.api_key.get_secret_value()
    return {"api-key": key} if parameters.api_version else {"Authorization": f"Bearer {key}"}


AZURE = Prototype("azure-openai", "Azure OpenAI, its v1 or its older surface.", Parameters, AzureEndpoint)
