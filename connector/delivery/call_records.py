"""What is kept of a call: a fingerprint, request and answer without secrets, and whether it may have taken effect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b, sha256

import orjson

from connector.documents import to_json
from connector.engine import CallRecord, Store, Task
from connector.http import Client
from connector.model import JSON, Effect, Outcome, State, is_document, is_object, items, members
from connector.pipeline import Runtime
from connector.pipeline.decisions import may_have_acted
from connector.publishers import CallIntent
from connector.request import BytesBody, Redactor, Wire
from connector.request.files import FileInput
from connector.request.multipart import MultipartBody
from connector.request.sources import Content, LocalFile, RemoteFile, Source

__all__ = [
    "BY_HAND",
    "MISSING",
    "MOST_KEPT",
    "NOTES",
    "PLACE",
    "Redaction",
    "account_digest",
    "bound_body",
    "decode_outcome",
    "describe_repeats",
    "encode_outcome",
    "encode_request",
    "find_doubtful",
    "find_repeated",
    "fingerprint",
    "is_large",
    "list_calls",
    "read_carried_notes",
]

LENGTH = 16


def fingerprint(intent: CallIntent) -> str:
    """Return a digest that is equal for calls that would send the same."""
    parts = _parts(intent)
    # Their lengths first, so that no other parts make the same row of bytes.
    return blake2b(b"".join([_pack([len(part) for part in parts]), *parts]), digest_size=LENGTH).hexdigest()


def account_digest(client: Client) -> str:
    """Return a digest of the address and account that a client calls."""
    parameters = client.parameters
    return _digest(client.base_uri, getattr(parameters, "organization", None), getattr(parameters, "project", None))


@lru_cache(maxsize=256)
def _digest(*account: object) -> str:
    return blake2b(repr(list(account)).encode(), digest_size=8).hexdigest()


def _parts(intent: CallIntent) -> list[bytes]:
    if intent.call is None:
        return [_pack([intent.target, intent.operation, intent.content])]
    # A client is whom it calls: a name that was changed makes nothing be paid for again.
    return [
        _pack([account_digest(intent.call.client), intent.operation, intent.content]),
        *_wire_parts(intent.call.wire),
    ]


def _wire_parts(wire: Wire) -> list[bytes]:
    # The type of a body is left out: the boundary of a form is another one each time.
    headers = {name: value for name, value in wire.headers.items() if name != "content-type"}
    parts = [_pack([wire.method, wire.path, wire.query, headers])]
    body = wire.body
    if isinstance(body, MultipartBody):
        return parts + [_pack([name, _part_value(value), kind]) for name, value, kind in body.parts]
    return [*parts, body.data] if isinstance(body, BytesBody) else [*parts, repr(body).encode()]


def _part_value(value: str | FileInput) -> JSON:
    return value if isinstance(value, str) else [value.filename, value.content_type, *_identity(value.source)]


def _identity(source: Source) -> list[JSON]:
    """Return what identifies a file's content, without reading it where possible."""
    if isinstance(source, Content):
        return [blake2b(source.data, digest_size=LENGTH).hexdigest()]
    if isinstance(source, LocalFile):
        return [source.path, list(source.identity)]
    return [source.url, source.size, source.mark] if isinstance(source, RemoteFile) else [source.name, source.size]


def _pack(value: JSON) -> bytes:
    return orjson.dumps(value, default=repr, option=orjson.OPT_SORT_KEYS)


PLACE = "place"
"""What the record of a request in a batch says of it: its place in its task."""
MOST_KEPT = 256 * 1024
"""The bytes of an answer that a task keeps after its end; before, it needs its answers whole."""
EVIDENCE = 2048
BY_HAND = "by_hand"
"""The member of an outcome that says how a person knows it."""


class Redaction:
    """Knows the secrets of the configuration and of its clients."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._known: list[frozenset[str]] = []
        self._redactor = Redactor()

    def __call__(self, value: JSON) -> JSON:
        """Return the value without secrets; the same one when it holds none."""
        return self.encode(value)[0]

    def encode(self, value: JSON) -> tuple[JSON, bytes]:
        """Return the same, and as JSON."""
        data = orjson.dumps(value, default=_plain)
        redactor = self._refresh()
        if not redactor.has_secret(data):
            return value, data
        kept = orjson.loads(data)
        shown = redactor.hide_known_in(kept)
        return (value, data) if shown == kept else (shown, orjson.dumps(shown))

    def text(self, text: str) -> str:
        """Return a text without secrets, and without what looks like one."""
        return self._refresh()(text) if text else text

    def is_clean(self, text: str) -> bool:
        """Return whether a text holds no secret."""
        return self.text(text) == text

    def _refresh(self) -> Redactor:
        """Return a redactor of all secrets known now; replaced keys stay secret."""
        known = self._runtime.secrets()
        if known != self._known:
            self._known = known
            self._redactor = Redactor(frozenset[str]().union(*known))
        return self._redactor


def _plain(value: object) -> JSON:
    return to_json(value)


def encode_request(intent: CallIntent, redact: Redaction) -> tuple[JSON, bytes]:
    """Return what is about to be sent, as people read it, and as JSON."""
    sent = intent.call
    if sent is None:
        return redact.encode({"target": intent.target, "operation": intent.operation, "content": intent.content})
    wire = sent.wire
    shown: dict[str, JSON] = {"method": wire.method, "url": sent.client.find_address(wire)}
    shown["headers"] = dict(wire.headers)
    body = _encode_body(wire)
    return redact.encode(shown if body is None else {**shown, "body": body})


def _encode_body(wire: Wire) -> JSON:
    body = wire.body
    if isinstance(body, BytesBody):
        if len(body.data) > MOST_KEPT:
            return _omit(body.data)
        try:
            return orjson.loads(body.data)
        except orjson.JSONDecodeError:
            return body.data.decode(errors="replace")
    if isinstance(body, MultipartBody):
        return [_encode_part(name, value) for name, value, _ in body.parts]
    return None if body is None else {"bytes": body.length}


def _encode_part(name: str, value: JSON) -> JSON:
    if isinstance(value, str):
        return {"name": name, "value": value[:EVIDENCE]}
    return {"name": name, "filename": value.filename, "file": value.source.name, "bytes": value.source.size}


def encode_outcome(outcome: Outcome, redact: Redaction) -> tuple[JSON, bytes]:
    """Return what a call came to, as response chains see it, and how it came to that; and the same as JSON."""
    kept: dict[str, JSON] = {
        "status": outcome.status,
        "headers": outcome.headers,
        "body": to_json(outcome.body) if isinstance(outcome.body, bytes) else outcome.body,
        "request_id": outcome.request_id,
    }
    if not outcome.ok:
        kept |= {"reason": outcome.reason, "evidence": outcome.evidence[:EVIDENCE], "action": outcome.action}
    if outcome.faults:
        kept["faults"] = [str(fault) for fault in outcome.faults]
    kept["tries"] = [
        {"state": one.state, "status": one.status, "seconds": one.seconds, "reason": one.reason, "waited": one.waited}
        for one in outcome.attempts
    ]
    return redact.encode(kept)


def decode_outcome(kept: JSON) -> Outcome:
    """Return the outcome of a call that is done, as it was kept."""
    found: Mapping[str, JSON] = kept if is_object(kept) else {}
    return Outcome(
        State.DONE, found.get("status"), found.get("headers") or {}, found.get("body"), found.get("request_id")
    )


def is_large(kept: JSON) -> bool:
    """Return whether the body of an envelope is more than what is kept."""
    return is_document(kept) and len(orjson.dumps(kept.get("body"))) > MOST_KEPT


def bound_body(kept: JSON) -> JSON:
    """Return the envelope, with its body only noted when that is large."""
    if not is_document(kept):
        return kept
    data = orjson.dumps(kept.get("body"))
    return kept if len(data) <= MOST_KEPT else {**kept, "body": _omit(data)}


def _omit(data: bytes) -> JSON:
    return {"$omitted": {"bytes": len(data), "sha256": sha256(data).hexdigest()}}


NOTES = "notes of gathered tasks"
"""The space of records with notes on tasks that were gathered, by the first of them."""
MISSING = "missing"
"""The member of an outcome that says that a complete list did not show what the call would have made."""


def find_doubtful(calls: Sequence[CallRecord], retried: int = 0) -> list[CallRecord]:
    """Return calls that may have taken effect and were never done; those before a manual retry are settled.

    Args:
        calls: of one task, the oldest first.
        retried: how many of them a person has looked at.
    """
    done = {call.fingerprint for call in calls if call.state == State.DONE}
    return [call for call in calls[retried:] if _may_have_acted(call) and call.fingerprint not in done]


def find_repeated(calls: Sequence[CallRecord], retried: int = 0) -> list[CallRecord]:
    """Return costly calls that may have taken effect and were followed by the same call, or a similar one."""
    return [
        call
        for place, call in enumerate(calls)
        if _is_costly(call)
        and _may_have_acted(call)
        and any(_repeats(later, call, alike=place >= retried) for later in calls[place + 1 :])
    ]


def describe_repeats(calls: Sequence[CallRecord], retried: int = 0) -> str:
    """Return what must not be silent of calls that may have taken effect more than once."""
    again = find_repeated(calls, retried)
    vain = [call for call in again if _is_missing(call)]
    seen = [call for call in again if not _is_missing(call)]
    found: list[str] = []
    if seen:
        found.append(f"sent again although it may have taken effect before: {list_calls(seen)}")
    if vain:
        found.append(f"looked for in vain and sent again, so it may have taken effect twice: {list_calls(vain)}")
    return "; ".join(found)


async def read_carried_notes(store: Store, carrier: Task) -> str:
    """Return what must not be silent of the tasks that go on in this one."""
    kept = members(await store.record(NOTES, str(carrier.source)))
    return "; ".join(str(note) for note in items(kept.get("notes")))


def list_calls(calls: Sequence[CallRecord]) -> str:
    """Return calls in words."""
    return ", ".join(f"{call.operation} in attempt {call.attempt}" for call in calls)


def _repeats(later: CallRecord, call: CallRecord, *, alike: bool) -> bool:
    """Return whether a later call repeats another: the same request, or in a later attempt a similar one."""
    if later.state == State.NOT_SENT and not _is_missing(later):
        return False
    same = later.fingerprint == call.fingerprint
    return same or (alike and later.operation == call.operation and later.attempt > call.attempt)


def _may_have_acted(call: CallRecord) -> bool:
    acted = may_have_acted(call.state, call.outcome) or _is_missing(call)
    return call.effect != Effect.NONE and acted


def _is_missing(call: CallRecord) -> bool:
    return members(call.outcome).get(MISSING) is True


def _is_costly(call: CallRecord) -> bool:
    return not Effect(call.effect).repeatable
