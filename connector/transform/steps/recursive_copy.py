"""`recursively-copy-values-to-children`: values of a document pushed down into its parts."""

from __future__ import annotations

from connector.model import JSON, is_document
from connector.request.display import kind
from connector.transform.context import Scope
from connector.transform.declaration import Run, Step
from connector.transform.edit import Edit, merge
from connector.transform.fields import pattern, template
from connector.transform.patterns import Pattern
from connector.transform.signals import Unfit
from connector.transform.template import Template

__all__ = ["RECURSIVE_COPY"]


def _build(children_pattern: Pattern, merge_template: Template) -> Run:
    def run(document: JSON, scope: Scope) -> JSON:
        matches = list(children_pattern.matches(document))
        if not matches:
            return document
        values: JSON = merge_template.resolve(document, scope) or {}
        if not is_document(values):
            raise Unfit(f"merge_template makes {kind(values)}, an object is needed")
        edit = Edit(document)
        for match in matches:
            edit.set(match.path, merge(match.value or {}, values))
        return edit.end()

    return run


RECURSIVE_COPY = Step(
    "recursively-copy-values-to-children",
    "Merges values of the document into each of its parts that a pattern leads to.",
    {
        "children_pattern": pattern("The parts, orders.*.lines.* for example.", required=True),
        "merge_template": template("The values; placeholders read the document.", required=True),
    },
    _build,
)
