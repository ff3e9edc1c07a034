"""A filter as SQL that goes through as few tasks as there can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from connector.engine.sqlite.codes import CARRIED, CODES, DUE, HELD, LEASED, LIVE_CODES, READY
from connector.engine.store import Filter
from connector.engine.tasks import TaskState

__all__ = ["Selection", "selected"]

ODD = {CODES[state] for state in (TaskState.FAILED, TaskState.SKIPPED, TaskState.UNKNOWN)}
QUEUES = (READY, DUE, HELD, CARRIED, LEASED)


@dataclass(slots=True)
class Selection:
    """Questions that each give ids of tasks beyond `:after` in their order, at most `:limit`; no id is in two."""

    questions: Sequence[str]
    values: dict[str, Any] = field(default_factory=dict[str, Any])


def selected(wanted: Filter, routes: Sequence[int], *, also: str = "") -> Selection:
    """What a filter asks for.

    Args:
        wanted: the filter.
        routes: the numbers of the routes that it can mean.
        also: a further condition on the task `t`.
    """
    values: dict[str, Any] = {"routes": _list(routes)}
    conditions = ["t.id > :after", "t.route IN (SELECT value FROM json_each(:routes))", *([also] if also else [])]
    if wanted.ids:
        values["ids"] = _list(wanted.ids)
        conditions.append("t.id IN (SELECT value FROM json_each(:ids))")
    if wanted.key:
        values["key"] = wanted.key
        conditions.append("t.id IN (SELECT id FROM documents WHERE key <> '' AND key = :key)")
    if wanted.reason:
        values["reason"] = wanted.reason
        conditions.append("instr(t.reason, :reason) > 0")
    if wanted.updated_before is not None:
        values["before"] = wanted.updated_before
        conditions.append("t.updated < :before")
    if wanted.updated_after is not None:
        values["later"] = wanted.updated_after
        conditions.append("t.updated >= :later")
    codes = {CODES[state] for state in wanted.states}
    narrow = bool(wanted.ids or wanted.key)
    sources = _sources(codes, routes, narrow=narrow)
    return Selection([_question(source, [*conditions, where]) for source, where in sources], values)


def _question(source: str, conditions: Sequence[str]) -> str:
    where = " AND ".join(condition for condition in conditions if condition)
    return f"SELECT t.id FROM tasks t {source} WHERE {where} ORDER BY t.id LIMIT :limit"


def _sources(codes: set[int], routes: Sequence[int], *, narrow: bool) -> Sequence[tuple[str, str]]:
    """Where to look for tasks in these states, and on what condition: each is read in the order of ids."""
    among = f"t.state IN ({', '.join(map(str, sorted(codes)))})" if codes else ""
    if narrow or not codes or CODES[TaskState.FINISHED] in codes:
        return [("", among)]
    odd = [("INDEXED BY odd", f"t.state > 3 AND t.state = {code}") for code in sorted(ODD.intersection(codes))]
    if not codes.intersection(LIVE_CODES):
        return odd
    live = [
        ("INDEXED BY live", f"t.route = {route} AND t.queue > 0 AND t.queue = {queue} AND {among}")
        for route in routes
        for queue in QUEUES
    ]
    return [*odd, *live]


def _list(numbers: Sequence[int]) -> str:
    return orjson.dumps(list(numbers)).decode()
