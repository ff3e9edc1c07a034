"""An engine that there is not."""

from __future__ import annotations

from collections.abc import Iterator

from connector.config.engine import engine_fault
from connector.config.findings import Finding
from connector.config.rules.subject import Subject

__all__ = ["engines"]


def engines(subject: Subject) -> Iterator[Finding]:
    """A URL of another kind than tasks can be kept at."""
    written = subject.document.raw_engine
    if "${" in written.partition("://")[0] or "@{" in written:
        return
    fault = engine_fault(written)
    if fault is not None:
        yield subject.finding("unknown-engine", ("engine",), *fault)
