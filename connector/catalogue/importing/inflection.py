"""Singular, plural, and the noun for what a verb does: as much English as entity names need."""

from __future__ import annotations

import re

__all__ = ["is_plural", "noun", "plural", "singular", "words"]

NOUNS = {
    "accept": "acceptances", "activate": "activations", "approve": "approvals", "archive": "archivals",
    "assign": "assignments", "cancel": "cancellations", "compact": "compactions", "complete": "completions",
    "confirm": "confirmations", "deactivate": "deactivations", "disable": "disablings", "enable": "enablings",
    "execute": "executions", "fork": "forks", "generate": "generations", "hangup": "hangups", "invite": "invitations",
    "merge": "merges", "move": "moves", "pause": "pauses", "publish": "publications", "query": "queries",
    "refer": "referrals", "refund": "refunds", "reject": "rejections", "remix": "remixes", "reset": "resets",
    "restart": "restarts", "restore": "restorations", "resume": "resumptions", "retry": "retries",
    "revoke": "revocations", "rotate": "rotations", "run": "runs", "search": "searches", "send": "sendings",
    "start": "starts", "stop": "stops", "submit": "submissions", "suspend": "suspensions", "test": "tests",
    "unarchive": "restorations", "validate": "validations", "verify": "verifications",
}  # fmt: skip
"""The verbs that end a path, each with the plural noun its entity is called by."""


def words(segment: str) -> list[str]:
    """A path segment's words in lower case, whether it is snake_case, kebab-case or camelCase."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", segment)
    return re.split(r"[\s_.\-]+", spaced.strip("_.- ").lower())


def singular(name: str) -> str:
    """The name with its last word in the singular."""
    if name.endswith("ies") and len(name) > 4:
        return name[:-3] + "y"
    if name.endswith(("ches", "shes", "xes", "zes", "sses")):
        return name[:-2]
    return name[:-1] if is_plural(name) else name


def plural(name: str) -> str:
    """The name with its last word in the plural."""
    if is_plural(name):
        return name
    if name.endswith("y") and name[-2:-1] not in "aeiou":
        return name[:-1] + "ies"
    return name + ("es" if name.endswith(("s", "x", "z", "ch", "sh")) else "s")


def is_plural(name: str) -> bool:
    """Whether the name's last word looks like a plural."""
    return name.endswith("s") and not name.endswith(("ss", "us", "is"))


def noun(verb_words: list[str]) -> str | None:
    """The noun for a segment that begins with a verb (`submit tool outputs`: tool output submissions), else nothing."""
    doing = NOUNS.get(verb_words[0])
    if doing is None:
        return None
    return " ".join([*([singular(" ".join(verb_words[1:]))] if verb_words[1:] else []), doing])
