"""A client: one API, one set of credentials, one pace; everything is sent through it."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

import httpx

from connector.catalogue import Catalogue
from connector.catalogue.operation import Operation
from connector.errors import ConfigurationError
from connector.fleet import FleetShares
from connector.http.account import make_retrier
from connector.http.addresses import find_region
from connector.http.attempt import make_attempt
from connector.http.call import Call, CallFactory, FloatsWire
from connector.http.call_log import CallLog
from connector.http.configuration import Provenance, configure, list_secrets
from connector.http.direct_forward import DirectForward, plan_forward
from connector.http.forward import BegunForward, Forward, ForwardBreaker
from connector.http.forward_request import ForwardRequest, join_target, make_sender
from connector.http.parameters import Common
from connector.http.policy import Pause
from connector.http.prototypes import Prototype, prototypes
from connector.http.response import ServerClock
from connector.http.retry import CallAttempts, limit_time
from connector.http.stream import stream_call
from connector.http.transports import make_transport, with_identity
from connector.http.transports.tls import make_tls_context
from connector.model import JSON, Fault, JSONInput, JSONValue, Outcome, Request, members
from connector.model_registry import ModelRegistry, load_registry
from connector.request import Explanation, Preparer, Redactor, explain, prepare_raw
from connector.request.file_access import NOTHING, Reserved, Roots
from connector.request.model_rules import ModelRules
from connector.request.successors import Successors, Translation
from connector.request.wire import Replaced, Wire
from connector.timing import SYSTEM, Timing

__all__ = ["Client"]

RequestLike = Request | Mapping[str, JSONInput]


class Client:
    """Prepares requests, sends them, and returns their outcomes.

    Args:
        prototype: the kind of client, by name or as a value.
        transport: an engine's name, or any httpx transport in its place; the client closes it.
        catalogue: the entities that can be named; the catalogue that ships with the connector unless given.
        environ: where parameters that are not given come from; the process's environment unless given.
        timing: a clock, a way to wait and chance.
        reserved: files of the connector's own, which are never uploaded.
        shares: divides the account's limits among processes; this one has them for itself unless given.
        parameters: the prototype's parameters.
    """

    def __init__(
        self,
        prototype: str | Prototype = "openai",
        *,
        transport: httpx.AsyncBaseTransport | str | None = None,
        catalogue: Catalogue | None = None,
        environ: Mapping[str, str] | None = None,
        timing: Timing = SYSTEM,
        reserved: Reserved = NOTHING,
        shares: FleetShares | None = None,
        **parameters: JSONInput,
    ) -> None:
        kind = prototypes().find(prototype) if isinstance(prototype, str) else prototype
        if isinstance(transport, str):
            parameters["transport"] = transport
        self.prototype = kind
        environ = os.environ if environ is None else environ
        self.parameters: Common = configure(kind, parameters, environ)
        self._provenance = Provenance(self.parameters, parameters, environ)
        self.redactor = Redactor(list_secrets(self.parameters))
        self._calls = CallFactory(self.parameters, kind.endpoint(self.parameters))
        self._given = catalogue
        self._retrier = make_retrier(self.parameters, self._calls.base_uri, timing, self.redactor, shares)
        self._server_clock = ServerClock(timing)
        self._log = CallLog(self.parameters.logging, self.redactor, asked="logging" in self.parameters.model_fields_set)
        self._roots = Roots(self.parameters.file_roots, reserved)
        self._closed = False
        self._given_transport = None if isinstance(transport, str) else transport
        self._opened_transport: httpx.AsyncBaseTransport | None = None
        self._timing = timing
        if self.parameters.ca_bundle is not None or self.parameters.certificate is not None:
            make_tls_context(self.parameters.ca_bundle, self.parameters.certificate)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the client's connections; nothing can be sent afterwards."""
        self._closed = True
        if transport := self._opened_transport or self._given_transport:
            await transport.aclose()

    @property
    def _transport(self) -> httpx.AsyncBaseTransport:
        """What requests go through; made when the first one is sent, since explaining needs no network."""
        if self._opened_transport is None:
            transport, identity = self._given_transport or make_transport(self.parameters), self.parameters.workload
            if identity is not None:
                transport = with_identity(transport, identity, self.parameters, self._timing, self.redactor)
            self._opened_transport = transport
        return self._opened_transport

    def __repr__(self) -> str:
        return f"Client({self.prototype.name!r}, base_uri={self.base_uri!r})"

    @property
    def base_uri(self) -> str:
        """The address below which every path lies."""
        return self._calls.base_uri

    @cached_property
    def region(self) -> str:
        """Return the region whose address it calls, such as `eu`; empty for an address of no region."""
        return find_region(self.base_uri)

    def find_address(self, wire: Wire) -> str:
        """Return the whole address that a call goes to."""
        return self._calls.find_address(wire)

    @property
    def paused(self) -> Pause | None:
        """Why nothing more should be sent for now; a call that is done, or resume(), ends it."""
        return self._retrier.paused

    @property
    def server_time(self) -> float | None:
        """Seconds since 1970 by the server's clock, as its answers tell it; None while none has."""
        return self._server_clock.now

    def pause(self, pause: Pause) -> None:
        """Send nothing for now, as another process has found out."""
        self._retrier.pause(pause)

    def resume(self) -> None:
        """End the pause, since its cause is gone."""
        self._retrier.resume()

    async def begin_probe(self) -> bool:
        """Return whether a call may find out now if the cause of the pause is gone: one of all processes may."""
        return await self._retrier.begin_probe()

    @cached_property
    def catalogue(self) -> Catalogue:
        """The entities that can be named."""
        return self._given if self._given is not None else Catalogue.open(None)

    @cached_property
    def _registry(self) -> ModelRegistry | None:
        return load_registry(self.catalogue.folder) if self.prototype.knows_models else None

    @cached_property
    def _preparer(self) -> Preparer:
        return Preparer(self.catalogue, ModelRules(self._registry) if self._registry is not None else None)

    @cached_property
    def _successors(self) -> Successors:
        return Successors(self.catalogue, self._registry)

    def prepare(
        self,
        operation: Operation | str,
        request: RequestLike | None = None,
        *,
        validate: str | None = None,
        from_text: bool = False,
        stream: bool | None = None,
    ) -> Wire:
        """Return the call of a request, ready to be sent; InvalidRequest lists every fault."""
        found = self.catalogue.find(operation) if isinstance(operation, str) else operation
        asked = request if isinstance(request, Request) else Request.of(request)
        if found.removed is None or self.parameters.on_removed == "warn":
            return self._prepare(found, asked, validate, from_text=from_text, stream=stream)
        if self.parameters.on_removed == "refuse":
            raise self._successors.refusal(found)
        wire = self._prepare(
            found, self._successors.as_asked(found, asked), validate, from_text=from_text, stream=stream
        )
        translated = self._successors.translate(found, asked)
        made = self._prepare(translated.operation, translated.request, validate, from_text=from_text, stream=stream)
        replaced = Replaced(wire=wire, request=translated.request, answer=translated.answer)
        return replace(made, replaced=replaced, warnings=(*translated.warnings, *made.warnings))

    def _prepare(
        self, found: Operation, asked: Request, validate: str | None, *, from_text: bool, stream: bool | None
    ) -> Wire:
        floats = self._asks_for_base64(found, asked.payload)
        if floats:
            asked = replace(asked, payload={**members(asked.payload), "encoding_format": "base64"})
        wire = self._preparer.prepare(
            found,
            asked,
            validate=validate or self.parameters.validation,
            from_text=from_text,
            roots=self._roots,
            stream=stream,
        )
        wire = self._calls.place(wire, asked.payload)
        return FloatsWire.of(wire) if floats else wire

    def translate(self, operation: Operation, asked: Request) -> Translation:
        """Return what is asked of the successor of a removed operation; InvalidRequest where it must not be called."""
        if self.parameters.on_removed != "successor":
            raise self._successors.refusal(operation)
        return self._successors.translate(operation, asked)

    def find_called(self, operation: Operation) -> Operation:
        """Return the operation that is called for one: another only in place of one that was removed."""
        if operation.removed is None or self.parameters.on_removed != "successor":
            return operation
        return self._successors.find_called(operation)

    def prepare_raw(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, JSONInput] | None = None,
        headers: Mapping[str, JSONInput] | None = None,
        json: JSONInput = None,
        data: str | bytes | Mapping[str, JSONInput] | None = None,
        form: Mapping[str, JSONInput] | None = None,
        files: Mapping[str, JSONInput] | None = None,
        brackets: bool = True,
        answer: str | None = None,
    ) -> Wire:
        """Return the call of any path, known to the catalogue or not, ready to be sent.

        Args:
            method: any HTTP method.
            path: a path with a leading slash, with its query if any.
            query: more of the query.
            headers: the caller's own.
            json: a JSON body.
            data: a body as it is, or an object that becomes a URL-encoded form.
            form: fields and files of a multipart form.
            files: more files of that form.
            brackets: whether the fields of a list have brackets behind their name.
            answer: json, text, binary, events or empty; what the catalogue says unless given.
        """
        wire = prepare_raw(
            method,
            path,
            query=query,
            headers=headers,
            json=json,
            data=data,
            form=form,
            files=files,
            brackets=brackets,
            answer=answer,
            catalogue=self.catalogue,
            base_path=urlsplit(self.base_uri).path,
            roots=self._roots,
        )
        return self._warn_of_removal(self._calls.place(wire, json or form))

    def _warn_of_removal(self, wire: Wire) -> Wire:
        """Return a call of a path with what is to be said of it when its operation was removed from the API."""
        operation = wire.operation
        if operation is None or operation.removed is None:
            return wire
        if self.parameters.on_removed == "refuse":
            raise self._successors.refusal(operation)
        return replace(wire, warnings=(*wire.warnings, self._successors.warn_of_path(operation)))

    def _asks_for_base64(self, operation: Operation, payload: JSON) -> bool:
        """Return whether embeddings travel packed although the request does not say so."""
        wanted = self.parameters.embeddings == "base64" and operation.wire_name == "POST /embeddings"
        return wanted and isinstance(payload, dict) and "encoding_format" not in payload

    async def send(
        self,
        wire: Wire,
        *,
        timeout: float | None = None,  # noqa: ASYNC109  the client keeps time itself, to say how far a call got
        retries: int | None = None,
        answer: str | None = None,
        to: Path | str | None = None,
        on_unknown: Literal["hold", "retry"] | None = None,
        begin: Callable[[], Awaitable[None]] | None = None,
    ) -> Outcome:
        """Send a call and return its outcome, also when the network or the API fails.

        Args:
            wire: a prepared call.
            timeout: seconds for the whole call in place of the client's.
            retries: tries after the first in place of the client's.
            answer: the kind of answer to expect in place of the wire's: json, text, binary, events or empty.
            to: a file that the answer's body is written to.
            on_unknown: whether a costly call without a known end is sent again; overrides the client's setting.
            begin: waited for once, when the call has its place and nothing of it has gone out.
        """
        self._check_open()
        file = Path(to) if to is not None else None
        if file is not None and wire.replaced is not None:
            raise ConfigurationError("to: the answer is translated for a removed operation: take it from the outcome")
        call = self._calls.build(wire, total=timeout, retries=retries, answer=answer, file=file, on_unknown=on_unknown)
        attempts = CallAttempts(call, self._retrier)
        outcome = await self._attempt(call, attempts, begin)
        while outcome is None:
            outcome = await self._attempt(call, attempts)
        if outcome.possible_duplicates or self._log.logger.isEnabledFor(logging.INFO):
            self._log(call, outcome)
        return outcome if wire.replaced is None else _restore(wire.replaced, outcome)

    async def _attempt(
        self, call: Call, attempts: CallAttempts, begin: Callable[[], Awaitable[None]] | None = None
    ) -> Outcome | None:
        """Make one attempt; return the outcome of the call, or None after the delay before the next attempt."""
        seconds = await attempts.begin()
        try:
            if begin is not None:
                await begin()
            result = await limit_time(seconds, make_attempt(self._transport, call))
        finally:
            attempts.end()
        if result is None:
            return await attempts.settle(call.time_out())
        if "date" in result.headers:
            self._server_clock.update(result.headers)
        return await attempts.settle(result)

    def stream(
        self, wire: Wire, *, timeout: float | None = None, retries: int | None = None
    ) -> AsyncGenerator[JSONValue, None]:
        """Yield the data of an answer's events as they come; a stream that is not done raises CallFailed."""
        self._check_open()
        call = self._calls.build(wire, total=timeout, retries=retries, answer="events")
        data = stream_call(self._transport, call, self._retrier, self._log)
        return data if wire.replaced is None else _restore_events(wire.replaced, data)

    def forward(self, request: ForwardRequest, begun: BegunForward | None = None) -> Forward:
        """Return another program's request, or one begun already, with our address, credentials and pace; enter it."""
        self._check_open()
        wire = request.build_wire()
        address = f"{self._calls.base_uri}{join_target(self._calls.place(wire, request.payload), request.query)}"
        headers = self._calls.override_headers(wire)
        send = make_sender(self._transport, request.headers, headers)
        return Forward(self._calls.build_forward(wire, address), send, self._retrier, self._breaker, begun)

    def plan_forward(self, request: ForwardRequest) -> DirectForward | None:
        """Return what sends requests with this head and any body without a task; None when this client cannot."""
        self._check_open()
        return plan_forward(request, self._transport, self._calls, self._retrier, self.parameters.timeouts)

    @cached_property
    def _breaker(self) -> ForwardBreaker:
        return ForwardBreaker(self._retrier)

    def explain(self, wire: Wire) -> Explanation:
        """Return the exact request, redacted, with where each value came from; nothing is sent."""
        credentials: Mapping[str, str] = {}
        missing: dict[str, str] = {}
        try:
            credentials = self._calls.find_credentials(wire)
        except ConfigurationError as error:
            missing["headers.authorization"] = f"missing: {error}"
            wire = replace(wire, warnings=(*wire.warnings, Fault("headers.authorization", "missing", str(error))))
        url = self._calls.parse_address(wire)
        return explain(
            wire,
            url=str(url),
            headers=dict(self._calls.build_headers(wire, wire.answer, url, credentials)),
            secrets=dict.fromkeys(self.redactor.secrets, "") | self._provenance.secrets(),
            origins=self._provenance.origins(credentials) | missing,
        )

    def _check_open(self) -> None:
        if self._closed:
            raise ConfigurationError("this client is closed: make a new one, or send inside its `async with`")


def _restore(replaced: Replaced, outcome: Outcome) -> Outcome:
    """Return an outcome whose answer has the shape of the operation that was asked for."""
    return replace(outcome, body=replaced.answer(outcome.body)) if outcome.ok else outcome


async def _restore_events(replaced: Replaced, data: AsyncGenerator[JSON, None]) -> AsyncGenerator[JSON, None]:
    async with aclosing(data):
        async for datum in data:
            yield replaced.answer.restore_event(datum)
