"""Tasks in doubt: what is known of their calls, and what a person decides."""

from __future__ import annotations

from fastapi import APIRouter

from connector.engine import TaskState
from connector.engine.search import Order, PageQuery, TaskFilter
from connector.studio.access import Context, Operator, Viewer
from connector.studio.api.tasks import TaskCursor, TaskId
from connector.studio.cursors import Limit
from connector.studio.doubts import settle, show_doubt
from connector.studio.idempotency import EffectRoute
from connector.studio.schemas.tasks import TaskView
from connector.studio.schemas.unknown import DoubtPage, SettleRequest
from connector.studio.task_actions import find_task
from connector.studio.task_views import show_searched, show_task

__all__ = ["router"]

router = APIRouter(tags=["unknown"], route_class=EffectRoute)


@router.get("/unknown", summary="List tasks in doubt")
async def list_doubts(context: Context, _: Viewer, cursor: TaskCursor = "", limit: Limit = 20) -> DoubtPage:
    """Return the tasks that are held because a call may have taken effect, with what is known of those calls."""
    query = PageQuery(filter=TaskFilter(states=[TaskState.UNKNOWN]), order=Order("updated"), limit=limit, cursor=cursor)
    page = await context.search.page(query)
    found = [await context.store.task(row.id) for row in page.rows]
    items = [show_doubt(context, task) for task in found if task is not None and task.state is TaskState.UNKNOWN]
    return DoubtPage(items=items, next=page.next, searched=show_searched(page.searched))


@router.post("/unknown/{task:int}/settle", summary="Settle a task in doubt")
async def settle_doubt(task: TaskId, given: SettleRequest, context: Context, person: Operator) -> TaskView:
    """Decide what becomes of a task in doubt: repeat the call, skip the task, or take the call for done."""
    await settle(context, await find_task(context, task), given)
    reason = str(context.redact(given.reason))
    await context.audit.write(
        person, f"unknown {given.verdict}", f"task {task}", detail={"reason": reason} if reason else None
    )
    context.changed.set()
    return show_task(context, await find_task(context, task))
