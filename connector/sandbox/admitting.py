"""Who is let in: a key is needed, and for operations in beta their header."""

from __future__ import annotations

from collections.abc import Mapping

from connector.catalogue import Operation
from connector.sandbox.messages import Refused

__all__ = ["admit", "key_of"]


def key_of(headers: Mapping[str, str]) -> str:
    """The key that a request came with; empty when there is none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else headers.get("api-key", "")


def admit(operation: Operation, headers: Mapping[str, str], *, lenient: bool) -> str:
    """The request's key; refused when it has none, or lacks the beta header that the operation asks for."""
    key = key_of(headers)
    if not key:
        raise Refused(
            401, "You didn't provide an API key: send it as `Authorization: Bearer KEY`; any key will do here."
        )
    if operation.beta and not lenient and operation.beta not in headers.get("openai-beta", ""):
        wanted = f"OpenAI-Beta: {operation.beta}"
        raise Refused(400, f"You must provide the 'OpenAI-Beta' header here: '{wanted}'.", code="invalid_beta")
    if operation.removed:
        message = f"{operation.method} {operation.template} was removed from the API on {operation.removed}."
        raise Refused(404, message, code="endpoint_removed")
    return key
