"""One line in the log for each call, without secrets and, unless asked for, without bodies."""

from __future__ import annotations

import logging
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
    """

    def __init__(self, redact: Callable[[str], str], *, bodies: bool = False) -> None:
        self.hide = redact
        self.bodies = bodies
        self._shown = lru_cache(maxsize=1024)(self._short)

    def __call__(self, visit: Visit) -> None:
        if not LOG.isEnabledFor(logging.INFO):
            return
        # A record made by hand: where in the code it comes from is looked up for each otherwise, and is always here.
        LOG.handle(LOG.makeRecord(LOG.name, logging.INFO, __file__, 0, self._line(visit), (), None, "", _fields(visit)))
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
            parts.append(f"cost {visit.cost:.6f}")
        if visit.code:
            parts.append(f"{visit.code}: {self.hide(visit.detail)}")
        return ", ".join(parts)


def _fields(visit: Visit) -> dict[str, object]:
    """What a record tells beside its line."""
    return {
        "event": "gateway.call",
        "token": visit.caller,
        "client": visit.client,
        "operation": visit.operation,
        "state": visit.state,
        "status": visit.status,
        "seconds": round(visit.seconds, 6),
        "request_id": visit.request_id,
    }
