"""Offline mode: a switch that is checked wherever a connection could begin, for commands that send nothing."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from connector.errors import ConfigurationError

__all__ = ["is_offline", "offline_mode", "refuse_offline"]

OFFLINE: ContextVar[bool] = ContextVar("offline", default=False)


@contextmanager
def offline_mode(*, when: bool = True) -> Generator[None]:
    """Refuse every connection that would begin within this block, or in tasks and threads that it starts."""
    before = OFFLINE.set(OFFLINE.get() or when)
    try:
        yield
    finally:
        OFFLINE.reset(before)


def is_offline() -> bool:
    """Return whether nothing may be sent."""
    return OFFLINE.get()


def refuse_offline(what: str) -> None:
    """Raise when nothing may be sent.

    Args:
        what: what cannot be reached, without a secret.
    """
    if is_offline():
        raise ConfigurationError(f"nothing is sent here, so {what} cannot be reached")
