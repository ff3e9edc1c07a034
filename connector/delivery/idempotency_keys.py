"""A key of ours in a request, by which what it brings about can be found again.

Where the operation takes metadata, they hold the key as `connector_task`. A file that the document does not name
itself carries it in its name, before the suffix. Everything else is looked for by the field that the catalogue names,
as the document gives it: names that users give are not changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from hashlib import blake2b
from pathlib import PurePath

import orjson

from connector.catalogue import Catalogue
from connector.catalogue.operation import Operation
from connector.delivery.call_records import account_digest
from connector.engine import Task
from connector.http import Client
from connector.model import JSON, is_document, is_list, is_object, items, members
from connector.publishers import CallIntent, ClientCall
from connector.request import Wire
from connector.request.files import FileInput, is_file
from connector.request.multipart import MultipartBody

__all__ = ["METADATA", "IdempotencyKeys", "Lookup", "key_of", "made_at", "place_lookup"]

METADATA = "connector_task"
MOST_METADATA = 16
CREATED = ("created_at", "created")
SKEW = 60.0
"""Seconds that the server's clock may be behind ours, of calls that an older version has written down."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """How the effect of a call is found.

    Attributes:
        entity: what is listed.
        path: the values of the list's path.
        field: the place of the value in an entity.
        value: the value that must be there.
        own: whether only this call can have given that value.
        size: of a file, its bytes.
        after: of what carries no key of ours, when the newest thing in the list was made before the call.
        known: the ids of those things that fitted before the call.
        began: when the call began, by the server's clock.
        patience: seconds after which the call has certainly ended.
        place: whom the client called, as a digest.
    """

    entity: str
    path: Mapping[str, str]
    field: tuple[str, ...]
    value: JSON
    own: bool
    size: int | None = None
    after: float | None = None
    known: tuple[str, ...] = ()
    began: float | None = None
    patience: float = 0.0
    place: str = ""

    def dump(self) -> str:
        """Return the lookup as text, as it is kept with a call."""
        return orjson.dumps(asdict(self)).decode()

    @classmethod
    def parse(cls, text: str) -> Lookup:
        """Return what was kept."""
        kept: dict[str, JSON] = orjson.loads(text)
        named: dict[str, JSON] = {one.name: kept[one.name] for one in fields(cls) if one.name in kept}
        named |= {"field": tuple(kept["field"]), "known": tuple(kept.get("known", ()))}
        return cls(**named)

    def is_like(self, entity: JSON) -> bool:
        """Return whether an entity matches the call, whenever it was made."""
        found = entity
        for key in self.field:
            found = found.get(key) if is_object(found) else None
        same = found == self.value or (is_list(self.value) and found in self.value)
        return same and (self.size is None or not is_object(entity) or entity.get("bytes") in (None, self.size))

    def fits(self, entity: JSON, started: float) -> bool:
        """Return whether an entity is what the call brought about, given when it began."""
        if not self.is_like(entity) or self.own:
            return self.is_like(entity)
        made = made_at(entity)
        since = started - SKEW if self.after is None else self.after
        return made is not None and made >= since and members(entity).get("id") not in self.known


def made_at(entity: JSON) -> float | None:
    """Return the creation time of an entity, in seconds since 1970."""
    found = [entity.get(name) for name in CREATED] if is_object(entity) else []
    return next((float(one) for one in found if isinstance(one, int | float)), None)


def key_of(task: Task, fingerprint: str) -> str:
    """Return the key of one call of one task; the same one however often it is sent."""
    text = f"{task.route}\0{task.id}\0{task.created!r}\0{fingerprint}"
    return f"oc-{blake2b(text.encode(), digest_size=10).hexdigest()}"


def place_lookup(lookup: Lookup, client: Client) -> Lookup:
    """Return a lookup with the account that the client calls and the server's time."""
    return replace(
        lookup, began=client.server_time, patience=client.parameters.timeouts.total, place=account_digest(client)
    )


@dataclass(frozen=True, slots=True)
class _Facts:
    """What schemas say of an operation: whether it takes metadata, whether its list tells when things were made."""

    metadata: bool
    dated: bool


class IdempotencyKeys:
    """Puts keys into requests."""

    def __init__(self) -> None:
        self._facts: dict[str, _Facts] = {}

    def add_key(self, intent: CallIntent, mark: str) -> tuple[CallIntent, Lookup | None]:
        """Return the call with the key in it, and how its effect is found; None when it cannot be found."""
        sent = intent.call
        if sent is None or sent.wire.operation is None:
            return intent, None
        operation = sent.wire.operation
        section = next((name for name in ("payload", "form") if is_object(sent.request.get(name))), "")
        payload = sent.request.get(section)
        if not section or not is_document(payload) or not _is_stored(operation, payload):
            return intent, None
        facts = self._of(sent.client.catalogue, operation)
        given = members(payload.get("metadata"))
        spoilt = payload.get("metadata") is not None and not is_object(payload.get("metadata"))
        lookup = Lookup(operation.reconcile["list"], _path_values(sent), ("metadata", METADATA), mark, own=True)
        if facts.metadata and not spoilt and len(given) < MOST_METADATA:
            other = {**payload, "metadata": {**given, METADATA: mark}}
            return intent.with_request({**sent.request, section: other}), lookup
        if operation.reconcile["by"] == "filename":
            return _add_file_name(intent, sent, section, payload, mark)
        value = payload.get(operation.reconcile["by"])
        field = (operation.reconcile.get("as", operation.reconcile["by"]),)
        found = facts.dated and value not in (None, "", [])
        return intent, replace(lookup, field=field, value=value, own=False) if found else None

    def _of(self, catalogue: Catalogue, operation: Operation) -> _Facts:
        name = operation.wire_name
        if name not in self._facts:
            listed = catalogue.find(operation.reconcile["list"], "list")
            dated = bool({*CREATED} & _field_names(catalogue.answer_schema(listed) or {}, deep=True))
            self._facts[name] = _Facts("metadata" in _field_names(catalogue.payload_schema(operation) or {}), dated)
        return self._facts[name]


def _is_stored(operation: Operation, payload: Mapping[str, JSON]) -> bool:
    """Return whether the API stores the result, where the payload decides that."""
    switch = operation.reconcile.get("when")
    return switch is None or payload.get(switch) is True


def _path_values(sent: ClientCall) -> dict[str, str]:
    """Return the path's values; those of a raw call are read from its text."""
    path = sent.request.get("path")
    if is_object(path):
        return {name: str(value) for name, value in path.items()}
    found = sent.client.catalogue.match(sent.wire.method, sent.wire.path)
    return found[1] if found else {}


def _add_file_name(
    intent: CallIntent, sent: ClientCall, section: str, payload: Mapping[str, JSON], mark: str
) -> tuple[CallIntent, Lookup | None]:
    """Return a file with the key in its name; a name that the document gives stays, and its size helps to find it."""
    places = [name for name, value in payload.items() if is_file(value)]
    if len(places) != 1 or sent.wire.operation is None:
        return intent, None
    entity, file = sent.wire.operation.reconcile["list"], payload[places[0]]
    if file.get("filename"):
        return intent, Lookup(entity, {}, ("filename",), file["filename"], own=False, size=_file_size(sent.wire))
    name = PurePath(str(file["$file"]).partition("?")[0]).name if "$file" in file else "upload"
    named = f"{PurePath(name).stem}.{mark}{PurePath(name).suffix}"
    other = {**payload, places[0]: {**file, "filename": named}}
    return intent.with_request({**sent.request, section: other}), Lookup(entity, {}, ("filename",), named, own=True)


def _file_size(wire: Wire) -> int | None:
    """Return the bytes of the one file of a form."""
    parts = wire.body.parts if isinstance(wire.body, MultipartBody) else ()
    return next((part.value.source.size for part in parts if isinstance(part.value, FileInput)), None)


def _field_names(schema: JSON, *, deep: bool = False) -> set[str]:
    """Return the names of an object's fields, however its schema is composed; of nested objects too when deep."""
    found: set[str] = set()
    seen: set[str] = set()
    definitions = members(members(schema).get("$defs"))
    todo: list[JSON] = [schema]
    while todo:
        part = members(todo.pop())
        reference = str(part.get("$ref", "")).rpartition("/")[2]
        if reference and reference not in seen:
            seen.add(reference)
            todo.append(definitions.get(reference))
        properties = members(part.get("properties"))
        found |= set(properties)
        for word in ("allOf", "anyOf", "oneOf"):
            todo += items(part.get(word))
        if deep:
            todo += [one for one in (*properties.values(), part.get("items")) if is_object(one)]
    return found
