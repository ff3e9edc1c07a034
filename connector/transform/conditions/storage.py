"""`storage-entity-filter`: what a storage knows of a key."""

from __future__ import annotations

from connector.model import JSON
from connector.transform.context import Scope
from connector.transform.declaration import Condition, Field, Test
from connector.transform.fields import boolean, each, template, word
from connector.transform.site import Site
from connector.transform.storing import held, keep, key_of, lock
from connector.transform.template import Resolve, Template

__all__ = ["STORAGE"]


def _build(storage: str, storage_key: Template, condition: Test, store: list[dict[str, Resolve]]) -> Test:
    adds = store[0]["add_entity_to_storage"] if store else None

    async def holds(_: JSON, document: JSON, scope: Scope) -> bool:
        key = key_of(storage_key, document, scope)
        async with lock(storage, key, scope):
            verdict = bool(condition.holds(await held(storage, key, scope), document, scope))
            if verdict and adds is not None and adds(document, scope):
                await keep(storage, key, document, scope)
        return verdict

    return Test(holds, awaits=True)


def _condition(given: JSON, site: Site) -> Test:
    return site.compiler.condition(given, site)


def _absent() -> Test:
    return Test(lambda found, _document, _scope: found is None)


def _present() -> Test:
    return Test(lambda found, _document, _scope: found is not None)


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
        _absent,
        aliases=("storage-entity-does-not-exist",),
    ),
    Condition("storage-entity-exists", "The storage holds something there.", {}, _present),
)
