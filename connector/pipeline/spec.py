"""What an outgoing connection is made of: the request's template, the publisher, and what becomes of its responses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from connector import publishers
from connector.errors import ConfigurationError, ConnectorError
from connector.model import JSON, Outcome, is_object, members
from connector.pipeline.chains import SplitChain, apply, split_chain
from connector.pipeline.runtime import Runtime
from connector.publishers import Context, DocumentWriter, Prototype
from connector.request.path import SAFE, check_segment
from connector.transform import Chain, Origin, Scope, Template, Unfit, compile_template
from connector.transform.context import Context as Chained
from connector.transform.context import Locks
from connector.transform.placeholders import has_placeholder, scan, to_text

if TYPE_CHECKING:
    from connector.config.models import Component, Outgoing, Response

__all__ = [
    "SECTIONS",
    "Answered",
    "OutgoingSpec",
    "RequestTemplate",
    "Responder",
    "Writer",
    "complete_request",
    "envelope",
    "is_request",
    "merge_request",
]

SECTIONS = ("path", "query", "payload", "headers")


class RequestTemplate:
    """A request with placeholders; those in a path that is text become parts of segments and lead nowhere else."""

    def __init__(self, request: Mapping[str, JSON], where: str = "request") -> None:
        path = request.get("path")
        self._path = _compile_path(path, f"{where}.path") if isinstance(path, str) and has_placeholder(path) else None
        rest = {name: value for name, value in request.items() if self._path is None or name != "path"}
        self._rest: Template = compile_template(rest, where=where)

    @property
    def origins(self) -> tuple[Origin, ...]:
        """Where the values come from, except those in a path that is text."""
        return self._rest.origins

    def resolve(self, document: JSON, scope: Scope) -> dict[str, JSON]:
        """Return the request for a document."""
        found = members(self._rest(document, scope))
        return found if self._path is None else {**found, "path": self._path(document, scope)}


def _compile_path(path: str, where: str) -> Callable[[JSON, Scope], str]:
    parts = [part if isinstance(part, str) else compile_template(str(part), where=where) for part in scan(path)]

    def resolve(document: JSON, scope: Scope) -> str:
        return "".join(part if isinstance(part, str) else _resolve_segment(part, document, scope) for part in parts)

    return resolve


def _resolve_segment(template: Template, document: JSON, scope: Scope) -> str:
    text = to_text(template.resolve(document, scope))
    fault = check_segment(text)
    if fault:
        raise Unfit(f"{template.value} in the path {fault[0]}; {fault[1]}")
    return quote(text, safe=SAFE)


def is_request(document: JSON) -> bool:
    """Return whether a document is a request, and not what a request's template is resolved on."""
    if not is_object(document) or not any(name in document for name in SECTIONS):
        return False
    objects = all(is_object(document.get(name) or {}) for name in ("query", "headers"))
    return objects and (is_object(document.get("path") or {}) or str(document.get("path")).startswith("/"))


def complete_request(template: RequestTemplate | None, document: JSON, scope: Scope, *, calls: bool) -> JSON:
    """Return a document's request, completed by the template; `calls` says that documents are requests."""
    if template is None:
        return document
    made = template.resolve(document, scope)
    return merge_request(made, document) if not calls or is_request(document) else made


def merge_request(template: JSON, document: JSON) -> JSON:
    """Return the template, with everything that the document says in its place."""
    if not is_object(template) or not is_object(document):
        return document
    both = {name: merge_request(template[name], document[name]) for name in template if name in document}
    return {**template, **document, **both}


class Writer:
    """A publisher with its prototype."""

    def __init__(self, runtime: Runtime, declared: Component, where: str) -> None:
        self.kind: Prototype = runtime.publisher(publishers.prototypes().find(declared.prototype))
        self.parameters = runtime.parameters(declared, self.kind.parameters, self.kind.templates, f"{where}.parameters")
        self.writes: DocumentWriter = self.kind.build(self.parameters)


@dataclass(slots=True)
class Answered:
    """The result of a response: documents without a publisher, or why it failed."""

    documents: list[JSON]
    failed: str = ""


class Responder:
    """The chain and publisher of answers, or of errors."""

    def __init__(self, runtime: Runtime, declared: Response, where: str) -> None:
        self.chain: Chain = runtime.chain(declared.chain, f"{where}.chain")
        self.writer = Writer(runtime, declared.publisher, f"{where}.publisher") if declared.publisher else None

    async def respond(self, envelope: JSON, chained: Chained, context: Context, locks: Locks) -> Answered:
        """Return the envelope through the chain, and to the publisher."""
        applied = await apply(self.chain, envelope, chained, locks)
        if applied.failed is not None:
            return Answered([], str(applied.failed))
        if self.writer is None:
            return Answered(applied.documents)
        for document in applied.documents:
            try:
                outcome = await self.writer.writes.publish(document, context)
            except ConnectorError as error:
                return Answered([], str(error))
            if not outcome.ok:
                return Answered([], outcome.sentence())
        return Answered([])


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingSpec:
    """An outgoing connection, made once.

    Attributes:
        outgoing: as it is configured.
        chain: what documents go through; cut where it gathers.
        request: what completes a document to a request.
        writer: the publisher.
        answer: what becomes of answers.
        error: what becomes of errors.
    """

    outgoing: Outgoing
    chain: SplitChain
    request: RequestTemplate | None
    writer: Writer
    answer: Responder | None = None
    error: Responder | None = None

    @classmethod
    def of(cls, runtime: Runtime, name: str) -> OutgoingSpec:
        """Return the connection of a name; raise ConfigurationError when it is disabled."""
        found: Any = runtime.configuration.find("outgoing", name)
        outgoing: Outgoing = found
        if outgoing.disabled:
            raise ConfigurationError(f"outgoing {name!r} is disabled")
        where = f"outgoing.{name}"
        return cls(
            outgoing=outgoing,
            chain=split_chain(runtime.chain(outgoing.chain, f"{where}.chain"), where),
            request=RequestTemplate(outgoing.request, f"{where}.request") if outgoing.request is not None else None,
            writer=Writer(runtime, outgoing.publisher, f"{where}.publisher"),
            answer=Responder(runtime, outgoing.answer, f"{where}.answer") if outgoing.answer else None,
            error=Responder(runtime, outgoing.error, f"{where}.error") if outgoing.error else None,
        )

    def context(self, runtime: Runtime) -> Context:
        """Return what the publisher is given."""
        return Context(
            folder=runtime.configuration.folder,
            reserved=runtime.configuration.reserved,
            client=runtime.client,
            call=runtime.call,
            chained=runtime.chained,
            validate=self.outgoing.validation,
            on_unknown=self.outgoing.on_unknown,
        )

    def complete(self, document: JSON, scope: Scope) -> JSON:
        """Return a document's request, completed by the template."""
        return complete_request(self.request, document, scope, calls=self.writer.kind.calls)

    @property
    def writers(self) -> list[Writer]:
        """Every publisher of the connection."""
        responders = [one for one in (self.answer, self.error) if one is not None]
        return [self.writer, *(one.writer for one in responders if one.writer is not None)]


def envelope(outcome: Outcome, request: JSON, document: JSON) -> dict[str, JSON]:
    """Return what response chains see: the outcome, and what it is the answer to."""
    shown: dict[str, JSON] = {
        "status": outcome.status,
        "headers": dict(outcome.headers),
        "body": outcome.body,
        "request_id": outcome.request_id,
    }
    if not outcome.ok:
        shown |= {"state": outcome.state.value, "reason": outcome.reason}
    return shown | {"request": request, "document": document}
