"""Routes and connections: keys, deletions and transports that cannot work, and settings without effect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress

from connector.catalogue import Catalogue
from connector.config.findings import Finding, Path
from connector.config.models import Outgoing
from connector.config.names import calls_and_gathers
from connector.config.references import has_reference
from connector.config.rules import Subject
from connector.config.validation import templates_in
from connector.errors import ConnectorError, UnknownName

__all__ = [
    "TRANSPORT_PATHS",
    "check_deadlines",
    "check_deletions",
    "check_templates",
    "check_transports",
    "check_unused_settings",
]

TEMPLATED = "an expression such as id, or a text with &{…} in it, is allowed"


def check_templates(subject: Subject) -> Iterator[Finding]:
    """Report keys, versions, orders and cursors that are not valid templates or expressions."""
    for name, route in subject.document.routes.items():
        for field, written in (("key", route.raw_key), ("version", route.raw_version), ("order", route.raw_order)):
            if written is not None and not has_reference(written):
                yield from _template(subject, written, ("routes", name, field))
    for name, incoming in subject.document.incoming.items():
        if incoming.cursor is not None:
            yield from _expression(subject, incoming.cursor.field, ("incoming", name, "cursor", "field"))


def _template(subject: Subject, written: str, path: Path) -> Iterator[Finding]:
    from connector.transform import InvalidChain, compile_template

    try:
        compile_template(written, where="template")
    except InvalidChain as error:
        for fault in error.faults:
            yield subject.finding("wrong-template", path, fault.found, fault.allowed or TEMPLATED, fault.suggestion)


def _expression(subject: Subject, written: str, path: Path) -> Iterator[Finding]:
    from connector.transform import compile_template

    try:
        compile_template(f"&{{{written}}}", where="field")
    except ConnectorError:
        allowed = "a JMESPath expression such as updated_at is allowed, without &{ }"
        yield subject.finding("wrong-template", path, "not an expression", allowed)


def check_deletions(subject: Subject) -> Iterator[Finding]:
    """Report routes that must notice deleted documents and cannot."""
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


OPENAI = "openai"
TRANSPORT_PATHS: Mapping[str, tuple[str, ...]] = {
    "batch": (
        "/responses", "/chat/completions", "/embeddings", "/completions", "/moderations", "/images/generations",
        "/images/edits", "/videos",
    ),
    "background": ("/responses",),
    "flex": ("/responses", "/chat/completions"),
    "priority": ("/responses", "/chat/completions"),
    "window-2h": ("/responses",),
    "window-8h": ("/responses",),
}  # fmt: skip
"""The paths that each transport supports."""


def check_transports(subject: Subject) -> Iterator[Finding]:
    """Report transports that the publisher's operation does not support."""
    for name, outgoing in subject.document.outgoing.items():
        if outgoing.transport == "single":
            continue
        path: Path = ("outgoing", name, "transport")
        if outgoing.transport == "flex":
            found = "flex is being wound down: gpt-6.2 and later do not have it"
            instead = "transport: background with window: 2h or 8h is cheaper than single calls too"
            yield subject.warning("wrong-transport", path, found, instead)
        taken = f"{outgoing.transport} takes POST {', '.join(TRANSPORT_PATHS[outgoing.transport])}"
        if outgoing.publisher.prototype != OPENAI:
            found = f"the publisher is of kind {outgoing.publisher.prototype!r}"
            yield subject.finding("wrong-transport", path, found, f"{taken}, of a publisher of kind {OPENAI!r}")
        elif subject.catalogue is not None:
            called = _call_text(subject.catalogue, outgoing)
            if called and called not in [f"POST {one}" for one in TRANSPORT_PATHS[outgoing.transport]]:
                yield subject.finding("wrong-transport", path, f"the publisher calls {called}", taken)


def check_deadlines(subject: Subject) -> Iterator[Finding]:
    """Report times by which answers are needed where there is no transport to choose, or no time for one."""
    for name, route in subject.document.routes.items():
        field = "within" if route.within is not None else "needed_by"
        outgoing = subject.document.outgoing.get(route.outgoing)
        if not route.has_deadline:
            for unused in ("time_zone", "spare", "transports"):
                if unused in route.model_fields_set:
                    words = ("nothing says when answers are needed", "say needed_by or within beside it")
                    yield subject.warning("unused-setting", ("routes", name, unused), *words, at_key=True)
        elif outgoing is not None and outgoing.transport != "batch":
            found = f"outgoing {route.outgoing!r} has transport: {outgoing.transport}, and its calls go at once"
            allowed = "transport: batch there: what a batch would answer too late goes as single calls"
            yield subject.finding("no-choice-of-transport", ("routes", name, field), found, allowed)
        elif route.within is not None and outgoing is not None and route.within <= route.spare + outgoing.batch.age:
            found = f"within {route.within:g} s nothing can go by batch: {route.spare:g} s are kept as spare"
            found = f"{found}, and batch: age waits {outgoing.batch.age:g} s"
            yield subject.warning("no-choice-of-transport", ("routes", name, field), found, "more time, or less spare")
        if outgoing is not None and route.has_deadline and subject.catalogue is not None:
            called = _call_text(subject.catalogue, outgoing).removeprefix("POST ")
            for number, transport in enumerate(route.transports):
                taken = TRANSPORT_PATHS[transport]
                if called and called not in taken:
                    found = f"{transport!r}, and outgoing {route.outgoing!r} calls POST {called}"
                    allowed = f"{transport} takes POST {', '.join(taken)}"
                    yield subject.finding("wrong-transport", ("routes", name, "transports", number), found, allowed)


def check_unused_settings(subject: Subject) -> Iterator[Finding]:
    """Report settings without effect."""
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
        if outgoing.window is not None and outgoing.transport != "background":
            words = ("no window is asked for", "say transport: background")
            yield subject.warning("unused-setting", ("outgoing", name, "window"), *words, at_key=True)
    for name, incoming in document.incoming.items():
        if incoming.cursor is not None and incoming.mode == "full":
            words = ("mode: full reads everything", "leave one of them out")
            yield subject.warning("unused-setting", ("incoming", name, "cursor"), *words, at_key=True)
    for name, schedule in document.schedules.items():
        if "timezone" in schedule.model_fields_set and " " not in (schedule.every or ""):
            words = ("only cron fields have a time zone", "leave it out")
            yield subject.warning("unused-setting", ("schedules", name, "timezone"), *words, at_key=True)


def _call_text(catalogue: Catalogue, outgoing: Outgoing) -> str:
    """Return method and path of the publisher's operation; empty if a document decides."""
    given = outgoing.publisher.raw_parameters
    entity, action = given.get("entity"), given.get("action")
    if isinstance(entity, str) and isinstance(action, str | None) and not any(templates_in([entity, action])):
        with suppress(UnknownName):
            operation = catalogue.find(entity, action, use="write")
            return f"{operation.method} {operation.template}"
    return ""
