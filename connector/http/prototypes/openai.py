"""The OpenAI API itself, at its global or a regional address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from connector.errors import ConfigurationError
from connector.http.addresses import check_base_uri
from connector.http.identity import PLACEHOLDER, Identity
from connector.http.identity.parameters import PLATFORMS
from connector.http.parameters import Common, HeaderText, Secret, environment
from connector.http.prototypes.prototype import Prototype
from connector.model import JSON
from connector.request.wire import Wire

__all__ = ["OPENAI"]

GLOBAL = "https://api.openai.com/v1"
GLOBAL_MTLS = "https://mtls.api.openai.com/v1"
MTLS_REGIONS = ("us", "eu")
ADMIN_PATHS = ("/organization/", "/projects/")


class Parameters(Common):
    """What the OpenAI API asks for."""

    base_uri: str | None = Field(
        default=None,
        description="Where the API is; https://api.openai.com/v1 unless given, its mTLS host with a certificate.",
        json_schema_extra=environment("OPENAI_BASE_URL", unless="region"),
    )
    region: Literal["us", "eu", "ae", "au", "in", "jp"] | None = Field(
        default=None, description="The regional address to use, in place of base_uri."
    )
    token: Secret | None = Field(
        default=None,
        description="The project key.",
        json_schema_extra=environment("OPENAI_API_KEY", unless="identity"),
    )
    identity: Identity | None = Field(
        default=None, description="A workload's own identity in place of token: nothing that is kept, but exchanged."
    )
    admin_token: Secret | None = Field(
        default=None,
        description="The admin key, for organization and project administration.",
        json_schema_extra=environment("OPENAI_ADMIN_KEY"),
    )
    organization: HeaderText | None = Field(
        default=None, description="The organization that pays.", json_schema_extra=environment("OPENAI_ORG_ID")
    )
    project: HeaderText | None = Field(
        default=None, description="The project that is charged.", json_schema_extra=environment("OPENAI_PROJECT_ID")
    )

    @field_validator("identity")
    @classmethod
    def _is_alone(cls, identity: Identity | None, others: ValidationInfo) -> Identity | None:
        if identity is not None and others.data.get("token") is not None:
            raise ValueError("token is given too: a call has one credential, so leave one of them out")
        if identity is not None and identity.source == "certificate" and others.data.get("certificate") is None:
            raise ValueError("the source certificate needs certificate beside it: {file, key}")
        return identity

    @property
    def workload(self) -> Identity | None:
        return self.identity


class OpenAIEndpoint:
    """Project keys for what projects do, admin keys for administration."""

    is_fixed = True

    def __init__(self, parameters: Parameters) -> None:
        self.base_uri = check_base_uri(_find_address(parameters), parameters.allowed_hosts)
        if parameters.identity is not None:
            _check_addresses(parameters.identity, parameters.allowed_hosts)
        context = {"OpenAI-Organization": parameters.organization, "OpenAI-Project": parameters.project}
        self._context = {name: value for name, value in context.items() if value}
        project = parameters.token if parameters.identity is None else SecretStr(PLACEHOLDER)
        self._project = self._build_headers(project)
        self._admin = self._build_headers(parameters.admin_token) or self._project

    def _build_headers(self, token: SecretStr | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {token.get_secret_value()}", **self._context} if token else {}

    def place(self, wire: Wire, payload: JSON) -> Wire:  # noqa: ARG002  the protocol's signature
        return wire

    def credentials(self, wire: Wire) -> Mapping[str, str]:
        if _needs_admin(wire):
            if not self._admin:
                raise ConfigurationError(
                    f"{_name_call(wire)} needs an admin key: set OPENAI_ADMIN_KEY or give admin_token"
                )
            return self._admin
        if not self._project:
            raise ConfigurationError(f"{_name_call(wire)} needs a key: set OPENAI_API_KEY or give token or identity")
        return self._project


def _find_address(parameters: Parameters) -> str:
    region = parameters.region
    if region is None:
        return parameters.base_uri or (GLOBAL if parameters.certificate is None else GLOBAL_MTLS)
    if parameters.base_uri:
        raise ConfigurationError("region and base_uri are both given: leave one of them out")
    if parameters.certificate is None:
        return f"https://{region}.api.openai.com/v1"
    if region not in MTLS_REGIONS:
        raise ConfigurationError(
            f"region {region} has no host that takes certificates: {' and '.join(MTLS_REGIONS)} have one; "
            "leave region or certificate out, or give base_uri"
        )
    return f"https://mtls-{region}.api.openai.com/v1"


def _check_addresses(identity: Identity, allowed_hosts: Sequence[str]) -> None:
    """Refuse addresses that a token must not be sent to; the platforms' own are meant by naming the platform."""
    check_base_uri(identity.exchange, allowed_hosts, "identity.exchange_uri")
    if identity.asks_platform and identity.metadata_uri is not None:
        own = [urlsplit(address).hostname or "" for address in PLATFORMS]
        check_base_uri(identity.metadata_uri, (*allowed_hosts, *own), "identity.metadata_uri")


def _needs_admin(wire: Wire) -> bool:
    return wire.operation.key == "admin" if wire.operation else f"{wire.path}/".startswith(ADMIN_PATHS)


def _name_call(wire: Wire) -> str:
    return wire.operation.name if wire.operation else f"{wire.method} {wire.path}"


OPENAI = Prototype(
    "openai",
    "The OpenAI API, at its global or a regional address.",
    Parameters,
    OpenAIEndpoint,
    knows_models=True,
)
