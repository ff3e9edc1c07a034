"""The exchange of a workload's own token for an access token."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx

from connector.documents import dump, parse
from connector.errors import InvalidDocument
from connector.http.identity.failure import IdentityFailed
from connector.http.identity.parameters import Identity
from connector.http.identity.subject_token import PASSING, TIMEOUTS, Send, SubjectToken, find_error, send_briefly
from connector.http.wait_hints import parse_retry_after
from connector.model import members

__all__ = ["Exchange", "Grant", "read_grant", "refusal_passes"]

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
TYPES = {
    "jwt": "urn:ietf:params:oauth:token-type:jwt",
    "id": "urn:ietf:params:oauth:token-type:id_token",
    "certificate": "urn:openai:params:oauth:token-type:x509",
}
LONGEST_LIFE = 366 * 86_400
BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*")


@dataclass(frozen=True, slots=True)
class Grant:
    """An access token and the seconds that it holds."""

    token: str
    seconds: float


class Exchange:
    """Exchanges the token of one workload.

    Args:
        identity: says whom it acts as.
        subject: gives the workload's own token; None where the client's certificate stands for it.
        send: sends to the token endpoint.
        learn: takes what must not be shown.
    """

    def __init__(
        self, identity: Identity, subject: SubjectToken | None, send: Send, learn: Callable[[Iterable[str]], None]
    ) -> None:
        self._url = identity.exchange
        self._where = f"the exchange at {urlsplit(self._url).netloc}"
        self._identity = identity
        self._subject = subject
        self._send = send
        self._learn = learn

    async def __call__(self) -> Grant:
        """Return a new access token; IdentityFailed says in words why there is none."""
        body = {
            "grant_type": GRANT,
            "subject_token_type": TYPES[self._find_type()],
            "identity_provider_id": self._identity.identity_provider_id,
            "service_account_id": self._identity.service_account_id,
        }
        if self._subject is not None:
            body["subject_token"] = await self._subject.read()
            self._learn([body["subject_token"]])
        headers = {"content-type": "application/json", "accept": "application/json"}
        request = httpx.Request(
            "POST", self._url, headers=headers, content=dump(body), extensions={"timeout": TIMEOUTS}
        )
        status, answered, data = await send_briefly(request, self._where, self._send)
        if status != 200:
            raise self._refusal(status, find_error(data), parse_retry_after(answered, datetime.now(UTC)))
        grant = read_grant(data, self._where, self._learn)
        self._learn([grant.token])
        return grant

    def identify(self) -> object:
        """Return what changes when the workload has another token of its own."""
        return None if self._subject is None else self._subject.identify()

    def _find_type(self) -> str:
        source = self._identity.source
        return "certificate" if source == "certificate" else "id" if source == "gcp" else self._identity.token_type

    def _refusal(self, status: int, said: str, wait: float | None) -> IdentityFailed:
        passes = refusal_passes(status)
        words = f"{self._where} refused it with status {status}{f': {said}' if said else ''}"
        if passes:
            return IdentityFailed(words, is_final=False, wait=wait)
        if 300 <= status < 400:
            return IdentityFailed(f"{words}; redirects are not followed: check exchange_uri", is_final=True)
        return IdentityFailed(
            f"{words}; check identity_provider_id, service_account_id, and the issuer and audience of the workload's "
            "token",
            is_final=True,
        )


def refusal_passes(status: int) -> bool:
    """Return whether a refusal of this status may pass with time."""
    return status >= 500 or status in PASSING


def read_grant(data: bytes, where: str, learn: Callable[[Iterable[str]], None]) -> Grant:
    """Return the token that an endpoint answered with; IdentityFailed where it holds none."""
    try:
        body = members(parse(data))
    except InvalidDocument:
        body = {}
    token, seconds = body.get("access_token"), body.get("expires_in")
    kind = body.get("token_type", "Bearer")
    if not isinstance(token, str) or not BEARER.fullmatch(token):
        raise IdentityFailed(f"the answer of {where} holds no access_token", is_final=False)
    if not isinstance(kind, str) or kind.lower() != "bearer":
        learn([token])
        raise IdentityFailed(f"the token of {where} is no bearer token", is_final=True)
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 < seconds <= LONGEST_LIFE:
        learn([token])
        raise IdentityFailed(f"the answer of {where} holds no expires_in that can be right", is_final=False)
    return Grant(token, float(seconds))
