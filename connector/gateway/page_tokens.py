"""Tokens of pages in browsers: signed, short-lived, bound to one origin, and never more than the token they come from.

Nothing is kept of them. Each names the caller that asked for it, and is signed with a key made of the gateway's own and
the hash of that caller's token: every process of the gateway knows them, and none does once the caller has another one.
"""

from __future__ import annotations

import hmac
import logging
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from typing import Annotated

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connector.config.models.gateway import Rule
from connector.errors import ConfigurationError
from connector.gateway.access import CHALLENGE, Caller
from connector.gateway.refusals import Refusal
from connector.model import JSON

__all__ = ["MOST_BODY", "PATH", "PageTokens", "is_page_token", "sign_keys"]

PATH = "/page-tokens"
"""Where programs get them."""
LOG = logging.getLogger("connector.gateway")
PREFIX = "gwp."
FORM = re.compile(r"gwp\.([A-Za-z0-9_-]{1,4096})\.([A-Za-z0-9_-]{43})")
MOST_BODY = 16 * 1024
"""The most bytes that a request for one may have."""
LONGEST = 3600
Item = Annotated[str, Field(min_length=1, max_length=200)]
Items = Annotated[tuple[Item, ...], Field(max_length=64)]
CompileRules = Callable[[tuple[str, ...] | None], tuple[Rule, ...] | None]


class Wanted(BaseModel):
    """What a program asks for; what is left out is as the program's own token has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    origin: str
    seconds: int = Field(default=900, ge=1, le=LONGEST, strict=True)
    clients: Items | None = None
    allow: Items | None = None
    models: Items | None = None


class Claims(Wanted):
    """What a token says."""

    caller: str
    ends: int
    """Seconds since 1970."""


class PageTokens:
    """Makes the tokens of pages, and knows them again.

    Args:
        origins: the pages that may have some.
        keys: what those of each caller are signed with.
        find: returns the caller of a name.
        client_names: the names of all clients.
        compile_rules: makes rules of an allow list.
        now: seconds since 1970.
    """

    def __init__(
        self,
        origins: Collection[str],
        keys: Mapping[str, bytes],
        find: Callable[[str], Caller | None],
        *,
        client_names: Collection[str],
        compile_rules: CompileRules,
        now: Callable[[], float],
    ) -> None:
        self._origins = origins
        self._keys = keys
        self._find = find
        self._client_names = client_names
        self._compile_rules = lru_cache(maxsize=256)(compile_rules)
        self._now = now

    def issue(self, caller: Caller, body: bytes) -> dict[str, JSON]:
        """Return a new token with what it says; refuse one that could never be used."""
        wanted = _read_wanted(body)
        self._check(caller, wanted)
        ends = int(self._now()) + wanted.seconds
        said = Claims(**wanted.model_dump(), caller=caller.name, ends=ends).model_dump(exclude_none=True)
        text = PREFIX + _encode(orjson.dumps(said))
        token = f"{text}.{_sign(self._keys[caller.name], text)}"
        if not FORM.fullmatch(token):
            raise Refusal(400, "wrong_request", "these lists are too long for a token: name fewer, or use stars")
        LOG.info("a page of %s may call as %s for %d s", wanted.origin, caller.name, wanted.seconds,
                 extra={"token": caller.name, "client": ""})  # fmt: skip
        return {"token": token, "origin": wanted.origin, "expires_in": wanted.seconds, "expires_at": ends}

    def identify(self, token: str, origin: str) -> Caller:
        """Return the caller that a page's token stands for, with the narrower limits that it says.

        Args:
            token: as it was sent.
            origin: of the page that sent it; empty when none did.
        """
        claims = self._read(token)
        parent = self._find(claims.caller) if claims is not None else None
        if claims is None or parent is None:
            raise Refusal(401, "invalid_token", "this is no token of a page that is in force", headers=CHALLENGE)
        if claims.ends <= self._now():
            raise Refusal(401, "token_expired", "the page's token has expired: ask your server for another one",
                          headers=CHALLENGE)  # fmt: skip
        if not origin:
            raise Refusal(403, "origin", "a page's token is for its page, and its browser says so in Origin")
        if claims.origin != origin:
            raise Refusal(403, "origin", "this token belongs to the page of another origin")
        rules = parent.rules if claims.allow is None else self._compile_rules(claims.allow)
        return replace(parent, clients=claims.clients, models=claims.models, rules=rules, metrics=False, parent=parent)

    def _check(self, caller: Caller, wanted: Wanted) -> None:
        if caller.name not in self._keys:
            raise Refusal(403, "not_allowed", "the administrator's token gives none away: use one of gateway.tokens")
        if wanted.origin not in self._origins:
            listed = ", ".join(sorted(self._origins))
            raise Refusal(403, "origin", f"gateway.origins does not name {wanted.origin[:100]!r}; it names {listed}")
        for client in wanted.clients or ():
            caller.check_client(client, self._client_names)
        caller.check_models([model for model in wanted.models or () if "*" not in model], is_model_needed=False)
        try:
            self._compile_rules(wanted.allow)
        except ConfigurationError as error:
            raise Refusal(400, "wrong_request", str(error)) from None

    def _read(self, token: str) -> Claims | None:
        """Return what a token says, if it is genuine."""
        found = FORM.fullmatch(token)
        if found is None:
            return None
        try:
            said = urlsafe_b64decode(f"{found[1]}{'=' * (-len(found[1]) % 4)}")
            claims = Claims.model_validate_json(said)
        except (Error, ValueError):
            return None
        key = self._keys.get(claims.caller)
        is_genuine = key is not None and hmac.compare_digest(_sign(key, f"{PREFIX}{found[1]}"), found[2])
        return claims if is_genuine else None


def is_page_token(token: str) -> bool:
    """Return whether a token is, or claims to be, that of a page."""
    return token.startswith(PREFIX)


def sign_keys(signing_key: str, hashes: Mapping[str, str]) -> dict[str, bytes]:
    """Return what the tokens of each caller's pages are signed with.

    Args:
        signing_key: the gateway's.
        hashes: of the callers' own tokens, by name.
    """
    return {
        name: hmac.digest(signing_key.encode(), f"page tokens of {name}\n{hashed}".encode(), sha256)
        for name, hashed in hashes.items()
    }


def _sign(key: bytes, text: str) -> str:
    return _encode(hmac.digest(key, text.encode(), sha256))


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _read_wanted(body: bytes) -> Wanted:
    try:
        return Wanted.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"])) or "the body"
        example = '{"origin": "https://app.example.com", "seconds": 900, "allow": ["models *"]}'
        raise Refusal(400, "wrong_request", f"{where}: {first['msg']}; such as {example}") from None
