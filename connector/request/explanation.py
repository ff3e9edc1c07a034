"""The exact request, redacted, with where each value came from; nothing is sent to know it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from connector.model import JSON, Fault, JSONValue, members
from connector.request.curl import command
from connector.request.files import FileInput
from connector.request.multipart import MultipartBody, Part
from connector.request.redaction import Redactor
from connector.request.wire import Body, BytesBody, Wire

__all__ = ["Explanation", "explain"]

MOST_TEXT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What a call would send."""

    operation: str | None
    method: str
    url: str
    headers: Mapping[str, str]
    body: JSONValue
    """JSON as it is; a form as its parts; anything else as text or its size."""
    effect: str
    answer: str
    warnings: tuple[Fault, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict[str, str])
    curl: str = ""
    replaced: Mapping[str, JSONValue] | None = None
    """The request of the removed operation that this one takes the place of."""

    def as_document(self) -> dict[str, JSONValue]:
        """Return the explanation as JSON, in the order people read it."""
        shown: dict[str, JSONValue] = {
            "operation": self.operation,
            "method": self.method,
            "url": self.url,
            "headers": dict(self.headers),
        }
        if self.body is not None:
            shown["body"] = self.body
        if self.replaced is not None:
            shown["replaced"] = dict(self.replaced)
        shown |= {"effect": self.effect, "answer": self.answer, "origins": dict(self.origins)}
        if self.warnings:
            shown["warnings"] = [str(warning) for warning in self.warnings]
        return shown

    def as_curl(self) -> str:
        """Return the same call as a command line, its secrets as variables of the environment."""
        return self.curl


def explain(
    wire: Wire,
    *,
    url: str | None = None,
    headers: Mapping[str, str] | None = None,
    secrets: Mapping[str, str] | None = None,
    origins: Mapping[str, str] | None = None,
) -> Explanation:
    """Return what a client would send for a wire.

    Args:
        wire: a prepared call.
        url: the whole address, with its query; without it the path below the client's base URI.
        headers: all that the client sends, where it adds to the wire's.
        secrets: each secret, with the variable that a command line may name instead.
        origins: where the client's values came from, such as `headers.authorization` → what gave it.
    """
    redact = Redactor(secrets or ())
    sent = {**wire.headers, **{name.lower(): value for name, value in (headers or {}).items()}}
    return Explanation(
        operation=wire.operation.name if wire.operation else None,
        method=wire.method,
        url=redact.url(url or wire.target),
        headers=redact.headers(sent),
        body=_show_body(wire.body, redact),
        effect=wire.effect.value,
        answer=wire.answer,
        warnings=wire.warnings,
        origins={**_find_all_origins(wire, sent), **wire.origins, **(origins or {})},
        curl=command(wire, url or wire.target, sent, secrets or {}),
        replaced=None if wire.replaced is None else _show_replaced(wire.replaced.wire, redact),
    )


def _show_replaced(wire: Wire, redact: Redactor) -> dict[str, JSONValue]:
    shown: dict[str, JSONValue] = {"method": wire.method, "path": redact.url(wire.target)}
    if wire.operation is not None:
        shown = {"operation": wire.operation.name, "removed": wire.operation.removed, **shown}
    return shown if wire.body is None else {**shown, "body": _show_body(wire.body, redact)}


def _show_body(body: Body | None, redact: Redactor) -> JSON:
    if isinstance(body, MultipartBody):
        return [_show_part(part, redact) for part in body.parts]
    if not isinstance(body, BytesBody):
        return None if body is None else {"content_type": body.content_type, "bytes": body.length}
    if "json" in body.content_type:
        return redact.value(json.loads(body.data))
    if body.content_type == "application/x-www-form-urlencoded":
        return redact.value([list(pair) for pair in parse_qsl(body.data.decode(), keep_blank_values=True)])
    try:
        return redact(body.data.decode())[:MOST_TEXT]
    except UnicodeDecodeError:
        return {"content_type": body.content_type, "bytes": body.length}


def _show_part(part: Part, redact: Redactor) -> dict[str, JSON]:
    if isinstance(part.value, FileInput):
        file = part.value
        found = {"name": part.name, "filename": file.filename, "content_type": file.content_type}
        return {**found, "source": redact(file.source.name), "bytes": file.source.size}
    found = {"name": part.name, "value": redact.value(part.value, part.name)}
    return {**found, "content_type": part.content_type} if part.content_type else found


def _find_all_origins(wire: Wire, sent: Mapping[str, str]) -> dict[str, str]:
    """Return where the values came from; in place of a removed operation's they are translated."""
    found = _find_origins(wire, sent)
    if wire.replaced is None or wire.replaced.wire.operation is None:
        return found
    old = wire.replaced.wire.operation.name
    given = ("request.path", "request.query", "request.payload")
    return {name: f"translated from {old}" if origin in given else origin for name, origin in found.items()}


def _find_origins(wire: Wire, sent: Mapping[str, str]) -> dict[str, str]:
    """Return where the values of a wire came from, as far as the wire tells."""
    operation = wire.operation
    found: dict[str, str] = {}
    if operation is not None:
        found |= {f"path.{name}": "request.path" for name in operation.parameters}
    fixed: Mapping[str, str] = operation.fixed_query if operation else {}
    for name, value in wire.query:
        found[f"query.{name}"] = "catalogue: fixed" if fixed.get(name) == value else "request.query"
    for name in sent:
        found[f"headers.{name}"] = _find_header_origin(name, wire)
    if isinstance(wire.body, MultipartBody):
        names = (part.name.partition("[")[0] for part in wire.body.parts)
        return found | {f"payload.{name}": "request.payload" for name in names}
    if isinstance(wire.body, BytesBody) and "json" in wire.body.content_type:
        payload = members(json.loads(wire.body.data))
        return found | {f"payload.{name}": "request.payload" for name in payload}
    return found


def _find_header_origin(name: str, wire: Wire) -> str:
    operation = wire.operation
    if name not in wire.headers:
        return "client"
    if name == "openai-beta" and operation is not None and wire.headers[name] == operation.beta:
        return "catalogue"
    if name == "accept":
        return "catalogue: the kinds of answer" if operation else "the answer's kind"
    return "the body's kind" if name == "content-type" else "request.headers"
