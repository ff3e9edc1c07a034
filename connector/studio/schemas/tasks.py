"""Tasks: lists, what is known of one, and what is done to many."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from connector.engine import TaskState
from connector.studio.schemas.base import Answer, Moment, Price, Received, Time

__all__ = [
    "MOST_ID",
    "MOST_IDS",
    "AttemptView",
    "BulkAnswer",
    "BulkRequest",
    "CallView",
    "Cut",
    "FilterBody",
    "RetryRequest",
    "SearchedView",
    "SkipRequest",
    "Step",
    "TaskCounts",
    "TaskPage",
    "TaskSummary",
    "TaskView",
]

MOST_IDS = 10_000
MOST_ID = 2**38 - 1
"""Far beyond what a store holds; engines keep the ids of calls in the bits above."""


class SearchedView(Answer):
    """How far a search went."""

    complete: bool = Field(description="Whether nothing was left out; otherwise `next` goes on where time was up.")
    count: int = Field(description="How many tasks the search index holds.")
    stored: int = Field(description="How many tasks there are.")
    documents: float | None = Field(
        description="Which share of the documents is indexed, from 0 to 1; null while nobody has searched them."
    )
    lag: float = Field(description="Seconds since the index was last brought up to date.")


class TaskSummary(Answer):
    """A task in a list."""

    id: int = Field(description="The id.", examples=[12])
    route: str = Field(description="Its route.", examples=["tickets"])
    state: TaskState = Field(description="Its state.")
    key: str = Field(description="The key of its document.")
    attempts: int = Field(description="How many attempts were made that count.")
    reason: str = Field(description="Why it is in this state.")
    created: Time | None = Field(description="When its document was accepted.")
    updated: Time | None = Field(description="When it last changed.")
    due: Time | None = Field(description="When a waiting task may go on.")
    cost: Price | None = Field(description="What its calls cost; null when none was paid for.")
    columns: dict[str, Any] = Field(description="The asked places of the document; null where there is nothing.")


class TaskPage(Answer):
    """One page of tasks."""

    items: list[TaskSummary] = Field(description="The tasks of this page, in their order.")
    next: str | None = Field(description="The cursor of the next page; null on the last one.")
    searched: SearchedView


class TaskCounts(Answer):
    """How many tasks a filter selects."""

    by_state: dict[TaskState, int] = Field(description="By state; states without tasks are left out.")
    total: int = Field(description="In all.")
    exact: bool = Field(description="Whether these are all; otherwise at least so many.")


class Cut(Answer):
    """A value that is too large to be shown whole."""

    where: str = Field(description="What was shortened.", examples=["document"])
    bytes: int = Field(description="How large it is.")
    whole: str = Field(description="Where all of it is read.", examples=["/api/v1/tasks/12/document"])


class CallView(Answer):
    """One call of an attempt."""

    number: int = Field(description="Which call of the attempt it is, from 0.")
    attempt: int = Field(description="The attempt.")
    operation: str = Field(description="The operation.", examples=["chat completions create"])
    target: str = Field(description="The client, or the kind of publisher.")
    effect: str = Field(description="What a second call would do.", examples=["opaque"])
    state: str = Field(description="How it ended; empty while nobody knows.", examples=["done"])
    started: Time | None = Field(description="When it began.")
    ended: Time | None = Field(description="When its end was seen.")
    settled: bool = Field(description="Whether a person has retried the task since: it keeps nothing from being sent.")
    request: Any = Field(description="What was sent, without secrets.")
    answer: Any = Field(description="The body of the answer.")
    evidence: dict[str, Any] = Field(description="What else is known: status, headers, tries, what was looked for.")
    usage: dict[str, float] | None = Field(description="What the answer says was used.")
    cost: Price | None = Field(description="What it cost; null when it is not paid for, or did nothing.")
    transport: str | None = Field(
        description="How it was sent, where that is no standard call.", examples=["batch", "flex", "window-8h"]
    )
    moved_up: str | None = Field(
        description="When and why its batch was cancelled so that another way answers in time; null if it was not."
    )


class AttemptView(Answer):
    """One attempt at a task, with its calls."""

    number: int = Field(description="The attempt, from 1.")
    started: Time | None = Field(description="When its first call began; null when it made none.")
    ended: Time | None = Field(description="When its last call ended.")
    waited: float | None = Field(description="Seconds between the attempt before and this one.")
    calls: list[CallView] = Field(description="Its calls.")


class TaskView(Answer):
    """Everything that is known of a task, without secrets."""

    id: int = Field(description="The id.")
    route: str = Field(description="Its route.")
    state: TaskState = Field(description="Its state.")
    key: str = Field(description="The key of its document.")
    version: str = Field(description="What differs when the document under the key has changed.")
    order: str = Field(description="The order key: tasks of one go one after the other.")
    attempts: int = Field(description="How many attempts were made that count.")
    reason: str = Field(description="Why it is in this state.")
    created: Time | None = Field(description="When its document was accepted.")
    updated: Time | None = Field(description="When it last changed.")
    due: Time | None = Field(description="When a waiting task may go on.")
    needed: Time | None = Field(description="When its answer is needed; null if its route does not say.")
    cost: Price | None = Field(description="What its calls cost.")
    source: int | None = Field(description="The task whose answer it is.")
    carrier: int | None = Field(description="The task that it goes in, as a line goes in a batch.")
    trace: str = Field(description="The traceparent of its origin.")
    document: Any = Field(description="The document as it was accepted, or as a person last edited it.")
    timeline: list[AttemptView] = Field(description="Its attempts, the first one first.")
    cut: list[Cut] = Field(description="What was shortened, and where it is read whole.")


class Step(Answer):
    """What one step of a chain made of the document."""

    step: int = Field(description="From 0: the document as it came.")
    name: str = Field(description="The step.", examples=["chat-prompt"])
    where: str = Field(description="Its place in the configuration.", examples=["outgoing.reply.chain[0]"])
    line: int | None = Field(description="Its line in the configuration's file.")
    document: Any = Field(description="The document after it.")
    error: str | None = Field(description="Why it went no further.")


class FilterBody(Received):
    """Which tasks are meant; all given conditions must hold, as in GET /tasks."""

    ids: list[Annotated[int, Field(ge=1, le=MOST_ID)]] = Field(
        default_factory=list[int], max_length=MOST_IDS, description="Only these."
    )
    route: list[str] = Field(default_factory=list[str], max_length=500, description="One of these routes.")
    state: list[TaskState] = Field(default_factory=list[TaskState], description="One of these states.")
    key: str = Field(default="", max_length=2000, description="The key of the document.")
    reason: str = Field(default="", max_length=2000, description="A part of the reason.")
    text: str = Field(default="", max_length=2000, description="A part of the document as JSON.")
    field: list[str] = Field(default_factory=list[str], max_length=20, description="Values in places: PATH:VALUE.")
    created_from: Moment | None = Field(default=None, description="Accepted at this time or later.")
    created_to: Moment | None = Field(default=None, description="Accepted before this time.")
    updated_from: Moment | None = Field(default=None, description="Changed at this time or later.")
    updated_to: Moment | None = Field(default=None, description="Changed before this time.")


class BulkRequest(Received):
    """What is to be done to many tasks: first with `dry_run`, which says to how many; then with that number."""

    filter: FilterBody = Field(description="Which tasks.")
    dry_run: bool = Field(default=False, description="Only say how many, and what it may cost.")
    expected: int | None = Field(default=None, ge=0, description="How many the dry run counted; more are refused.")
    reason: str = Field(default="", max_length=2000, description="Why; kept with the tasks that are skipped.")
    repeat_unknown: bool = Field(
        default=False, description="Whether tasks are retried whose calls may have taken effect, and be paid for twice."
    )


class BulkAnswer(Answer):
    """To how many tasks it was done, or would be."""

    count: int = Field(description="How many tasks.")
    cost: Price | None = Field(description="What it may cost.")
    exact: bool = Field(default=True, description="Whether the count is exact; otherwise it is at least so many.")
    left_out: dict[TaskState, int] = Field(
        default_factory=dict[TaskState, int], description="Tasks of the filter that it is not done to, by their state."
    )
    undo: list[int] = Field(
        default_factory=list[int],
        description="Of skipped tasks, those that waited for an attempt: a retry of these, while skipped, undoes it."
        " One that had failed or is unknown comes back by a retry as well, which is another attempt.",
    )


class RetryRequest(Received):
    """How a task is retried."""

    document: Any = Field(default=None, description="Replaces its document; null leaves it as it is.")
    configuration: Literal["original", "current"] = Field(
        default="current", description="Which configuration delivers it."
    )
    repeat_unknown: bool = Field(
        default=False, description="Whether a task is retried whose calls may have taken effect."
    )


class SkipRequest(Received):
    """Why a task is skipped."""

    reason: str = Field(default="", max_length=2000, description="Why; kept as the task's reason.")
