"""One cheap call through a client, and in words what is wrong when it is not done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connector.http.complaint import codes_of, message_of
from connector.http.policy import EXHAUSTED
from connector.model import JSON, Outcome, State
from connector.shapes import items, members

if TYPE_CHECKING:
    from connector.http import Client
    from connector.request import Wire

__all__ = ["Diagnosis", "cheap_call", "diagnose"]

PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a trial call came to."""

    outcome: Outcome
    base_uri: str
    called: str

    @property
    def problem(self) -> str:
        """What is wrong, in a word; empty when nothing is."""
        return "" if self.outcome.ok else next(word for word, fits in PROBLEMS if fits(self.outcome))

    def sentence(self, name: str) -> str:
        """The result for a person, with what to do next."""
        if self.outcome.ok:
            found = len(items(members(self.outcome.body).get("data")))
            more = f", and lists {found} {self.called.split()[0]}" if found else ""
            return f"client {name!r} works: {self.base_uri} answers{more}"
        return f"client {name!r} does not work, {ADVICE[self.problem]}: {self.outcome.sentence()}"

    def as_document(self, name: str) -> dict[str, JSON]:
        """The result as JSON."""
        shown: dict[str, JSON] = {"client": name, "works": self.outcome.ok, "base_uri": self.base_uri}
        shown |= {"called": self.called, "status": self.outcome.status, "request_id": self.outcome.request_id}
        return shown | ({} if self.outcome.ok else {"problem": self.problem, "says": self.sentence(name)})


ADVICE = {
    "quota": "its account has no quota left; add credit or raise the limit",
    "rate": "it is called too often just now; the key itself is accepted",
    "organization": "the organization or project is not the key's; check organization and project",
    "key": "the key is refused; check token, and that it belongs to this address",
    "permission": "the key may not do this; check its permissions, and from where it may be used",
    "address": "the host answers, but not as this API; check base_uri and its path",
    "certificate": "the host's certificate is refused; check the host's name, or give ca_bundle for your own authority",
    "host": "there is no host of that name; check base_uri",
    "connection": "the host cannot be reached; check base_uri, the proxy and the network",
    "server": "the host fails; try again later",
}


def _unsent(words: str) -> Callable[[Outcome], bool]:
    return lambda outcome: outcome.status is None and words in outcome.reason.lower()


def _status(*numbers: int) -> Callable[[Outcome], bool]:
    return lambda outcome: outcome.status in numbers


def _organization(outcome: Outcome) -> bool:
    # A refusal for lack of rights may name the organization too, as where to ask for them.
    words = " ".join(codes_of(outcome.body)) + (message_of(outcome.body) if outcome.status == 401 else "")
    return outcome.status in (400, 401, 403) and any(word in words.lower() for word in ("organization", "project"))


def _quota(outcome: Outcome) -> bool:
    return not codes_of(outcome.body).isdisjoint(EXHAUSTED)


def _foreign(outcome: Outcome) -> bool:
    """Whether somebody else answered: another path, a redirect, a page where JSON was due."""
    status = outcome.status or 0
    return status in (404, 405) or 300 <= status < 400 or 200 <= status < 300


PROBLEMS: tuple[tuple[str, Callable[[Outcome], bool]], ...] = (
    ("quota", _quota),
    ("rate", _status(429)),
    ("organization", _organization),
    ("key", _status(401)),
    ("permission", _status(403)),
    ("address", _foreign),
    ("certificate", _unsent("certificate")),
    ("host", _unsent("was not found")),
    ("connection", lambda outcome: outcome.state in (State.NOT_SENT, State.UNKNOWN) and outcome.status is None),
    ("server", lambda _: True),
)
"""What is looked for, the most telling first."""


def cheap_call(client: Client) -> tuple[str, Wire]:
    """A call that costs nothing and that every client of its kind can make."""
    if client.prototype.name == "http":
        return "GET /", client.prepare_raw("GET", "/")
    token = getattr(client.parameters, "token", None)
    if token is None and getattr(client.parameters, "admin_token", None) is not None:
        return "projects list", client.prepare("projects list", {"query": {"limit": 1}})
    return "models list", client.prepare("models list")


async def diagnose(client: Client) -> Diagnosis:
    """What a trial call comes to."""
    called, wire = cheap_call(client)
    outcome = await client.send(wire, timeout=PATIENCE, retries=0)
    return Diagnosis(outcome, client.base_uri, called)
