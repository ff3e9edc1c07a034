"""Deletions that nobody could tell."""

from __future__ import annotations

from collections.abc import Iterator

from connector.config.findings import Finding
from connector.config.rules.subject import Subject
from connector.config.steps import calls_and_gathers

__all__ = ["deletions"]


def deletions(subject: Subject) -> Iterator[Finding]:
    """Routes that are to tell of documents that are gone, and cannot."""
    document = subject.document
    for name, route in document.routes.items():
        incoming = document.incoming.get(route.incoming)
        if route.deletions != "tombstone" or incoming is None:
            continue
        path = ("routes", name, "deletions")
        if incoming.mode != "full":
            found = f"incoming {route.incoming!r} reads what is new alone"
            yield subject.finding("untold-deletions", path, found, "mode: full there, or deletions: ignore here")
        elif route.raw_key is None and incoming.subscriber.prototype != "openai":
            found = "nothing says what a document is known by"
            yield subject.finding("untold-deletions", path, found, "a key beside it")
        if calls_and_gathers(incoming.chain, subject.saved_chains):
            found = (
                f"the chain of incoming {route.incoming!r} calls and gathers, so what became of a document is not known"
            )
            yield subject.finding("untold-deletions", path, found, "gather in the route's chain, or deletions: ignore")
