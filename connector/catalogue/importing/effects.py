"""What a repeat of an operation would do, as far as its method and name tell."""

from __future__ import annotations

from connector.model import Effect

__all__ = ["REPEATABLE_VERBS", "effect_of"]

REPEATABLE_VERBS = frozenset({
    "update", "cancel", "pause", "resume", "archive", "unarchive", "activate", "deactivate", "enable", "disable",
    "suspend", "reject", "hangup", "validate", "restore", "stop",
})  # fmt: skip
"""Verbs that bring one thing, named by its id, into a state: a second time changes nothing more."""


def effect_of(method: str, verb: str | None) -> Effect:
    """The effect of an operation of which no overlay says more: a POST that may create is opaque."""
    if method in ("GET", "HEAD", "OPTIONS"):
        return Effect.NONE
    if method in ("DELETE", "PUT", "PATCH") or verb in REPEATABLE_VERBS:
        return Effect.IDEMPOTENT
    return Effect.OPAQUE
