"""Transports other than single calls: what they take, and background responses until they are done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from connector.config.rules.routes import TRANSPORT_PATHS
from connector.delivery.call_history import transport_of_call
from connector.delivery.call_journal import CallJournal
from connector.delivery.call_records import encode_outcome
from connector.delivery.context import DeliveryContext
from connector.engine import CallEnd, CallRecord, Task, TaskState, failpoints
from connector.errors import ConfigurationError
from connector.model import JSON, Outcome, State, is_object, members
from connector.pipeline import Runtime
from connector.pipeline.decisions import AttemptEnded
from connector.publisher import Publisher
from connector.publishers import ClientCall
from connector.publishers.intent import client_intent, perform_now
from connector.request import Wire
from connector.resilience import Backoff

if TYPE_CHECKING:
    from connector.config import Configuration
    from connector.config.models import Outgoing
    from connector.delivery.route_spec import RouteSpec

__all__ = [
    "WINDOW",
    "Background",
    "Target",
    "find_begun",
    "has_begun",
    "is_background",
    "shape_request",
    "target_of",
    "transport_of",
]

OPENAI, AZURE = "openai", "azure-openai"
WINDOW = "window-"
"""How the name of a background response with a window begins."""


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a transport calls, and the path of what it asks."""

    client: str
    path: str


def transport_of(configuration: Configuration, route: str) -> str:
    """Return how the requests of a configured route go out."""
    return configuration.outgoing[configuration.routes[route].outgoing].transport


def target_of(runtime: Runtime, spec: RouteSpec) -> Target:
    """Return whom a route's transport calls; raise ConfigurationError when it cannot take the route's requests."""
    transport = spec.outgoing.transport
    where = f"outgoing.{spec.settings.outgoing}: transport: {transport}"
    kind, parameters = spec.writer.kind.name, spec.writer.parameters
    if kind != OPENAI:
        raise ConfigurationError(f"{where} takes a publisher of kind {OPENAI!r}, and this one is of kind {kind!r}")
    name: str = getattr(parameters, "client", "")
    client = runtime.client(name)
    operation = Publisher(client, getattr(parameters, "entity", ""), getattr(parameters, "action", None)).operation
    path = operation.template
    if operation.method != "POST" or path not in TRANSPORT_PATHS[transport]:
        paths = ", ".join(TRANSPORT_PATHS[transport])
        raise ConfigurationError(f"{where} takes POST {paths}; the publisher calls {operation.method} {path}")
    if transport != "flex" and getattr(parameters, "to", None) is not None:
        raise ConfigurationError(f"{where} has no answers that could go to a file; leave `to` out, or use `answer`")
    if transport == "batch":
        _check_batch(spec, client.prototype.name, where)
    return Target(name, path)


def shape_request(request: JSON, transport: str, attempt: int, to: Outgoing) -> JSON:
    """Return the request as its transport needs it; the document's own values win.

    Args:
        request: what the document became.
        transport: how it goes out.
        attempt: which attempt of its task it is, from 1.
        to: the outgoing connection, with the settings of its transport.
    """
    payload = request.get("payload") if is_object(request) else None
    if not is_object(request) or not is_object(payload):
        return request
    if is_background(transport):
        by = transport.removeprefix(WINDOW) if transport.startswith(WINDOW) else to.window
        window = {} if by is None else {"background_options": {"completion_window": by}}
        return {**request, "payload": {**window, **payload, "background": True}}
    if transport == "priority":
        return {**request, "payload": {"service_tier": transport, **payload}}
    if transport == "flex":
        after = to.flex.default_after
        tier = "default" if after is not None and attempt > after else "flex"
        return {**request, "payload": {"service_tier": tier, **payload}}
    return request


def is_background(transport: str) -> bool:
    """Return whether requests are answered in the background."""
    return transport == "background" or transport.startswith(WINDOW)


def _check_batch(spec: RouteSpec, prototype: str, where: str) -> None:
    if prototype == AZURE:
        raise ConfigurationError(f"{where} is for clients of OpenAI's own form, not {AZURE}; use transport: single")
    if spec.chain.gather is not None:
        raise ConfigurationError(
            f"{where} gathers requests itself, and so does an aggregate in the chain of route {spec.route!r};"
            " gather in the chain of a route whose answers this one reads, or use transport: single"
        )


UNDER_WAY = ("queued", "in_progress")
IN_VAIN = ("failed", "cancelled")
BACKOFF = Backoff(1.0, 30.0)
"""The delays between two questions after a response."""
LOOK, MOST_LOOK = 2.0, 60.0
"""Seconds between two questions where the task waits meanwhile, more the older it is."""


def find_begun(task: Task, request: JSON) -> str:
    """Return how an earlier attempt asked for a background response that the request does not ask for itself."""
    begun = next((call for call in task.calls if _is_background(call)), None)
    if begun is None or "background" in members(members(request).get("payload")):
        return ""
    asked = transport_of_call(begun)
    return asked if asked.startswith(WINDOW) else "background"


def has_begun(task: Task) -> bool:
    """Return whether an earlier attempt has made a background response."""
    return any(_is_background(call) for call in task.calls)


def _is_background(call: CallRecord) -> bool:
    made = members(members(call.outcome).get("body"))
    asked = members(members(call.request).get("body"))
    return call.state == State.DONE and made.get("object") == "response" and asked.get("background") is True


class Background:
    """The background responses of one attempt.

    Args:
        target: the client's name.
        stays: whether the attempt lasts until a response is there; else the task waits meanwhile, and takes no place.
    """

    def __init__(
        self, shared: DeliveryContext, journal: CallJournal, task: Task, target: str, *, stays: bool = True
    ) -> None:
        self._stays = stays
        self._shared = shared
        self._journal = journal
        self._task = task
        self._target = target

    async def answer(self, made: Outcome) -> Outcome:
        """Return what a response that was made, now or in an earlier attempt, comes to."""
        response = members(made.body).get("id")
        if not isinstance(response, str) or members(made.body).get("status") not in UNDER_WAY:
            return made
        await self._journal.flush()  # from now on it is known by its id
        failpoints.reach("background.kept")
        outcome = await self._wait_until_done(response)
        status = members(outcome.body).get("status")
        if outcome.ok and status in IN_VAIN:
            error = members(members(outcome.body).get("error"))
            reason = f"{response} is {status}: {error.get('message') or 'the API says no more'}"
            outcome = replace(outcome, state=State.REFUSED, reason=reason, action="fail")
            await self._revoke(response, outcome)
        return outcome

    async def _wait_until_done(self, response: str) -> Outcome:
        client = self._shared.runtime.client(self._target)

        def prepare(request: Mapping[str, JSON]) -> Wire:
            return client.prepare("responses retrieve", request)

        request: JSON = {"path": {"response_id": response}}
        sent = ClientCall(client=client, wire=prepare(request), request=request, prepare=prepare)
        intent, looks = client_intent(self._target, sent), 0
        while True:
            outcome = await perform_now(intent)
            if outcome.status == 404:
                reason = f"{response} is not there any more, and it may have been paid for"
                return replace(outcome, state=State.UNKNOWN, reason=reason)
            if outcome.ok and members(outcome.body).get("status") not in UNDER_WAY:
                failpoints.reach("background.done")
                return await self._journal.perform(intent)
            if not self._stays:
                reason = f"{response} is {members(outcome.body).get('status') or outcome.sentence()}"
                now = self._shared.wall()
                due = now + min(max((now - self._task.created) / 8, LOOK), MOST_LOOK)
                raise AttemptEnded(TaskState.WAITING, reason, due=due, uncounted=True)
            await self._shared.timing.sleep(BACKOFF.delay(looks))
            looks += 1

    async def _revoke(self, response: str, outcome: Outcome) -> None:
        """Record that the call is not done after all, so that a retry makes another response."""
        known = await self._shared.store.task(self._task.id)
        for call in known.calls if known is not None else ():
            if members(members(call.outcome).get("body")).get("id") == response and call.state == State.DONE:
                end = CallEnd(
                    task=call.task,
                    attempt=call.attempt,
                    number=call.number,
                    ended=self._shared.wall(),
                    state=outcome.state,
                    outcome=encode_outcome(outcome, self._shared.redact)[0],
                )
                self._journal.apply_ends([end])
