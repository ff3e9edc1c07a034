"""What a task shows of how it was sent, when its answer is needed, and when and why it moved up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from connector.delivery.call_records import PLACE
from connector.delivery.deadlines.choice import describe_move
from connector.engine import CallRecord, Task, TaskState
from connector.model import JSON, State
from connector.studio.context import StudioContext
from connector.studio.task_views import show_task
from tests.studio.kit import ANSWER, CONFIGURATION, NOW, REQUEST

MOVED = describe_move(NOW + 60, 6_600.0)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "shop" / "connector.yaml"
    path.parent.mkdir()
    path.write_text(CONFIGURATION.replace("key: custom_id,", "key: custom_id, within: 6h,"), encoding="utf-8")
    return path


def made(task: int, number: int, request: JSON) -> CallRecord:
    return CallRecord(
        task=task, attempt=1, number=number, fingerprint=str(number), target="openai",
        operation="chat completions create", effect="opaque", request=request, started=NOW,
    )  # fmt: skip


def test_a_task_that_moved_up(context: StudioContext) -> None:
    body = REQUEST["body"]
    line = {"method": "POST", "url": "/v1/chat/completions", "body": body, PLACE: 0, "places": 1}
    requests = [line, {**REQUEST, "body": {**body, "service_tier": "priority"}}, REQUEST]
    cancelled = {"reason": f"the batch was cancelled; {MOVED}"}
    ends = [(State.NOT_SENT, cancelled), (State.REFUSED, {"status": 429, "reason": "slow down"}), (State.DONE, ANSWER)]
    calls = [
        replace(made(9, place, request), state=state, outcome=outcome, ended=NOW + 60)
        for place, (request, (state, outcome)) in enumerate(zip(requests, ends, strict=True))
    ]
    task = Task(id=9, route="tickets", document={}, state=TaskState.FINISHED, created=NOW, calls=calls)
    shown = show_task(context, task)
    [attempt] = shown.timeline
    assert [one.transport for one in attempt.calls] == ["batch", "priority", None]
    assert [one.moved_up for one in attempt.calls] == [MOVED, None, None]
    assert MOVED.startswith("moved up at 2026-01-01 12:01:00 UTC: 1.8 h before its answer is needed")
    assert shown.needed is not None
    assert shown.created is not None
    assert (shown.needed - shown.created).total_seconds() == 6 * 3_600


def test_a_route_that_does_not_say_when(context: StudioContext) -> None:
    task = Task(id=9, route="orders", document={}, state=TaskState.FINISHED, created=NOW)
    assert show_task(context, task).needed is None
