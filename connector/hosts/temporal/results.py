"""What a call came to, in Temporal's own words: a result, an error that is repeated, or one that never is."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import orjson
from temporalio.exceptions import ApplicationError

from connector.documents import to_json
from connector.engine import TaskState
from connector.hosts.evidence import show_evidence
from connector.hosts.temporal.error_types import FAILED, INVALID, NOT_DONE, SKIPPED, TOO_LARGE, UNKNOWN
from connector.model import JSON, Outcome, State

if TYPE_CHECKING:
    from connector.calls.host_calls import CallAnswer

__all__ = ["as_error", "give_answer", "give_outcome"]

SHORTEST_DELAY = 0.05
"""Seconds; below them the retry policy of the activity says when it is repeated."""


def as_error(kind: str, text: str, details: dict[str, JSON] | None = None, *, delay: float | None = None) -> Exception:
    """Return an error of an activity.

    Args:
        kind: its type, by which retry policies and workflows know it.
        details: what a workflow can read of it.
        delay: seconds before Temporal repeats the activity; None if it must not.
    """
    later = timedelta(seconds=delay) if delay is not None and delay > SHORTEST_DELAY else None
    given = () if details is None else (details,)
    return ApplicationError(text, *given, type=kind, non_retryable=delay is None, next_retry_delay=later)


def give_answer(answer: CallAnswer, most: int) -> JSON:
    """Return the answer of a call that was noted; raise an error of the activity when there is none.

    Args:
        most: bytes of an answer that a workflow can take.
    """
    about: dict[str, JSON] = {"state": answer.state.value, "task": answer.task, "reason": answer.reason}
    if answer.state is TaskState.FINISHED:
        documents = answer.documents
        return _bounded(documents[0] if len(documents) == 1 else list(documents), most, f"task {answer.task}", about)
    if answer.state is TaskState.UNKNOWN:
        raise as_error(UNKNOWN, _say_unknown(answer), {**about, "evidence": show_evidence(answer.doubts)})
    if answer.state is TaskState.SKIPPED:
        raise as_error(SKIPPED, f"nothing was sent: {answer.reason}", about)
    if answer.state is TaskState.FAILED:
        raise as_error(FAILED, answer.reason, about)
    reason = answer.reason or "it is under way in another worker"
    about |= {"evidence": show_evidence(answer.doubts)} if answer.doubts else {}
    raise as_error(NOT_DONE, f"not done yet: {reason}", about, delay=answer.delay)


def give_outcome(outcome: Outcome, most: int, delay: float | None) -> JSON:
    """Return the body of a call that was made at once; raise an error of the activity when it is not done.

    Args:
        delay: seconds that the server asks for before another attempt.
    """
    if outcome.ok:
        return _bounded(to_json(outcome.body), most, "the call", {"state": outcome.state.value})
    is_refused = outcome.state is State.REFUSED and outcome.action not in ("retry", "pause")
    if outcome.faults:
        raise as_error(INVALID, outcome.sentence(), {"state": outcome.state.value})
    about: dict[str, JSON] = {"state": outcome.state.value, "status": outcome.status, "reason": outcome.reason}
    if is_refused and (outcome.status or 0) < 500:
        raise as_error(FAILED, outcome.sentence(), about)
    raise as_error(NOT_DONE, outcome.sentence(), about, delay=delay or 0.0)


def _bounded(value: JSON, most: int, what: str, about: dict[str, JSON]) -> JSON:
    size = len(orjson.dumps(value))
    if size <= most:
        return value
    text = (
        f"{what} is done, and its answer of {size:,} bytes is more than the {most:,} of temporal.answer_bytes. A"
        " repeat is no smaller: let the connection's `answer` chain take what the workflow needs, or its publisher"
        " write the rest to a file"
    )
    raise as_error(TOO_LARGE, text, {**about, "bytes": size, "most": most})


def _say_unknown(answer: CallAnswer) -> str:
    number = answer.task
    return (
        f"unknown: the call may have taken effect, and may have been paid for. {answer.reason}. It is not sent again. A"
        f" person looks whether it took effect, and settles task {number}: `openai-connector tasks done {number}"
        f" --temporal` when it did, `openai-connector tasks retry {number} --temporal` when it did not. A workflow then"
        " asks again under the same key, if it gave the activity one of its own; without one, another activity or a"
        " reset of the workflow is another call, and is sent"
    )
