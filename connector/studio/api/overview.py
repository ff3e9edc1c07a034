"""The overview: what needs a person now comes first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from fastapi import APIRouter

from connector.model_registry import LifeCycle, current_day, default_registry, load_registry
from connector.studio.access import Context, Viewer
from connector.studio.context import StudioContext
from connector.studio.graph import RouteFacts, build_graph, describe_route, read_facts
from connector.studio.schemas.overview import BudgetState, Concern, Overview, RouteStatus
from connector.studio.status import count_attention, read_runner

__all__ = ["router"]

router = APIRouter(tags=["overview"])
LIVE = ("new", "processing", "waiting")


@router.get("/overview", summary="See everything at a glance")
async def read_overview(context: Context, _: Viewer) -> Overview:
    """Return what needs a person now, how each route does, and how documents flow through them."""
    facts = await read_facts(context)
    routes = [await describe_route(context, name, facts) for name in context.configuration.routes]
    attention = list(_find_concerns(context, routes, facts, is_running=(await read_runner(context)).alive))
    return Overview(attention=attention, routes=routes, graph=build_graph(context, routes, facts))


def _find_concerns(
    context: StudioContext, routes: Sequence[RouteStatus], facts: RouteFacts, *, is_running: bool
) -> Iterator[Concern]:
    """Yield what needs a person, the most urgent first: what may be paid twice, what stands still, what failed."""
    if context.faults:
        text = "The configuration has errors, so the one before stays in force: " + context.faults.partition("\n")[0]
        yield Concern(kind="configuration", text=text, link="/configuration")
    unknown = count_attention(facts.counts, ()).unknown
    if unknown:
        tasks = _count(unknown, "task has a call that", "tasks have calls that")
        yield Concern(
            kind="unknown", text=f"{tasks} may have taken effect: look before they are repeated", link="/unknown"
        )
    waiting = sum(status.counts.get(state, 0) for status in routes for state in LIVE)
    if waiting and not is_running:
        tasks = _count(waiting, "task waits", "tasks wait")
        yield Concern(kind="runner", text=f"{tasks}, and no run is at work: start `openai-connector run`", link="/")
    for status in routes:
        yield from _concerns_of(status)
    yield from _model_concerns(context)


def _model_concerns(context: StudioContext) -> Iterator[Concern]:
    """Yield the models of the configuration that were shut down, or stop soon."""
    folder, day = context.configuration.catalogue_folder, current_day()
    registry = default_registry() if folder is None else load_registry(folder)
    for name in sorted(context.mentioned_models()):
        model = registry.find(name)
        life_cycle = LifeCycle.ACTIVE if model is None else model.life_cycle(day)
        if model is None or life_cycle is LifeCycle.ACTIVE:
            continue
        successor = registry.successor(model.name, day)
        verb = "was shut down" if life_cycle is LifeCycle.RETIRED else "stops"
        instead = f"; {successor.name} takes its place" if successor else ""
        yield Concern(kind="model", text=f"Model {name} {verb} on {model.shutdown}{instead}", link="/catalogue")


def _concerns_of(status: RouteStatus) -> Iterator[Concern]:
    here = f"/tasks?route={quote(status.name)}"
    paused = status.paused
    if paused is not None and paused.resumable:
        who = f" by {paused.by}" if paused.by else ""
        yield Concern(kind="paused", text=f"Route {status.name} is paused{who}: {paused.reason}", link=here)
    elif paused is not None:
        yield Concern(kind="stalled", text=f"Route {status.name} stands still: {paused.reason}", link=here)
    budget = status.budget
    if budget is not None and _is_used_up(budget):
        does = "is only watched" if budget.shadow else "waits for the next"
        text = f"Route {status.name} has used up its budget of this {budget.period}, and {does}"
        yield Concern(kind="budget", text=text, link="/money")
    failed = status.counts.get("failed", 0)
    if failed:
        tasks = _count(failed, "task", "tasks")
        yield Concern(kind="failed", text=f"{tasks} of route {status.name} failed", link=f"{here}&state=failed")


def _is_used_up(budget: BudgetState) -> bool:
    amount = budget.limit.amount if budget.limit else None
    spent = budget.spent.amount or 0.0
    return (amount is not None and spent >= amount) or (
        budget.token_limit is not None and budget.tokens >= budget.token_limit
    )


def _count(number: int, one: str, many: str) -> str:
    return f"1 {one}" if number == 1 else f"{number:,} {many}"
