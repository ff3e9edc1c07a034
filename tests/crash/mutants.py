"""Mistakes that somebody could make, each put into a running connector: the formula must find every one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

__all__ = ["MUTANTS", "Mutant", "put"]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A mistake, and what shows it.

    Attributes:
        point: where the process is ended, some times.
        how: whether it is killed, or the power goes.
        faults: how often the upstream answers badly.
        scenario: what else is done to it, by the name of the scenario.
    """

    plant: Callable[[], None]
    point: str = ""
    nth: int = 1
    how: str = "KILL"
    faults: float = 0.0
    scenario: str = ""


def put(owner: Any, **values: Any) -> None:
    """Set attributes of a module or class; AttributeError when it has none of that name, as after a renaming."""
    for name, value in values.items():
        getattr(owner, name)
        setattr(owner, name, value)


def _never_synced() -> None:
    connection: Any = import_module("connector.engine.sqlite.connection")
    put(connection, DURABLE="PRAGMA synchronous = OFF")


def _cursor_first() -> None:
    _in_two(lambda change: bool(change.cursors and change.accept), "cursors", "records")


def _answers_later() -> None:
    _in_two(lambda change: bool(change.settle and (change.accept or change.lines)), "settle", "end", "intend")


def _in_two(concerns: Callable[[Any], bool], *first: str) -> None:
    """What belongs into one commit comes in two."""
    from connector.engine import Change
    from connector.engine.sqlite.store import SqliteStore

    commit = SqliteStore.commit

    async def committed(self: Any, change: Any) -> Any:
        if not concerns(change):
            return await commit(self, change)
        await commit(self, Change(**{name: getattr(change, name) for name in first}))
        empty = Change()
        return await commit(self, replace(change, **{name: getattr(empty, name) for name in first}))

    put(SqliteStore, commit=committed)


def _intent_after_sending() -> None:
    from connector.http import Client

    send = Client.send

    async def sent(self: Any, wire: Any, **named: Any) -> Any:
        begin = named.pop("begin", None)
        outcome = await send(self, wire, **named)
        if begin is not None:
            await begin()
        return outcome

    put(Client, send=sent)


def _ended_before_sending() -> None:
    from connector.delivery.delivery import Delivery
    from connector.engine import Change, Settlement, TaskState

    attempt = Delivery.attempt

    async def attempted(self: Any, task: Any) -> Any:
        if task.route.endswith(":gathered"):  # the engine itself refuses to end one that carries others
            return await attempt(self, task)
        await self._shared.commit(Change(settle=[Settlement(task=task.id, state=TaskState.FINISHED)]))
        return replace(await attempt(self, task), settle=[])

    put(Delivery, attempt=attempted)


def _unknown_is_sent_again() -> None:
    from connector.delivery.call_journal import CallJournal

    put(CallJournal, repeats=lambda self, target: True)


def _never_looked_for() -> None:
    doubting: Any = import_module("connector.delivery.reconcile")
    from connector.delivery.lookup import Missing

    async def look(*_: Any) -> Missing:
        return Missing()

    put(doubting, look=look)


def _finished_without_answer() -> None:
    from connector.model import Outcome, State

    put(Outcome, ok=property(lambda self: self.state in (State.DONE, State.UNKNOWN)))


def _paid_answers_are_forgotten() -> None:
    from connector.delivery.call_journal import CallJournal

    put(CallJournal, _find_done=lambda self, known: None)


def _lines_are_appended_blindly() -> None:
    import os

    lines: Any = import_module("connector.delivery.outbox")
    put(lines, _find_start=lambda file, length, due: os.fstat(file.fileno()).st_size)


def _no_journal_while_reading() -> None:
    from connector.delivery.call_journal import CallJournal
    from connector.delivery.route_spec import is_intake
    from connector.publishers import perform_now

    perform = CallJournal.perform

    async def performed(self: Any, intent: Any) -> Any:
        return await (perform_now(intent) if is_intake(self._task.route) else perform(self, intent))

    put(CallJournal, perform=performed)


def _chains_run_while_reading() -> None:
    reading: Any = import_module("connector.intake.reading")
    put(reading, _intake_spec=lambda *_: None)


def _time_ends_a_search() -> None:
    lookup: Any = import_module("connector.delivery.lookup")
    marking: Any = import_module("connector.delivery.idempotency_keys")
    fitting = lookup._find_fitting

    async def found(subscriber: Any, sought: Any, started: float, taken: Any) -> Any:
        fits = await fitting(subscriber, sought, started, taken)
        return [one for one in fits if (marking.made_at(one) or 0.0) >= started - 60]

    put(lookup, _find_fitting=found)


def _the_window_begins_with_the_call() -> None:
    from connector.delivery.lookup import SettlingWindows

    put(
        SettlingWindows,
        remaining=lambda self, call, lookup, client: max(call.started + self._window(client) - time.time(), 0.0),
    )


def _any_list_is_a_verdict() -> None:
    doubting: Any = import_module("connector.delivery.reconcile")
    from connector.delivery.lookup import CannotTell, Missing

    look = doubting.look

    async def looked(*given: Any) -> Any:
        found = await look(*given)
        return Missing() if isinstance(found, CannotTell) else found

    put(doubting, look=looked)


def _no_client_is_a_failure() -> None:
    doubting: Any = import_module("connector.delivery.reconcile")
    from connector.delivery.call_journal import CallJournal

    put(doubting, _find_client=lambda call, lookup, shared: shared.runtime.client(call.target))
    put(CallJournal, doubts=property(lambda self: ()))


def _a_broken_api_did_nothing() -> None:
    policy: Any = import_module("connector.http.policy")
    deciding: Any = import_module("connector.pipeline.decisions")
    put(policy, is_left_open=lambda *_: False)
    put(policy, DEFAULTS=tuple(rule for rule in policy.DEFAULTS if rule.then != "unknown"))
    put(deciding, in_trouble=lambda _: False)


def _every_kill_costs_an_attempt() -> None:
    startup: Any = import_module("connector.engine.sqlite.startup")
    put(startup, _requeue=lambda session, row: (1, 0.0, row[2], 0, row[0]))


def _settled_before_cancelled() -> None:
    """What is asked for anew does not wait until the cancellation is settled."""
    _move_by(cancels=True)


def _moved_without_cancelling() -> None:
    _move_by(cancels=False)


def _move_by(*, cancels: bool) -> None:
    from connector.delivery.batch.attempt import NEEDED
    from connector.delivery.batch.job import BatchJob
    from connector.model import Outcome, State
    from connector.pipeline.decisions import AttemptEnded

    move = BatchJob._move_up

    async def moved(self: Any, name: str, batch: Any) -> None:
        await self._plan.refresh()
        if cancels:
            await move(self, name, batch)
        if self._plan.must_move_up(self._task.document[NEEDED], self._shared.wall()):
            self._settlement.moved_up = self._describe_move()
            await self._settlement.settle_rest(Outcome(State.NOT_SENT, reason="moved up"))
            raise AttemptEnded(import_module("connector.engine").TaskState.FINISHED, "moved up")

    put(BatchJob, _move_up=moved)


MUTANTS: dict[str, Mutant] = {
    "never synced": Mutant(_never_synced, "sqlite.intend.committed", 6, how="POWER"),
    "cursor before what it covers": Mutant(_cursor_first, "sqlite.records.committed", 1),
    "answer after its task's end": Mutant(_answers_later, "sqlite.settle.committed", 4),
    "intent after sending": Mutant(_intent_after_sending, "upstream.effect", 4),
    "ended before sending": Mutant(_ended_before_sending, "upstream.asked", 4),
    "unknown sent again": Mutant(_unknown_is_sent_again, "upstream.effect", 4),
    "never looked for": Mutant(_never_looked_for, "upstream.effect", 4),
    "finished without an answer": Mutant(_finished_without_answer, faults=0.5),
    "paid answers forgotten": Mutant(_paid_answers_are_forgotten, faults=0.3),
    "no journal while reading": Mutant(_no_journal_while_reading, "upstream.effect", 4),
    "chains run while reading": Mutant(_chains_run_while_reading, "upstream.effect", 4),
    "time ends a search": Mutant(_time_ends_a_search, scenario="clocks that jump"),
    "the window begins with the call": Mutant(_the_window_begins_with_the_call, scenario="effects that come late"),
    "any list is a verdict": Mutant(_any_list_is_a_verdict, scenario="lists that are spoilt"),
    "no client is a failure": Mutant(_no_client_is_a_failure, scenario="clients renamed"),
    "a broken API did nothing": Mutant(_a_broken_api_did_nothing, scenario="broken after the effect"),
    "every kill costs an attempt": Mutant(_every_kill_costs_an_attempt, scenario="killed before anything is sent"),
    "moves up without cancelling": Mutant(_moved_without_cancelling, scenario="moving up"),
    "asks again before it is cancelled": Mutant(_settled_before_cancelled, scenario="moving up"),
    "lines appended blindly": Mutant(_lines_are_appended_blindly, "delivery.lines.written", 1),
}
