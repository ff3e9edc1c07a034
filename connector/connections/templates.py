"""Requests as templates: resolved for a document, completed by what the document says itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import quote

from connector.model import JSON, is_object
from connector.request.path import SAFE, segment_fault
from connector.transform import Origin, Scope, Template, Unfit, compile_template
from connector.transform.placeholders import has_placeholder, scan, to_text

__all__ = ["SECTIONS", "RequestTemplate", "completed", "is_request", "merged"]

SECTIONS = ("path", "query", "payload", "headers")


class RequestTemplate:
    """A request with placeholders; those in a path that is text become parts of segments and lead nowhere else."""

    def __init__(self, request: Mapping[str, JSON], where: str = "request") -> None:
        path = request.get("path")
        self._path = _path_of(path, f"{where}.path") if isinstance(path, str) and has_placeholder(path) else None
        rest = {name: value for name, value in request.items() if self._path is None or name != "path"}
        self._rest: Template = compile_template(rest, where=where)

    @property
    def origins(self) -> tuple[Origin, ...]:
        """Where the values come from, except those in a path that is text."""
        return self._rest.origins

    def resolve(self, document: JSON, scope: Scope) -> dict[str, JSON]:
        """The request for a document."""
        found: dict[str, JSON] = self._rest.resolve(document, scope)
        return found if self._path is None else {**found, "path": self._path(document, scope)}


def _path_of(path: str, where: str) -> Callable[[JSON, Scope], str]:
    parts = [part if isinstance(part, str) else compile_template(str(part), where=where) for part in scan(path)]

    def resolve(document: JSON, scope: Scope) -> str:
        return "".join(part if isinstance(part, str) else _segment(part, document, scope) for part in parts)

    return resolve


def _segment(template: Template, document: JSON, scope: Scope) -> str:
    text = to_text(template.resolve(document, scope))
    fault = segment_fault(text)
    if fault:
        raise Unfit(f"{template.value} in the path {fault[0]}; {fault[1]}")
    return quote(text, safe=SAFE)


def is_request(document: JSON) -> bool:
    """Whether a document is a request, and not what a request's template is resolved on."""
    if not is_object(document) or not any(name in document for name in SECTIONS):
        return False
    objects = all(is_object(document.get(name) or {}) for name in ("query", "headers"))
    return objects and (is_object(document.get("path") or {}) or str(document.get("path")).startswith("/"))


def completed(template: RequestTemplate | None, document: JSON, scope: Scope, *, calls: bool) -> JSON:
    """The request that a document stands for, completed by the template; `calls` says that documents are requests."""
    if template is None:
        return document
    made = template.resolve(document, scope)
    return merged(made, document) if not calls or is_request(document) else made


def merged(template: JSON, document: JSON) -> JSON:
    """The template, with everything that the document says in its place."""
    if not is_object(template) or not is_object(document):
        return document
    both = {name: merged(template[name], document[name]) for name in template if name in document}
    return {**template, **document, **both}
