"""Workflows as a user writes them: activities are called by their names, in the sandbox of the SDK."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy

from connector.hosts.temporal import UNKNOWN

__all__ = ["Ask"]


@workflow.defn
class Ask:
    """Runs one activity, and returns what it returns; with `settles`, what is unknown is told instead."""

    @workflow.run
    async def run(self, asked: dict[str, Any]) -> Any:
        seconds = asked.get("timeout", 30)
        handle = workflow.start_activity(
            asked["activity"],
            args=asked["arguments"],
            start_to_close_timeout=timedelta(seconds=seconds),
            heartbeat_timeout=timedelta(seconds=asked.get("heartbeat", 5)),
            retry_policy=RetryPolicy(
                initial_interval=timedelta(milliseconds=asked.get("interval", 100)),
                maximum_attempts=asked.get("attempts", 5),
                non_retryable_error_types=[UNKNOWN],
            ),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        return await handle
