"""Mistakes in how tool calls are made that somebody could make: the client's own account must find every one."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any
from uuid import uuid4

from tests.crash.mutants import MUTANTS, put

__all__ = ["HOST_MUTANTS"]


def _keys_are_forgotten() -> None:
    from dataclasses import replace

    from connector.calls.host_calls import HostCalls

    accept = HostCalls._accept

    async def accepted(self: Any, route: str, asked: Any, equal: str) -> Any:
        return await accept(self, route, replace(asked, key=f"{asked.key} {uuid4()}"), equal)

    put(HostCalls, _accept=accepted)


def _equal_calls_are_not_seen() -> None:
    from connector.calls.host_calls import HostCalls

    async def nothing(*_: Any) -> None:
        return None

    put(HostCalls, _find_lost=nothing)


def _an_answer_counts_as_told_once_it_is_kept() -> None:
    calls: Any = import_module("connector.calls.host_calls")
    known = calls.members
    put(calls, members=lambda value: known(value) | ({"told": True} if "key" in known(value) else {}))


def _unknown_is_told_as_done() -> None:
    results: Any = import_module("connector.hosts.mcp.results")
    unknown = results.unknown
    put(results, unknown=lambda answer: unknown(answer) | {"isError": False})


HOST_MUTANTS: dict[str, tuple[Callable[[], None], str]] = {
    "keys forgotten": (_keys_are_forgotten, "tool calls repeated with a key"),
    "equal calls not seen": (_equal_calls_are_not_seen, "tool calls asked for again"),
    "told once it is kept": (_an_answer_counts_as_told_once_it_is_kept, "tool calls asked for again"),
    "unknown told as done": (_unknown_is_told_as_done, "tool calls repeated with a key"),
    "unknown sent again to hosts": (MUTANTS["unknown sent again"].plant, "tool calls repeated with a key"),
    "intent after sending to hosts": (MUTANTS["intent after sending"].plant, "tool calls repeated with a key"),
}
"""Each with the scenario that finds it."""
