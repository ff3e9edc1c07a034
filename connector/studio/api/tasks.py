"""Tasks: lists, counts, one with everything that is known of it, and what people do to them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query

from connector.engine.search import Order, PageQuery
from connector.model import members
from connector.studio.access import Context, Operator, Viewer
from connector.studio.context import StudioContext
from connector.studio.cursors import Limit
from connector.studio.idempotency import EffectRoute
from connector.studio.problems import Detail, Refused
from connector.studio.roles import Person
from connector.studio.schemas.tasks import (
    MOST_ID,
    BulkAnswer,
    BulkRequest,
    RetryRequest,
    SkipRequest,
    Step,
    TaskCounts,
    TaskPage,
    TaskView,
)
from connector.studio.task_actions import Action, act_on_many, find_task, forecast, retry_task, skip_task
from connector.studio.task_queries import Wanted, parse_columns
from connector.studio.task_steps import check_original, trace_steps
from connector.studio.task_views import show_rows, show_searched, show_task

__all__ = ["router"]

router = APIRouter(tags=["tasks"], route_class=EffectRoute)
TaskId = Annotated[int, Path(ge=1, le=MOST_ID, description="The id of the task.")]
Small = Annotated[int, Path(ge=0, le=2**31 - 1, description="A number, as the task's timeline has it.")]
Columns = Annotated[str, Query(max_length=2000, description="Places of the document to show, such as `a.b,c[0]`.")]
Sort = Annotated[str, Query(max_length=20, description="A column; with `-` before it in descending order.")]
TaskCursor = Annotated[str, Query(max_length=8000, description="`next` of the page before; none at first.")]


@router.get("/tasks", summary="List tasks")
async def list_tasks(
    context: Context,
    _: Viewer,
    wanted: Wanted,
    sort: Sort = "-updated",
    columns: Columns = "",
    cursor: TaskCursor = "",
    limit: Limit = 50,
) -> TaskPage:
    """Return a page of the tasks that fit, in any order of what is listed.

    A page comes within a fraction of a second, however many tasks there are. Where a search could not be finished in
    that time, `searched.complete` is false, and `next` goes on where it stopped.
    """
    asked = parse_columns(columns)
    query = PageQuery(filter=wanted, order=Order.parse(sort), limit=limit, cursor=cursor)
    page = await context.search.page(query)
    return TaskPage(
        items=await show_rows(context, page.rows, asked), next=page.next, searched=show_searched(page.searched)
    )


@router.get("/tasks/counts", summary="Count tasks")
async def count_tasks(context: Context, _: Viewer, wanted: Wanted) -> TaskCounts:
    """Return how many tasks fit, by state: exactly, or at least so many where counting would take too long."""
    counts = await context.search.counts(wanted)
    return TaskCounts(by_state=counts.by_state, total=sum(counts.by_state.values()), exact=counts.exact)


@router.get("/tasks/{task:int}", summary="Read a task")
async def read_task(task: TaskId, context: Context, _: Viewer) -> TaskView:
    """Return everything that is known of a task: its document, its attempts with their calls, what they cost."""
    return show_task(context, await find_task(context, task))


@router.get("/tasks/{task:int}/document", summary="Read a task's document")
async def read_document(task: TaskId, context: Context, _: Viewer) -> Any:
    """Return the whole document, however large it is."""
    return context.redact((await find_task(context, task)).document)


@router.get("/tasks/{task:int}/calls/{attempt:int}/{number:int}/{part}", summary="Read a call's request or answer")
async def read_call(
    task: TaskId, attempt: Small, number: Small, part: Literal["request", "answer"], context: Context, _: Viewer
) -> Any:
    """Return the whole request or answer of a call, however large it is; of several with one number, the last one's."""
    found = [
        call for call in (await find_task(context, task)).calls if (call.attempt, call.number) == (attempt, number)
    ]
    if not found:
        raise Refused(
            404, f"task {task} has no call {number} in attempt {attempt}", "read the task: it lists its calls"
        )
    return context.redact(found[-1].request if part == "request" else members(found[-1].outcome).get("body"))


@router.get("/tasks/{task:int}/steps", summary="Follow a document through its chains")
async def read_steps(
    task: TaskId, context: Context, _: Viewer, configuration: Literal["original", "current"] = "current"
) -> list[Step]:
    """Return the document as it came and after every step of the route's chains; nothing is sent.

    `original` takes the chains that were in force when the task was accepted, as the run kept them.
    """
    return await trace_steps(context, await find_task(context, task), configuration)


@router.post("/tasks/retry", summary="Retry tasks")
async def retry_tasks(given: BulkRequest, context: Context, person: Operator) -> BulkAnswer:
    """Make the tasks of a filter new again; those whose calls may have taken effect only with `repeat_unknown`."""
    return await _act_on_many("retry", given, context, person)


@router.post("/tasks/skip", summary="Skip tasks")
async def skip_tasks(given: BulkRequest, context: Context, person: Operator) -> BulkAnswer:
    """End the tasks of a filter as skipped; a retry brings them back."""
    return await _act_on_many("skip", given, context, person)


@router.post("/tasks/purge", summary="Remove tasks")
async def purge_tasks(given: BulkRequest, context: Context, person: Operator) -> BulkAnswer:
    """Remove the ended tasks of a filter with all their calls; unknown ones only where the filter names that state."""
    return await _act_on_many("purge", given, context, person)


@router.post("/tasks/{task:int}/retry", summary="Retry a task")
async def retry_one(task: TaskId, given: RetryRequest, context: Context, person: Operator) -> TaskView:
    """Make an ended task new again, as it came or with another document. What is done is not done again."""
    known = await find_task(context, task)
    if given.configuration == "original":
        await check_original(context, known)
    await retry_task(context, known, given.document, repeat_unknown=given.repeat_unknown)
    await context.audit.write(
        person, "task retry", f"task {task}", detail={"was": known.state.value, "edited": given.document is not None}
    )
    return await _show_changed(context, task)


@router.post("/tasks/{task:int}/skip", summary="Skip a task")
async def skip_one(task: TaskId, given: SkipRequest, context: Context, person: Operator) -> TaskView:
    """End a task as skipped; a retry brings it back."""
    known = await find_task(context, task)
    reason = str(context.redact(given.reason or "skipped by hand"))
    await skip_task(context, known, reason)
    await context.audit.write(person, "task skip", f"task {task}", detail={"was": known.state.value, "reason": reason})
    return await _show_changed(context, task)


async def _show_changed(context: StudioContext, task: int) -> TaskView:
    context.changed.set()
    return show_task(context, await find_task(context, task))


async def _act_on_many(action: Action, given: BulkRequest, context: StudioContext, person: Person) -> BulkAnswer:
    if given.dry_run:
        if given.expected is not None:
            wrong = Detail(where="body", found="dry_run and expected", allowed="one of both")
            raise Refused(422, "a dry run expects nothing", "leave one of both out", errors=[wrong])
        return await forecast(context, action, given)
    given = given.model_copy(update={"reason": str(context.redact(given.reason))})
    done = await act_on_many(context, action, given)
    shown: Any = given.filter.model_dump(mode="json", exclude_defaults=True)
    await context.audit.write(
        person, f"tasks {action}", f"{done.count:,} tasks", detail={"filter": shown, "reason": given.reason}
    )
    context.changed.set()
    return done
