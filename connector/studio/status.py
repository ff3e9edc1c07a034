"""What a studio shows on every page: what needs a person, whether a run is under way, which API is called."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

from connector.engine import TaskState
from connector.runtime.route_control import read_pauses, read_runners
from connector.studio.context import StudioContext
from connector.studio.sandboxes import find_sandboxes
from connector.studio.schemas.base import as_time
from connector.studio.schemas.session import Attention, RunnerState

__all__ = ["Environment", "count_attention", "find_environment", "read_attention", "read_runner"]

Environment = Literal["sandbox", "api", "mixed", "none"]
Counts = Mapping[str, Mapping[TaskState, int]]


async def read_attention(context: StudioContext) -> Attention:
    """Return how much needs a person."""
    return count_attention(await context.store.counts(), (await read_pauses(context.store)).keys())


def count_attention(counts: Counts, paused: Collection[str]) -> Attention:
    """Return how much needs a person, from the counts and the paused routes."""
    failed, unknown = (
        sum(states.get(state, 0) for states in counts.values()) for state in (TaskState.FAILED, TaskState.UNKNOWN)
    )
    return Attention(failed=failed, unknown=unknown, paused=len(paused))


async def read_runner(context: StudioContext) -> RunnerState:
    """Return whether a run is under way."""
    runners = await read_runners(context.store, context.clock())
    return RunnerState(alive=bool(runners), since=as_time(runners[0].since) if runners else None)


async def find_environment(context: StudioContext) -> Environment:
    """Return whether the clients call a sandbox on this machine, or the API."""
    clients, sandboxes = context.configuration.clients.keys(), await find_sandboxes(context)
    if not clients:
        return "none"
    return "api" if not sandboxes else "sandbox" if clients <= sandboxes.keys() else "mixed"
