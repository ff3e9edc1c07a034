"""Who calls, and whether they may: tokens are known by their hashes, and what no rule allows is denied."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from hmac import compare_digest
from typing import TYPE_CHECKING

from multidict import CIMultiDictProxy

from connector.config.models.gateway import Rule, hands_out_credentials, hash_token, is_administration, parse_rule
from connector.gateway.quota import Quota
from connector.gateway.refusals import Refused
from connector.http.addresses import is_loopback

if TYPE_CHECKING:
    from connector.catalogue import Catalogue
    from connector.catalogue.operation import Operation

__all__ = ["Caller", "Callers", "presented", "rules_of"]

WRITING = ("POST", "PUT", "PATCH")
INDEXED = 24
SHOWN = 12
"""So many rules are told to somebody whom none of them allows."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody whom a token belongs to."""

    name: str
    quota: Quota
    clients: tuple[str, ...] | None = None
    """None for all of them."""
    models: tuple[str, ...] | None = None
    """None for all of them; a star in a name stands for anything."""
    unbounded_cost: bool = False
    """Whether a budget is no reason to refuse what may cost anything."""
    rules: tuple[Rule, ...] | None = None
    """None for every operation that is no administration."""
    metrics: bool = False
    anything: bool = False
    """Whether no rule holds: the administrator of this machine."""

    def check_client(self, client: str, known: Collection[str]) -> None:
        """Refuses a client that is not this caller's, or that nobody declared."""
        if client in known and (self.clients is None or client in self.clients):
            return
        own = [name for name in known if self.clients is None or name in self.clients]
        there = f"it may use {', '.join(own)}" if own else "it may use none"
        if self.clients is not None and client not in self.clients:
            raise Refused(403, "client_not_allowed", f"clients: {self.name} may not use that client; {there}")
        raise Refused(404, "unknown_client", f"there is no client of that name; {there}")

    def looks_at(self, method: str, operation: Operation | None, *, costly: bool) -> bool:
        """Whether the body of a call has to be known before it goes on: its cost, or the models that it names."""
        if costly and self.quota.enforced:
            return True
        if self.models is None:
            return False
        return costly or (method in WRITING and operation is not None and "json" in operation.body)

    @property
    def must_understand(self) -> bool:
        """Whether a body that can be read in two ways is refused: what it means decides whether it may go on."""
        return self.models is not None or self.quota.is_strict

    def check_models(self, named: Collection[str], *, needed: bool) -> None:
        """Refuses a call that names a model which is not this caller's, or none where one is used."""
        if self.models is None:
            return
        allowed = f"it may use {', '.join(self.models[:SHOWN]) or 'none'}"
        for model in named:
            if not any(fits(pattern, model) for pattern in self.models):
                message = f"models: {self.name} may not use {model[:100]!r}; {allowed}"
                raise Refused(403, "model_not_allowed", message)
        if needed and not named:
            message = f"models: which model is used cannot be known; {self.name} names it in `model`, and {allowed}"
            raise Refused(403, "model_not_allowed", message)

    def check(self, method: str, path: str, operation: Operation | None) -> None:
        """Refuses what no rule allows, and says which rules there are."""
        if self.anything:
            return
        if not self._allows(method, path, operation):
            raise Refused(403, "not_allowed", self._why(method, path, operation))

    def _allows(self, method: str, path: str, operation: Operation | None) -> bool:
        if self.rules is None:
            named_only = is_administration(path, operation) or hands_out_credentials(method, path, operation)
            return operation is not None and not named_only
        return any(rule.allows(method, path, operation) for rule in self.rules)

    def _why(self, method: str, path: str, operation: Operation | None) -> str:
        called = operation.name if operation is not None else "a path that is no operation of the catalogue"
        if self.rules is None:
            why = _why_named(method, path, operation)
            return f"allow: {called} {why}; {self.name} has no allow list, so name it there"
        rules = ", ".join(one.text for one in self.rules[:SHOWN]) or "nothing"
        more = f" and {len(self.rules) - SHOWN} more" if len(self.rules) > SHOWN else ""
        if hands_out_credentials(method, path, operation):
            called = f"{called}, which hands out a credential and must be named without a star,"
        return f"allow: {method} of {called} is in no rule of {self.name}; it may call {rules}{more}"


def _why_named(method: str, path: str, operation: Operation | None) -> str:
    if is_administration(path, operation):
        return "administers the organization"
    return "hands out a credential" if hands_out_credentials(method, path, operation) else "needs a rule"


@lru_cache(maxsize=4096)
def fits(pattern: str, model: str) -> bool:
    """Whether a model is one of those that a name with stars means."""
    first, *rest = pattern.split("*")
    if not rest:
        return model == pattern
    if not model.startswith(first):
        return False
    at = len(first)
    for part in rest[:-1]:
        at = model.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return len(model) - at >= len(rest[-1]) and model.endswith(rest[-1])


class Callers:
    """Everybody whom a token belongs to."""

    def __init__(self, by_hash: Iterable[tuple[str, Caller]]) -> None:
        self._by_start = {digest[:INDEXED]: (digest, caller) for digest, caller in by_hash}

    def __iter__(self) -> Iterator[Caller]:
        return (caller for _, caller in self._by_start.values())

    def named(self, name: str) -> Caller | None:
        """The caller of a name."""
        return next((caller for caller in self if caller.name == name), None)

    def find(self, token: str, peer: str | None) -> Caller:
        """Whom a token belongs to; an administrator is only known on the machine itself."""
        digest = hash_token(token)
        # The start of a hash leads to the one that is compared, and that comparison takes the same time always.
        kept, caller = self._by_start.get(digest[:INDEXED], NOBODY)
        if not compare_digest(kept, digest) or caller is None or (caller.anything and not (peer and is_loopback(peer))):
            raise Refused(401, "invalid_token", "this is no gateway token that is in force", headers=CHALLENGE)
        return caller


NOBODY = (hash_token(""), None)
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="openai-connector"'}


def presented(headers: CIMultiDictProxy[str]) -> str:
    """The token that a call shows, as a bearer's or as Azure's SDK sends it."""
    given = headers.get("authorization", "")
    scheme, _, token = given.partition(" ")
    if given and scheme.lower() == "bearer" and token.strip():
        return token.strip()
    token = headers.get("api-key", "").strip()
    if not token:
        message = "a gateway token is needed: send it as `Authorization: Bearer TOKEN`"
        raise Refused(401, "missing_token", message, headers=CHALLENGE)
    return token


def rules_of(allow: Iterable[str] | None, catalogue: Catalogue) -> tuple[Rule, ...] | None:
    """The rules of an allow list; none at all is something else than an empty one."""
    return None if allow is None else tuple(parse_rule(text, catalogue) for text in allow)
