"""Other processes put documents on routes, and follow or wait for what they come to."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated

from fastapi import APIRouter, Header, Response

from connector.pipeline import Runtime
from connector.studio.access import Context, Operator
from connector.studio.context import StudioContext
from connector.studio.idempotency import MOST_KEY
from connector.studio.preferences import read_wait
from connector.studio.route_documents import Accepted, accept_documents, read_answers, wait_for_end
from connector.studio.schemas.documents import DocumentsRequest, DocumentTask

__all__ = ["router"]

router = APIRouter(tags=["documents"])


@router.post("/routes/{name}/documents", summary="Put documents on a route", status_code=202)
async def put_documents(
    name: str,
    given: DocumentsRequest,
    response: Response,
    context: Context,
    person: Operator,
    idempotency_key: Annotated[
        str | None,
        Header(max_length=MOST_KEY, description="The same key for the same documents: sent again, they count once."),
    ] = None,
    prefer: Annotated[
        str | None, Header(description="`wait=30` waits up to 30 seconds for the end of the tasks; 60 at most.")
    ] = None,
) -> list[DocumentTask]:
    """Accept documents for a route, all of them or none; they are on disk when this answers.

    They go the route's way like those of its incoming connection, whose chain they do not pass. A run delivers them.
    """
    context.configuration.find("routes", name)
    identity = "" if not idempotency_key else f"sent:{_digest(person.name, name, idempotency_key)}"
    async with Runtime(context.configuration) as runtime:
        accepted = await accept_documents(runtime, context.store, name, given.documents, identity)
    new = sum(not one.known for one in accepted)
    await context.audit.write(person, "documents put", f"route {name}", detail={"sent": len(accepted), "new": new})
    context.changed.set()
    wait = read_wait(prefer)
    if len(accepted) == 1 and accepted[0].task:
        response.headers["location"] = f"/api/v1/tasks/{accepted[0].task}"
    if wait:
        response.headers["preference-applied"] = f"wait={wait:.0f}"
    loop_end = context.monotonic() + wait
    return [await _describe(context, one, loop_end - context.monotonic() if wait else None) for one in accepted]


async def _describe(context: StudioContext, accepted: Accepted, wait: float | None) -> DocumentTask:
    """Return a document's task, with its end where that is waited for."""
    task = accepted.task or None
    if wait is None or task is None:
        return DocumentTask(task=task, key=accepted.key, known=accepted.known)
    found = await wait_for_end(context.store, task, max(wait, 0.0))
    if found is None:
        return DocumentTask(task=None, key=accepted.key, known=accepted.known)
    return DocumentTask(
        task=task,
        key=accepted.key,
        known=accepted.known,
        state=found.state.value,
        reason=context.redactor(found.reason),
        answers=[context.redact(answer) for answer in read_answers(found)],
    )


def _digest(*parts: str) -> str:
    """Return what stands for some texts in a key that people see."""
    return sha256("\n".join(parts).encode(errors="surrogateescape")).hexdigest()[:32]
