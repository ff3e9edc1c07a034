"""The orchestration cluster of Camunda 8, by its REST API: without credentials, with a password, or by OAuth."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Self

from pydantic import Field, model_validator

from connector.http.addresses import check_base_uri
from connector.http.identity import PLACEHOLDER, ClientCredentials
from connector.http.parameters import Common, Secret, environment
from connector.http.prototypes.prototype import Endpoint, FixedEndpoint, Prototype

__all__ = ["CAMUNDA"]

OAUTH = ("client_id", "client_secret", "token_uri")


class Parameters(Common):
    """An address, and one of two kinds of credentials, if the cluster asks for any."""

    base_uri: str = Field(
        description="Where the cluster is, without /v2, such as http://localhost:8080.",
        json_schema_extra=environment("CAMUNDA_REST_ADDRESS"),
    )
    username: str | None = Field(default=None, description="Who signs in with a password.")
    password: Secret | None = Field(default=None, description="The password.")
    client_id: str | None = Field(
        default=None,
        description="The id of OAuth client credentials.",
        json_schema_extra=environment("CAMUNDA_CLIENT_ID"),
    )
    client_secret: Secret | None = Field(
        default=None, description="Their secret.", json_schema_extra=environment("CAMUNDA_CLIENT_SECRET")
    )
    token_uri: str | None = Field(
        default=None,
        description="Where they are exchanged for access tokens.",
        json_schema_extra=environment("CAMUNDA_OAUTH_URL"),
    )
    audience: str | None = Field(
        default=None,
        description="Whom the access tokens are for.",
        json_schema_extra=environment("CAMUNDA_TOKEN_AUDIENCE"),
    )
    scope: str | None = Field(default=None, description="What the access tokens allow.")

    @model_validator(mode="after")
    def _has_one_kind(self) -> Self:
        given = [name for name in OAUTH if getattr(self, name)]
        if given and len(given) < len(OAUTH):
            missing = ", ".join(name for name in OAUTH if name not in given)
            raise ValueError(f"{' and '.join(given)} without {missing}: OAuth needs all three")
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password come together")
        if given and self.username is not None:
            raise ValueError("username and client_id are both given: leave one kind of credentials out")
        return self

    @property
    def workload(self) -> ClientCredentials | None:
        if not self.client_id or self.client_secret is None or not self.token_uri:
            return None
        return ClientCredentials(
            token_uri=self.token_uri,
            client_id=self.client_id,
            client_secret=self.client_secret.get_secret_value(),
            audience=self.audience,
            scope=self.scope,
        )


def endpoint(parameters: Parameters) -> Endpoint:
    if parameters.token_uri is not None:
        check_base_uri(parameters.token_uri, parameters.allowed_hosts, "token_uri")
    address = check_base_uri(parameters.base_uri, parameters.allowed_hosts).removesuffix("/v2")
    return FixedEndpoint(address, _credentials(parameters) or None)


def _credentials(parameters: Parameters) -> Mapping[str, str]:
    if parameters.workload is not None:
        return {"Authorization": f"Bearer {PLACEHOLDER}"}
    if parameters.username is None or parameters.password is None:
        return {}
    pair = f"{parameters.username}:{parameters.password.get_secret_value()}"
    return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}


CAMUNDA = Prototype("camunda", "The orchestration cluster of Camunda 8.", Parameters, endpoint, lists_models=False)
