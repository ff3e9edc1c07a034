"""Requests received: proven, within bounds, and all their documents on disk before they are acknowledged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from email.message import Message
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

from connector.delivery.context import DeliveryContext
from connector.documents import parse
from connector.engine import StoreError
from connector.errors import ConnectorError, InvalidDocument
from connector.intake.arrivals import Arrival, ArrivalIntake, Received
from connector.model import JSON, is_list, is_object, members
from connector.subscribers.http_receiver import Parameters
from connector.transform import Scope, Template, compile_template
from connector.transform.placeholders import to_text

__all__ = ["HttpReceiver"]

KINDS: Mapping[str, str] = {
    "application/json": "json", "application/x-www-form-urlencoded": "form",
    "application/x-ndjson": "ndjson", "application/ndjson": "ndjson", "application/jsonl": "ndjson",
    "application/x-jsonlines": "ndjson", "application/jsonlines": "ndjson",
}  # fmt: skip
"""The kinds of content, by their types."""
IDEMPOTENCY_KEY = "idempotency-key"
MOST_FIELDS = 1000
LONGEST_ID = 300
UNPROVEN = "this path takes what its senders sign, at about the time when they send it, or with a token"
LATER = Received(503, "this cannot be kept now; send it again", retry_after=30)
CROWDED = Received(503, "too many documents wait here already; send it again later", retry_after=30)


class Unfit(Exception):
    """A request of a known sender that cannot become documents: the status, and what is wrong with it."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status


class HttpReceiver:
    """Receives the requests of one incoming connection.

    Args:
        shared: what all routes of a process share.
        name: the incoming connection.
        routes: the routes that read it.
    """

    def __init__(self, shared: DeliveryContext, name: str, routes: Sequence[str]) -> None:
        incoming: Any = shared.runtime.configuration.find("incoming", name)
        self._shared = shared
        self._name = name
        self._incoming = incoming
        self._intake = ArrivalIntake(shared, name, routes)
        asked = self._parameters()
        self.path = asked.path
        self.most = asked.max_bytes
        self._items = _compile(asked.items, f"incoming.{name}.subscriber.parameters.items")
        self._id = _compile(asked.id_expression, f"incoming.{name}.subscriber.parameters.id")
        self._scope = Scope(shared.runtime.chained)

    async def __call__(self, headers: Mapping[str, str], body: bytes) -> Received:
        """Return the answer; success means that everything that was sent is on disk."""
        asked = self._parameters()  # secrets may be rotated while we run
        proof = self._prove(asked, headers, body)
        if proof is None:
            return Received(401, UNPROVEN, challenge="" if asked.token is None else "Bearer")
        try:
            documents = self._read(asked, headers, body)
            if asked.signature == "slack" and (challenge := _challenge(documents)):
                return Received(200, body={"challenge": challenge})
            arrivals = self._identify(asked, headers, documents, proof)
        except Unfit as unfit:
            return Received(unfit.status, str(unfit))
        try:
            if not await self._intake.has_room(len(arrivals)):
                return CROWDED
            new = await self._intake.accept(arrivals)
        except StoreError:
            return LATER
        return Received(200, body={"accepted": new, "known": len(arrivals) - new})

    def _prove(self, asked: Parameters, headers: Mapping[str, str], body: bytes) -> str | None:
        """Return what a repeat of a genuine request has in common with it; None when the request is not genuine."""
        signature = asked.signed_as
        if signature is None:
            if not asked.has_token(headers.get(asked.token_header.lower(), "")):
                return None
            key = headers.get(IDEMPOTENCY_KEY, "")
            return f"sent:{_digest(key.encode(errors='surrogateescape'))}" if key else f"new:{uuid4().hex}"
        now = self._shared.wall()
        found = signature.check(headers, body, asked.keys(), now, asked.tolerance)
        if found is None:
            return None
        signed_id = headers.get(signature.id_header.lower(), "") if signature.id_header else ""
        return signed_id[:LONGEST_ID] or f"signed:{found.hex()[:64]}"

    def _read(self, asked: Parameters, headers: Mapping[str, str], body: bytes) -> list[JSON]:
        """Return the documents of a body."""
        kind = _kind_of(headers, asked)
        documents = _parse(body, kind)
        if self._items is not None:
            documents = [item for document in documents for item in self._pick(self._items, document)]
        if len(documents) > asked.max_documents:
            raise Unfit(413, f"the request has {len(documents)} documents; at most {asked.max_documents} are taken")
        if not documents:
            raise Unfit(400, "the request has no documents")
        if asked.headers:
            kept = {name: headers[name] for name in map(str.lower, asked.headers) if name in headers}
            return [{"body": document, "headers": kept} for document in documents]
        return documents

    def _pick(self, items: Template, document: JSON) -> Sequence[JSON]:
        found = self._resolve(items, document, "items")
        if not is_list(found):
            raise Unfit(422, "the documents are not where they are expected: a list is needed there")
        return found

    def _identify(
        self, asked: Parameters, headers: Mapping[str, str], documents: Sequence[JSON], proof: str
    ) -> list[Arrival]:
        """Return the documents with what a repeat of each has in common with it."""
        if asked.id_header is not None:
            given = headers.get(asked.id_header.lower(), "")
            if not given or len(given) > LONGEST_ID:
                raise Unfit(400, f"the header {asked.id_header} is needed, with at most {LONGEST_ID} characters")
            proof = given
        arrivals: list[Arrival] = []
        for number, document in enumerate(documents):
            own = (
                ""
                if self._id is None
                else self._id_of(self._id, members(document)["body"] if asked.headers else document)
            )
            arrivals.append(Arrival(document, own or (f"{proof}.{number}" if number else proof)))
        return arrivals

    def _id_of(self, expression: Template, document: JSON) -> str:
        found = self._resolve(expression, document, "id")
        if found is None:
            return ""
        text = to_text(found)
        return text if len(text) <= LONGEST_ID else f"long:{_digest(text.encode())}"

    def _resolve(self, template: Template, document: JSON, what: str) -> JSON:
        try:
            return template.resolve(document, self._scope)
        except ConnectorError as error:
            raise Unfit(
                422, f"`{what}` cannot be found in the document: {self._shared.redact.text(str(error))}"
            ) from None

    def _parameters(self) -> Parameters:
        where = f"incoming.{self._name}.subscriber.parameters"
        return self._shared.runtime.parameters(self._incoming.subscriber, Parameters, (), where)


def _compile(expression: str | None, where: str) -> Template | None:
    return None if expression is None else compile_template(f"?{{{expression}}}", where=where)


def _kind_of(headers: Mapping[str, str], asked: Parameters) -> str:
    """Return the kind of a body by its Content-Type; refuse one that is not taken, or is encoded."""
    message = Message()
    message["content-type"] = headers.get("content-type", "application/json")
    content_type = message.get_content_type()
    kind = "json" if content_type.endswith("+json") else KINDS.get(content_type, "")
    if kind not in asked.content:
        taken = ", ".join(name for name, each in KINDS.items() if each in asked.content)
        raise Unfit(415, f"the content type {content_type[:80]!r} is not taken here; send {taken}")
    charset = str(message.get_param("charset") or "utf-8").lower()
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise Unfit(415, f"the charset {charset[:40]!r} is not taken here; send UTF-8")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise Unfit(415, "an encoded body is not taken here; send it as it is, without Content-Encoding")
    return kind


def _parse(body: bytes, kind: str) -> list[JSON]:
    try:
        if kind == "ndjson":
            lines = [(number, line) for number, line in enumerate(body.split(b"\n"), 1) if line.strip()]
            return [parse(line, f"line {number}") for number, line in lines]
        return [_parse_form(body) if kind == "form" else parse(body, "the body")]
    except InvalidDocument as error:
        raise Unfit(400, str(error)) from None


def _parse_form(body: bytes) -> JSON:
    """Return a form as an object of texts; a name that stands there twice has a list."""
    try:
        pairs = parse_qsl(
            body.decode(),
            keep_blank_values=True,
            strict_parsing=bool(body),
            max_num_fields=MOST_FIELDS,
            errors="strict",
        )
    except ValueError:  # also one of the encoding
        raise Unfit(400, f"the body is no form in UTF-8 with at most {MOST_FIELDS} fields") from None
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return {name: values if len(values) > 1 else values[0] for name, values in found.items()}


def _challenge(documents: Sequence[JSON]) -> str:
    """Return what Slack wants to read back when somebody enters the address; empty for everything else."""
    said = members(documents[0])
    said = members(said["body"]) if is_object(said.get("body")) else said
    return str(said.get("challenge", ""))[:1000] if said.get("type") == "url_verification" else ""


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()[:40]
