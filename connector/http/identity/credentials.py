"""OAuth client credentials: an id and a secret, which are exchanged for short-lived access tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit

import httpx

from connector.http.identity.exchange import Grant, read_grant, refusal_passes
from connector.http.identity.failure import IdentityFailed
from connector.http.identity.parameters import ClientCredentials
from connector.http.identity.subject_token import TIMEOUTS, Send, find_error, send_briefly
from connector.http.wait_hints import parse_retry_after

__all__ = ["CredentialsExchange"]


class CredentialsExchange:
    """Asks the authority for access tokens.

    Args:
        send: sends to the authority.
        learn: takes what must not be shown.
    """

    def __init__(self, credentials: ClientCredentials, send: Send, learn: Callable[[Iterable[str]], None]) -> None:
        self._credentials = credentials
        self._where = f"the authority at {urlsplit(credentials.token_uri).netloc}"
        self._send = send
        self._learn = learn

    async def __call__(self) -> Grant:
        """Return a new access token; IdentityFailed says in words why there is none."""
        own = self._credentials
        form = {"grant_type": "client_credentials", "client_id": own.client_id, "client_secret": own.client_secret}
        form |= {"audience": own.audience} if own.audience else {}
        form |= {"scope": own.scope} if own.scope else {}
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        body = urlencode(form).encode()
        request = httpx.Request("POST", own.token_uri, headers=headers, content=body, extensions={"timeout": TIMEOUTS})
        status, answered, data = await send_briefly(request, self._where, self._send)
        if status != 200:
            said, passes = find_error(data), refusal_passes(status)
            words = f"{self._where} refused it with status {status}{f': {said}' if said else ''}"
            wait = parse_retry_after(answered, datetime.now(UTC)) if passes else None
            advice = "" if passes else "; check token_uri, client_id, client_secret, audience and scope"
            raise IdentityFailed(f"{words}{advice}", is_final=not passes, wait=wait)
        grant = read_grant(data, self._where, self._learn)
        self._learn([grant.token])
        return grant

    def identify(self) -> object:
        """Return None: the id and the secret are those of the configuration."""
        return None
