"""One line in the log for each call, without secrets and, unless asked for, without bodies."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import lru_cache

from connector.gateway.visit import Visit

__all__ = ["LOG", "Journal"]

LOG = logging.getLogger("connector.gateway")
LONGEST_NAME = 200
MOST = 2048


class Journal:
    """Writes what became of a call into the log.

    Args:
        redact: hides what the configuration keeps secret.
        bodies: whether the beginnings of bodies are written as well.
        currency: of what calls cost.
    """

    def __init__(self, redact: Callable[[str], str], *, bodies: bool = False, currency: str = "USD") -> None:
        self._currency = currency
        self.hide = redact
        self.bodies = bodies
        self._shown = lru_cache(maxsize=1024)(self._short)

    def __call__(self, visit: Visit) -> None:
        if not LOG.isEnabledFor(logging.INFO):
            return
        LOG.handle(_record(self._line(visit), visit))
        if self.bodies:
            for mark, body in ((">", visit.asked), ("<", visit.watch.beginning if visit.watch else b"")):
                LOG.info("%s %s", mark, self.hide(body.decode(errors="replace"))[:MOST])

    def _short(self, name: str) -> str:
        """A path or a model, which are the caller's words."""
        return self.hide(name[:LONGEST_NAME])

    def _line(self, visit: Visit) -> str:
        parts = [f"{visit.method} {self._shown(visit.path)}"]
        if visit.model:
            parts.append(f"model {self._shown(visit.model)}")
        if visit.usage.total:
            parts.append(f"{visit.usage.input}+{visit.usage.output} tokens")
        if visit.cost:
            parts.append(f"cost {visit.cost:.6f} {self._currency}")
        if visit.code:
            parts.append(f"{visit.code}: {self.hide(visit.detail)}")
        return ", ".join(parts)


PATTERN = LOG.makeRecord(LOG.name, logging.INFO, __file__, 0, "", (), None, "")
"""What logging looks up for each record, and is the same for all of these."""


def _record(line: str, visit: Visit) -> logging.LogRecord:
    """A record of a call, with what it tells beside its line."""
    now = time.time()
    record = object.__new__(logging.LogRecord)
    record.__dict__.update(
        PATTERN.__dict__,
        msg=line,
        created=now,
        msecs=now % 1 * 1000,
        event="gateway.call",
        token=visit.caller,
        client=visit.client,
        operation=visit.operation,
        state=visit.state,
        status=visit.status,
        seconds=round(visit.seconds, 6),
        request_id=visit.request_id,
    )
    return record
