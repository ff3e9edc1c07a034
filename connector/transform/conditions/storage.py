"""`storage-entity-filter`: conditions on what a storage has under a key."""

from __future__ import annotations

from connector.model import JSON
from connector.transform.context import Scope
from connector.transform.declaration import Condition, Field, Location
from connector.transform.errors import Unfit
from connector.transform.fields import boolean, each, template, word
from connector.transform.placeholders import to_text
from connector.transform.template import Resolve, Template
from connector.transform.types import Check

__all__ = ["STORAGE", "resolve_key"]


def resolve_key(template: Template, document: JSON, scope: Scope) -> str:
    """Return the key of a document; an empty one, where it is allowed, finds and keeps nothing."""
    key = to_text(template.resolve(document, scope))
    if not key and scope.context.missing == "error" and not _may_be_empty(template):
        raise Unfit("the storage key is empty; name fields that every document has, or write ?{...} if it may be")
    return key


def _may_be_empty(template: Template) -> bool:
    """Whether a key is made of optional placeholders alone, as in `?{sku}`."""
    text = template.value
    return isinstance(text, str) and "?{" in text and "&{" not in text and "@{" not in text


def _build(storage: str, storage_key: Template, condition: Check, store: list[dict[str, Resolve]]) -> Check:
    adds = store[0]["add_entity_to_storage"] if store else None

    async def holds(_: JSON, document: JSON, scope: Scope) -> bool:
        key = resolve_key(storage_key, document, scope)
        async with scope.lock(storage, key):
            held = bool(condition.holds(await scope.fetch(storage, key), document, scope))
            if held and adds is not None and adds(document, scope):
                await scope.store(storage, key, document)
        return held

    return Check(holds, awaits=True)


def _condition(given: JSON, location: Location) -> Check:
    return location.builder.condition(given, location)


def _build_absent() -> Check:
    return Check(lambda found, _document, _scope: found is None)


def _build_present() -> Check:
    return Check(lambda found, _document, _scope: found is not None)


FIELDS = {
    "storage": word("The storage.", required=True),
    "storage_key": template("The key to look for.", required=True),
    "condition": Field(
        "a condition",
        "What must hold of the value found; null when there is none.",
        _condition,
        {"$ref": "#/$defs/condition"},
        True,
    ),
    "store": each(
        "Whether the document is kept under the key when the condition holds.",
        {"add_entity_to_storage": boolean("Whether to keep it.", default=False)},
    ),
}
STORAGE = (
    Condition("storage-entity-filter", "Asks a storage about a key.", FIELDS, _build, calls=False),
    Condition(
        "storage-entity-does-not-exists",
        "The storage holds nothing there.",
        {},
        _build_absent,
        aliases=("storage-entity-does-not-exist",),
    ),
    Condition("storage-entity-exists", "The storage holds something there.", {}, _build_present),
)
