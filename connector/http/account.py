"""The account that a client calls with, by a name that says nothing of its credentials, and what its calls share."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from pydantic import SecretStr

from connector.http.parameters import Common
from connector.http.policy import Policy
from connector.http.retry import Retrier
from connector.request import Redactor
from connector.resilience import Pacer
from connector.timing import Timing

if TYPE_CHECKING:
    from connector.fleet import FleetShares

__all__ = ["find_account", "make_retrier"]

CREDENTIALS = ("token", "api_key", "username", "client_id")
"""What says who calls; clients of one account have the same."""
CONTEXT = ("organization", "project")
DIGITS = 20


def find_account(parameters: Common, base_uri: str) -> str:
    """Return a name that is the same wherever the same account is called at the same address."""
    given = [getattr(parameters, name, None) for name in (*CREDENTIALS, *CONTEXT)]
    words = [value.get_secret_value() if isinstance(value, SecretStr) else value for value in given]
    identity = getattr(parameters, "identity", None)
    own = [identity.identity_provider_id, identity.service_account_id] if identity is not None else []
    text = json.dumps([base_uri, *words, *own])
    return f"account {hashlib.sha256(text.encode()).hexdigest()[:DIGITS]}"


def make_retrier(
    parameters: Common, base_uri: str, timing: Timing, redactor: Redactor, shares: FleetShares | None
) -> Retrier:
    """Return what all calls of a client share, with all processes where they share the account."""
    limits, retry = parameters.limits, parameters.retry
    requests, tokens = limits.requests_per_minute, limits.tokens_per_minute
    account = find_account(parameters, base_uri)
    share = shares.account(account, requests=requests, tokens=tokens) if shares is not None else None
    pacer = Pacer(limits.concurrency, timing, requests=requests, tokens=tokens, rate=share)
    policy = Policy(parameters.errors, all_errors=retry.all_errors)
    return Retrier(policy, retry, pacer, timing, redactor, share)
