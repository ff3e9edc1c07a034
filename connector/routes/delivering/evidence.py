"""What is kept of a call: the request and the envelope of its answer, without secrets and within bounds."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

import orjson

from connector.connections import Runtime
from connector.documents import to_json
from connector.model import JSON, Outcome, State, is_document, is_object
from connector.publishers import CallIntent
from connector.request import BytesBody, Redactor, Wire
from connector.request.multipart import MultipartBody

__all__ = ["MOST_KEPT", "Hiding", "bounded", "envelope_of", "is_large", "outcome_of", "request_of"]

MOST_KEPT = 256 * 1024
"""Bytes of an answer that are kept of a task that has ended; one that has not needs its answers whole."""
EVIDENCE = 2048


class Hiding:
    """Knows the secrets of the configuration and of its clients."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._known: list[frozenset[str]] = []
        self._redactor = Redactor()

    def __call__(self, value: JSON) -> JSON:
        """The value without secrets; the same one when it holds none."""
        return self.sized(value)[0]

    def sized(self, value: JSON) -> tuple[JSON, int]:
        """The same, with the bytes that it takes."""
        data = orjson.dumps(value, default=_plain)
        redactor = self._now()
        if not redactor.holds(data):
            return value, len(data)
        kept = orjson.loads(data)
        shown = redactor.known_in(kept)
        return (value if shown == kept else shown), len(data)

    def text(self, text: str) -> str:
        """A text without secrets, and without what looks like one."""
        return self._now()(text) if text else text

    def shows(self, text: str) -> bool:
        """Whether a text holds no secret."""
        return self.text(text) == text

    def _now(self) -> Redactor:
        """Keys may be replaced while we run, and old ones stay secrets."""
        known = self._runtime.secrets()
        if known != self._known:
            self._known = known
            self._redactor = Redactor(frozenset[str]().union(*known))
        return self._redactor


def _plain(value: object) -> JSON:
    return to_json(value)


def request_of(intent: CallIntent, hide: Hiding) -> JSON:
    """What is about to be sent, as people read it."""
    sent = intent.call
    if sent is None:
        return hide({"target": intent.target, "operation": intent.operation, "content": intent.content})
    wire = sent.wire
    shown: dict[str, JSON] = {"method": wire.method, "url": f"{sent.client.base_uri}{wire.target}"}
    shown["headers"] = dict(wire.headers)
    body = _body(wire)
    return hide(shown if body is None else {**shown, "body": body})


def _body(wire: Wire) -> JSON:
    body = wire.body
    if isinstance(body, BytesBody):
        if len(body.data) > MOST_KEPT:
            return _omitted(body.data)
        try:
            return orjson.loads(body.data)
        except orjson.JSONDecodeError:
            return body.data.decode(errors="replace")
    if isinstance(body, MultipartBody):
        return [_part(name, value) for name, value, _ in body.parts]
    return None if body is None else {"bytes": body.length}


def _part(name: str, value: JSON) -> JSON:
    if isinstance(value, str):
        return {"name": name, "value": value[:EVIDENCE]}
    return {"name": name, "filename": value.filename, "file": value.source.name, "bytes": value.source.size}


def envelope_of(outcome: Outcome, hide: Hiding) -> tuple[JSON, bool]:
    """What a call came to, as response chains see it, and how it came to that; and whether that is large."""
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
    shown, size = hide.sized(kept)
    return shown, size > MOST_KEPT


def outcome_of(kept: JSON) -> Outcome:
    """The outcome of a call that is done, as it was kept."""
    found: Mapping[str, JSON] = kept if is_object(kept) else {}
    return Outcome(
        State.DONE, found.get("status"), found.get("headers") or {}, found.get("body"), found.get("request_id")
    )


def is_large(kept: JSON) -> bool:
    """Whether the body of an envelope is more than what is kept."""
    return is_document(kept) and len(orjson.dumps(kept.get("body"))) > MOST_KEPT


def bounded(kept: JSON) -> JSON:
    """The envelope, with its body only noted when that is large."""
    if not is_document(kept):
        return kept
    data = orjson.dumps(kept.get("body"))
    return kept if len(data) <= MOST_KEPT else {**kept, "body": _omitted(data)}


def _omitted(data: bytes) -> JSON:
    return {"$omitted": {"bytes": len(data), "sha256": sha256(data).hexdigest()}}
