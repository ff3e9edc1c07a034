"""What steps and conditions share that use a storage."""

from __future__ import annotations

import asyncio

from connector.model import JSON
from connector.transform.context import Scope, Storage
from connector.transform.signals import Unfit
from connector.transform.template import Template
from connector.transform.text import to_text

__all__ = ["held", "keep", "key_of", "lock"]


def storage_named(name: str, scope: Scope) -> Storage:
    """The storage of that name."""
    storages = scope.context.storages
    if name not in storages:
        known = ", ".join(storages) or "none"
        raise Unfit(f"no storage is named {name!r}; there are: {known}")
    return storages[name]


def key_of(template: Template, document: JSON, scope: Scope) -> str:
    """Return the key under which something is kept; an empty one, where it may be empty, finds and keeps nothing."""
    key = to_text(template.resolve(document, scope))
    if not key and scope.context.missing == "error" and not _may_be_empty(template):
        raise Unfit("the storage key is empty; name fields that every document has, or write ?{...} if it may be")
    return key


def _may_be_empty(template: Template) -> bool:
    """Whether a key is made of optional placeholders alone, as in `?{sku}`."""
    written = template.value
    return isinstance(written, str) and "?{" in written and "&{" not in written and "@{" not in written


async def held(storage: str, key: str, scope: Scope) -> JSON:
    """What the storage has under a key, or None."""
    return await storage_named(storage, scope).get(key) if key else None


async def keep(storage: str, key: str, value: JSON, scope: Scope) -> None:
    """Have the storage keep a value; without a key there is nothing to find it by."""
    if key:
        await storage_named(storage, scope).put(key, value)


def lock(name: str, key: str, scope: Scope) -> asyncio.Lock:
    """What keeps two documents of a run from asking for one key at a time and both being told that it is new."""
    return scope.locks.setdefault(f"{name}\0{key}", asyncio.Lock())
