"""Singulars, and the noun for what a verb does: as much English as entity names need."""

from __future__ import annotations

import re

__all__ = ["is_plural", "noun", "singular", "words"]

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

IRREGULAR = {
    "aliases": "alias", "analyses": "analysis", "axes": "axis", "buses": "bus", "children": "child", "crises": "crisis",
    "criteria": "criterion", "indices": "index", "people": "person", "statuses": "status", "vertices": "vertex",
}  # fmt: skip
"""Plurals that the endings below get wrong, with their singulars."""
SINGULARS = set(IRREGULAR.values())
UNCHANGED = {"data", "media", "news", "series"}
"""Words that name one thing as well as many."""


def words(segment: str) -> list[str]:
    """A path segment's words in lower case, whether it is snake_case, kebab-case or camelCase."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", segment)
    return re.split(r"[\s_.\-]+", spaced.strip("_.- ").lower())


def singular(name: str) -> str:
    """The name with its last word in the singular."""
    first, gap, last = name.rpartition(" ")
    return first + gap + _singular(last)


def _singular(word: str) -> str:
    if word in UNCHANGED or word in IRREGULAR:
        return IRREGULAR.get(word, word)
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "zes", "sses")):
        return word[:-2]
    return word[:-1] if is_plural(word) else word


def is_plural(name: str) -> bool:
    """Whether the name's last word looks like a plural, or is the same in both."""
    word = name.rpartition(" ")[2]
    if word in UNCHANGED or word in IRREGULAR:
        return True
    return word.endswith("s") and word not in SINGULARS and not word.endswith(("ss", "us", "is"))


def noun(verb_words: list[str]) -> str | None:
    """The noun for a segment that begins with a verb (`submit tool outputs`: tool output submissions), else nothing."""
    doing = NOUNS.get(verb_words[0])
    if doing is None:
        return None
    return " ".join([*([singular(" ".join(verb_words[1:]))] if verb_words[1:] else []), doing])
