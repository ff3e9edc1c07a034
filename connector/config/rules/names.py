"""Entries that nobody names."""

from __future__ import annotations

from collections.abc import Iterator

from connector.config.findings import Finding
from connector.config.names import chains_of, uses
from connector.config.rules.subject import Subject
from connector.config.trees import walk
from connector.model import JSON

__all__ = ["unused"]


def unused(subject: Subject) -> Iterator[Finding]:
    """Chains and storages that nothing names; clients once there are connections, connections once there are routes."""
    document = subject.document
    named = {(section, use.name) for use in uses(document) for section in use.sections}
    named |= {("chains", text) for steps, _ in chains_of(document) for text in _texts(steps)}
    sections = ["chains", "storages"]
    open_to_all = any(token.clients is None for token in document.gateway.tokens.values())
    if (document.incoming or document.outgoing) and not open_to_all:
        sections.append("clients")
    if document.routes:
        sections += ["incoming", "outgoing"]
    for section in sections:
        for name, entry in getattr(document, section).items():
            if (section, name) not in named and not getattr(entry, "disabled", False):
                advice = "name it, or remove it"
                yield subject.warning("unused-name", (section, name), "nothing uses it", advice, at_key=True)


def _texts(value: JSON) -> Iterator[str]:
    """Every text and key in some steps, any of which may be a chain's name."""
    for path, item in walk(value):
        yield from (text for text in (item, *path[-1:]) if isinstance(text, str))
