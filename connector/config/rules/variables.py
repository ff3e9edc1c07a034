"""`@{variables.…}` that nobody declares, and declared variables that nobody uses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from connector.config.checking import templated
from connector.config.findings import Finding
from connector.config.rules.subject import Subject
from connector.suggestions import closest, did_you_mean

__all__ = ["undeclared"]

NAMED = re.compile(r"(?<!\\)@\{\s*variables(?:\.([\w-]+))?")


def undeclared(subject: Subject) -> Iterator[Finding]:
    """Variables that are named and not declared, or declared and not named."""
    declared = subject.document.variables
    used: set[str] = set()
    for path, text in templated(subject.tree.value):
        for name in NAMED.findall(text):
            used |= {name} if name else set(declared)
            if name and name not in declared and path[0] != "clients":
                allowed = f"declared: {', '.join(declared)}" if declared else "declare it under variables"
                meant = did_you_mean(closest(name, declared))
                yield subject.finding("unknown-variable", path, f"unknown variable {name!r}", allowed, meant)
    for name in declared.keys() - used:
        words = ("nothing uses it", f"use it as @{{variables.{name}}}, or remove it")
        yield subject.warning("unused-name", ("variables", name), *words, at_key=True)
