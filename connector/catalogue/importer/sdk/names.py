"""Names for what only the SDK knows: entities and actions of operations, definitions of classes."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from connector.catalogue.importer.sdk.schemas import PREFIX, Schema
from connector.model import is_document, is_list

DEEDS = {
    "accept": "acceptances",
    "cancel": "cancellations",
    "fork": "forks",
    "hangup": "hangups",
    "pause": "pauses",
    "refer": "referrals",
    "reject": "rejections",
    "resume": "resumptions",
    "rotate_secret": "secret rotations",
    "test": "tests",
    "validate": "validations",
}
"""What a POST to a path's last word makes; any other last word is a collection of its own."""


ACTIONS = {"POST": "create", "DELETE": "delete", "PUT": "replace", "PATCH": "update"}


@dataclass(frozen=True, slots=True)
class Name:
    """An operation's entity and action; verbs and updates are also found as a verb on the entity they change."""

    entity: str
    action: str
    verb: str | None = None
    on: str | None = None


def name_of(method: str, path: str, called: str) -> Name:
    """The name of an operation, from its path and from what the SDK calls the method that makes it."""
    words = path.partition("?")[0].strip("/").split("/")
    if method == "POST" and len(words) > 2 and words[-1] in DEEDS:
        on = _entity(words[:-1])
        return Name(f"{_singular(on)} {DEEDS[words[-1]]}", "create", words[-1], on)
    entity = _entity(words)
    if method == "POST" and called == "update":
        return Name(f"{_singular(entity)} updates", "create", "update", entity)
    if method == "GET":
        single = words[-1].startswith("{") or words[-1] == "content" or called == "retrieve"
        return Name(entity, "retrieve" if single else "list")
    return Name(entity, ACTIONS[method])


def _entity(words: list[str]) -> str:
    kinds = [w.replace("_", " ") for w in words if not w.startswith("{")]
    if kinds[:2] == ["organization", "usage"]:
        return f"{kinds[2]} usage"
    if kinds[:2] == ["organization", "projects"]:
        kinds = kinds[1:]
    return " ".join([*map(_singular, kinds[:-1]), kinds[-1]])


def _singular(words: str) -> str:
    return re.sub(r"ies$", "y", words) if words.endswith("ies") else re.sub(r"(?<=[^s])s$", "", words)


def definition_names(homes: Mapping[Any, tuple[str, str]], taken: Collection[str]) -> dict[Any, str]:
    """One name for each type of these homes (module and own name): its own; its packages follow when another type
    bears the same; Sdk does when the document has a definition so named."""
    wanted: dict[str, list[Any]] = defaultdict(list)
    for kind, (module, own) in homes.items():
        wanted[_inner_name(module, own)].append(kind)
    names: dict[Any, str] = {}
    for name, bearers in wanted.items():
        for kind in bearers:
            full = name if len(bearers) == 1 else f"{name}In{_packages(homes[kind][0])}"
            names[kind] = f"Sdk{full}" if full in taken else full
    for name in sorted(name for name, count in Counter(names.values()).items() if count > 1):
        for number, kind in enumerate((kind for kind in homes if names[kind] == name), 1):
            names[kind] = name if number == 1 else f"{name}{number}"
    return names


def _inner_name(module: str, own: str) -> str:
    """A type's name, led by its module's when it is an inner type of it (`Agent` of session_create_params)."""
    stem = pascal(re.sub(r"_params$", "", module.rpartition(".")[2]))
    return own if own.lower().startswith(stem.lower()[:8]) else f"{stem}{own}"


def _packages(module: str) -> str:
    return "".join(pascal(p) for p in module.split(".")[2:-1])


def pascal(words: str) -> str:
    return "".join(w[:1].upper() + w[1:] for w in words.split("_"))


def canonical_names(definitions: Mapping[str, Schema]) -> dict[str, str]:
    """For each definition the one that stands for it: the shortest name among those that say the same.

    Two definitions say the same when they differ in nothing but the names of what they refer to, and those say the
    same in turn; so all start in one class, and classes are split until none splits any more.
    """
    classes = dict.fromkeys(definitions, 0)
    count = 0
    while True:
        said = {name: json.dumps(rename_references(schema, classes)) for name, schema in definitions.items()}
        order = {text: index for index, text in enumerate(sorted(set(said.values())))}
        if len(order) == count:
            break
        count = len(order)
        classes = {name: order[text] for name, text in said.items()}
    best: dict[int, str] = {}
    for name in sorted(definitions, key=lambda n: (len(n.removeprefix("Sdk")), n.removeprefix("Sdk"))):
        best.setdefault(classes[name], name)
    return {name: best[number] for name, number in classes.items()}


def rename_references(value: Any, names: Mapping[str, Any]) -> Any:
    """A value with its references under other names."""
    if is_document(value):
        inner = {key: rename_references(v, names) for key, v in value.items()}
        return {**inner, "$ref": f"{PREFIX}{names[value['$ref'].removeprefix(PREFIX)]}"} if "$ref" in value else inner
    return [rename_references(v, names) for v in value] if is_list(value) else value


def closure(value: Any, definitions: Mapping[str, Schema]) -> dict[str, Schema]:
    """The definitions that a value refers to, directly or through others, by name."""
    found: dict[str, Schema] = {}
    todo = [value]
    while todo:
        for name in re.findall(rf'"{PREFIX}(\w+)"', json.dumps(todo.pop())):
            if name in definitions and name not in found:
                found[name] = definitions[name]
                todo.append(definitions[name])
    return dict(sorted(found.items()))
