"""Reports of a task: what was tried, and what its document becomes; nothing is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from connector.delivery.charges import price_kept_calls
from connector.delivery.route_spec import is_intake, parent_of
from connector.engine import CallRecord, Task, TaskState
from connector.errors import ConnectorError
from connector.intake.dead_letters import is_dead_letter
from connector.model import JSON, Effect, Outcome, State
from connector.pipeline import Runtime, explain_outgoing
from connector.pipeline.chains import apply
from connector.pipeline.results import failure_line
from connector.pipeline.storage import Untouched
from connector.telemetry.costs import NO_USAGE, Cost, Prices
from connector.transform.context import Locks

__all__ = ["export_task", "report_task"]

ERRORS = (TaskState.FAILED, TaskState.UNKNOWN)


async def report_task(runtime: Runtime, task: Task) -> dict[str, JSON]:
    """Return everything that is known of a task, without secrets."""
    own = runtime.configuration
    prices = Prices.over_registry(own.prices, own.currency, own.catalogue_folder)
    costs = {id(call): cost for call, cost in price_kept_calls(prices, task.calls)}
    return {
        "id": task.id,
        "route": task.route,
        "state": task.state.value,
        "reason": task.reason,
        "attempts": task.attempts,
        "key": task.key,
        "version": task.version,
        "order": task.order,
        "created": _format_time(task.created),
        "updated": _format_time(task.updated),
        "due": _format_time(task.due),
        "source": task.source or None,
        "carrier": task.carrier or None,
        "trace": task.trace,
        "document": task.document,
        "becomes": await _preview(runtime, task),
        "cost": _report_costs(list(costs.values())),
        "calls": [
            _report_call(call, costs.get(id(call)), by_hand=number < task.retried)
            for number, call in enumerate(task.calls)
        ],
    }


def export_task(task: Task) -> JSON:
    """Return a task as a line that `publish` and a file subscriber read; what may be paid for already says so."""
    if is_dead_letter(task.document) or task.state not in ERRORS:
        return task.document
    paid = [call for call in task.calls if call.state == State.DONE and not Effect(call.effect).repeatable]
    if (
        task.state is TaskState.UNKNOWN
        or (paid and is_intake(task.route))
        or len(paid) > 1
        or (paid and len(task.calls) > 1)
    ):
        done = f"; {len(paid)} of its calls were done" if paid else ""
        return failure_line(task.document, "unknown", f"{task.reason}{done}")
    if paid:
        return failure_line(task.document, "failed", task.reason, outcome=paid[0].outcome)
    return failure_line(task.document, "failed", task.reason)


def _report_costs(costs: Sequence[Cost]) -> JSON:
    """Return what calls used and cost together; None when none was paid for, no amount when a model has no price."""
    if not costs:
        return None
    usage, amounts = sum((cost.usage for cost in costs), NO_USAGE), [cost.amount for cost in costs]
    known = [amount for amount in amounts if amount is not None]
    return {
        "model": ", ".join(dict.fromkeys(cost.model for cost in costs)),
        "input": usage.input,
        "cached_input": usage.cached,
        "output": usage.output,
        "amount": round(sum(known), 9) if len(known) == len(amounts) else None,
        "currency": costs[0].currency,
    }


def _report_call(call: CallRecord, cost: Cost | None, *, by_hand: bool) -> dict[str, JSON]:
    shown: dict[str, JSON] = {
        "attempt": call.attempt,
        "call": call.number,
        "target": call.target,
        "operation": call.operation,
        "effect": call.effect,
        "lookup": call.lookup,
        "state": call.state or "open: nobody saw its end",
        "started": _format_time(call.started),
        "seconds": round(call.ended - call.started, 3) if call.ended else None,
        "cost": None if cost is None else _report_costs([cost]),
        "request": call.request,
        "outcome": call.outcome,
    }
    return {**shown, "before_a_retry_by_hand": True} if by_hand else shown


async def _preview(runtime: Runtime, task: Task) -> JSON:
    """Return the document after each chain, and the requests; a sentence where that is not known."""
    name, implied = parent_of(task.route)
    route = runtime.configuration.routes.get(name)
    if implied or is_dead_letter(task.document):
        return None
    if route is None:
        return f"the configuration has no route {name!r} any more"
    found: dict[str, JSON] = {}
    try:
        documents = await _apply_route_chain(runtime, name, task)
        found["after_route_chain"] = documents
        found["requests"] = [await explain_outgoing(runtime, route.outgoing, document) for document in documents]
    except ConnectorError as error:
        found["fails"] = runtime.redact(str(error))
    return found


async def _apply_route_chain(runtime: Runtime, name: str, task: Task) -> list[JSON]:
    chain = runtime.chain(runtime.configuration.routes[name].chain, f"routes.{name}.chain")
    chained = replace(
        runtime.chained,
        call=_refuse_call,
        storages={key: Untouched(storage) for key, storage in runtime.chained.storages.items()},
        task={"id": str(task.id), "number": task.id, "key": task.key},
        route={"name": name},
        now=lambda: datetime.fromtimestamp(task.created, UTC),
    )
    applied = await apply(chain, task.document, chained, Locks())
    if applied.failed is not None:
        raise applied.failed
    return applied.documents


async def _refuse_call(client: str, kind: str, request: Mapping[str, JSON]) -> Outcome:  # noqa: ARG001  the capability's signature
    return Outcome(State.NOT_SENT, reason="nothing is sent here, and the chain needs this answer to go on")


def _format_time(seconds: float) -> str | None:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds") if seconds else None
