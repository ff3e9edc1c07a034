"""Whose cent was it: the journals of a configuration held against what the organization reports and charges."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

from connector.engine import Store
from connector.errors import ConfigurationError, ConnectorError
from connector.http import Client
from connector.model import JSON
from connector.model_registry import load_registry
from connector.money.ledger.counted import Counted, Models, Payers, Seen, is_of_api
from connector.money.ledger.journal import JournalCall, Span, read_journal
from connector.money.ledger.owners import ELSEWHERE, Kind, Owner, Shares, price_doubts, share_out
from connector.money.ledger.reports import UsageRow, read_charges, read_usage_rows
from connector.money.ledger.tokens import read_tokens
from connector.money.ledger.verdicts import Decision, Terms, Verdict, decide
from connector.pipeline import Runtime
from connector.telemetry.costs import REGISTRY_CURRENCY, Price, Prices

__all__ = ["Bill", "BillTerms", "Doubt", "choose_reports_client", "reconcile_bill"]

DAY, HOUR = 86_400, 3_600
BORDER = 5.0
"""Seconds by which the clock of this machine and that of the reports may differ."""
CAUTION = 6 * HOUR


@dataclass(frozen=True, kw_only=True)
class BillTerms:
    """Which days are looked at, and what is taken for granted.

    Attributes:
        first, last: the days, in UTC, both included.
        now: when the reports are read, in seconds since 1970.
        lateness: seconds after which a minute is reported whole.
        longest: seconds for which the API may go on with a call that nobody waits for any more.
        alone: whether somebody answers for it that nobody else calls on these keys.
        keys: the ids of the clients' keys, as reports name them, by client.
        gateways: folders of gateways' configurations, beside that of the configuration itself.
        by: whether cents are shown by route, or by task.
    """

    first: date
    last: date
    now: float
    lateness: float = CAUTION
    longest: float = 600.0
    alone: bool = False
    keys: Mapping[str, str] = field(default_factory=dict[str, str])
    gateways: Sequence[Path] = ()
    by: Kind = "route"

    @property
    def start(self) -> int:
        """When the first day begins, in seconds since 1970."""
        return _begin(self.first)

    @property
    def end(self) -> int:
        """When the last day has ended."""
        return _begin(self.last) + DAY

    @property
    def seen(self) -> Seen:
        """The minutes that are read: so many beyond the days that calls of the days lie within them."""
        beyond = HOUR * (1 + int(2 * self.longest) // HOUR)
        return Seen(self.start - beyond, self.end + beyond, BORDER)


def _begin(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


@dataclass(frozen=True, slots=True)
class Doubt:
    """A call without a known end, and whether it was billed.

    Attributes:
        amount: what it cost; None where that is not known.
    """

    call: JournalCall
    decision: Decision
    amount: float | None = None

    def as_document(self) -> dict[str, JSON]:
        """Return it as JSON."""
        call = self.call
        return {
            "call": call.name, "task": call.task or None, "route": call.route or None, "token": call.token or None,
            "state": call.state.value if call.task else None,
            "operation": call.operation, "client": call.client, "model": call.asked,
            "at": datetime.fromtimestamp(call.began, UTC).isoformat(timespec="milliseconds"),
            "verdict": self.decision.verdict.value, "reason": self.decision.reason,
            "amount": None if self.amount is None else round(self.amount, 9),
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Bill:
    """What was charged, who spent it, and what became of calls without a known end.

    Attributes:
        currency: of all amounts.
        client: through which the reports were read.
        told_apart: by what clients are told apart: `project`, `key`, `project and key`, or nothing.
        known: how many calls are known to be billed.
    """

    terms: BillTerms
    currency: str
    client: str
    told_apart: str
    known: int
    shares: Shares
    doubts: Sequence[Doubt]

    def count(self, verdict: Verdict) -> int:
        """Return on how many calls the verdict is this one."""
        return sum(doubt.decision.verdict is verdict for doubt in self.doubts)

    def as_document(self) -> dict[str, JSON]:
        """Return it as JSON."""
        shares = self.shares
        return {
            "from": self.terms.first.isoformat(), "to": self.terms.last.isoformat(), "client": self.client,
            "currency": self.currency, "charged": round(shares.charged, 9), "told_apart_by": self.told_apart,
            "calls": self.known,
            "owners": [*(owner.as_document() for owner in shares.owners),
                       {"owner": ELSEWHERE, "name": "", "calls": shares.foreign, "doubtful": 0,
                        "amount": round(shares.elsewhere, 9)}],
            "difference": round(shares.difference, 9) + 0.0,
            "verdicts": {verdict.value: self.count(verdict) for verdict in Verdict},
            "unknown": [doubt.as_document() for doubt in self.doubts],
        }  # fmt: skip


def choose_reports_client(runtime: Runtime, named: str | None) -> tuple[str, Client]:
    """Return the client that reads reports: the named one, or the first of those that have an admin key."""
    configuration = runtime.configuration
    if named is not None:
        configuration.find("clients", named)
        return named, runtime.client(named)
    for name, entry in configuration.clients.items():
        if entry.prototype != "openai":
            continue
        client = runtime.client(name)
        if getattr(client.parameters, "admin_token", None) is not None:
            return name, client
    raise ConfigurationError(
        "no client has an admin key, and only that reads the organization's usage and costs: give one `admin_token`,"
        " set OPENAI_ADMIN_KEY, or name a client with --client"
    )


async def reconcile_bill(
    runtime: Runtime, stores: Mapping[str, Store], terms: BillTerms, *, client: str | None = None
) -> Bill:
    """Return whose every cent of some days was, and what became of each call without a known end.

    Args:
        runtime: the opened configuration.
        stores: whose journals are read, by the name of their host; the routes' under an empty name.
        terms: the days, and what is taken for granted.
        client: reads the reports; by default the first that has an admin key.
    """
    return await _Reconciliation(runtime, stores, terms, *choose_reports_client(runtime, client)).run()


class _Reconciliation:
    """One comparison of journals and reports."""

    def __init__(
        self, runtime: Runtime, stores: Mapping[str, Store], terms: BillTerms, name: str, client: Client
    ) -> None:
        self._runtime = runtime
        self._stores = stores
        self._terms = terms
        self._name = name
        self._client = client
        self._registry = load_registry(runtime.catalogue_folder)
        self._find_prices = self._make_finder()

    def _make_finder(self) -> Callable[[float], Prices]:
        own = self._runtime.configuration
        prices: Mapping[str, Price] = own.prices if own.currency == REGISTRY_CURRENCY else {}

        @cache
        def find(day: date) -> Prices:
            return Prices(prices, REGISTRY_CURRENCY, self._registry, day)

        return lambda at: find(datetime.fromtimestamp(at, UTC).date())

    async def run(self) -> Bill:
        """Read both sides and compare them."""
        terms, seen = self._terms, self._terms.seen
        coming = int(terms.now) - int(terms.now) % DAY + DAY
        rows = await read_usage_rows(self._client, seen.start, min(seen.end, coming))
        charges = await read_charges(self._client, terms.start, min(terms.end, coming))
        async with aclosing(self._read_calls(seen)) as read:
            calls = [call async for call in read]
        calls += self._read_tokens(seen)
        ours = [call for call in calls if call.report and self._is_of_api(call)]
        payers, models = self._find_payers(ours), Models(self._registry, ours)
        counted = Counted.of(ours, rows, payers, models, seen)
        taken = Terms(read_at=terms.now, lateness=terms.lateness, border=BORDER, alone=terms.alone)
        found = decide([call for held in counted.calls.values() for call in held], counted.reported(), taken)
        # Of what was not read nothing is known.
        decisions = {call.name: found[call.name] for call in ours if call.name in found and seen.holds(call)}
        amounts = price_doubts(ours, counted, decisions, self._find_prices, BORDER)
        owned = list(self._own(ours, models, decisions, amounts))
        return Bill(
            terms=terms,
            currency=next((charge.currency for charge in charges if charge.currency), REGISTRY_CURRENCY),
            client=self._name,
            told_apart=payers.told_apart,
            known=sum(call.count for call in ours if call.billed and self._is_within(call.latest)),
            shares=share_out(owned, charges, self._count_rows(rows, models), models),
            doubts=list(self._list_doubts(calls, decisions, amounts)),
        )

    async def _read_calls(self, seen: Seen) -> AsyncGenerator[JournalCall]:
        span = self._make_span(seen)
        for name, store in self._stores.items():
            async with aclosing(read_journal(store, span, self._find_prices, place=name)) as calls:
                async for call in calls:
                    yield call

    def _read_tokens(self, seen: Seen) -> Iterator[JournalCall]:
        folders = [self._runtime.configuration.folder, *self._terms.gateways]
        for call in read_tokens(folders, self._client.catalogue, self._make_span(seen)):
            if call.amount is not None and self._runtime.configuration.currency != REGISTRY_CURRENCY:
                cost = self._find_prices(call.began).compute_cost(call.asked, call.usage)
                yield replace(call, amount=cost)
            else:
                yield call

    def _make_span(self, seen: Seen) -> Span:
        return Span(start=seen.start, end=seen.end, now=self._terms.now, longest=self._terms.longest)

    def _is_of_api(self, call: JournalCall) -> bool:
        return is_of_api(call.url, self._client.base_uri, self._find_base(call.client))

    def _find_base(self, client: str) -> str:
        try:
            return self._runtime.client(client).base_uri
        except ConnectorError:
            return ""

    def _find_payers(self, calls: Sequence[JournalCall]) -> Payers:
        names = list(dict.fromkeys(call.client for call in calls))
        return Payers(
            {name: self._find_project(name) for name in names}, {name: self._terms.keys.get(name, "") for name in names}
        )

    def _find_project(self, client: str) -> str:
        try:
            return str(getattr(self._runtime.client(client).parameters, "project", None) or "")
        except ConnectorError:
            return ""

    def _is_within(self, at: float) -> bool:
        return self._terms.start <= at < self._terms.end

    def _own(
        self,
        calls: Sequence[JournalCall],
        models: Models,
        decisions: Mapping[str, Decision],
        amounts: Mapping[str, float],
    ) -> Iterator[tuple[str, Owner]]:
        """Yield what each billed call of the days spent, with its model."""
        for call in calls:
            decision = decisions.get(call.name)
            was_billed = decision is not None and decision.verdict is Verdict.BILLED
            if not call.billed and not was_billed:
                continue
            if self._is_within(call.latest if call.billed else call.began):
                amount = call.amount if call.billed else amounts.get(call.name)
                yield models.resolve(call), self._make_owner(call, amount or 0.0)

    def _make_owner(self, call: JournalCall, amount: float) -> Owner:
        doubtful = int(not call.billed)
        if call.token:
            return Owner("token", call.token, call.count, doubtful, amount)
        name = call.route if self._terms.by == "route" else f"{call.route} {call.task}"
        return Owner(self._terms.by, name, call.count, doubtful, amount)

    def _count_rows(self, rows: Sequence[UsageRow], models: Models) -> Iterator[tuple[str, int]]:
        return ((models.find(row.model), row.requests) for row in rows if self._is_within(row.start))

    def _list_doubts(
        self, calls: Sequence[JournalCall], decisions: Mapping[str, Decision], amounts: Mapping[str, float]
    ) -> Iterator[Doubt]:
        for call in sorted(calls, key=lambda one: one.began):
            if not call.listed or not self._is_within(call.began):
                continue
            decision = decisions.get(call.name) or Decision(Verdict.CANNOT_TELL, self._say_uncounted(call))
            yield Doubt(call, decision, amounts.get(call.name))

    def _say_uncounted(self, call: JournalCall) -> str:
        if not self._is_of_api(call):
            return f"it went through {call.client}, and the reports are of {self._client.base_uri}"
        if not call.report:
            return f"no usage report counts {call.operation}"
        return "it may be counted in minutes that were not read; name more days"
