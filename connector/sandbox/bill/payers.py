"""Who is charged for a request: the project and the key that it came with."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256

from connector.model import JSON, is_object

__all__ = ["DEFAULT_PROJECT", "Payer", "current_payer", "paying", "read_payer"]

DEFAULT_PROJECT = "proj_default"
"""Of requests that name none."""
REGIONAL = re.compile(r"(?:mtls-)?[a-z]{2}\.api\.openai\.com(?::\d+)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Payer:
    """Who is charged, and how a request came in."""

    project: str = DEFAULT_PROJECT
    user: str = "user-sandbox"
    key: str = "key_sandbox"
    batch: bool = False
    regional: bool = False

    def as_document(self) -> dict[str, JSON]:
        """Return the payer as it is kept with what is done later."""
        return {"project": self.project, "user": self.user, "key": self.key, "regional": self.regional}

    @classmethod
    def of(cls, kept: JSON) -> Payer:
        """Return a payer that was kept."""
        found: Mapping[str, JSON] = kept if is_object(kept) else {}
        return cls(**{name: found[name] for name in ("project", "user", "key", "regional") if name in found})


SANDBOX = Payer()
"""Who is charged for what no request asked for."""
_CURRENT: ContextVar[Payer] = ContextVar("payer", default=SANDBOX)


def current_payer() -> Payer:
    """Return who is charged for what is done now."""
    return _CURRENT.get()


@contextmanager
def paying(payer: Payer, *, batch: bool = False) -> Generator[None]:
    """Charge a payer for what is done within the block."""
    token = _CURRENT.set(replace(payer, batch=batch))
    try:
        yield
    finally:
        _CURRENT.reset(token)


def read_payer(headers: Mapping[str, str]) -> Payer:
    """Return who a request's headers charge; for calls from within, who is charged already."""
    key = headers.get("authorization", "") or headers.get("api-key", "")
    if not key:
        return current_payer()
    return _make_payer(key, headers.get("openai-project", ""), headers.get("host", ""))


@lru_cache(maxsize=1024)
def _make_payer(key: str, project: str, host: str) -> Payer:
    name = f"key_{sha256(key.rpartition(' ')[2].encode()).hexdigest()[:12]}"
    return Payer(project or DEFAULT_PROJECT, key=name, regional=REGIONAL.fullmatch(host) is not None)
