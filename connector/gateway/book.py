"""What was spent of budgets, and whose answers are still being made, in a file so that a restart does not forget it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

import orjson

from connector.gateway.journal import LOG
from connector.gateway.pending import Pending
from connector.gateway.quota import Spending
from connector.model import JSON, members

__all__ = ["Book"]

PENDING = ""
"""No token has this name."""
SECONDS = 1.0
"""How long something that was spent may be in memory only."""


class Book:
    """Spendings by token, written a moment after they change.

    Args:
        file: where they are kept; it need not be there.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._spendings: dict[str, Spending] = {}
        self.pending = Pending()
        """The answers that are still being made."""
        self._due: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None
        self._warned = False

    def read(self, names: Mapping[str, object]) -> dict[str, Spending]:
        """The spendings of these tokens; one that was never written has spent nothing."""
        kept = members(_parsed(self._file))
        self._spendings = {name: _spending(members(kept.get(name))) for name in names}
        self.pending.restore(members(kept.get(PENDING)))
        return self._spendings

    def changed(self) -> None:
        """Something was spent: it is written in a moment, together with what follows."""
        if self._due is None and self._spendings:
            self._due = asyncio.get_running_loop().call_later(SECONDS, self._start)

    async def close(self) -> None:
        """Writes what is not written yet."""
        if self._writing is not None:
            await self._writing
        if self._due is not None:
            self._due.cancel()
            self._due = None
            await self._write()

    def _start(self) -> None:
        self._due = None
        self._writing = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        # What calls under way may use counts as spent: a process that ends before them cannot say what they did.
        kept: dict[str, JSON] = {
            name: {"begun": s.begun, "amount": s.amount + s.held_amount, "tokens": s.tokens + s.held_tokens}
            for name, s in self._spendings.items()
        }
        if self.pending:
            kept[PENDING] = self.pending.kept()
        try:
            await asyncio.to_thread(_replaced, self._file, orjson.dumps(kept))
        except OSError as error:
            if not self._warned:
                LOG.warning("budgets are kept in memory only: cannot write %s: %s", self._file, error.strerror)
            self._warned = True


def _parsed(file: Path) -> object:
    try:
        return orjson.loads(file.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, orjson.JSONDecodeError) as error:
        LOG.warning("what was spent before is not known: cannot read %s: %s", file, type(error).__name__)
        return None


def _spending(kept: Mapping[str, object]) -> Spending:
    begun, amount, tokens = (kept.get(name, 0) for name in ("begun", "amount", "tokens"))
    if not (isinstance(begun, int | float) and isinstance(amount, int | float) and isinstance(tokens, int)):
        return Spending()
    return Spending(float(begun), float(amount), tokens)


def _replaced(file: Path, data: bytes) -> None:
    """Puts a whole new file in the place of the old one."""
    part = file.with_name(f"{file.name}.{token_hex(4)}")
    try:
        with part.open("xb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        part.replace(file)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
