"""Whose cent it was: what calls cost by their owners, held against what was charged; what is left is elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from connector.model import JSON
from connector.money.ledger.counted import Counted, Models
from connector.money.ledger.groups import Call, Group, split
from connector.money.ledger.journal import JournalCall
from connector.money.ledger.reports import Charge, UsageRow
from connector.money.ledger.verdicts import Decision, Verdict
from connector.telemetry.costs import NO_USAGE, Prices, Usage

__all__ = ["ELSEWHERE", "Kind", "Owner", "Shares", "price_doubts", "share_out"]

ELSEWHERE = "elsewhere"
MINUTE = 60
Kind = Literal["route", "task", "token"]
LEAST = 1e-9
"""Below this an amount is a rounding error of sums."""


@dataclass(slots=True)
class Owner:
    """Who spent how much.

    Attributes:
        doubtful: how many of the calls had no known end, and were billed.
    """

    kind: Kind
    name: str
    calls: int = 0
    doubtful: int = 0
    amount: float = 0.0

    def as_document(self) -> dict[str, JSON]:
        """Return it as JSON."""
        return {"owner": self.kind, "name": self.name, "calls": self.calls, "doubtful": self.doubtful,
                "amount": round(self.amount, 9)}  # fmt: skip


@dataclass(slots=True)
class Shares:
    """Every cent with its owner.

    Attributes:
        charged: what the cost report says.
        owners: who spent what, the most first.
        elsewhere: what is charged for requests that no journal knows.
        difference: what amounts are above those charged (or below, less than 0) though every request has its owner:
            rounding, other prices, and charges that still come.
        foreign: how many requests the reports count beyond those of the journals.
    """

    charged: float = 0.0
    owners: list[Owner] = field(default_factory=list[Owner])
    elsewhere: float = 0.0
    difference: float = 0.0
    foreign: int = 0


def price_doubts(
    calls: Sequence[JournalCall],
    counted: Counted,
    decisions: Mapping[str, Decision],
    find_prices: Callable[[float], Prices],
    border: float,
) -> dict[str, float]:
    """Return what calls cost that were billed without an answer: what is reported of their minutes beyond known calls.

    Of several in the same minutes each costs as much as the others.
    """
    journal, found = {call.name: call for call in calls}, dict[str, float]()
    for group, held in counted.calls.items():
        rows = counted.rows.get(group, [])
        for stretch in split(held, border):
            within = [row for row in rows if stretch.first <= row.start // MINUTE <= stretch.last]
            billed = [call for call in stretch.calls if _is_billed(call, decisions)]
            known = [journal[call.name] for call in stretch.calls if journal[call.name].billed]
            calls_known = sum(call.count for call in known)
            if not billed or sum(row.requests for row in within) != len(billed) + calls_known:
                continue
            if not all(call.usage for call in known):
                continue  # what was used beyond them cannot be told
            usage = _subtract(_add(row.usage for row in within), _add(call.usage for call in known))
            for call in billed:
                one = journal[call.name]
                cost = find_prices(one.began).compute_cost(_find_model(group, within), usage, one.tier)
                if cost is not None:
                    found[call.name] = cost / len(billed)
    return found


def _is_billed(call: Call, decisions: Mapping[str, Decision]) -> bool:
    return not call.billed and call.name in decisions and decisions[call.name].verdict is Verdict.BILLED


def _find_model(group: Group, rows: Sequence[UsageRow]) -> str:
    return group.model or next((row.model for row in rows), "")


def _add(usages: Iterable[Usage]) -> Usage:
    return sum(usages, NO_USAGE)


def _subtract(whole: Usage, part: Usage) -> Usage:
    """Return what is left of one usage beside another; the reports tell neither reasoning nor searches."""
    names = [name for name in Usage.__dataclass_fields__ if name not in ("reasoning", "web_searches", "file_searches")]
    return Usage(**{name: max(getattr(whole, name) - getattr(part, name), 0) for name in names})


def share_out(
    owned: Iterable[tuple[str, Owner]], charges: Sequence[Charge], rows: Iterable[tuple[str, int]], models: Models
) -> Shares:
    """Return every cent with its owner.

    Args:
        owned: what was spent on each model, by whom; an owner may come often.
        charges: what was charged.
        rows: how many requests the reports count, by model.
        models: the names that both sides use.
    """
    made, owners = Shares(charged=sum(charge.amount for charge in charges)), dict[tuple[str, str], Owner]()
    spent, called, counted = dict[str, float](), dict[str, int](), dict[str, int]()
    for model, one in owned:
        owner = owners.setdefault((one.kind, one.name), Owner(one.kind, one.name))
        owner.calls += one.calls
        owner.doubtful += one.doubtful
        owner.amount += one.amount
        spent[model] = spent.get(model, 0.0) + one.amount
        called[model] = called.get(model, 0) + one.calls
    for model, requests in rows:
        counted[model] = counted.get(model, 0) + requests
    charged: dict[str, float] = {}
    for charge in charges:
        model = models.find(charge.model)
        charged[model] = charged.get(model, 0.0) + charge.amount
    for model in charged.keys() | spent.keys():
        left = charged.get(model, 0.0) - spent.get(model, 0.0)
        foreign = max(counted.get(model, 0) - called.get(model, 0), 0)
        is_elsewhere = left > LEAST and (foreign or not called.get(model))
        made.elsewhere += left if is_elsewhere else 0.0
        made.difference += 0.0 if is_elsewhere else -left
        made.foreign += foreign
    made.owners = sorted(owners.values(), key=lambda one: (-one.amount, one.kind, one.name))
    return made
