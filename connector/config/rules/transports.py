"""Transports that do not take what is to be sent, and settings that nothing looks at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress

from connector.catalogue import Catalogue
from connector.config.checking import templated
from connector.config.findings import Finding, Path
from connector.config.models import Outgoing
from connector.config.rules.subject import Subject
from connector.errors import UnknownName

__all__ = ["TAKEN", "idle", "transports"]

OPENAI = "openai"
TAKEN: Mapping[str, tuple[str, ...]] = {
    "batch": (
        "/responses", "/chat/completions", "/embeddings", "/completions", "/moderations", "/images/generations",
        "/images/edits", "/videos",
    ),
    "background": ("/responses",),
    "flex": ("/responses", "/chat/completions"),
}  # fmt: skip
"""The paths that each transport takes."""


def transports(subject: Subject) -> Iterator[Finding]:
    """A transport that the publisher's operation cannot go through."""
    for name, outgoing in subject.document.outgoing.items():
        if outgoing.transport == "single":
            continue
        path: Path = ("outgoing", name, "transport")
        taken = f"{outgoing.transport} takes POST {', '.join(TAKEN[outgoing.transport])}"
        if outgoing.publisher.prototype != OPENAI:
            found = f"the publisher is of kind {outgoing.publisher.prototype!r}"
            yield subject.finding("wrong-transport", path, found, f"{taken}, of a publisher of kind {OPENAI!r}")
        elif subject.catalogue is not None:
            called = _called(subject.catalogue, outgoing)
            if called and called not in [f"POST {one}" for one in TAKEN[outgoing.transport]]:
                yield subject.finding("wrong-transport", path, f"the publisher calls {called}", taken)


def idle(subject: Subject) -> Iterator[Finding]:
    """What is said and has no effect."""
    document = subject.document
    for name, outgoing in document.outgoing.items():
        if "batch" in outgoing.model_fields_set and outgoing.transport != "batch":
            yield subject.warning(
                "unused-setting",
                ("outgoing", name, "batch"),
                "no batches are made",
                "say transport: batch",
                at_key=True,
            )
    for name, incoming in document.incoming.items():
        if incoming.cursor is not None and incoming.mode == "full":
            words = ("mode: full reads everything", "leave one of them out")
            yield subject.warning("unused-setting", ("incoming", name, "cursor"), *words, at_key=True)
    for name, schedule in document.schedules.items():
        if "timezone" in schedule.model_fields_set and " " not in (schedule.every or ""):
            words = ("only cron fields have a time zone", "leave it out")
            yield subject.warning("unused-setting", ("schedules", name, "timezone"), *words, at_key=True)


def _called(catalogue: Catalogue, outgoing: Outgoing) -> str:
    """Method and path of the publisher's operation; empty when a document decides."""
    given = outgoing.publisher.raw_parameters
    entity, action = given.get("entity"), given.get("action")
    if isinstance(entity, str) and isinstance(action, str | None) and not any(templated([entity, action])):
        with suppress(UnknownName):
            operation = catalogue.find(entity, action, use="write")
            return f"{operation.method} {operation.template}"
    return ""
