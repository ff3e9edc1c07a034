"""Other processes publish documents through outgoing connections, and wait for the answers or follow them."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Header, Path, Response

from connector.calls.host_calls import CallAnswer, CallConflict, HostCall
from connector.engine import ENDS
from connector.model import members
from connector.studio.access import Context, Operator
from connector.studio.context import StudioContext
from connector.studio.idempotency import MOST_KEY
from connector.studio.preferences import read_wait, responds_async
from connector.studio.problems import Refused
from connector.studio.published_calls import left_to_the_next
from connector.studio.schemas.publish import DoubtfulCall, PublishedCall, PublishRequest
from connector.studio.schemas.tasks import MOST_ID

__all__ = ["router"]

router = APIRouter(tags=["documents"])

USUAL_WAIT = 30.0
"""Seconds for which a caller waits who says nothing of it."""
ACCEPTED: dict[int | str, dict[str, Any]] = {
    202: {"model": PublishedCall, "description": "It is on disk and goes on: `location` says where to follow."}
}
Prefer = Annotated[
    str | None,
    Header(description="`wait=10` waits up to 10 seconds for the end, 60 at most; `respond-async` does not wait."),
]


@router.post("/outgoing/{name}/publish", summary="Publish a document", responses=ACCEPTED)
async def publish_document(
    name: str,
    given: PublishRequest,
    response: Response,
    context: Context,
    person: Operator,
    idempotency_key: Annotated[
        str | None,
        Header(max_length=MOST_KEY, description="The same key for the same document: sent again, it is paid for once."),
    ] = None,
    prefer: Prefer = None,
) -> PublishedCall:
    """Make the calls of an outgoing connection for a document, and return the answer, or where to follow it.

    The document is on disk before anything is sent. With a key, a repeat is told what came of the first one, also
    after a restart; where nothing took effect, it tries again.
    """
    context.configuration.find("outgoing", name)
    wait = 0.0 if responds_async(prefer) else read_wait(prefer) or USUAL_WAIT
    asked = HostCall(
        document=given.document, key=idempotency_key or uuid4().hex, owner=person.name, is_left=left_to_the_next
    )
    try:
        answer = await context.published.publish(context.configuration, name, asked, wait)
    except CallConflict as conflict:
        raise Refused(409, str(conflict), "use a new key for each document", kind="idempotency-key") from None
    await context.audit.write(person, "document published", f"outgoing {name}", detail={"task": answer.task})
    return _tell(context, name, answer, response)


@router.get("/outgoing/{name}/published/{task}", summary="Follow a published document", responses=ACCEPTED)
async def read_published(
    name: str,
    task: Annotated[int, Path(ge=1, le=MOST_ID, description="Its number.")],
    response: Response,
    context: Context,
    _: Operator,
) -> PublishedCall:
    """Return what a published document has come to: 200 at its end, 202 before."""
    context.configuration.find("outgoing", name)
    answer = await context.published.read(context.configuration, name, task)
    if answer is None:
        raise Refused(404, f"nothing with the number {task} was published through {name}", "use `task` of the answer")
    return _tell(context, name, answer, response)


def _tell(context: StudioContext, name: str, answer: CallAnswer, response: Response) -> PublishedCall:
    response.headers["location"] = f"/api/v1/outgoing/{name}/published/{answer.task}"
    if answer.state not in ENDS:
        response.status_code = 202
    doubts = [
        DoubtfulCall(
            operation=f"{call.target} {call.operation}".strip(),
            evidence=context.redactor(str(members(call.outcome).get("reason") or "no end was noted")),
        )
        for call in answer.doubts
    ]
    return PublishedCall(
        task=answer.task,
        state=answer.state.value,
        repeat=answer.is_repeat,
        documents=[context.redact(document) for document in answer.documents],
        reason=context.redactor(answer.reason),
        doubts=doubts,
    )
