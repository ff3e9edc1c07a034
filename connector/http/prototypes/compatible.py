"""Servers that speak the OpenAI API: vLLM, Ollama, Groq, OpenRouter, LiteLLM and their like."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from connector.http.addresses import check_base_uri
from connector.http.parameters import VALIDATION, Common, Secret, environment
from connector.http.prototypes.prototype import Endpoint, FixedEndpoint, Prototype

__all__ = ["COMPATIBLE"]


class Parameters(Common):
    """An address, perhaps a key, and patience with fields the OpenAI API does not know."""

    base_uri: str = Field(
        description="Where the server is, such as http://localhost:11434/v1.",
        json_schema_extra=environment("OPENAI_BASE_URL"),
    )
    token: Secret | None = Field(
        default=None,
        description="The server's key, when it has one.",
        # A key from the environment belongs to the address from the environment: it is not shown to another server.
        json_schema_extra=environment("OPENAI_API_KEY", unless="base_uri"),
    )
    validation: Literal["strict", "spelling", "known", "warn", "off"] = Field(
        default="known",
        alias="validate",
        description=VALIDATION,
    )
    embeddings: Literal["base64", "float"] = Field(
        default="float", description="How embeddings travel when the request does not say; you get floats either way."
    )


def endpoint(parameters: Parameters) -> Endpoint:
    token = parameters.token
    return FixedEndpoint(
        check_base_uri(parameters.base_uri, parameters.allowed_hosts),
        {"Authorization": f"Bearer {token.get_secret_value()}"} if token else None,
    )


COMPATIBLE = Prototype(
    "openai-compatible", "A server that speaks the OpenAI API; a key is optional.", Parameters, endpoint
)
