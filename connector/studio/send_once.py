"""The request that a document becomes in an outgoing connection: explained with its price, and sent once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from connector.catalogue.description import REPEATS
from connector.config import Configuration
from connector.errors import ConfigurationError
from connector.model import JSON, Effect, Outcome, State, is_list, is_object, members
from connector.offline import offline_mode
from connector.pipeline import Runtime
from connector.pipeline.explain import explain_outgoing, without_effects
from connector.pipeline.spec import OutgoingSpec
from connector.publishers import CallIntent, ClientCall
from connector.request import Redactor
from connector.studio.call_prices import price_request, read_cost
from connector.studio.context import StudioContext
from connector.studio.playground import without_secrets
from connector.studio.problems import Detail, Refused
from connector.studio.sandboxes import find_sandboxes
from connector.studio.schemas.operations import CallResult, Explained
from connector.transform import Failed, Scope

__all__ = ["Confirmed", "explain_request", "prepare_record", "send_request", "show_outcome", "with_chain"]


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What a person was told before, and agreed to."""

    effect: Effect
    environment: str


def with_chain(configuration: Configuration, name: str, steps: JSON) -> Configuration:
    """Return a configuration in which an outgoing connection has another chain."""
    entry: Any = configuration.find("outgoing", name)
    chain = [steps] if isinstance(steps, str) or is_object(steps) else steps
    changed = {**configuration.outgoing, name: entry.model_copy(update={"raw_chain": chain})}
    return replace(configuration, outgoing=MappingProxyType(changed))


async def explain_request(
    context: StudioContext, configuration: Configuration, name: str, document: JSON
) -> list[Explained]:
    """Return the requests that an outgoing connection would make of a document; none where its chain drops it."""
    async with Runtime(configuration) as runtime:
        runtime.chained = without_secrets(configuration, runtime.chained)
        intents = await _prepare(runtime, name, document)
        if not intents:
            return []
        explained = await explain_outgoing(runtime, name, document)
        shown = explained if is_list(explained) else [explained]
        sandboxes = await find_sandboxes(context)
        return [
            _describe(context, members(request), intent, sandboxes)
            for request, intent in zip(shown, intents, strict=True)
        ]


def _describe(
    context: StudioContext, request: Mapping[str, JSON], intent: CallIntent, sandboxes: Mapping[str, str]
) -> Explained:
    call = _call_of(intent)
    return Explained(
        request=dict(request),
        curl=call.client.explain(call.wire).as_curl(),
        effect=intent.effect,
        repeats=REPEATS[intent.effect],
        most=price_request(context.configuration, call.wire.operation, call.request),
        client=intent.target,
        environment=_environment(intent.target, sandboxes),
    )


async def send_request(
    context: StudioContext, configuration: Configuration, name: str, document: JSON, confirmed: Confirmed
) -> CallResult:
    """Send the one request that a document becomes, as production would; raise Refused where it is another one."""
    async with Runtime(configuration) as runtime:
        intents = await _prepare(runtime, name, document)
        if len(intents) != 1:
            made = f"{len(intents)} requests" if intents else "no request"
            raise Refused(
                409, f"the chain makes {made} of the document; nothing was sent", "send a document that becomes one"
            )
        (intent,) = intents
        _check(confirmed, intent, await find_sandboxes(context))
        began = context.monotonic()
        outcome = await intent.make(intent, intent.on_unknown, None)
        seconds = context.monotonic() - began
        return CallResult(
            state=outcome.state.value,
            sentence=runtime.redact("done" if outcome.ok else outcome.sentence()),
            outcome=show_outcome(outcome, runtime.redact),
            cost=read_cost(context.configuration, outcome, _call_of(intent).request),
            seconds=round(seconds, 3),
        )


async def prepare_record(configuration: Configuration, name: str, document: JSON) -> JSON:
    """Return the one request of a document as a recorded call of a test case describes it."""
    async with Runtime(configuration) as runtime:
        intents = await _prepare(runtime, name, document)
    if len(intents) != 1:
        raise Refused(422, "only a document that becomes one request has a recorded answer", "save it without one")
    call = _call_of(intents[0])
    recorded: dict[str, JSON] = {"method": call.wire.method, "path": call.wire.path}
    return recorded | ({} if call.payload is None else {"payload": call.payload})


def _check(confirmed: Confirmed, intent: CallIntent, sandboxes: Mapping[str, str]) -> None:
    found = Confirmed(intent.effect, _environment(intent.target, sandboxes))
    if found != confirmed:
        raise Refused(
            409,
            f"the request goes to the {_word(found)} with the effect {found.effect}; confirmed was {confirmed.effect},"
            f" to the {_word(confirmed)}; nothing was sent",
            f"explain it anew, and confirm what is said: {REPEATS[found.effect]}",
            kind="moved",
        )


def _call_of(intent: CallIntent) -> ClientCall:
    """Return the client's part of a call: what a publisher performs here, a client makes."""
    if intent.call is None:
        raise ConfigurationError(f"{intent.target} takes no call of a client, so that it cannot be sent from here")
    return intent.call


def _word(confirmed: Confirmed) -> str:
    return "sandbox" if confirmed.environment == "sandbox" else "API"


def _environment(client: str, sandboxes: Mapping[str, str]) -> str:
    return "sandbox" if client in sandboxes else "api"


async def _prepare(runtime: Runtime, name: str, document: JSON) -> list[CallIntent]:
    """Return the calls that an outgoing connection would make of a document, none of which is made."""
    spec = OutgoingSpec.of(runtime, name)
    if not spec.writer.kind.performs:
        raise ConfigurationError(
            f"outgoing {name!r} calls no API ({spec.writer.kind.name}): put the document on a route to write it"
        )
    failures: list[Failed] = []

    def fail(_: JSON, error: Failed) -> None:
        failures.append(error)

    chained = replace(without_effects(runtime), on_failed=fail)
    with offline_mode():
        made = [each async for each in spec.chain.whole.arun((document,), chained)]
    if failures:
        raise failures[0]
    intents: list[CallIntent] = []

    async def note(intent: CallIntent) -> Outcome:
        intents.append(intent)
        return Outcome(State.NOT_SENT, reason="it is only prepared")

    given = replace(spec.context(runtime), chained=chained, perform=note, call=runtime.calls(note))
    for number, each in enumerate(made, 1):
        outcome = await spec.writer.writes.publish(spec.complete(each, Scope(chained)), given)
        if len(intents) != number:
            wrong = [Detail(where=one.where, found=one.found, allowed=one.allowed) for one in outcome.faults]
            raise Refused(422, "the chain makes no valid request of the document", "mend what `errors` names",
                          kind="invalid", errors=wrong or [Detail(where="request", found=outcome.reason)])  # fmt: skip
    return intents


def show_outcome(outcome: Outcome, redactor: Redactor) -> dict[str, Any]:
    """Return an outcome without secrets; bytes are told by their number."""
    document: dict[str, Any] = outcome.as_document()
    if isinstance(outcome.body, bytes):
        document["body"] = {"bytes": len(outcome.body)}
    document["headers"] = redactor.headers(dict(outcome.headers))
    return dict(members(redactor.value(document)))
