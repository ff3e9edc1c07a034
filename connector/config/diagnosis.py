"""One cheap call through a client, and in words what is wrong with it: a call refused, or a host not reached."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connector.http.policy import EXHAUSTED
from connector.http.response import find_error_codes, find_error_message
from connector.model import JSON, Outcome, State, items, members

if TYPE_CHECKING:
    from connector.http import Client
    from connector.request import Redactor, Wire

__all__ = ["Diagnosis", "cheap_call", "diagnose"]

PATIENCE = 30.0
TLS = re.compile(r"\b(TLS|SSL)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The outcome of a trial call."""

    outcome: Outcome
    base_uri: str
    called: str
    hide: Redactor
    reaching: bool = False
    """Whether any complete answer is enough, because only the address of the API is known."""

    @property
    def works(self) -> bool:
        """Whether nothing is wrong."""
        return self.outcome.ok or (self.reaching and _complete(self.outcome) and self.outcome.status not in SHUT)

    @property
    def problem(self) -> str:
        """The problem in one word; empty if there is none."""
        if self.works:
            return ""
        asked = (one for one in PROBLEMS if not self.reaching or one[0] in UNREACHED)
        return next(word for word, fits in asked if fits(self.outcome))

    def sentence(self, name: str) -> str:
        """Return the result as a sentence, with what to do next."""
        return self.hide(self._sentence(name))

    def _sentence(self, name: str) -> str:
        if self.works and self.reaching:
            return f"client {name!r} works: {self.base_uri} is reached, {self.called} has status {self.outcome.status}"
        if self.works:
            found = len(items(members(self.outcome.body).get("data")))
            more = f", and lists {found} {self.called.split()[0]}" if found else ""
            return f"client {name!r} works: {self.base_uri} answers{more}"
        return f"client {name!r} does not work, {ADVICE[self.problem]}: {self.outcome.sentence()}"

    def as_document(self, name: str) -> dict[str, JSON]:
        """Return the result as JSON."""
        shown: dict[str, JSON] = {"client": name, "works": self.works, "base_uri": self.base_uri}
        shown |= {"called": self.called, "status": self.outcome.status, "request_id": self.outcome.request_id}
        shown |= {} if self.works else {"problem": self.problem, "says": self.sentence(name)}
        hidden: dict[str, JSON] = self.hide.value(shown)
        return hidden


ADVICE = {
    "identity": "its identity gives it no access token",
    "client-certificate": "the host wants another certificate of the client; check certificate",
    "quota": "its account has no quota left; add credit or raise the limit",
    "rate": "it is called too often just now; the key itself is accepted",
    "organization": "the organization or project is not the key's; check organization and project",
    "key": "the credential is refused; check the token or the headers, and that they belong to this address",
    "permission": "the credential may not do this; check its permissions, and from where it may be used",
    "proxy": "the proxy lets nobody in without a name; check the user and password of proxy",
    "address": "the host answers, but not as this API; check base_uri and its path",
    "certificate": "the host's certificate is refused; check the host's name, or give ca_bundle for your own authority",
    "tls": "the host answers, but not with TLS; check https in base_uri, and the port",
    "host": "there is no host of that name; check base_uri",
    "connection": "the host cannot be reached; check base_uri, the proxy and the network",
    "server": "the host fails; try again later",
}


def _complete(outcome: Outcome) -> bool:
    """Return whether a complete answer came; of a refusal the status is enough."""
    status = outcome.status
    return status is not None and (outcome.state is not State.UNKNOWN or status >= 300)


def _unsent(*words: str) -> Callable[[Outcome], bool]:
    return lambda outcome: outcome.status is None and any(word in outcome.reason.lower() for word in words)


def _status(*numbers: int) -> Callable[[Outcome], bool]:
    return lambda outcome: outcome.status in numbers


def _organization(outcome: Outcome) -> bool:
    # A refusal for lack of permissions may name the organization too, as the place to ask for them.
    words = " ".join(find_error_codes(outcome.body)) + (
        find_error_message(outcome.body) if outcome.status == 401 else ""
    )
    return outcome.status in (400, 401, 403) and any(word in words.lower() for word in ("organization", "project"))


def _quota(outcome: Outcome) -> bool:
    return not find_error_codes(outcome.body).isdisjoint(EXHAUSTED)


def _foreign(outcome: Outcome) -> bool:
    """Return whether something else than the API answered: another path, a redirect, a page in place of JSON."""
    status = outcome.status or 0
    return status in (404, 405) or 300 <= status < 400 or 200 <= status < 300


PROBLEMS: tuple[tuple[str, Callable[[Outcome], bool]], ...] = (
    ("identity", lambda outcome: outcome.status is None and outcome.reason.startswith("identity:")),
    ("client-certificate", _unsent("client certificate")),
    ("quota", _quota),
    ("rate", _status(429)),
    ("organization", _organization),
    ("key", _status(401)),
    ("permission", _status(403)),
    ("address", _foreign),
    ("proxy", _status(407)),
    ("certificate", _unsent("certificate")),
    ("tls", lambda outcome: outcome.status is None and TLS.search(outcome.reason) is not None),
    ("host", _unsent("was not found", "name or service not known")),
    ("connection", lambda outcome: outcome.state in (State.NOT_SENT, State.UNKNOWN) and outcome.status is None),
    ("server", lambda _: True),
)
"""The problems to look for, the most specific first."""
UNREACHED = frozenset(
    {"client-certificate", "key", "permission", "proxy", "certificate", "tls", "host", "connection", "server"}
)
"""The problems of an API of which only the address is known."""
SHUT = (401, 403, 407)
"""Statuses of answers that refuse the caller."""


def cheap_call(client: Client) -> tuple[str, Wire]:
    """Return a call that costs nothing and that every client of this kind can make."""
    if not client.prototype.lists_models:
        return "GET /", client.prepare_raw("GET", "/")
    token = getattr(client.parameters, "token", None)
    if (
        token is None
        and client.parameters.workload is None
        and getattr(client.parameters, "admin_token", None) is not None
    ):
        return "projects list", client.prepare("projects list", {"query": {"limit": 1}})
    return "models list", client.prepare("models list")


async def diagnose(client: Client) -> Diagnosis:
    """Make a trial call and return what it says about the client."""
    called, wire = cheap_call(client)
    outcome = await client.send(wire, timeout=PATIENCE, retries=0)
    return Diagnosis(outcome, client.base_uri, called, client.redactor, not client.prototype.lists_models)
