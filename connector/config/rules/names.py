"""Names: those that nothing uses, those that nothing declares, and schedules that start each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from connector.config.findings import Finding
from connector.config.names import chains_of, uses
from connector.config.rules import Subject
from connector.config.tree import walk
from connector.config.validation import templates_in
from connector.model import JSON
from connector.suggestions import closest, did_you_mean

__all__ = ["check_cycles", "check_unused", "check_variables"]


def check_unused(subject: Subject) -> Iterator[Finding]:
    """Report unused chains and storages; clients if there are connections, connections if there are routes."""
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
    """Yield every text and key in some steps, any of which may be the name of a chain."""
    for path, item in walk(value):
        yield from (text for text in (item, *path[-1:]) if isinstance(text, str))


NAMED = re.compile(r"(?<!\\)@\{\s*variables(?:\.([\w-]+))?")


def check_variables(subject: Subject) -> Iterator[Finding]:
    """Report variables that are used and not declared, or declared and not used."""
    declared = subject.document.variables
    used: set[str] = set()
    for path, text in templates_in(subject.tree.value):
        for name in NAMED.findall(text):
            used |= {name} if name else set(declared)
            if name and name not in declared and path[0] != "clients":
                allowed = f"declared: {', '.join(declared)}" if declared else "declare it under variables"
                meant = did_you_mean(closest(name, declared))
                yield subject.finding("unknown-variable", path, f"unknown variable {name!r}", allowed, meant)
    for name in declared.keys() - used:
        words = ("nothing uses it", f"use it as @{{variables.{name}}}, or remove it")
        yield subject.warning("unused-name", ("variables", name), *words, at_key=True)


Starts = Mapping[str, frozenset[str]]


def check_cycles(subject: Subject) -> Iterator[Finding]:
    """Report an `after` whose route runs again because of what it starts."""
    starts = _starts(subject)
    for name, schedule in subject.document.schedules.items():
        for index, route in enumerate(schedule.after):
            way = _way(starts, _runs(subject, name), route)
            if way:
                found = f"{' starts '.join((route, *way))}, without end"
                yield subject.finding(
                    "circular-schedule", ("schedules", name, "after", index), found, "take one of them out"
                )


def _starts(subject: Subject) -> Starts:
    """Return the routes that the end of each route starts."""
    found: dict[str, frozenset[str]] = {}
    for name, schedule in subject.document.schedules.items():
        if not schedule.disabled:
            for route in schedule.after:
                found[route] = found.get(route, frozenset()) | _runs(subject, name)
    return found


def _runs(subject: Subject, schedule: str) -> frozenset[str]:
    """Return the routes that a schedule starts."""
    jobs = subject.document.schedules[schedule].run
    named = {job.route or job.name for job in jobs}
    return frozenset(name for name in named if name is not None and name in subject.document.routes)


def _way(starts: Starts, first: frozenset[str], goal: str) -> tuple[str, ...]:
    """Return the way from some routes to another; empty if there is none."""
    todo: list[tuple[str, ...]] = [(route,) for route in sorted(first)]
    seen: set[str] = set()
    while todo:
        way = todo.pop(0)
        if way[-1] == goal:
            return way
        if way[-1] not in seen:
            seen.add(way[-1])
            todo += [(*way, route) for route in sorted(starts.get(way[-1], ()))]
    return ()
