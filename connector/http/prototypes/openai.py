"""The OpenAI API itself, at its global or a regional address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, SecretStr

from connector.errors import ConfigurationError
from connector.http.addresses import check_base_uri
from connector.http.parameters import Common, HeaderText, Secret, environment
from connector.http.prototypes.prototype import Prototype
from connector.model import JSON
from connector.request.wire import Wire

__all__ = ["OPENAI"]

GLOBAL = "https://api.openai.com/v1"
ADMIN_PATHS = ("/organization/", "/projects/")


class Parameters(Common):
    """What the OpenAI API asks for."""

    base_uri: str | None = Field(
        default=None,
        description="Where the API is; https://api.openai.com/v1 unless given.",
        json_schema_extra=environment("OPENAI_BASE_URL", unless="region"),
    )
    region: Literal["us", "eu", "ae", "au", "in", "jp"] | None = Field(
        default=None, description="The regional address to use, in place of base_uri."
    )
    token: Secret | None = Field(
        default=None, description="The project key.", json_schema_extra=environment("OPENAI_API_KEY")
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


class OpenAIEndpoint:
    """Project keys for what projects do, admin keys for administration."""

    def __init__(self, parameters: Parameters) -> None:
        self.base_uri = check_base_uri(_find_address(parameters), parameters.allowed_hosts)
        context = {"OpenAI-Organization": parameters.organization, "OpenAI-Project": parameters.project}
        self._context = {name: value for name, value in context.items() if value}
        self._project = self._build_headers(parameters.token)
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
            raise ConfigurationError(f"{_name_call(wire)} needs a key: set OPENAI_API_KEY or give token")
        return self._project


def _find_address(parameters: Parameters) -> str:
    if parameters.region is None:
        return parameters.base_uri or GLOBAL
    if parameters.base_uri:
        raise ConfigurationError("region and base_uri are both given: leave one of them out")
    return f"https://{parameters.region}.api.openai.com/v1"


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
