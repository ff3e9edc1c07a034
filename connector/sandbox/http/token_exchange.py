"""The exchange of a workload's token for an access token, at `/oauth/token` as at the API's own authority.

Signatures are not checked, as no issuer is known here; form and expiry are, so that mistakes show.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode
from binascii import Error

from connector.documents import parse
from connector.errors import InvalidDocument
from connector.model import JSON, members
from connector.sandbox.backend import Backend
from connector.sandbox.messages import Answer

__all__ = ["TOKEN_PATH", "exchange_token"]

TOKEN_PATH = "/oauth/token"  # noqa: S105  a path
GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
CERTIFICATE = "urn:openai:params:oauth:token-type:x509"
TYPES = ("urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token", CERTIFICATE)
NEEDED = ("identity_provider_id", "service_account_id")
LIFE = 3600
"""Seconds that an access token holds."""


def exchange_token(method: str, data: bytes, backend: Backend) -> Answer:
    """Return an access token, or the error of OAuth that says why there is none."""
    if method != "POST":
        return _refuse("invalid_request", "Tokens are exchanged by POST.", status=405)
    try:
        asked = members(parse(data))
    except InvalidDocument as error:
        return _refuse("invalid_request", f"The body is not JSON: {error}")
    if asked.get("grant_type") != GRANT:
        return _refuse("unsupported_grant_type", f"grant_type must be {GRANT}.")
    kind = asked.get("subject_token_type")
    if kind not in TYPES:
        return _refuse("invalid_request", f"subject_token_type must be one of {', '.join(TYPES)}.")
    for name in NEEDED:
        if not isinstance(asked.get(name), str) or not asked[name]:
            return _refuse("invalid_request", f"{name} is missing.")
    fault = "" if kind == CERTIFICATE else _find_fault(asked.get("subject_token"), backend.now())
    if fault:
        return _refuse("invalid_subject_token", fault)
    body: dict[str, JSON] = {"access_token": backend.new_id("oat_"), "token_type": "Bearer", "expires_in": LIFE}
    return Answer({**body, "issued_token_type": "urn:ietf:params:oauth:token-type:access_token"})


def _find_fault(token: JSON, now: float) -> str:
    """Return what is wrong with a subject token; empty when nothing is."""
    parts = token.split(".") if isinstance(token, str) else []
    claims = _decode(parts[1]) if len(parts) == 3 else None
    if claims is None:
        return "The subject token is no JSON Web Token."
    ends = members(claims).get("exp")
    if isinstance(ends, int | float) and ends <= now:
        return "The subject token has expired."
    return ""


def _decode(part: str) -> JSON:
    try:
        return parse(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (Error, ValueError, InvalidDocument):
        return None


def _refuse(error: str, description: str, status: int = 400) -> Answer:
    return Answer({"error": error, "error_description": description}, status=status)
