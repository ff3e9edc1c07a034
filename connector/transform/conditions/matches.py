"""`matches` and `contains`: what text looks like, and what it or a list holds."""

from __future__ import annotations

from connector.model import JSON, is_list
from connector.transform.conditions.compare import negated, same
from connector.transform.context import Scope
from connector.transform.declaration import Condition, Verdict
from connector.transform.fields import template, text
from connector.transform.regex import compile_regex
from connector.transform.template import Resolve, Template
from connector.transform.text import to_text

__all__ = ["MATCHES"]


def _matches(pattern: Resolve) -> Verdict:
    def holds(found: JSON, document: JSON, scope: Scope) -> bool:
        if found is None or isinstance(found, dict | list):
            return False
        return compile_regex(pattern(document, scope)).search(to_text(found)) is not None

    return holds


def _contains(value: Template) -> Verdict:
    resolve = value.resolve

    def holds(found: JSON, document: JSON, scope: Scope) -> bool:
        wanted = resolve(document, scope)
        if isinstance(found, str):
            return to_text(wanted) in found
        return is_list(found) and any(same(item, wanted) for item in found)

    return holds


PATTERN = {
    "pattern": text(
        "A regular expression in RE2 syntax, found anywhere in the text.", required=True, aliases=("value", "regex")
    )
}
HELD = {"value": template("The text or item to look for.", required=True)}
MATCHES = (
    Condition("matches", "The text matches a regular expression.", PATTERN, _matches, sole="pattern"),
    Condition(
        "not-matches", "The text does not match a regular expression.", PATTERN, negated(_matches), sole="pattern"
    ),
    Condition("contains", "The text or list holds this.", HELD, _contains, sole="value"),
    Condition("not-contains", "The text or list does not hold this.", HELD, negated(_contains), sole="value"),
)
