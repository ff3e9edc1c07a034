"""Templates and expressions of routes and cursors that cannot work."""

from __future__ import annotations

from collections.abc import Iterator

from connector.config.findings import Finding, Path
from connector.config.references import holds_reference
from connector.config.rules.subject import Subject
from connector.errors import ConnectorError

__all__ = ["templates"]

TEMPLATED = "an expression such as id, or a text with &{…} in it, is allowed"


def templates(subject: Subject) -> Iterator[Finding]:
    """What a document's key, version, order or cursor is to be read by, and can be read by nothing."""
    for name, route in subject.document.routes.items():
        for field, written in (("key", route.raw_key), ("version", route.raw_version), ("order", route.raw_order)):
            if written is not None and not holds_reference(written):
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
