"""Unknown tasks settled by what the organization's reports say of their calls: done, queued again, or left."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from connector.delivery.call_records import find_doubtful
from connector.engine import CallRecord, Filter, Store, Task, TaskState
from connector.model import JSON
from connector.money.ledger.bill import Bill, Doubt
from connector.money.ledger.verdicts import Verdict
from connector.runtime.doubt import confirm_call, repeat_unknown

__all__ = ["Settling", "TaskSettlement", "plan_settlements", "settle_tasks"]

NOTE = "the organization's usage report says that it was billed"


class Settling(StrEnum):
    """What becomes of an unknown task."""

    DONE = "done"
    """Its call was billed: it counts as done, and is not made again."""
    AGAIN = "queued again"
    """None of its calls was billed: the next attempt makes them."""
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class TaskSettlement:
    """What becomes of one unknown task, and why.

    Attributes:
        place: the host whose task it is; empty for one of a route.
        task: as it was when that was decided.
        call: the one that counts as done.
    """

    place: str
    task: Task
    settling: Settling
    reason: str
    call: CallRecord | None = None

    def as_document(self) -> dict[str, JSON]:
        """Return it as JSON."""
        return {"task": self.task.id, "place": self.place, "route": self.task.route, "becomes": self.settling.value,
                "reason": self.reason}  # fmt: skip


async def plan_settlements(bill: Bill, stores: Mapping[str, Store]) -> AsyncGenerator[TaskSettlement]:
    """Yield what becomes of each unknown task of a bill."""
    by_task: dict[tuple[str, int], list[Doubt]] = {}
    for doubt in bill.doubts:
        if doubt.call.task and doubt.call.state is TaskState.UNKNOWN:
            by_task.setdefault((doubt.call.place, doubt.call.task), []).append(doubt)
    for (place, number), doubts in by_task.items():
        task = await stores[place].task(number)
        if task is not None and task.state is TaskState.UNKNOWN:
            yield _plan(place, task, doubts)


def _plan(place: str, task: Task, doubts: Sequence[Doubt]) -> TaskSettlement:
    held = find_doubtful(task.calls, task.retried)
    if not held:
        return TaskSettlement(place, task, Settling.LEFT, f"no call of it is in doubt: {task.reason}")
    judged = {(call.attempt, call.number): _judge(call, doubts) for call in held}
    undecided = [one for one in doubts if one.decision.verdict is Verdict.CANNOT_TELL]
    if Verdict.CANNOT_TELL in judged.values():
        why = undecided[0].decision.reason if undecided else "a call of it was made on another day"
        return TaskSettlement(place, task, Settling.LEFT, why)
    billed = [call for call in held if judged[call.attempt, call.number] is Verdict.BILLED]
    if not billed:
        return TaskSettlement(place, task, Settling.AGAIN, doubts[0].decision.reason)
    if len(held) > 1:
        why = f"{len(billed)} of its {len(held)} calls in doubt were billed; `tasks done --call` says which is done"
        return TaskSettlement(place, task, Settling.LEFT, why)
    reason = next(one.decision.reason for one in doubts if one.decision.verdict is Verdict.BILLED)
    return TaskSettlement(place, task, Settling.DONE, reason, billed[0])


def _judge(call: CallRecord, doubts: Sequence[Doubt]) -> Verdict:
    """Return whether a call was billed by any of its tries."""
    own = [one.decision.verdict for one in doubts if (one.call.attempt, one.call.number) == (call.attempt, call.number)]
    if Verdict.BILLED in own:
        return Verdict.BILLED
    return Verdict.NOT_BILLED if own and set(own) == {Verdict.NOT_BILLED} else Verdict.CANNOT_TELL


async def settle_tasks(
    plans: Sequence[TaskSettlement], stores: Mapping[str, Store], now: float
) -> Mapping[Settling, int]:
    """Settle tasks as planned; return how many became what. One that has changed since is left."""
    done = dict.fromkeys(Settling, 0)
    for plan in plans:
        store = stores[plan.place]
        settling = plan.settling if await _is_unchanged(store, plan.task) else Settling.LEFT
        if settling is Settling.DONE and plan.call is not None:
            settled = await confirm_call(store, plan.call, None, f"{NOTE}: {plan.reason}", now)
        elif settling is Settling.AGAIN:
            settled = await repeat_unknown(store, Filter(ids=(plan.task.id,))) > 0
        else:
            settled = False
        done[settling if settled else Settling.LEFT] += 1
    return done


async def _is_unchanged(store: Store, task: Task) -> bool:
    now = await store.task(task.id)
    return now is not None and now.state is TaskState.UNKNOWN and len(now.calls) == len(task.calls)
