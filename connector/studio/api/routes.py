"""Routes: how they do, and what a run is told about them."""

from __future__ import annotations

from fastapi import APIRouter

from connector.runtime.plan import source_of
from connector.runtime.route_control import pause_record, read_pauses, read_runners, resume_record, run_record
from connector.studio.access import Context, Operator, Viewer
from connector.studio.context import StudioContext
from connector.studio.graph import describe_route, read_facts
from connector.studio.idempotency import EffectRoute
from connector.studio.problems import Refused
from connector.studio.schemas.overview import PauseRequest, RouteStatus

__all__ = ["router"]

router = APIRouter(tags=["routes"], route_class=EffectRoute)


@router.get("/routes", summary="List the routes")
async def list_routes(context: Context, _: Viewer) -> list[RouteStatus]:
    """Return how each route of the configuration does."""
    facts = await read_facts(context)
    return [await describe_route(context, name, facts) for name in context.configuration.routes]


@router.get("/routes/{name}", summary="Read a route")
async def read_route(name: str, context: Context, _: Viewer) -> RouteStatus:
    """Return how a route does."""
    return await _status(context, name)


@router.post("/routes/{name}/pause", summary="Pause a route")
async def pause_route(name: str, given: PauseRequest, context: Context, person: Operator) -> RouteStatus:
    """Deliver and read nothing more of a route, in every run and over restarts, until it is resumed.

    A run obeys within two seconds; tasks under way come to their end.
    """
    _check_there(context, name)
    reason = str(context.redact(given.reason))
    entry = context.audit.record(person, "route pause", f"route {name}", detail={"reason": reason})
    await context.commit(pause_record(name, reason, person.name, context.clock()), entry)
    return await _status(context, name)


@router.post("/routes/{name}/resume", summary="Resume a route")
async def resume_route(name: str, context: Context, person: Operator) -> RouteStatus:
    """End a pause that somebody made; a run obeys within two seconds."""
    _check_there(context, name)
    if name not in await read_pauses(context.store):
        raise Refused(
            409,
            f"route {name!r} is not paused by hand",
            "what else keeps it from going on is in its `waits`, and ends when that is mended",
        )
    await context.commit(resume_record(name), context.audit.record(person, "route resume", f"route {name}"))
    return await _status(context, name)


@router.post("/routes/{name}/run", summary="Read a route now", status_code=202)
async def run_route(name: str, context: Context, person: Operator) -> RouteStatus:
    """Let the run that is at work, or the next one, read a route now, whatever its schedule is."""
    _check_there(context, name)
    source = source_of(context.configuration, name)
    if source is not None:
        raise Refused(409, f"route {name!r} reads the answers of route {source!r}", f"run {source!r}")
    running = bool(await read_runners(context.store, context.clock()))
    entry = context.audit.record(person, "route run", f"route {name}", detail={"a run was at work": running})
    await context.commit(run_record(name, person.name, context.clock()), entry)
    return await _status(context, name)


async def _status(context: StudioContext, name: str) -> RouteStatus:
    _check_there(context, name)
    return await describe_route(context, name, await read_facts(context))


def _check_there(context: StudioContext, name: str) -> None:
    """Raise UnknownName, with suggestions, for a route that is not configured."""
    context.configuration.find("routes", name)
