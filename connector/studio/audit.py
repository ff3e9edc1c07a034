"""The audit log: who did what, when, to what, and what changed; attempts that were refused as well."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from connector.engine import Change, Store
from connector.model import JSON, is_document
from connector.studio.roles import Person

__all__ = ["SPACE", "AuditLog", "Entry"]

SPACE = "studio-audit"
"""The space of records that holds the entries; they are as durable as the tasks."""
MOST = 10_000
"""Entries that are kept; the oldest go first."""
STEP = 500
DIGITS = 20

Verdict = Literal["done", "refused", "failed"]
VERDICTS: Mapping[str, Verdict] = {"done": "done", "refused": "refused", "failed": "failed"}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that somebody did, or tried.

    Attributes:
        number: counts up.
        at: seconds since 1970.
        action: such as `tasks retry` or `config save`.
        subject: what it was done to, such as `task 12` or `route orders`.
        detail: what changed: a count, a diff, a reason; never a secret.
    """

    number: int
    at: float
    who: str
    role: str
    action: str
    subject: str
    verdict: Verdict
    detail: JSON = None


class AuditLog:
    """Writes and reads the entries.

    Args:
        store: where they are kept.
        clock: seconds since 1970.
        redact: hides secrets in texts.
    """

    def __init__(self, store: Store, clock: Callable[[], float], redact: Callable[[JSON], JSON]) -> None:
        self._store = store
        self._clock = clock
        self._redact = redact
        self._last = 0

    async def write(
        self, person: Person, action: str, subject: str, *, detail: JSON = None, verdict: Verdict = "done"
    ) -> None:
        """Write an entry; it is on disk when this returns."""
        record = self.record(person, action, subject, detail=detail, verdict=verdict)
        await self._store.commit(Change(records=record))
        if self._last % STEP == 0:
            await self._trim()

    def record(
        self, person: Person, action: str, subject: str, *, detail: JSON = None, verdict: Verdict = "done"
    ) -> Mapping[tuple[str, str], JSON]:
        """Return an entry as a record, for a change that does what the entry says."""
        log.info("%s (%s): %s %s: %s", person.name, person.role, action, subject, verdict)
        # Numbers grow with time over restarts and processes; two of one microsecond are told apart by the counter.
        self._last = max(self._last + 1, int(self._clock() * 1_000_000))
        entry = {
            "at": self._clock(),
            "who": person.name,
            "role": person.role.value,
            "action": action,
            "subject": subject,
            "verdict": verdict,
            "detail": self._redact(detail),
        }
        return {(SPACE, str(self._last).zfill(DIGITS)): entry}

    async def read(self, *, before: int | None = None, limit: int = 50) -> Sequence[Entry]:
        """Return entries, the newest first."""
        records = await self._store.records(SPACE)
        keys = sorted((key for key in records if before is None or int(key) < before), reverse=True)
        return [_entry(int(key), records[key]) for key in keys[:limit]]

    async def _trim(self) -> None:
        keys = sorted(await self._store.records(SPACE))
        if len(keys) > MOST:
            await self._store.commit(Change(records={(SPACE, key): None for key in keys[: len(keys) - MOST]}))


def _entry(number: int, record: JSON) -> Entry:
    known: dict[str, JSON] = {**record} if is_document(record) else {}
    words = {name: str(known.get(name) or "") for name in ("who", "role", "action", "subject")}
    verdict = VERDICTS.get(str(known.get("verdict")), "failed")
    return Entry(number=number, at=float(known.get("at") or 0), verdict=verdict, detail=known.get("detail"), **words)
