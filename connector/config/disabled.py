"""Entries that are only kept: what is wrong with what they name is no reason not to run the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from connector.config.findings import Finding, Severity, path_text
from connector.config.models import Document
from connector.config.sources import SECTIONS

__all__ = ["softened"]

STILL_WRONG = frozenset({"syntax", "duplicate-key", "duplicate-name", "wrong-type", "malformed-variable"})
"""What is wrong with the file, whoever reads it."""


def softened(findings: Iterable[Finding], document: Document) -> Iterator[Finding]:
    """The findings, those in disabled entries as warnings."""
    entries = [(section, name, entry) for section in SECTIONS for name, entry in getattr(document, section).items()]
    kept = [path_text((section, name)) for section, name, entry in entries if getattr(entry, "disabled", False)]
    tokens = document.gateway.tokens.items()
    kept += [path_text(("gateway", "tokens", name)) for name, token in tokens if token.disabled]
    for finding in findings:
        where = finding.fault.where
        inside = any(where == place or where.startswith((f"{place}.", f"{place}[")) for place in kept)
        yield replace(finding, severity=Severity.WARNING) if inside and finding.rule not in STILL_WRONG else finding
