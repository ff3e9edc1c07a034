"""A task's document through the chains of its route, step by step; nothing is sent and nothing is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

from connector.config import Configuration
from connector.delivery.route_spec import parent_of
from connector.engine import Task
from connector.engine.search import parse_path
from connector.errors import ConfigurationError, ConnectorError
from connector.intake.dead_letters import is_dead_letter
from connector.model import JSON, Outcome, State, items, members
from connector.offline import offline_mode
from connector.pipeline import Runtime
from connector.pipeline.storage import Untouched
from connector.runtime.kept_configuration import KeptChains, digest_of, find_kept, parts_of
from connector.studio.context import StudioContext
from connector.studio.problems import Refused
from connector.studio.schemas.tasks import Step
from connector.studio.shortener import Shortener
from connector.transform import Chain, Failed, TraceEntry, compile_chain

__all__ = ["check_original", "trace_steps"]

Which = Literal["original", "current"]


async def trace_steps(context: StudioContext, task: Task, which: Which) -> list[Step]:
    """Return the document as it is kept, and after every step; raise Refused where the chains are not known."""
    route, implied = parent_of(task.route)
    if implied or is_dead_letter(task.document):
        raise Refused(409, f"task {task.id} is of {task.route!r}, which has no chain of its own", "follow its source")
    chains = await _find_chains(context, task, which)
    settings = members(members(chains.parts.get("routes")).get(route))
    if not settings:
        raise Refused(404, f"the {which} configuration has no route {route!r}", "ask for the other configuration")
    outgoing = str(settings.get("outgoing"))
    placed = [
        (f"routes.{route}.chain", settings.get("chain")),
        (f"outgoing.{outgoing}.chain", members(members(chains.parts.get("outgoing")).get(outgoing)).get("chain")),
    ]
    async with Runtime(context.configuration) as runtime:
        trace, failed = await _run(runtime, task, chains, placed)
    shown = None if which == "original" else context.configuration
    return _show(context, task, trace, failed, shown)


async def check_original(context: StudioContext, task: Task) -> None:
    """Raise Refused unless the route's chains are those with which the task was accepted: a run has only one set."""
    route, _ = parent_of(task.route)
    kept = await _find_chains(context, task, "original")
    now = await _find_chains(context, task, "current")
    if kept.route_parts(route) != now.route_parts(route):
        raise Refused(
            409,
            f"the chains of route {route!r} have changed since task {task.id} was accepted, and a run has only the"
            " current ones",
            f"compare GET /tasks/{task.id}/steps?configuration=original; retry with the current configuration, perhaps"
            " with an edited document, or put the old chains back first",
            kind="configuration-changed",
        )


async def _find_chains(context: StudioContext, task: Task, which: Which) -> KeptChains:
    if which == "current":
        parts = parts_of(context.configuration)
        return KeptChains(digest_of(parts), context.clock(), parts)
    kept = await find_kept(context.store, task.created)
    if kept is None:
        raise Refused(
            404,
            f"the configuration with which task {task.id} was accepted is not kept",
            "runs of this version keep it; ask for the current configuration",
        )
    return kept


async def _run(
    runtime: Runtime, task: Task, chains: KeptChains, placed: Sequence[tuple[str, JSON]]
) -> tuple[list[TraceEntry], Failed | ConnectorError | None]:
    failures: list[Failed] = []
    trace: list[TraceEntry] = []

    def note_failure(_: JSON, error: Failed) -> None:
        failures.append(error)

    chained = replace(
        runtime.chained,
        call=_refuse_call,
        storages={key: Untouched(storage) for key, storage in runtime.chained.storages.items()},
        task={"id": str(task.id), "number": task.id, "key": task.key},
        route={"name": parent_of(task.route)[0]},
        now=lambda: datetime.fromtimestamp(task.created, UTC),
        on_failed=note_failure,
        on_skip=_ignore,
    )
    try:
        saved: Any = chains.parts.get("saved")
        compiled = [compile_chain(items(steps), saved, where=where) for where, steps in placed]
        chain = Chain(tuple(stage for one in compiled for stage in one.stages))
        with offline_mode():
            _ = [each async for each in chain.arun((task.document,), chained, trace=trace)]
    except ConnectorError as error:
        return trace, error
    return trace, failures[0] if failures else None


def _ignore(document: JSON, reason: str) -> None:
    """Do nothing: the trace says it."""


async def _refuse_call(client: str, kind: str, request: Mapping[str, JSON]) -> Outcome:
    """Refuse what a chain would call: only a run makes calls."""
    del client, kind, request
    return Outcome(State.NOT_SENT, reason="nothing is sent here, and the chain needs this answer to go on")


def _show(
    context: StudioContext,
    task: Task,
    trace: Sequence[TraceEntry],
    failed: Failed | ConnectorError | None,
    configuration: Configuration | None,
) -> list[Step]:
    def show(value: JSON) -> JSON:
        return Shortener("").shorten(context.redact(value), "", "")

    def text(value: str) -> str:
        return str(context.redact(value))

    steps = [Step(step=0, name="as it came", where="", line=None, document=show(task.document), error=None)]
    for number, entry in enumerate(trace, 1):
        steps.append(
            Step(
                step=number,
                name=entry.step,
                where=entry.where,
                line=_find_line(configuration, entry.where),
                document=show(entry.before if entry.note else entry.after),
                error=text(entry.note) if entry.note else None,
            )
        )
    if failed is not None and steps[-1].error is None:
        last = steps[-1]
        steps.append(last.model_copy(update={"step": len(steps), "name": "the chain", "error": text(str(failed))}))
    return steps


def _find_line(configuration: Configuration | None, where: str) -> int | None:
    """Return the line of a step in the configuration; None for a saved chain's, and of another configuration."""
    if configuration is None:
        return None
    try:
        path = tuple(parse_path(where))
    except ConfigurationError:
        return None
    return configuration.tree.key_place(path).line if path and path[0] in ("routes", "outgoing") else None
