"""An attempt of an activity while its call is under way: heartbeats, and what its end means for the call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from temporalio import activity

from connector.aio.tasks import cancel_all
from connector.calls.host_calls import CallAnswer
from connector.engine import TaskState
from connector.hosts.temporal.error_types import NOT_DONE
from connector.hosts.temporal.results import as_error

__all__ = ["beating", "call_key", "outlast"]

HEARTBEAT = 1.0
"""Seconds between two heartbeats; the SDK sends fewer where the heartbeat timeout allows that."""


def call_key(info: activity.Info, own: str) -> str:
    """Return what makes the attempts of an activity one call: never the number of the attempt.

    Args:
        own: the key that the workflow gave; it holds for all runs of all workflows of the namespace.
    """
    if own:
        return f"key/{own}"
    if info.workflow_run_id is None:
        return f"activity/{info.activity_id}/{info.activity_run_id}"
    return f"run/{info.workflow_id}/{info.workflow_run_id}/{info.activity_id}"


@asynccontextmanager
async def beating(name: str) -> AsyncGenerator[Callable[[str], None]]:
    """Tell Temporal that a call is under way; yield what notes why it has to wait."""
    said = ""

    def notify(reason: str) -> None:
        nonlocal said
        said = reason

    async def beat() -> None:
        seconds = 0
        while True:
            activity.heartbeat({"activity": name, "seconds": seconds, "waits_for": said})
            await asyncio.sleep(HEARTBEAT)
            seconds += 1

    heart = asyncio.create_task(beat())
    try:
        yield notify
    finally:
        await cancel_all(heart)


async def outlast(call: asyncio.Task[CallAnswer], look: Callable[[], Awaitable[CallAnswer | None]]) -> CallAnswer:
    """Return what a call comes to. Only its workflow ends it: when an attempt is timed out, the call goes on.

    Args:
        call: which a repeat of the activity joins, while this process lives.
        look: returns what a call has come to.
    """
    try:
        return await asyncio.shield(call)
    except asyncio.CancelledError:
        details = activity.cancellation_details()
        if details is not None and details.worker_shutdown:
            raise as_error(NOT_DONE, "the worker is stopped; its call is in the journal", delay=0.0) from None
        if details is None or not details.cancel_requested:
            raise
        call.cancel()
        with suppress(asyncio.CancelledError):
            await call
        answer = await look()
        if answer is None or answer.state not in (TaskState.FINISHED, TaskState.UNKNOWN):
            raise
        return answer
