"""The access log: one line for each request, without secrets and, unless configured, without bodies."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from datetime import date
from functools import lru_cache

from connector.gateway.request_record import RequestRecord
from connector.model_registry import LifeCycle, ModelRegistry, current_day

__all__ = ["LOG", "AccessLog", "Retirements"]

LOG = logging.getLogger("connector.gateway")
MAX_NAME = 200
MAX_BODY = 2048
MAX_SEEN = 10_000
TEMPLATE = LOG.makeRecord(LOG.name, logging.INFO, __file__, 0, "", (), None, "")
"""The attributes that logging looks up for each record, and that are the same for all of these."""


class Retirements:
    """Finds models that retire, or have retired, among those that callers ask for.

    Args:
        registry: what is known of models.
        clients: the names of the clients whose models those are.
    """

    def __init__(self, registry: ModelRegistry, clients: Collection[str]) -> None:
        self._registry = registry
        self._clients = frozenset(clients)
        self._day = date.min
        self._seen: set[tuple[str, str]] = set()

    def find(self, record: RequestRecord) -> str:
        """Return the warning of a request's model; empty when there is none, or the caller had it today."""
        today = current_day()
        if today != self._day or len(self._seen) >= MAX_SEEN:
            self._day, self._seen = today, set()
        key = (record.caller, record.model)
        if key in self._seen or record.client not in self._clients:
            return ""
        self._seen.add(key)
        model = self._registry.find(record.model)
        life_cycle = LifeCycle.ACTIVE if model is None else model.life_cycle(today)
        if model is None or life_cycle is LifeCycle.ACTIVE:
            return ""
        successor = self._registry.successor(model.name, today)
        instead = f"; {successor.name} takes its place" if successor else ""
        verb = "was shut down" if life_cycle is LifeCycle.RETIRED else "stops"
        return f"{record.caller or 'a caller'} asks for {model.name}, which {verb} on {model.shutdown}{instead}"


class AccessLog:
    """Write a line for each request.

    Args:
        redact: hides what the configuration keeps secret.
        bodies: whether the beginnings of bodies are written too.
        currency: of costs.
        retirements: says of a model whether it retires; None where the models are not those of the registry.
    """

    def __init__(
        self,
        redact: Callable[[str], str],
        *,
        bodies: bool = False,
        currency: str = "USD",
        retirements: Retirements | None = None,
    ) -> None:
        self._currency = currency
        self._retirements = retirements
        self.redact = redact
        self.has_bodies = bodies
        self._redact_name = lru_cache(maxsize=1024)(self._shorten)

    def write(self, record: RequestRecord) -> None:
        """Log a request that has ended, and once a day for each caller that its model retires."""
        if self._retirements is not None and record.model:
            warning = self._retirements.find(record)
            if warning:
                LOG.warning("%s", warning, extra={"token": record.caller, "client": record.client})
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
        if record.origin:
            parts.append(f"from {record.origin}")
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
