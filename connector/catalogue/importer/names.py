"""The names of operations: entity and action, and a verb where the path ends in one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

__all__ = [
    "Name",
    "NamingRules",
    "is_plural",
    "name_operation",
    "nominalize",
    "singularize",
    "split_path",
    "split_words",
]

ADJECTIVE = re.compile(r"\b(\w+)=true")
"""A flag in the path's fixed query is part of the name: `?beta=true` reads `beta …`."""
VERSION = re.compile(r"v\d+([a-z]+\d*)?|api|alpha|beta")


@dataclass(frozen=True, slots=True)
class NamingRules:
    """The overlays' additions to the rules."""

    rewrites: Sequence[Mapping[str, str]] = ()
    words: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Name:
    """An operation's entity and action, with verb and parent when it is more than a plain create."""

    entity: str
    action: str
    verb: str | None = None
    on: str | None = None


def split_path(path: str) -> list[str]:
    """Split a path into segments, without those that only name a version."""
    return [part for part in path.split("?", maxsplit=1)[0].split("/") if part and not VERSION.fullmatch(part.lower())]


def name_operation(method: str, path: str, rules: NamingRules, *, lists: bool, singleton: bool) -> Name:
    """Name an operation; `lists`: its answer is a list, `singleton`: a GET of the same path reads one thing."""
    path, _, fixed = path.partition("?")
    for rewrite in rules.rewrites:
        path = re.sub(rewrite["from"], rewrite["to"], path)
    parts = split_path(path)
    literals = [*ADJECTIVE.findall(fixed), *(part for part in parts if not part.startswith("{"))]
    by_id = bool(parts) and parts[-1].startswith("{")
    entity = _name_entity(literals, rules)
    if method in ("GET", "HEAD", "OPTIONS"):
        return Name(entity, "retrieve" if by_id or not lists else "list")
    if method == "DELETE":
        return Name(entity, "delete")
    if method in ("PUT", "PATCH"):
        return Name(entity, "replace" if method == "PUT" else "update")
    if by_id or singleton:
        return Name(f"{singularize(entity)} updates", "create", "update", entity)
    return _name_verb(literals, rules) or Name(entity, "create")


def _name_entity(literals: Sequence[str], rules: NamingRules) -> str:
    names = [rules.words.get(part, " ".join(split_words(part))) for part in literals]
    return " ".join([*(singularize(name) for name in names[:-1]), *names[-1:]]) or "root"


def _name_verb(literals: Sequence[str], rules: NamingRules) -> Name | None:
    doing = nominalize(split_words(literals[-1])) if len(literals) > 1 else None
    if doing is None or (is_plural(literals[-1]) and "_" not in literals[-1]):
        return None
    parent = _name_entity(literals[:-1], rules)
    return Name(f"{singularize(parent)} {doing}", "create", "_".join(split_words(literals[-1])), parent)


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
"""Verbs that end a path, each with the plural noun that names its entity."""

IRREGULAR = {
    "aliases": "alias", "analyses": "analysis", "axes": "axis", "buses": "bus", "children": "child", "crises": "crisis",
    "criteria": "criterion", "indices": "index", "people": "person", "statuses": "status", "vertices": "vertex",
}  # fmt: skip
"""Plurals that the rules below get wrong, with their singulars."""
SINGULARS = set(IRREGULAR.values())
UNCHANGED = {"data", "media", "news", "series"}
"""Words whose plural equals their singular."""


def split_words(segment: str) -> list[str]:
    """Split a segment in snake_case, kebab-case or camelCase into lower-case words."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", segment)
    return re.split(r"[\s_.\-]+", spaced.strip("_.- ").lower())


def singularize(name: str) -> str:
    """Return a name with its last word in the singular."""
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
    """Return whether a name's last word looks like a plural, or is the same in both numbers."""
    word = name.rpartition(" ")[2]
    if word in UNCHANGED or word in IRREGULAR:
        return True
    return word.endswith("s") and word not in SINGULARS and not word.endswith(("ss", "us", "is"))


def nominalize(verb_words: list[str]) -> str | None:
    """Return the noun for a segment that begins with a verb (`submit tool outputs`: tool output submissions)."""
    doing = NOUNS.get(verb_words[0])
    if doing is None:
        return None
    return " ".join([*([singularize(" ".join(verb_words[1:]))] if verb_words[1:] else []), doing])
