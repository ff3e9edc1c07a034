"""The calls of a journal that the organization may be billed for: those that are known to be, and those in doubt."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from hashlib import blake2b

import orjson

from connector.delivery.call_records import BY_HAND, PLACE
from connector.delivery.charges import RETRIEVE, price_kept_calls, read_asked
from connector.delivery.route_names import parent_of
from connector.engine import LIVE, CallRecord, Store, TaskState
from connector.engine.feed import TaskRow
from connector.model import JSON, Effect, State, items, members
from connector.money.ledger.reports import BATCH, find_report, has_tokens
from connector.pipeline.decisions import may_have_acted
from connector.telemetry.costs import NO_USAGE, Cost, Prices, Usage

__all__ = ["JournalCall", "Span", "read_journal"]

WINDOW, TOGETHER = 2_000, 200
DAY = 86_400.0
WINDOWS: Mapping[str, float] = {"2h": 7_200.0, "8h": 28_800.0}
"""Seconds in which a background response of a window is made; a day for any other, as for a batch."""
KEPT_ELSEWHERE = ("conversation", "previous_response_id", "web_search_options", "background")
OWN_TOOLS = {"function", "custom"}
TRIES = "tries"
PENDING = ("queued", "in_progress")


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalCall:
    """One call that is billed, or may be.

    Attributes:
        name: of the call, by which its verdict is found.
        place: whose journal it is in; empty for the routes'.
        state: of its task.
        url: what it called; only a path for one in a batch.
        report: the usage report that counts it; empty where none does.
        asked: the model that was asked for.
        model: the one that answered; empty where that is not known.
        began: when it began, in seconds since 1970.
        earliest, latest: between which times the reports count it, if they do.
        content: equal for calls that send the same, and are read as the same tokens; empty where that is not sure.
        tokens: of its input; None where they are not known.
        billed: whether it is known to be billed; in doubt otherwise.
        listed: whether somebody wants to know whether it was billed.
        tier: how it was asked to be processed.
        count: how many calls it is: those of a gateway are only known together.
        token: of the gateway that it went through; empty for one of a task.
    """

    name: str
    place: str
    task: int
    attempt: int
    number: int
    state: TaskState
    route: str
    operation: str
    client: str
    url: str
    report: str
    asked: str
    began: float
    earliest: float
    latest: float
    content: str
    model: str = ""
    tokens: int | None = None
    billed: bool = False
    listed: bool = False
    usage: Usage = NO_USAGE
    amount: float | None = None
    tier: str = ""
    count: int = 1
    token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The time that is looked at.

    Attributes:
        start, end: the end is excluded; in seconds since 1970.
        now: when the journal is read.
        longest: seconds for which the API may go on with a call that nobody waits for any more.
    """

    start: float
    end: float
    now: float
    longest: float


async def read_journal(
    store: Store, span: Span, find_prices: Callable[[float], Prices], *, place: str = ""
) -> AsyncGenerator[JournalCall]:
    """Yield the calls that may be billed in a span of time.

    Args:
        store: has the journal.
        span: the time.
        find_prices: returns the prices of the day of a time.
        place: whose journal it is, where several are read.
    """
    async with aclosing(_read_tasks(store, span)) as tasks:
        async for row, calls in tasks:
            for one in _TaskReader(row, calls, span, find_prices, place).read():
                if one.earliest < span.end and one.latest >= span.start:
                    yield one


async def _read_tasks(store: Store, span: Span) -> AsyncGenerator[tuple[TaskRow, Sequence[CallRecord]]]:
    """Yield the tasks that may have made calls in a span, with all their calls."""
    last = await store.feed.newest()
    for first in range(1, last + 1, WINDOW):
        rows = await store.feed.rows_between(first, min(first + WINDOW - 1, last))
        fitting = [row for row in rows if row.created < span.end and (row.updated >= span.start or row.state in LIVE)]
        for at in range(0, len(fitting), TOGETHER):
            page = fitting[at : at + TOGETHER]
            calls = await store.feed.calls([row.id for row in page])
            for row in page:
                if row.id in calls:
                    yield row, calls[row.id]


class _TaskReader:
    """Reads the calls of one task."""

    def __init__(
        self, row: TaskRow, calls: Sequence[CallRecord], span: Span, find_prices: Callable[[float], Prices], place: str
    ) -> None:
        self._row = row
        self._calls = calls
        self._span = span
        self._place = place
        self._prefix = f"{place}:" if place else ""
        prices = find_prices(calls[-1].started)
        self._paid = {(call.attempt, call.number): cost for call, cost in price_kept_calls(prices, calls)}
        self._read: dict[str, CallRecord] = {}
        for call in calls:
            if call.operation == RETRIEVE and call.state == State.DONE:
                self._read[_answer_id(call)] = call

    def read(self) -> Iterator[JournalCall]:
        """Yield what may be billed of each call: itself, and tries before the last."""
        for call in self._calls:
            request = members(call.request)
            if str(request.get("method", "POST")).upper() == "GET":
                continue
            report = find_report(str(request.get("url", "")))
            if report and PLACE in request and report == "completions":
                report += BATCH
            yield from self._read_call(call, request, report)

    def _read_call(self, call: CallRecord, request: Mapping[str, JSON], report: str) -> Iterator[JournalCall]:
        asked = read_asked(request.get("body"))
        base = self._describe(call, request, report, asked)
        is_in_doubt = may_have_acted(call.state, call.outcome)
        if call.state == State.DONE and report and BY_HAND in members(call.outcome):
            yield replace(base, latest=self._find_latest(call, request))
        elif call.state == State.DONE and report:
            yield self._find_end(call, base, asked)
        elif is_in_doubt and (report or Effect(call.effect) is not Effect.NONE):
            yield replace(base, latest=self._find_latest(call, request), listed=self._row.state not in LIVE)
        tries = [members(one) for one in items(members(call.outcome).get(TRIES))][:-1] if report else []
        for place, one in enumerate(tries):
            if may_have_acted(str(one.get("state")), {"status": one.get("status")}):
                yield replace(base, name=f"{base.name} try {place + 1}", latest=self._find_latest(call, request),
                              listed=self._row.state not in LIVE)  # fmt: skip

    def _describe(
        self, call: CallRecord, request: Mapping[str, JSON], report: str, asked: Mapping[str, JSON]
    ) -> JournalCall:
        """Return a call without its end."""
        model = asked.get("model")
        tier = "batch" if PLACE in request else asked.get("service_tier")
        return JournalCall(
            name=f"{self._prefix}{call.task}.{call.attempt}.{call.number}",
            place=self._place,
            task=call.task,
            attempt=call.attempt,
            number=call.number,
            state=self._row.state,
            route=self._prefix + parent_of(self._row.route)[0],
            operation=call.operation,
            client=call.target,
            url=str(request.get("url", "")),
            report=report,
            asked=model if isinstance(model, str) else "",
            began=call.started,
            earliest=call.started,
            latest=call.ended or call.started,
            content=_digest(report, asked) if has_tokens(report) and _is_read_alike(asked) else "",
            tier=tier if isinstance(tier, str) else "",
        )

    def _find_end(self, call: CallRecord, base: JournalCall, asked: Mapping[str, JSON]) -> JournalCall:
        """Return a call that is done; one that goes on in the background, by the last that was seen of it."""
        cost = self._paid.get((call.attempt, call.number))
        if asked.get("background") is not True or cost is not None:
            return _bill(base, cost, call.ended)
        read = self._read.get(_answer_id(call))
        cost = self._paid.get((read.attempt, read.number)) if read is not None else None
        if read is not None and cost is not None:
            return _bill(base, cost, read.ended)
        if read is not None and members(members(read.outcome).get("body")).get("status") not in PENDING:
            return replace(base, latest=read.ended)
        window = members(asked.get("background_options")).get("completion_window")
        return replace(base, latest=max(base.latest, call.started + WINDOWS.get(str(window), DAY)))

    def _find_latest(self, call: CallRecord, request: Mapping[str, JSON]) -> float:
        """Return until when a call that nobody waits for any more may be gone on with."""
        seen = self._span.now if call.open and self._row.state in LIVE else call.ended or call.started
        if PLACE in request:
            return seen if call.ended else max(seen, call.started + DAY)
        if not call.open and TRIES not in members(call.outcome):
            # What was seen of it is what a later process, or a person, said of it.
            seen = min(seen, call.started + self._span.longest)
        asked = read_asked(request.get("body"))
        window = members(asked.get("background_options")).get("completion_window")
        begun = WINDOWS.get(str(window), DAY) if asked.get("background") is True else 0.0
        return max(seen + self._span.longest, call.started + begun)


def _bill(base: JournalCall, cost: Cost | None, ended: float) -> JournalCall:
    """Return a call that is known to be billed; with what it used, as far as that was kept."""
    if cost is None:
        return replace(base, billed=True, latest=ended)
    tokens = cost.usage.input if has_tokens(base.report) else None
    made = replace(base, billed=True, latest=ended, model=cost.model, tokens=tokens)
    return replace(made, usage=cost.usage, amount=cost.amount)


def _answer_id(call: CallRecord) -> str:
    found = members(members(call.outcome).get("body")).get("id")
    return found if isinstance(found, str) else ""


def _is_read_alike(asked: Mapping[str, JSON]) -> bool:
    """Return whether a request is read as the same tokens each time: nothing of it is looked up elsewhere."""
    tools = [members(tool).get("type") for tool in items(asked.get("tools"))]
    elsewhere = any(asked.get(name) for name in KEPT_ELSEWHERE) or "$omitted" in asked or not asked
    fetched = b'"http' in orjson.dumps([asked.get("messages"), asked.get("input")])
    return not elsewhere and not fetched and not isinstance(asked.get("prompt"), dict) and set(tools) <= OWN_TOOLS


def _digest(report: str, body: JSON) -> str:
    packed = orjson.dumps([report.removesuffix(BATCH), body], option=orjson.OPT_SORT_KEYS)
    return blake2b(packed, digest_size=16).hexdigest()
