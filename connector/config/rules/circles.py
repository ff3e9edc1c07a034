"""Schedules that start each other without end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connector.config.findings import Finding
from connector.config.rules.subject import Subject

__all__ = ["circles"]

Starts = Mapping[str, frozenset[str]]


def circles(subject: Subject) -> Iterator[Finding]:
    """An `after` whose route comes to run again by what it starts."""
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
    """The routes that the end of each route starts."""
    found: dict[str, frozenset[str]] = {}
    for name, schedule in subject.document.schedules.items():
        if not schedule.disabled:
            for route in schedule.after:
                found[route] = found.get(route, frozenset()) | _runs(subject, name)
    return found


def _runs(subject: Subject, schedule: str) -> frozenset[str]:
    """The routes that a schedule starts."""
    jobs = subject.document.schedules[schedule].run
    named = {job.route or job.name for job in jobs}
    return frozenset(name for name in named if name is not None and name in subject.document.routes)


def _way(starts: Starts, first: frozenset[str], goal: str) -> tuple[str, ...]:
    """How some routes lead to another; nothing when they do not."""
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
