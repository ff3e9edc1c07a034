"""The file of spent budgets and pending charges, so that a restart does not forget them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path

import orjson

from connector.aio.atomic_file import write_atomically
from connector.gateway.access_log import LOG
from connector.gateway.limits import Spending, SpendingLike
from connector.gateway.pending_usage import PendingUsage
from connector.model import JSON, members

__all__ = ["BudgetFile"]

PENDING_KEY = ""
"""No token has this name."""
INTERVAL = 1.0
"""Seconds for which a change may be in memory only."""


class BudgetFile:
    """Spendings by token, saved at most once an interval, when they have changed.

    Args:
        path: the file, which need not exist.
        pending: charges for answers that are still being made, wherever they are kept.
    """

    def __init__(self, path: Path, pending: PendingUsage | None = None) -> None:
        self._path = path
        self._spendings: dict[str, SpendingLike] = {}
        self.pending = PendingUsage() if pending is None else pending
        self._timer: asyncio.TimerHandle | None = None
        self._saving: asyncio.Task[None] | None = None
        self._has_warned = False

    def read(self, names: Iterable[str]) -> dict[str, Spending]:
        """Return the spendings of some tokens; one that was never saved has spent nothing."""
        saved = members(_parse(self._path))
        found = {name: _spending(members(saved.get(name))) for name in names}
        self._spendings = dict(found)
        self.pending.restore(members(saved.get(PENDING_KEY)))
        return found

    def watch(self, name: str, spending: SpendingLike) -> None:
        """Save this from now on as what a token has spent."""
        if name in self._spendings:
            self._spendings[name] = spending

    def start(self) -> None:
        """Save changes from now on; without a spending there is nothing to save."""
        if self._spendings:
            self._timer = asyncio.get_running_loop().call_later(INTERVAL, self._tick)

    async def close(self) -> None:
        """Save what has changed, and stop."""
        if self._timer is not None:
            self._timer.cancel()
        if self._saving is not None:
            await self._saving
        if self._is_dirty:
            await self._save()

    @property
    def _is_dirty(self) -> bool:
        spendings = self._spendings.values()
        return any(one.is_dirty for one in spendings) or (self.pending.is_dirty and bool(spendings))

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        if self._is_dirty and (self._saving is None or self._saving.done()):
            self._saving = loop.create_task(self._save())
        self._timer = loop.call_later(INTERVAL, self._tick)

    def save_changes(self) -> None:
        """Save what has changed, in a process that may wait for the disk."""
        if self._is_dirty:
            self._write(self._collect())

    async def _save(self) -> None:
        await asyncio.to_thread(self._write, self._collect())

    def _collect(self) -> bytes:
        # What requests under way may use counts as spent: a process that dies before them cannot say what they did.
        saved: dict[str, JSON] = {
            name: {
                "begun": s.begun,
                "amount": s.amount + s.held_amount,
                "tokens": s.tokens + s.held_tokens,
                "warned": s.warned,
            }
            for name, s in self._spendings.items()
        }
        if self.pending:
            saved[PENDING_KEY] = self.pending.dump()
        self.pending.is_dirty = False
        for spending in self._spendings.values():
            spending.is_dirty = False
        return orjson.dumps(saved)

    def _write(self, saved: bytes) -> None:
        try:
            write_atomically(self._path, saved)
        except OSError as error:
            if not self._has_warned:
                LOG.warning("budgets are kept in memory only: cannot write %s: %s", self._path, error.strerror)
            self._has_warned = True


def _parse(path: Path) -> object:
    try:
        return orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, orjson.JSONDecodeError) as error:
        LOG.warning("what was spent before is not known: cannot read %s: %s", path, type(error).__name__)
        return None


def _spending(saved: Mapping[str, object]) -> Spending:
    begun, amount, tokens, warned = (saved.get(name, 0) for name in ("begun", "amount", "tokens", "warned"))
    if not (isinstance(begun, int | float) and isinstance(amount, int | float) and isinstance(tokens, int)):
        return Spending()
    told = float(warned) if isinstance(warned, int | float) else 0.0
    return Spending(float(begun), float(amount), tokens, warned=told)
