"""The access log: one line for each request, without secrets and, unless configured, without bodies."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import lru_cache

from connector.gateway.request_record import RequestRecord

__all__ = ["LOG", "AccessLog"]

LOG = logging.getLogger("connector.gateway")
MAX_NAME = 200
MAX_BODY = 2048
TEMPLATE = LOG.makeRecord(LOG.name, logging.INFO, __file__, 0, "", (), None, "")
"""The attributes that logging looks up for each record, and that are the same for all of these."""


class AccessLog:
    """Write a line for each request.

    Args:
        redact: hides what the configuration keeps secret.
        bodies: whether the beginnings of bodies are written too.
        currency: of costs.
    """

    def __init__(self, redact: Callable[[str], str], *, bodies: bool = False, currency: str = "USD") -> None:
        self._currency = currency
        self.redact = redact
        self.has_bodies = bodies
        self._redact_name = lru_cache(maxsize=1024)(self._shorten)

    def write(self, record: RequestRecord) -> None:
        """Log a request that has ended."""
        if not LOG.isEnabledFor(logging.INFO):
            return
        LOG.handle(_log_record(self._message(record), record))
        if self.has_bodies:
            for mark, body in ((">", record.request_body), ("<", record.response_body)):
                LOG.info("%s %s", mark, self.redact(body.decode(errors="replace"))[:MAX_BODY])

    def _shorten(self, name: str) -> str:
        """Return a path or a model, which callers make up, redacted and cut."""
        return self.redact(name[:MAX_NAME])

    def _message(self, record: RequestRecord) -> str:
        parts = [f"{record.method} {self._redact_name(record.path)}"]
        if record.model:
            parts.append(f"model {self._redact_name(record.model)}")
        if record.usage.total:
            parts.append(f"{record.usage.input}+{record.usage.output} tokens")
        if record.cost:
            parts.append(f"cost {record.cost:.6f} {self._currency}")
        if record.code:
            parts.append(f"{record.code}: {self.redact(record.detail)}")
        return ", ".join(parts)


def _log_record(message: str, record: RequestRecord) -> logging.LogRecord:
    now = time.time()
    made = object.__new__(logging.LogRecord)
    made.__dict__.update(
        TEMPLATE.__dict__,
        msg=message,
        created=now,
        msecs=now % 1 * 1000,
        event="gateway.call",
        token=record.caller,
        client=record.client,
        operation=record.operation,
        state=record.state,
        status=record.status,
        seconds=round(record.seconds, 6),
        request_id=record.request_id,
    )
    return made
