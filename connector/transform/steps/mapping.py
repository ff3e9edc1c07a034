"""`value-mapper`, `list-mapper`, `key-mapper`: put values, whole lists and keys through mappers."""

from __future__ import annotations

from collections.abc import Callable

from connector.model import JSON, is_document
from connector.request.display import describe_value
from connector.transform.context import Scope
from connector.transform.declaration import Step
from connector.transform.edit import Edit, assign, rename
from connector.transform.errors import Unfit
from connector.transform.fields import accessor, mappers, raw
from connector.transform.paths import MISSING, Segments, path_getter
from connector.transform.types import Map, Run, Selector

__all__ = ["MAPPING"]


def _apply_mappers(value: JSON, maps: list[Map], scope: Scope) -> JSON:
    for mapper in maps:
        value = mapper(value, scope)
    return value


def _values(accessor: Selector, mappers: list[Map]) -> Run:
    if accessor.sole is not None:
        return _map_one(accessor.sole, mappers)

    def run(document: JSON, scope: Scope) -> JSON:
        edit = Edit(document)
        for path, value in accessor.places(document):
            edit.set(path, _apply_mappers(value, mappers, scope))
        return edit.end()

    return run


def _map_one(path: Segments, maps: list[Map]) -> Run:
    """Return the run that maps the value at one path."""
    find = path_getter(path)

    def run(document: JSON, scope: Scope) -> JSON:
        value = find(document)
        if value is MISSING:
            return document
        for mapper in maps:
            value = mapper(value, scope)
        return assign(document, path, value)

    return run


def _lists(accessor: Selector, mappers: list[Map]) -> Run:
    def run(document: JSON, scope: Scope) -> JSON:
        edit = Edit(document)
        for path, container in accessor.whole(document):
            edit.set(path, _apply_mappers(container, mappers, scope))
        return edit.end()

    return run


def _keys(accessor: Selector, mappers: list[Map]) -> Run:
    def run(document: JSON, scope: Scope) -> JSON:
        edit = Edit(document)
        for parent, names in _find_parents(accessor, document).items():
            node = edit.get(parent)
            if node == []:
                continue
            if not is_document(node):
                raise Unfit(f"{'.'.join(parent) or 'the document'} is {describe_value(node)}, only objects have keys")
            edit.set(
                parent, rename(node, {name: _check_key(_apply_mappers(name, mappers, scope)) for name in names or node})
            )
        return edit.end()

    return run


def _find_parents(accessor: Selector, document: JSON) -> dict[Segments, list[str]]:
    """Return the objects whose keys are mapped, the innermost first; no names mean all of them."""
    found: dict[Segments, list[str]] = {}
    for path, _ in accessor.places(document):
        names = found.setdefault(path[:-1], [])
        if path:
            names.append(path[-1])
    return dict(sorted(found.items(), key=lambda item: -len(item[0])))


def _check_key(value: JSON) -> str:
    if isinstance(value, str) and value:
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise Unfit(f"a key became {describe_value(value)}, keys are texts")


def _step(name: str, summary: str, places: str, work: Callable[[Selector, list[Map]], Run]) -> Step:
    def build(accessor: Selector, mappers: list[Map], strip_enclosures: JSON) -> Run:  # noqa: ARG001  has no effect here
        return work(accessor, mappers)

    fields = {
        "accessor": accessor(places, required=True),
        "mappers": mappers("The mappers, in their order.", required=True),
        "strip_enclosures": raw("Accepted from other platforms; what is mapped stays in its place."),
    }
    return Step(name, summary, fields, build)


MAPPING = (
    _step("value-mapper", "Puts each value that an accessor names through mappers.", "The values.", _values),
    _step("list-mapper", "Puts lists and objects as a whole through mappers.", "The lists or objects.", _lists),
    _step("key-mapper", "Puts keys through mappers.", "The keys; the document's own unless more is said.", _keys),
)
