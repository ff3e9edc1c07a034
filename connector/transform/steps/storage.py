"""`storage-*`: steps that look up values, keep them, and pass only documents that are new."""

from __future__ import annotations

import hashlib

import orjson

from connector.model import JSON
from connector.transform.conditions.storage import resolve_key
from connector.transform.context import Scope
from connector.transform.declaration import Step
from connector.transform.edit import assign
from connector.transform.errors import Skipped
from connector.transform.fields import PathOf, boolean, path, template, word
from connector.transform.paths import MISSING, look_up
from connector.transform.template import Resolve, Template
from connector.transform.types import Action

__all__ = ["STORAGES"]


def _build_get(storage: str, storage_key: Template, destination: PathOf | None) -> Action:
    async def run(document: JSON, scope: Scope) -> JSON:
        found = await scope.fetch(storage, resolve_key(storage_key, document, scope))
        if found is None:
            return document
        return found if destination is None else assign(document, destination(document, scope), found)

    return Action(run, awaits=True)


def _build_save(storage: str, storage_key: Template, source: PathOf | None) -> Action:
    async def run(document: JSON, scope: Scope) -> JSON:
        value = look_up(document, source(document, scope)) if source else document
        if value is MISSING:
            return document
        await scope.store(storage, resolve_key(storage_key, document, scope), value)
        return document

    return Action(run, awaits=True)


def _build_new(storage: str, storage_key: Template | None, add_entity_to_storage: Resolve) -> Action:
    async def run(document: JSON, scope: Scope) -> JSON:
        fingerprint = digest(document)
        key = resolve_key(storage_key, document, scope) if storage_key else fingerprint
        async with scope.lock(storage, key):
            if await scope.fetch(storage, key) == fingerprint:
                raise Skipped("", f"{storage} holds it already, unchanged")
            if add_entity_to_storage(document, scope):
                await scope.store(storage, key, fingerprint)
        return document

    return Action(run, awaits=True)


def digest(document: JSON) -> str:
    """Return the digest of a document, the same for any order of its keys."""
    return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()


STORAGE = word("The storage.", required=True)
KEY = template("The key; under an empty one made of ?{...} alone, nothing is found and kept.", required=True)
STORAGES = (
    Step(
        "storage-get-entity-from-storage",
        "Looks a value up; a document whose key is not there stays as it is.",
        {
            "storage": STORAGE,
            "storage_key": KEY,
            "destination": path("Where the value goes; in the document's place unless given."),
        },
        _build_get,
        calls=False,
    ),
    Step(
        "storage-save-entity-in-storage",
        "Keeps a value under a key; a document without the source keeps nothing.",
        {"storage": STORAGE, "storage_key": KEY, "source": path("What is kept; the document unless given.")},
        _build_save,
        calls=False,
    ),
    Step(
        "storage-filter-stored-entity",
        "Drops a document that the storage has seen and that has not changed since.",
        {
            "storage": STORAGE,
            "storage_key": template("What a document is known by; all of it unless given.", optional=True),
            "add_entity_to_storage": boolean("Whether a document that passes is remembered.", default=True),
        },
        _build_new,
        calls=False,
    ),
)
