"""The calls that documents would become: chains run, requests are made, and nothing is sent."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field, replace

from connector.delivery.payload_tokens import Asked, count_payload
from connector.delivery.route_spec import RouteSpec, route_spec
from connector.delivery.transports import shape_request
from connector.errors import ConnectorError
from connector.model import JSON, Outcome, State
from connector.offline import offline_mode
from connector.pipeline import Runtime
from connector.pipeline.chains import Gatherer, apply
from connector.pipeline.explain import without_effects
from connector.publishers import CallIntent
from connector.transform import Chain, Scope
from connector.transform.context import Locks

__all__ = ["Made", "make_requests"]


@dataclass(slots=True)
class Made:
    """What a sample of documents would ask for.

    Attributes:
        asked: the calls that may be paid for.
        intents: the same, as they would be sent.
        free: how many calls cost nothing, or are not calls of the API.
        skipped: how many documents the chain leaves out.
        unfit: documents that make no request, with the reasons.
        stopped: how many calls the chain would make, whose answers it needs.
    """

    documents: int = 0
    asked: list[Asked] = field(default_factory=list[Asked])
    intents: list[CallIntent] = field(default_factory=list[CallIntent])
    free: int = 0
    skipped: int = 0
    unfit: list[str] = field(default_factory=list[str])
    stopped: int = 0


async def make_requests(runtime: Runtime, route: str, documents: Sequence[JSON]) -> Made:
    """Return what documents of a route would ask for."""
    made = Made(documents=len(documents))

    async def refuse(client: str, kind: str, request: JSON) -> Outcome:  # noqa: ARG001  the capability's signature
        made.stopped += 1
        return Outcome(State.NOT_SENT, reason="nothing is sent here, and the chain needs this answer to go on")

    quiet = copy(runtime)
    quiet.chained = replace(without_effects(runtime), call=refuse)
    spec = route_spec(quiet, route)
    caught: list[CallIntent] = []

    async def catch(intent: CallIntent) -> Outcome:
        caught.append(intent)
        return Outcome(State.DONE)

    context = replace(spec.context(quiet), chained=quiet.chained, perform=catch)
    with offline_mode():
        for document in await _apply_chain(spec, quiet, documents, made):
            if not spec.writer.kind.performs:
                made.free += 1
                continue
            try:
                request = spec.complete(document, Scope(quiet.chained))
                if spec.outgoing.transport != "single":
                    request = shape_request(request, spec.outgoing.transport, 1, spec.outgoing)
                outcome = await spec.writer.writes.publish(request, context)
            except ConnectorError as error:
                made.unfit.append(str(error))
                continue
            if not outcome.ok:
                made.unfit.append(outcome.sentence())
    for intent in caught:
        _add(made, intent)
    return made


def _add(made: Made, intent: CallIntent) -> None:
    call = intent.call
    operation = call.wire.operation if call is not None else None
    paid = operation.cost is not None if operation is not None else intent.effect.value != "none"
    asked = count_payload(intent.operation, call.payload) if call is not None else None
    if asked is None or not paid or not asked.model:
        made.free += 1
        return
    made.asked.append(asked)
    made.intents.append(intent)


async def _apply_chain(spec: RouteSpec, runtime: Runtime, documents: Sequence[JSON], made: Made) -> list[JSON]:
    if spec.chain.gather is None:
        return [one for document in documents for one in await _apply(spec.chain.after, runtime, document, made)]
    gatherer: Gatherer[int] = Gatherer(spec.chain.gather, runtime.chained)
    groups: list[JSON] = []
    for number, document in enumerate(documents):
        before = await _apply(spec.chain.before, runtime, document, made)
        groups += [group.document for group in gatherer.take(number, before)]
    groups += [group.document for group in gatherer.rest()]
    return [one for group in groups for one in await _apply(spec.chain.after, runtime, group, made)]


async def _apply(chain: Chain, runtime: Runtime, document: JSON, made: Made) -> list[JSON]:
    applied = await apply(chain, document, runtime.chained, Locks())
    if applied.failed is not None and not made.stopped:
        made.unfit.append(str(applied.failed))
    elif applied.failed is None and not applied.documents:
        made.skipped += 1
    return applied.documents if applied.failed is None else []
