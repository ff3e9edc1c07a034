"""What a studio shows on every page: what needs a person, whether a run is under way, which API is called."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

from connector.engine import TaskState
from connector.runtime.route_control import read_pauses, read_runners
from connector.studio.context import StudioContext
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
    kinds = {
        _is_local(str(client.raw_parameters.get("base_uri") or "")) for client in context.configuration.clients.values()
    }
    if len(kinds) == 2:
        return "mixed"
    return "none" if not kinds else "sandbox" if kinds == {True} else "api"


def _is_local(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
