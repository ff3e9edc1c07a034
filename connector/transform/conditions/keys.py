"""`key-condition`: whether something stands at a path."""

from __future__ import annotations

from connector.model import JSON
from connector.transform.conditions.compare import negated
from connector.transform.context import Scope
from connector.transform.declaration import Condition, Field, Test, Verdict
from connector.transform.fields import At, path
from connector.transform.paths import MISSING, look_up
from connector.transform.site import Site

__all__ = ["KEY_CONDITIONS"]


def _exists(path: At) -> Verdict:
    def holds(found: JSON, document: JSON, scope: Scope) -> bool:
        return look_up(found, path(document, scope)) is not MISSING

    return holds


def _key_condition(filter: Test) -> Test:  # noqa: A002  the platform's name
    return filter


def _read(given: JSON, site: Site) -> Test:
    return site.compiler.condition({"key-exists-condition": given} if isinstance(given, str) else given, site)


FILTER = Field(
    "a condition", "Which key must be there, or must not.", _read, {"$ref": "#/$defs/condition"}, required=True
)
PATH = {"path": path("The dotted path of the key.", required=True, aliases=("key",))}
KEY_CONDITIONS = (
    Condition(
        "key-condition", "A condition on the keys of the document.", {"filter": FILTER}, _key_condition, sole="filter"
    ),
    Condition(
        "key-exists-condition", "Something stands at a path.", PATH, _exists, aliases=("key-exists",), sole="path"
    ),
    Condition(
        "key-not-exists-condition",
        "Nothing stands at a path.",
        PATH,
        negated(_exists),
        aliases=("key-not-exists",),
        sole="path",
    ),
)
