"""A document of the right shape, made from the tree of a configuration as far as it has one."""

from __future__ import annotations

from pydantic import ValidationError

from connector.config.findings import Finding, Path
from connector.config.model_errors import translate_errors
from connector.config.models import Document
from connector.config.references import references_in
from connector.config.tree import Tree, value_at, without
from connector.config.variables import Variables
from connector.model import JSON, is_document, is_list

__all__ = ["TOKENS", "is_deferred", "normalize"]

DEFERRED = frozenset({"parameters", "chain", "input", "request"})
"""Keys whose references are replaced when they are used; all others are replaced when the configuration is read."""
DEFERRED_PARTS = ("chains", "variables", "engine")
HOST_ENGINES = (("camunda", "engine"), ("mcp", "engine"), ("temporal", "engine"))
DEFERRED_FIELDS = frozenset(
    {
        ("routes", "key"),
        ("routes", "version"),
        ("routes", "order"),
        ("gateway", "hash"),
        ("gateway", "signing_key"),
        ("gateway", "signingKey"),
        ("studio", "hash"),
        ("temporal", "api_key"),
        ("temporal", "apiKey"),
    }
    | {*HOST_ENGINES}
)
TOKENS = (("gateway", "tokens"), ("studio", "tokens"))
"""The places of tokens, which are entries of settings."""
IGNORED = "x-"
"""The prefix of top-level keys that only hold YAML anchors."""


def normalize(tree: Tree, variables: Variables, findings: list[Finding]) -> Document:
    """Return the tree's document; note entries of the wrong shape and leave them out."""
    given = {key: part for key, part in tree.value.items() if not key.startswith(IGNORED) and key != "$schema"}
    unset: set[Path] = set()
    early = {section: _resolve_early(part, (section,), variables, unset) for section, part in given.items()}
    try:
        return Document.model_validate(early)
    except ValidationError as error:
        found = list(translate_errors(error, Document, early, hide=lambda path: _is_private(tree.value, path)))
        for one in found:
            if one.path not in unset:
                place = tree.key_place(one.path) if one.rule == "unknown-key" else tree.value_place(one.path)
                findings.append(Finding(one.rule, place, one.fault))
        return _drop_faults(early, [one.path for one in found])


def is_deferred(path: Path) -> bool:
    """Return whether the references at a path are replaced when they are used."""
    if not path or path[0] in DEFERRED_PARTS or not DEFERRED.isdisjoint(path[2:]):
        return bool(path)
    return (path[0], path[-1]) in DEFERRED_FIELDS


def _resolve_early(value: JSON, path: Path, variables: Variables, unset: set[Path]) -> JSON:
    """Return a part with its early references replaced; note those that are not set."""
    if is_deferred(path):
        return value
    if is_document(value):
        return {key: _resolve_early(item, (*path, key), variables, unset) for key, item in value.items()}
    if is_list(value):
        return [_resolve_early(item, (*path, index), variables, unset) for index, item in enumerate(value)]
    if isinstance(value, str) and any(variables.problems(value, path)):
        unset.add(path)
        return value
    return variables.resolve(value, path)


def _is_private(given: JSON, path: Path) -> bool:
    """Return whether a value is not shown: a client's, a token's, or one from a reference."""
    if path[:1] in (("clients",), ("engine",)) or path[:2] in HOST_ENGINES or path[:2] in TOKENS:
        return True
    return any(references_in(value_at(given, path)))


def _drop_faults(early: dict[str, JSON], wrong: list[Path]) -> Document:
    """Return the document without its faults, so that the rest is checked as well."""
    kept = without(early, wrong)
    try:
        return Document.model_validate(kept)
    except ValidationError as error:
        entries = {_entry(refusal["loc"]) for refusal in error.errors(include_url=False, include_input=False)}
        return Document.model_validate(without(kept, entries))


def _entry(place: Path) -> Path:
    """Return the path of the entry that a path leads into."""
    return place[: 3 if place[:2] in TOKENS else 2]
