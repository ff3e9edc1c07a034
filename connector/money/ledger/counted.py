"""Journal and reports in the same terms: who is charged, and which model, as far as both sides tell them apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from connector.model_registry import ModelRegistry
from connector.money.ledger.groups import Call, Group, Reported
from connector.money.ledger.journal import JournalCall
from connector.money.ledger.reports import UsageRow, has_tokens

__all__ = ["Counted", "Models", "Payers", "Seen", "is_of_api"]

OWN_HOST = ".openai.com"


def is_of_api(url: str, base_uri: str, client_base: str) -> bool:
    """Return whether a call went to the API that the reports are of; its regional addresses are the same API."""
    called, own = urlsplit(url).hostname or urlsplit(client_base).hostname or "", urlsplit(base_uri).hostname or ""
    return called in ("", own) or (called.endswith(OWN_HOST) and own.endswith(OWN_HOST))


@dataclass(frozen=True, slots=True)
class Payers:
    """Which project and key each client is charged to, as far as that is known of all of them.

    What is not known of one client is told apart of none: its requests may be in any row.

    Args:
        projects, keys: by client; those of all that made calls.
    """

    projects: Mapping[str, str]
    keys: Mapping[str, str]

    @property
    def by_key(self) -> bool:
        """Whether rows are told apart by key."""
        return bool(self.keys) and all(self.keys.values())

    @property
    def by_project(self) -> bool:
        """Whether rows are told apart by project."""
        return bool(self.projects) and all(self.projects.values())

    @property
    def told_apart(self) -> str:
        """By what rows are told apart, in words; empty for nothing."""
        names = [name for name, known in (("project", self.by_project), ("key", self.by_key)) if known]
        return " and ".join(names)

    def find(self, client: str) -> tuple[str, str]:
        """Return the project and the key of a client; empty where they are not told apart."""
        return self.projects[client] if self.by_project else "", self.keys[client] if self.by_key else ""

    def place(self, row: UsageRow) -> tuple[str, str] | None:
        """Return the same of a row; None for one of somebody else."""
        found = row.project if self.by_project else "", row.key if self.by_key else ""
        return found if any(found == self.find(client) for client in self.keys) or not self.told_apart else None


class Models:
    """Models by the name that both sides use.

    Args:
        registry: knows aliases and dated snapshots.
        calls: teach which model answers when another name is asked for.
    """

    def __init__(self, registry: ModelRegistry, calls: Iterable[JournalCall]) -> None:
        self._registry = registry
        self._answered: dict[str, set[str]] = {}
        for call in calls:
            if call.model and call.asked:
                self._answered.setdefault(self.find(call.asked), set()).add(self.find(call.model))

    def find(self, name: str) -> str:
        """Return the name of a model without its date."""
        found = None if name.startswith("ft:") else self._registry.find(name)
        return name if found is None else found.name

    def resolve(self, call: JournalCall) -> str:
        """Return the model that a call is counted under; empty where that is not sure."""
        if call.model:
            return self.find(call.model)
        asked = self.find(call.asked)
        answered = self._answered.get(asked)
        if answered is not None:
            return next(iter(answered)) if len(answered) == 1 else ""
        is_known = call.asked.startswith("ft:") or self._registry.find(call.asked) is not None
        return asked if is_known else ""


@dataclass(slots=True)
class Counted:
    """The calls and the rows as verdicts take them.

    Attributes:
        calls: by the group that counts them.
        rows: by the same.
    """

    calls: dict[Group, list[Call]] = field(default_factory=dict[Group, list[Call]])
    rows: dict[Group, list[UsageRow]] = field(default_factory=dict[Group, list[UsageRow]])

    @classmethod
    def of(
        cls, calls: Sequence[JournalCall], rows: Sequence[UsageRow], payers: Payers, models: Models, seen: Seen
    ) -> Counted:
        """Put calls and rows into the same groups."""
        unsure = {(call.report, *payers.find(call.client)) for call in calls if not models.resolve(call)}
        tokens = _learn_tokens(calls)
        made = cls()
        for call in calls:
            payer = payers.find(call.client)
            model = "" if (call.report, *payer) in unsure else models.resolve(call)
            group = Group(call.report, model, *payer)
            made.calls.setdefault(group, []).append(_make_call(call, group, tokens, seen))
        for row in rows:
            placed = payers.place(row)
            if placed is not None:
                model = "" if (row.report, *placed) in unsure else models.find(row.model)
                made.rows.setdefault(Group(row.report, model, *placed), []).append(row)
        return made

    def reported(self) -> Iterator[Reported]:
        """Yield the rows as verdicts take them."""
        for group, rows in self.rows.items():
            for row in rows:
                yield Reported(group=group, start=row.start, requests=row.requests, tokens=row.usage.input)


@dataclass(frozen=True, slots=True)
class Seen:
    """The minutes that the reports were read of, in seconds since 1970, and how far clocks may differ."""

    start: int
    end: int
    border: float

    def holds(self, call: JournalCall) -> bool:
        """Return whether a call is counted nowhere else."""
        return call.earliest - self.border >= self.start and call.latest + self.border < self.end


def _learn_tokens(calls: Iterable[JournalCall]) -> dict[str, int]:
    """Return the tokens of contents that were always read alike."""
    known: dict[str, set[int]] = {}
    for call in calls:
        if call.billed and call.tokens is not None and call.content:
            known.setdefault(call.content, set()).add(call.tokens)
    return {content: next(iter(counts)) for content, counts in known.items() if len(counts) == 1}


def _make_call(call: JournalCall, group: Group, tokens: Mapping[str, int], seen: Seen) -> Call:
    """Return a call as verdicts take it: one that may be counted in minutes that were not read may be or not."""
    known = call.tokens if call.billed else tokens.get(call.content)
    return Call(
        name=call.name,
        group=group,
        earliest=call.earliest,
        latest=call.latest,
        tokens=known if has_tokens(call.report) else None,
        billed=call.billed and seen.holds(call),
        count=call.count,
    )
