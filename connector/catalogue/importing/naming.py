"""What an operation is called: entity and action, and the verb it is also found by."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connector.catalogue.importing.inflection import is_plural, noun, singular, words

__all__ = ["Name", "NamingRules", "name_operation", "segments"]

ADJECTIVE = re.compile(r"\b(\w+)=true")
"""A flag in the path's fixed query is part of the name: `?beta=true` reads `beta …`."""
VERSION = re.compile(r"v\d+([a-z]+\d*)?|api|alpha|beta")


@dataclass(frozen=True, slots=True)
class NamingRules:
    """What the overlays add to the general rule."""

    rewrites: Sequence[Mapping[str, str]] = ()
    words: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Name:
    """An operation's entity and action, with verb and parent when it is more than a plain create."""

    entity: str
    action: str
    verb: str | None = None
    on: str | None = None


def segments(path: str) -> list[str]:
    """The path's segments without those that only name a version."""
    return [part for part in path.split("?", maxsplit=1)[0].split("/") if part and not VERSION.fullmatch(part.lower())]


def name_operation(method: str, path: str, rules: NamingRules, *, lists: bool, singleton: bool) -> Name:
    """The name of one operation; `lists`: its answer is a list, `singleton`: a GET of the same path reads one thing."""
    path, _, fixed = path.partition("?")
    for rewrite in rules.rewrites:
        path = re.sub(rewrite["from"], rewrite["to"], path)
    parts = segments(path)
    literals = [*ADJECTIVE.findall(fixed), *(part for part in parts if not part.startswith("{"))]
    by_id = bool(parts) and parts[-1].startswith("{")
    entity = _entity(literals, rules)
    if method in ("GET", "HEAD", "OPTIONS"):
        return Name(entity, "retrieve" if by_id or not lists else "list")
    if method == "DELETE":
        return Name(entity, "delete")
    if method in ("PUT", "PATCH"):
        return Name(entity, "replace" if method == "PUT" else "update")
    if by_id or singleton:
        return Name(f"{singular(entity)} updates", "create", "update", entity)
    return _verb(literals, rules) or Name(entity, "create")


def _entity(literals: Sequence[str], rules: NamingRules) -> str:
    names = [rules.words.get(part, " ".join(words(part))) for part in literals]
    return " ".join([*(singular(name) for name in names[:-1]), *names[-1:]]) or "root"


def _verb(literals: Sequence[str], rules: NamingRules) -> Name | None:
    doing = noun(words(literals[-1])) if len(literals) > 1 else None
    if doing is None or (is_plural(literals[-1]) and "_" not in literals[-1]):
        return None
    parent = _entity(literals[:-1], rules)
    return Name(f"{singular(parent)} {doing}", "create", "_".join(words(literals[-1])), parent)
