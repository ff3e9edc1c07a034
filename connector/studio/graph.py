"""How routes do, and how documents flow through them, from the configuration and the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from connector.config import Configuration
from connector.config.models import Response, Route
from connector.delivery.budget import read_budget
from connector.delivery.route_spec import parent_of
from connector.engine import TaskState
from connector.http.policy import Actor
from connector.model import JSON, is_document
from connector.runtime.plan import source_of
from connector.runtime.route_control import RoutePause, read_pauses
from connector.runtime.scheduler import Recurrence
from connector.runtime.stalls import STALLS, Stall, read_stalls
from connector.studio.context import StudioContext
from connector.studio.schemas.base import Price, as_time
from connector.studio.schemas.overview import (
    BudgetState,
    Graph,
    GraphEdge,
    GraphNode,
    PauseInfo,
    RouteStatus,
)

__all__ = ["RouteFacts", "build_graph", "describe_route", "read_facts"]

Counts = Mapping[str, Mapping[TaskState, int]]


@dataclass(frozen=True, slots=True)
class RouteFacts:
    """What the store says of all routes at one time.

    Attributes:
        stalls: by the name of a route, implied ones included.
    """

    counts: Counts
    pauses: Mapping[str, RoutePause]
    stalls: Mapping[str, Stall]

    def counts_of(self, route: str) -> dict[str, int]:
        """Return the tasks of a configured route and those that it implies, by state."""
        found: dict[str, int] = {}
        for name, states in self.counts.items():
            if parent_of(name)[0] == route:
                for state, number in states.items():
                    found[state.value] = found.get(state.value, 0) + number
        return found

    def pause_of(self, route: str) -> PauseInfo | None:
        """Return why nothing of a route goes on: somebody paused it, or something must be mended."""
        by_hand = self.pauses.get(route)
        if by_hand is not None:
            reason = by_hand.reason or "no reason was given"
            return PauseInfo(reason=reason, by=by_hand.by, since=as_time(by_hand.since), resumable=True)
        stall = self.stalls.get(route)
        if stall is None or not stall.whole or stall.who in ("", Actor.OPENAI):
            return None
        return PauseInfo(reason=stall.reason, since=as_time(stall.since), resumable=False)


async def read_facts(context: StudioContext) -> RouteFacts:
    """Return what the store says of all routes now."""
    counts = await context.store.counts()
    context.rates.note(counts)
    stalls = read_stalls(await context.store.records(STALLS))
    return RouteFacts(counts, await read_pauses(context.store), {stall.route: stall for stall in stalls})


async def describe_route(context: StudioContext, name: str, facts: RouteFacts) -> RouteStatus:
    """Return how one route does."""
    configuration = context.configuration
    route = configuration.routes[name]
    stall = facts.stalls.get(name)
    return RouteStatus(
        name=name,
        incoming=route.incoming,
        outgoing=route.outgoing,
        description=route.description,
        disabled=route.disabled,
        counts=facts.counts_of(name),
        rate=context.rates.of(name),
        oldest=as_time(await context.store.oldest(name)),
        paused=facts.pause_of(name),
        waits=stall.reason if stall else "",
        next_run=as_time(_next_run(configuration, name, context.clock())),
        budget=await _read_budget(context, name, route),
        readable=source_of(configuration, name) is None,
    )


async def _read_budget(context: StudioContext, name: str, route: Route) -> BudgetState | None:
    budget = route.budget
    if budget is None:
        return None
    currency = context.configuration.currency
    view = await read_budget(context.store, name, budget, context.clock())
    limit = None if budget.amount is None else Price(amount=budget.amount, currency=currency)
    return BudgetState(
        period=budget.every,
        spent=Price(amount=round(view.spent.cost, 9), currency=currency),
        limit=limit,
        tokens=view.spent.tokens,
        token_limit=budget.tokens,
        reserved=Price(amount=round(view.reserved.cost, 9), currency=currency),
        stopped=Price(amount=round(view.stopped.cost, 9), currency=currency) if budget.shadow else None,
        shadow=budget.shadow,
    )


def _next_run(configuration: Configuration, name: str, now: float) -> float | None:
    """Return when a schedule reads a route next."""
    incoming = configuration.routes[name].incoming
    due = [
        Recurrence(schedule.every, schedule.timezone).next_after(now)
        for schedule in configuration.schedules.values()
        if schedule.every is not None and not schedule.disabled
        for job in schedule.run
        if name in (job.route, job.name) or incoming in (job.incoming, job.name)
    ]
    return min(due, default=None)


def build_graph(context: StudioContext, routes: list[RouteStatus], facts: RouteFacts) -> Graph:
    """Return how documents flow: incoming connections, routes, outgoing ones, and where their answers go."""
    nodes: dict[str, GraphNode] = {}
    edges: dict[tuple[str, str], None] = {}
    for status in routes:
        for node, before in _stops(context.configuration, status, facts):
            nodes.setdefault(node.id, node)
            if before:
                edges[before, node.id] = None
    links = [GraphEdge(source=source, target=target) for source, target in edges]
    return Graph(nodes=list(nodes.values()), edges=links)


def _stops(configuration: Configuration, status: RouteStatus, facts: RouteFacts) -> Iterator[tuple[GraphNode, str]]:
    """Yield the stops of a route's documents, each with the one before it."""
    incoming, outgoing = configuration.incoming.get(status.incoming), configuration.outgoing.get(status.outgoing)
    if incoming is None or outgoing is None:
        return
    source = source_of(configuration, status.name)
    first = f"incoming:{status.incoming}"
    text = _describe(incoming.subscriber.prototype, incoming.subscriber.raw_parameters)
    before = "" if source is None else _end_of(configuration, source)
    yield GraphNode(id=first, kind="incoming", name=status.incoming, text=text), before
    here = f"route:{status.name}"
    yield (
        GraphNode(
            id=here,
            kind="route",
            name=status.name,
            text=_steps(len(incoming.raw_chain) + len(configuration.routes[status.name].raw_chain)),
            counts=status.counts,
            rate=status.rate,
            paused=status.paused,
            budget=status.budget,
        ),
        first,
    )
    target = f"outgoing:{status.outgoing}"
    text = _describe(outgoing.publisher.prototype, outgoing.publisher.raw_parameters)
    yield GraphNode(id=target, kind="outgoing", name=status.outgoing, text=text), here
    responses: tuple[tuple[Literal["answer", "error"], Response | None], ...] = (
        ("answer", outgoing.answer),
        ("error", outgoing.error),
    )
    for kind, response in responses:
        if response is not None:
            yield _response_stop(status.name, kind, response, facts), target


def _response_stop(route: str, kind: Literal["answer", "error"], response: Response, facts: RouteFacts) -> GraphNode:
    implied = f"{route}:{kind}"
    states = facts.counts.get(implied)
    counts = {state.value: number for state, number in states.items()} if states else None
    publisher = response.publisher
    text = _describe(publisher.prototype, publisher.raw_parameters) if publisher else _steps(len(response.raw_chain))
    return GraphNode(id=f"{kind}:{route}", kind=kind, name=implied, text=text, counts=counts)


def _end_of(configuration: Configuration, route: str) -> str:
    """Return the id of the stop that a route's answers come from."""
    outgoing = configuration.routes[route].outgoing
    has_answer = outgoing in configuration.outgoing and configuration.outgoing[outgoing].answer is not None
    return f"answer:{route}" if has_answer else f"outgoing:{outgoing}"


def _describe(prototype: str, parameters: JSON) -> str:
    """Return what a connection does, in short; nothing that may be a secret."""
    known = parameters if is_document(parameters) else {}
    words = [str(known[name]) for name in ("entity", "action", "route") if isinstance(known.get(name), str)]
    return f"{prototype}: {' '.join(words)}" if words else prototype


def _steps(count: int) -> str:
    return "" if not count else "1 step" if count == 1 else f"{count} steps"
