"""The activities of a configuration: one for each outgoing connection, and `call` for the operations it allows."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from temporalio import activity

from connector.aio.tasks import cancel_all
from connector.calls.host_calls import CallAnswer, CallConflict, HostCall, HostCalls
from connector.calls.routes import operation_route, outgoing_route
from connector.calls.upkeep import open_calls
from connector.catalogue import Catalogue
from connector.catalogue.operation import Operation
from connector.config import Configuration
from connector.delivery.attempt import RouteContext
from connector.engine import Store, open_store
from connector.errors import ConfigurationError, ConnectorError
from connector.hosts.direct import call_now
from connector.hosts.offers import callable_outgoing, match_operations
from connector.hosts.temporal.error_types import CONFLICT, INVALID, NOT_DONE
from connector.hosts.temporal.results import as_error, give_answer, give_outcome
from connector.hosts.temporal.watch import beating, call_key, outlast
from connector.http.wait_hints import parse_retry_after
from connector.model import JSON, InvalidRequest, is_document, members
from connector.pipeline import Runtime, load_configuration
from connector.suggestions import closest, did_you_mean

__all__ = ["Activities", "open_activities"]

PREFIX = "temporal/"
"""The beginning of the names of the routes of activities: no route of a configuration has a slash in its name."""
ATTEMPTS = 1000
"""The most there can be: Temporal repeats an activity, and its retry policy says how often and when."""
OPTIONS = ("key",)

Definition = Callable[..., Awaitable[Any]]


@dataclass(slots=True)
class Activities:
    """The activities of a configuration, which share one journal.

    Args:
        runtime: the opened configuration.
        operations: that `call` may make, by name.
        calls: makes the calls that are noted.
    """

    runtime: Runtime
    operations: Mapping[str, Operation]
    calls: HostCalls
    definitions: Sequence[Definition] = ()
    """What a worker takes."""
    _routes: dict[str, RouteContext] = field(default_factory=dict[str, RouteContext])
    _under_way: dict[tuple[str, str, str], asyncio.Task[CallAnswer]] = field(
        default_factory=dict[tuple[str, str, str], asyncio.Task[CallAnswer]]
    )
    """Calls that go on although the attempt that began them may have ended: its repeat is answered by them."""
    _is_leaving: bool = False

    @property
    def names(self) -> list[str]:
        """The types of the activities."""
        return [str(_definition_of(one).name) for one in self.definitions]

    async def publish(self, name: str, document: Any = None, options: Any = None) -> JSON:
        """Publish a document through an outgoing connection; return what its `answer` makes of the answer."""
        return await self._noted(f"{PREFIX}{name}", partial(self._outgoing_route, name), document, options)

    async def call(self, asked: Any = None, options: Any = None) -> JSON:
        """Make one operation: `{operation: …, request: {path, query, payload}}`; return its answer."""
        wanted, request = members(asked).get("operation"), members(asked).get("request", {})
        unknown = sorted({*members(asked)} - {"operation", "request"})
        if not isinstance(wanted, str) or not is_document(request) or unknown:
            shown = f"{unknown[0]!r}" if unknown else f"{_shown(asked)}"
            expected = "{operation: NAME, request: {path, query, payload}} is expected"
            raise as_error(INVALID, f"call: {shown} was given; {expected}")
        operation = self.operations.get(wanted)
        if operation is None:
            allowed = ", ".join(self.operations) or "none"
            meant = did_you_mean(closest(wanted, self.operations)) or f"temporal.operations allows {allowed}"
            raise as_error(INVALID, f"call: the operation {wanted!r} is not allowed here; {meant}")
        if operation.effect.repeatable:
            return await self._direct(operation, request, options)
        route = partial(self._operation_route, operation)
        return await self._noted(f"{PREFIX}call {operation.name}", route, request, options)

    async def leave(self) -> None:
        """Leave what is under way for other workers: what was sent is in the journal."""
        self._is_leaving = True
        await cancel_all(*self._under_way.values())

    @property
    def client(self) -> str:
        """The client that operations are called with."""
        configuration = self.runtime.configuration
        return configuration.temporal.client or next(iter(configuration.clients))

    async def _direct(self, operation: Operation, request: dict[str, JSON], options: JSON) -> JSON:
        """Make a call that may be repeated freely: nothing has to be noted."""
        _key_of(options)
        most = self.runtime.configuration.temporal.answer_bytes
        try:
            async with beating(operation.name):
                outcome = await call_now(self.runtime, self.client, operation, request)
        except InvalidRequest as error:
            raise as_error(INVALID, self.runtime.redact(str(error))) from None
        except ConnectorError as error:
            raise as_error(NOT_DONE, self.runtime.redact(str(error)), delay=0.0) from None
        return give_outcome(outcome, most, parse_retry_after(outcome.headers))

    async def _noted(self, name: str, make: Callable[[], RouteContext], document: JSON, options: JSON) -> JSON:
        """Make a call that is noted before it is sent, or return what it came to before."""
        _check_json(document)
        info = activity.info()
        asked = HostCall(
            document=document,
            key=call_key(info, _key_of(options)),
            owner=info.namespace,
            is_left=lambda: self._is_leaving,
        )
        try:
            route = self._routes.get(name) or self._routes.setdefault(name, make())
            async with beating(info.activity_type) as notify:
                call = self._begin(route, asked, notify)
                answer = await outlast(call, partial(self.calls.look, name, asked.owner, asked.key))
        except CallConflict as error:
            raise as_error(CONFLICT, str(error)) from None
        except ConnectorError as error:
            raise as_error(NOT_DONE, self.runtime.redact(str(error)), delay=0.0) from None
        return give_answer(answer, self.runtime.configuration.temporal.answer_bytes)

    def _begin(self, route: RouteContext, asked: HostCall, notify: Callable[[str], None]) -> asyncio.Task[CallAnswer]:
        """Begin a call, or join the same one that an earlier attempt of the activity began."""
        identity = (route.spec.name, asked.owner, asked.key)
        known = self._under_way.get(identity)
        if known is not None and not known.done():
            return known
        begun = self._under_way[identity] = asyncio.create_task(self.calls.call(route, asked, notify))
        begun.add_done_callback(partial(self._forget, identity))
        return begun

    def _forget(self, identity: tuple[str, str, str], call: asyncio.Task[CallAnswer]) -> None:
        if self._under_way.get(identity) is call:
            del self._under_way[identity]
        if not call.cancelled():
            call.exception()  # whoever waited was told; the attempt may have ended before

    def _outgoing_route(self, name: str) -> RouteContext:
        return outgoing_route(self.calls.shared, f"{PREFIX}{name}", name, ATTEMPTS, delay=0.0)

    def _operation_route(self, operation: Operation) -> RouteContext:
        name = f"{PREFIX}call {operation.name}"
        return operation_route(self.calls.shared, name, self.client, operation, ATTEMPTS, delay=0.0)


@asynccontextmanager
async def open_activities(source: Configuration | Path | str, folder: Path | None) -> AsyncGenerator[Activities]:
    """Open the activities of a configuration, and the journal of their calls.

    Args:
        source: the configuration, or the path of its file or folder.
        folder: a catalogue in place of the configuration's.
    """
    configuration = source if isinstance(source, Configuration) else load_configuration(source)
    catalogue = Catalogue.open(folder or configuration.catalogue_folder)
    async with (
        Runtime(configuration, catalogue=catalogue) as runtime,
        _open_engine(configuration) as store,
        open_calls(runtime, store, PREFIX, wait=math.inf, is_patient=False) as calls,
    ):
        activities = Activities(runtime, _operations(configuration, catalogue), calls)
        activities.definitions = _define(activities, configuration)
        try:
            yield activities
        finally:
            await activities.leave()


@asynccontextmanager
async def _open_engine(configuration: Configuration) -> AsyncGenerator[Store]:
    store = await open_store(configuration.temporal_engine_url)
    try:
        yield store
    finally:
        await store.close()


def _operations(configuration: Configuration, catalogue: Catalogue) -> dict[str, Operation]:
    found = match_operations(configuration.temporal.operations, catalogue, "temporal.operations")
    if found and not configuration.clients:
        raise ConfigurationError("temporal.operations: there is no client to call operations with; declare one")
    return {one.name: one for one in found if one.removed is None}


def _define(activities: Activities, configuration: Configuration) -> list[Definition]:
    """Return an activity for each connection, and `call` where an operation is allowed."""
    made: list[Definition] = []
    for name, _ in callable_outgoing(configuration, configuration.temporal.outgoing):
        made.append(activity.defn(name=f"publish {name}")(_publisher(activities, name)))
    if activities.operations:
        made.append(activity.defn(name="call")(_caller(activities)))
    if not made:
        raise ConfigurationError(
            "temporal: there is no activity to offer; declare an outgoing connection, or operations"
        )
    return made


def _publisher(activities: Activities, name: str) -> Definition:
    async def publish(document: Any = None, options: Any = None) -> Any:
        return await activities.publish(name, document, options)

    return publish


def _caller(activities: Activities) -> Definition:
    async def call(asked: Any = None, options: Any = None) -> Any:
        return await activities.call(asked, options)

    return call


def _definition_of(made: Definition) -> Any:
    return getattr(made, "__temporal_activity_definition")


def _key_of(options: JSON) -> str:
    """Return the key that a workflow gives its call, if it gives one."""
    if options is None:
        return ""
    key = members(options).get("key")
    if not is_document(options) or {*options} - {*OPTIONS} or not isinstance(key, str) or not key:
        raise as_error(INVALID, f"the second argument is {_shown(options)}; {{key: TEXT}} is expected, or nothing")
    return key


def _check_json(document: JSON) -> None:
    try:
        orjson.dumps(document)
    except TypeError:
        kind = type(document).__name__
        raise as_error(INVALID, f"the document is {kind}; JSON is expected: an object, a list or a text") from None


def _shown(value: Any) -> str:
    return repr(value)[:100]
