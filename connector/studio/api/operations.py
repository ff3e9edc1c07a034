"""The catalogue: browse its operations, explain a request, send it once."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from connector.catalogue import Catalogue
from connector.catalogue.description import REPEATS, describe
from connector.catalogue.operation import Operation
from connector.errors import ConfigurationError
from connector.http import Client
from connector.model import JSON, InvalidRequest
from connector.pipeline import Runtime
from connector.request import Wire
from connector.studio.access import Context, Operator, Viewer
from connector.studio.call_prices import price_request, read_cost
from connector.studio.context import StudioContext
from connector.studio.cursors import Cursor, Limit, read_cursor, write_cursor
from connector.studio.idempotency import EffectRoute
from connector.studio.problems import Detail, Refused
from connector.studio.sandboxes import find_sandboxes
from connector.studio.schemas.base import Page
from connector.studio.schemas.operations import (
    CallRequest,
    CallResult,
    Explained,
    OperationDetail,
    OperationRow,
    SendRequest,
)
from connector.studio.send_once import show_outcome

__all__ = ["router"]

router = APIRouter(tags=["operations"], route_class=EffectRoute)
Search = Annotated[str, Query(max_length=200, description="Words that the name, the path or the area holds.")]


@router.get("/operations", summary="Browse the operations")
async def list_operations(
    context: Context, _: Viewer, search: Search = "", cursor: Cursor = None, limit: Limit = 100
) -> Page[OperationRow]:
    """Return the operations of the catalogue that hold all words of a search, in the catalogue's order."""
    words = search.lower().split()
    found = [one for one in _catalogue(context).operations() if _holds(one, words)]
    position = read_cursor(cursor, 1)
    first = position[0] if position and isinstance(position[0], int) and position[0] >= 0 else 0
    items = [OperationRow(**_row(one)) for one in found[first : first + limit]]
    rest = first + limit < len(found)
    return Page[OperationRow](items=items, next=write_cursor([first + limit]) if rest else None)


@router.get("/operations/{entity}/{operation}", summary="Read an operation")
async def read_operation(entity: str, operation: str, context: Context, _: Viewer) -> OperationDetail:
    """Return what an operation takes and gives, what a repeat does, and a valid example."""
    catalogue = _catalogue(context)
    found = catalogue.find(entity, operation)
    described = describe(found, catalogue)
    return OperationDetail(
        **_row(found),
        repeats=REPEATS[found.effect],
        example=described.pop("example"),
        described=described,
        payload_schema=catalogue.payload_schema(found),
        query_schema=catalogue.query_schema(found),
        path_schema=catalogue.path_schema(found),
    )


@router.post("/operations/{entity}/{operation}/explain", summary="Explain a request")
async def explain_operation(entity: str, operation: str, given: CallRequest, context: Context, _: Viewer) -> Explained:
    """Return the exact request, its effect and the most that it costs; nothing is sent."""
    async with Runtime(context.configuration) as runtime:
        name, client, found, wire = _prepare(context, runtime, entity, operation, given)
        explanation = client.explain(wire)
        return Explained(
            request=explanation.as_document(),
            curl=explanation.as_curl(),
            effect=wire.effect,
            repeats=REPEATS[wire.effect],
            most=price_request(context.configuration, found, given.request),
            client=name,
            environment="sandbox" if name in await find_sandboxes(context) else "api",
        )


@router.post("/operations/{entity}/{operation}/send", summary="Send a request once")
async def send_operation(
    entity: str, operation: str, given: SendRequest, context: Context, person: Operator
) -> CallResult:
    """Send a request and return what it came to; who sends it confirms the effect that `explain` said."""
    async with Runtime(context.configuration) as runtime:
        name, client, found, wire = _prepare(context, runtime, entity, operation, given)
        if given.confirm is not wire.effect:
            raise Refused(
                409,
                f"the effect of {found.name} is {wire.effect}, and {given.confirm} was confirmed",
                f"confirm {wire.effect}: {REPEATS[wire.effect]}",
            )
        began = context.monotonic()
        outcome = await client.send(wire)
        seconds = context.monotonic() - began
        shown = show_outcome(outcome, client.redactor)
    detail: JSON = {"client": name, "state": outcome.state.value, "status": outcome.status}
    await context.audit.write(person, "operation send", found.name, detail=detail)
    return CallResult(
        state=outcome.state.value,
        sentence=client.redactor("done" if outcome.ok else outcome.sentence()),
        outcome=shown,
        cost=read_cost(context.configuration, outcome, given.request),
        seconds=round(seconds, 3),
    )


def _prepare(
    context: StudioContext, runtime: Runtime, entity: str, operation: str, given: CallRequest
) -> tuple[str, Client, Operation, Wire]:
    """Return the client and the prepared call; raise Refused with every fault of the request."""
    found = _catalogue(context).find(entity, operation)
    names = list(context.configuration.clients)
    name = given.client or (names[0] if len(names) == 1 else "")
    if not name:
        there = f"there are {', '.join(names)}" if names else "the configuration declares none"
        raise Refused(422, f"which client is to send it? {there}", "say `client`")
    client = runtime.client(name)
    try:
        return name, client, found, client.prepare(found, given.request)
    except InvalidRequest as error:
        wrong = [Detail(where=one.where, found=one.found, allowed=one.allowed) for one in error.faults]
        raise Refused(
            422, "the request is not valid", "mend what `errors` names", kind="invalid", errors=wrong
        ) from None
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"the request cannot be read: {error}") from None


def _catalogue(context: StudioContext) -> Catalogue:
    return Catalogue.open(context.configuration.catalogue_folder)


def _holds(operation: Operation, words: list[str]) -> bool:
    text = f"{operation.name} {operation.method} {operation.template} {operation.area}".lower()
    return all(word in text for word in words)


def _row(operation: Operation) -> dict[str, Any]:
    return {
        "name": operation.name,
        "entity": operation.entity,
        "action": operation.action,
        "method": operation.method,
        "path": operation.template,
        "area": operation.area,
        "effect": operation.effect,
        "deprecated": bool(operation.deprecated),
        "removed": operation.removed is not None,
    }
