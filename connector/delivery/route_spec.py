"""What a route is made of; a route implies others, which have tasks of their own and deliver them by the same protocol.

`NAME:incoming` takes what was read through the incoming connection's chain, `NAME:input` its requests through the chain
that makes them: where these chains call, their calls are kept with a task like all others. `NAME:gathered` takes what
`NAME` gathered on through the rest of the chain, and `NAME:batch` its batches to their end. `NAME:answer` and
`NAME:error` publish the results of answers and errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connector.config.models import Component
from connector.delivery.route_names import (
    ANSWER,
    BATCH,
    ERROR,
    GATHERED,
    INCOMING,
    INPUT,
    is_intake,
    parent_of,
)
from connector.errors import ConfigurationError, UnknownName
from connector.pipeline import Runtime
from connector.pipeline.chains import SplitChain, split_chain
from connector.pipeline.spec import OutgoingSpec, Writer
from connector.publishers.file import FileWriter
from connector.suggestions import closest
from connector.transform import Chain

if TYPE_CHECKING:
    from connector.config import Configuration
    from connector.config.models import Outgoing, Response, Route

__all__ = [
    "ANSWER",
    "BATCH",
    "ERROR",
    "GATHERED",
    "INCOMING",
    "INPUT",
    "RouteSpec",
    "implied_routes",
    "incoming_chain",
    "input_chain",
    "is_intake",
    "parent_of",
    "route_spec",
]

NOTHING = Chain(())


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteSpec(OutgoingSpec):
    """A route, or one that it implies.

    Attributes:
        route: the name of the one that is configured.
        settings: what is configured of it.
    """

    name: str
    route: str
    settings: Route

    @property
    def gathers(self) -> bool:
        """Whether many documents go on as one."""
        return self.chain.gather is not None and not self.name.endswith(GATHERED)

    @property
    def is_intake(self) -> bool:
        """Whether it takes what is read to the route, and delivers nothing itself."""
        return is_intake(self.name)

    @property
    def batches(self) -> bool:
        """Whether its requests go out together, in batches."""
        return self.outgoing.transport == "batch" and self.name == self.route

    @property
    def window(self) -> str | None:
        """By when its background responses are made, for less money."""
        return self.outgoing.window if self.outgoing.transport == "background" else None


def implied_routes(runtime: Runtime, route: str) -> tuple[str, ...]:
    """Return the routes that a configured route implies."""
    settings, to = _find(runtime.configuration, route)
    gathered = (route + GATHERED,) if _chain(runtime, route, settings, to).gather is not None else ()
    batches = (route + BATCH,) if to.transport == "batch" else ()
    published = tuple(route + ending for ending, response in _responses(to) if response and calls(response))
    return _implied_intake(runtime, route, settings) + gathered + batches + published


def _implied_intake(runtime: Runtime, route: str, settings: Route) -> tuple[str, ...]:
    """Return what is implied for chains of the incoming connection that call."""
    incoming: Any = runtime.configuration.incoming.get(settings.incoming)
    if incoming is None or incoming.subscriber.prototype == "route":
        return ()  # what reads another route's answers is a part of that route's attempts
    chain, asks = incoming_chain(runtime, settings.incoming), input_chain(runtime, settings.incoming)
    gathers = any(getattr(stage, "gather", None) is not None for stage in chain.stages)
    # Tasks may be left of a time when the chain called.
    documents = (route + INCOMING,) if chain.stages else ()
    groups = (route + INCOMING + GATHERED,) if gathers else ()
    return documents + groups + ((route + INPUT,) if asks.stages else ())


def incoming_chain(runtime: Runtime, incoming: str) -> Chain:
    """Return what an incoming connection's documents go through."""
    found: Any = runtime.configuration.find("incoming", incoming)
    return runtime.chain(found.chain, f"incoming.{incoming}.chain")


def input_chain(runtime: Runtime, incoming: str) -> Chain:
    """Return what an incoming connection's requests go through."""
    found: Any = runtime.configuration.find("incoming", incoming)
    return runtime.chain(found.input, f"incoming.{incoming}.input")


def route_spec(runtime: Runtime, name: str) -> RouteSpec:
    """Return what a route of this name does; ConfigurationError when it cannot work as a route."""
    route, ending = parent_of(name)
    settings, to = _find(runtime.configuration, route)
    where = f"outgoing.{settings.outgoing}"
    if settings.disabled or to.disabled:
        raise ConfigurationError(
            f"route {route!r} is disabled" if settings.disabled else f"route {route!r}: {where} is disabled"
        )
    if ending in (ANSWER, ERROR):
        return _response_spec(runtime, name, settings, to)
    if is_intake(name):
        return _intake_spec(runtime, name, settings, to)
    base = OutgoingSpec.of(runtime, settings.outgoing)
    for writer in base.writers:
        _check_writer(writer, route)
    return RouteSpec(
        name=name,
        route=route,
        settings=settings,
        outgoing=to,
        chain=_chain(runtime, route, settings, to),
        request=base.request,
        writer=base.writer,
        answer=base.answer,
        error=base.error,
    )


def calls(response: Response) -> bool:
    """Return whether responses are published by calls, and so by tasks of their own."""
    return response.publisher is not None and response.publisher.prototype not in ("file", "none")


def _response_spec(runtime: Runtime, name: str, settings: Route, to: Outgoing) -> RouteSpec:
    route, ending = parent_of(name)
    response = dict(_responses(to))[ending]
    if response is None or response.publisher is None:
        raise ConfigurationError(f"route {route!r} has no publisher for what {name!r} would publish")
    return RouteSpec(
        name=name,
        route=route,
        settings=settings,
        outgoing=to,
        chain=SplitChain(NOTHING, None, NOTHING),
        request=None,
        writer=Writer(runtime, response.publisher, f"outgoing.{settings.outgoing}.{ending[1:]}.publisher"),
    )


def _intake_spec(runtime: Runtime, name: str, settings: Route, to: Outgoing) -> RouteSpec:
    """Return what takes on what is read; it delivers nothing, so nothing of the outgoing connection is its own."""
    where = f"incoming.{settings.incoming}"
    asks = name.endswith(INPUT)
    chain = (input_chain if asks else incoming_chain)(runtime, settings.incoming)
    return RouteSpec(
        name=name,
        route=parent_of(name)[0],
        settings=settings,
        outgoing=to,
        chain=SplitChain(NOTHING, None, chain) if asks else split_chain(chain, f"{where}.chain"),
        request=None,
        writer=Writer(runtime, Component(prototype="none"), where),
    )


def _find(configuration: Configuration, route: str) -> tuple[Route, Outgoing]:
    if route not in configuration.routes:
        names = list(configuration.routes)
        raise UnknownName("route", route, closest(route, names), f"there are {', '.join(names)}" if names else "")
    settings: Any = configuration.find("routes", route)
    to: Any = configuration.find("outgoing", settings.outgoing)
    return settings, to


def _responses(to: Outgoing) -> list[tuple[str, Response | None]]:
    return [(ANSWER, to.answer), (ERROR, to.error)]


def _chain(runtime: Runtime, route: str, settings: Route, to: Outgoing) -> SplitChain:
    """Return the route's chain and then the outgoing's, as one."""
    first = runtime.chain(settings.chain, f"routes.{route}.chain")
    second = runtime.chain(to.chain, f"outgoing.{settings.outgoing}.chain")
    return split_chain(Chain((*first.stages, *second.stages)), f"route {route!r}")


def _check_writer(writer: Writer, route: str) -> None:
    """Refuse files that are complete only at an end, which a route does not have."""
    writes = writer.writes
    if isinstance(writes, FileWriter) and writes.shared_format in ("json", "parquet", "binary"):
        raise ConfigurationError(
            f"route {route!r} would write one {writes.shared_format} file of all documents, which is whole only at an"
            " end that a route does not have; write jsonl, csv or text, or a file a document: out/&{id}.json"
        )
    if isinstance(writes, FileWriter) and writes.shared_format == "csv" and not writes.columns:
        raise ConfigurationError(
            f"route {route!r} writes csv, whose columns must stay the same; name them in the publisher's `columns`"
        )
