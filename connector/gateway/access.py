"""Authenticate callers by the hashes of their tokens, and authorise what they call: what no rule allows is denied."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from hmac import compare_digest

from multidict import CIMultiDictProxy

from connector.catalogue import Catalogue
from connector.catalogue.operation import Operation
from connector.config.models.gateway import Rule, hands_out_credentials, hash_token, is_administration, parse_rule
from connector.gateway.limits import Quota
from connector.gateway.refusals import Refusal
from connector.http.addresses import is_loopback

__all__ = ["CHALLENGE", "Caller", "Callers", "compile_rules", "read_token"]

WRITING = ("POST", "PUT", "PATCH")
INDEX_LENGTH = 24
MAX_LISTED = 12
"""Rules that a message lists."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The owner of a token."""

    name: str
    quota: Quota
    clients: tuple[str, ...] | None = None
    """None for all of them."""
    models: tuple[str, ...] | None = None
    """None for all of them; `*` in a name matches anything."""
    unbounded_cost: bool = False
    """Whether requests of unknown cost are allowed in spite of a budget."""
    rules: tuple[Rule, ...] | None = None
    """None for every operation that does not administer."""
    metrics: bool = False
    is_administrator: bool = False
    """Whether it is the administrator of this machine, for whom no rule holds."""
    parent: Caller | None = None
    """Whose token this one's was made from: what that one may not, this one may not either."""

    def check_client(self, client: str, known: Collection[str]) -> None:
        """Refuse a client that is not this caller's, or that is not declared."""
        if self.parent is not None:
            self.parent.check_client(client, known)
        if client in known and (self.clients is None or client in self.clients):
            return
        own = [name for name in known if self.clients is None or name in self.clients]
        there = f"it may use {', '.join(own)}" if own else "it may use none"
        if self.clients is not None and client not in self.clients:
            raise Refusal(403, "client_not_allowed", f"clients: {self.name} may not use that client; {there}")
        raise Refusal(404, "unknown_client", f"there is no client of that name; {there}")

    def needs_body(self, method: str, operation: Operation | None, *, is_costly: bool) -> bool:
        """Whether a request's body must be read before it is forwarded, for its cost or the models that it names."""
        if is_costly and self.quota.is_enforced:
            return True
        if not self._limits_models:
            return False
        return is_costly or (method in WRITING and operation is not None and "json" in operation.body)

    @property
    def is_strict(self) -> bool:
        """Whether to refuse a body that can be read in two ways, since its meaning decides whether it is allowed."""
        return self._limits_models or self.quota.is_strict

    @property
    def _limits_models(self) -> bool:
        return self.models is not None or (self.parent is not None and self.parent.models is not None)

    def check_models(self, named: Collection[str], *, is_model_needed: bool) -> None:
        """Refuse a request that names a model which is not this caller's, or none where one is used."""
        if self.parent is not None:
            self.parent.check_models(named, is_model_needed=is_model_needed)
        if self.models is None:
            return
        allowed = f"it may use {', '.join(self.models[:MAX_LISTED]) or 'none'}"
        for model in named:
            if not any(matches_model(pattern, model) for pattern in self.models):
                message = f"models: {self.name} may not use {model[:100]!r}; {allowed}"
                raise Refusal(403, "model_not_allowed", message)
        if is_model_needed and not named:
            message = f"models: which model is used cannot be known; {self.name} names it in `model`, and {allowed}"
            raise Refusal(403, "model_not_allowed", message)

    def check(self, method: str, path: str, operation: Operation | None) -> None:
        """Refuse what no rule allows, and say which rules there are."""
        if self.is_administrator:
            return
        if self.parent is not None:
            self.parent.check(method, path, operation)
        if not self._allows(method, path, operation):
            raise Refusal(403, "not_allowed", self._explain_refusal(method, path, operation))

    def _allows(self, method: str, path: str, operation: Operation | None) -> bool:
        if self.rules is None:
            named_only = is_administration(path, operation) or hands_out_credentials(method, path, operation)
            return operation is not None and not named_only
        return any(rule.allows(method, path, operation) for rule in self.rules)

    def _explain_refusal(self, method: str, path: str, operation: Operation | None) -> str:
        called = operation.name if operation is not None else "a path that is no operation of the catalogue"
        if self.rules is None:
            why = _why_not_by_default(method, path, operation)
            return f"allow: {called} {why}; {self.name} has no allow list, so name it there"
        rules = ", ".join(one.text for one in self.rules[:MAX_LISTED]) or "nothing"
        more = f" and {len(self.rules) - MAX_LISTED} more" if len(self.rules) > MAX_LISTED else ""
        if hands_out_credentials(method, path, operation):
            called = f"{called}, which hands out a credential and must be named without a star,"
        return f"allow: {method} of {called} is in no rule of {self.name}; it may call {rules}{more}"


def _why_not_by_default(method: str, path: str, operation: Operation | None) -> str:
    if is_administration(path, operation):
        return "administers the organization"
    return "hands out a credential" if hands_out_credentials(method, path, operation) else "needs a rule"


@lru_cache(maxsize=4096)
def matches_model(pattern: str, model: str) -> bool:
    """Whether a model matches a name with stars."""
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
    """All callers, by the hashes of their tokens."""

    def __init__(self, by_hash: Iterable[tuple[str, Caller]]) -> None:
        self._by_prefix = {digest[:INDEX_LENGTH]: (digest, caller) for digest, caller in by_hash}

    def __iter__(self) -> Iterator[Caller]:
        return (caller for _, caller in self._by_prefix.values())

    def find(self, name: str) -> Caller | None:
        """Return the caller of a name, or None."""
        return next((caller for caller in self if caller.name == name), None)

    def authenticate(self, token: str, peer: str | None) -> Caller:
        """Return the owner of a token; an administrator is known only on the machine itself."""
        digest = hash_token(token)
        # The start of a hash selects the one to compare, and that comparison takes constant time.
        known, caller = self._by_prefix.get(digest[:INDEX_LENGTH], NO_CALLER)
        is_known = compare_digest(known, digest)
        if not is_known or caller is None or (caller.is_administrator and not (peer and is_loopback(peer))):
            raise Refusal(401, "invalid_token", "this is no gateway token that is in force", headers=CHALLENGE)
        return caller


NO_CALLER = (hash_token(""), None)
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="openai-connector"'}


def read_token(headers: CIMultiDictProxy[str]) -> str:
    """Return the token of a request, as a bearer token or as Azure's SDK sends it."""
    header = headers.get("authorization", "")
    scheme, _, token = header.partition(" ")
    if header and scheme.lower() == "bearer" and token.strip():
        return token.strip()
    token = headers.get("api-key", "").strip()
    if not token:
        message = "a gateway token is needed: send it as `Authorization: Bearer TOKEN`"
        raise Refusal(401, "missing_token", message, headers=CHALLENGE)
    return token


def compile_rules(allow: Iterable[str] | None, catalogue: Catalogue) -> tuple[Rule, ...] | None:
    """Return the rules of an allow list; without a list there are default rules, with an empty one none."""
    return None if allow is None else tuple(parse_rule(text, catalogue) for text in allow)
