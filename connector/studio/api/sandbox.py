"""The sandbox: its journal of requests, and faults as switches."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query

from connector.model import members
from connector.sandbox.faults import KINDS
from connector.studio.access import Context, Operator, Viewer
from connector.studio.context import StudioContext
from connector.studio.cursors import Limit
from connector.studio.sandboxes import call_sandbox
from connector.studio.schemas.base import as_time
from connector.studio.schemas.sandbox import FaultKind, FaultPlan, FaultState, SandboxRequest, SandboxRequests

__all__ = ["router"]

router = APIRouter(prefix="/sandbox", tags=["sandbox"])
ClientName = Annotated[str | None, Query(max_length=200, description="The client whose sandbox is meant.")]


@router.get("/requests", summary="Read what arrived at the sandbox")
async def list_sandbox_requests(
    context: Context,
    _: Viewer,
    client: ClientName = None,
    operation: Annotated[str, Query(max_length=200, description="Only those of this operation.")] = "",
    status: Annotated[int | None, Query(ge=100, le=599, description="Only those with this status.")] = None,
    limit: Limit = 100,
) -> SandboxRequests:
    """Return the requests that arrived at the sandbox, the newest first."""
    wanted = {"operation": operation} if operation else {}
    wanted |= {"status": str(status)} if status is not None else {}
    path = f"requests?{urlencode(wanted)}" if wanted else "requests"
    found = await call_sandbox(context, "GET", path, client=client)
    newest = found[::-1][:limit]
    return SandboxRequests(items=[_request(context, members(one)) for one in newest], total=len(found))


@router.delete("/requests", summary="Forget what arrived at the sandbox", status_code=204)
async def clear_sandbox_requests(context: Context, person: Operator, client: ClientName = None) -> None:
    """Empty the sandbox's journal; what it has created stays."""
    await call_sandbox(context, "DELETE", "requests", client=client)
    await context.audit.write(person, "sandbox clear", "the sandbox's journal")


@router.get("/faults", summary="Read which faults the sandbox injects")
async def read_faults(context: Context, _: Viewer, client: ClientName = None) -> FaultState:
    """Return the faults that the sandbox injects now, and those there are."""
    (found,) = await call_sandbox(context, "GET", "faults", client=client)
    return _state(members(found))


@router.put("/faults", summary="Switch faults of the sandbox on and off")
async def set_faults(given: FaultPlan, context: Context, person: Operator, client: ClientName = None) -> FaultState:
    """Replace the faults that the sandbox injects; empty lists switch all of them off."""
    plan = given.model_dump()
    (found,) = await call_sandbox(context, "POST", "faults", client=client, body=plan)
    await context.audit.write(person, "sandbox faults", "the sandbox", detail=plan)
    return _state(members(found))


def _state(found: Any) -> FaultState:
    kinds = [FaultKind(name=name, text=text) for name, text in KINDS.items()]
    return FaultState(rates=found.get("rates", []), rules=found.get("rules", []), kinds=kinds)


def _request(context: StudioContext, found: Any) -> SandboxRequest:
    return SandboxRequest(
        time=as_time(found.get("time")),
        method=str(found.get("method")),
        path=str(found.get("path")),
        operation=str(found.get("operation") or ""),
        status=found.get("status"),
        fault=found.get("fault"),
        query=context.redact(found.get("query")),
        payload=context.redact(found.get("payload")),
        effects=[str(one) for one in found.get("effects") or ()],
    )
