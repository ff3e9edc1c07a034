"""One request on its way through the sandbox: routed, admitted, read, checked, answered, written, noted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from hashlib import blake2b
from typing import Final
from urllib.parse import parse_qsl

from aiohttp.web import BaseRequest, HTTPRequestEntityTooLarge, StreamResponse

from connector.sandbox.admitting import admit, key_of
from connector.sandbox.answering import Answering
from connector.sandbox.call import Answer, Call, Refused, World
from connector.sandbox.control import PREFIX, check_page, control
from connector.sandbox.faults import Fault, FaultPlan
from connector.sandbox.journal import Entry, Journal
from connector.sandbox.limits import Limits
from connector.sandbox.reading import MOST_BYTES, as_far_as_json
from connector.sandbox.world import EFFECTS
from connector.sandbox.writing import BREAKS, abort, page, send

__all__ = ["App"]

VERSION: Final = "2020-10-01"


class App:
    """A sandbox without its sockets."""

    def __init__(self, world: World, faults: FaultPlan) -> None:
        self.world = world
        self.faults = faults
        self.journal = Journal()
        self.answering = Answering(world)
        world.through = self.answering.through
        self._limits = Limits(world.now)
        self._arrived = 0
        self._latency = world.options.latency / 1000

    def reset(self) -> None:
        """Begins again as if just started."""
        self.world.reset()
        self.journal.clear()
        self.faults.reset()
        self._arrived = 0

    async def handle(self, request: BaseRequest) -> StreamResponse:
        """Answers one request of a connection."""
        began = time.perf_counter()
        target = request.raw_path
        if target.startswith(PREFIX):
            return await self._controlled(request, target)
        path, _, query = target.partition("?")
        effects: list[str] = []
        EFFECTS.set(effects)
        entry = Entry(self.world.now(), request.method, path)
        self.journal.add(entry)
        answer, faults = await self._answer(request, path, query, entry)
        entry.effects = tuple(effects)
        entry.fault = ", ".join(map(str, faults))
        if self._latency:
            await asyncio.sleep(self._latency)
        return await self._written(request, answer, faults, entry, began)

    async def _answer(
        self, request: BaseRequest, path: str, query: str, entry: Entry
    ) -> tuple[Answer, tuple[Fault, ...]]:
        """The answer that is due, and the faults that befall it."""
        try:
            call = await self._admitted(request, path, query, entry)
        except Refused as refused:
            return refused.as_answer(), ()
        except HTTPRequestEntityTooLarge:
            message = f"The body is too large; at most {MOST_BYTES} bytes are allowed."
            return Refused(413, message, code="request_too_large").as_answer(), ()
        faults, told = self.faults.drawn(call, path.removeprefix("/v1"))
        return await self._befallen(call, faults, told), faults

    async def _admitted(self, request: BaseRequest, path: str, query: str, entry: Entry) -> Call:
        headers = {name.lower(): value for name, value in request.headers.items()}
        data = await _body(request, headers)
        entry.key, entry.size = key_of(headers), len(data)
        target = self.answering.router.find(request.method, f"{path}?{query}" if query else path)
        entry.operation = target.operation.name
        admit(target.operation, headers, lenient=self.world.options.lenient)
        try:
            call = self.answering.checked(target, query, headers, data)
        except Refused:
            entry.query, entry.payload = dict(parse_qsl(query)), as_far_as_json(data)
            raise
        entry.query, entry.payload = call.query, call.payload
        return call

    async def _befallen(self, call: Call, faults: tuple[Fault, ...], told: Answer | None) -> Answer:
        """The answer of a call under its faults; those that come before the effect leave none."""
        for fault in faults:
            if fault.kind == "delay":
                await asyncio.sleep(fault.number)
            elif fault.is_refusal:
                return fault.refusal().as_answer()
            elif fault.kind == "html":
                return page(int(fault.number))
            elif fault.kind == "reset":
                return Answer()
        return await self.answering.answer(call) if told is None else told

    async def _written(
        self, request: BaseRequest, answer: Answer, faults: tuple[Fault, ...], entry: Entry, began: float
    ) -> StreamResponse:
        kinds = {fault.kind for fault in faults}
        if kinds & {"reset", "drop-after"}:
            return abort(request)
        entry.status = answer.status
        broken = next((fault for fault in faults if fault.kind in BREAKS), None)
        try:
            return await send(request, answer, self._headers(answer, began), broken)
        except ConnectionResetError:
            # Whoever asked has gone; there is nobody to tell.
            return abort(request)

    def _headers(self, answer: Answer, began: float) -> Mapping[str, str]:
        self._arrived += 1
        name = blake2b(f"{self.world.options.seed}/{self._arrived}".encode(), digest_size=16).hexdigest()
        return {
            "x-request-id": f"req_{name}",
            "openai-processing-ms": str(int((time.perf_counter() - began) * 1000)),
            "openai-version": VERSION,
            "openai-organization": "org-sandbox",
            **self._limits.counted(answer.body),
            **answer.headers,
        }

    async def _controlled(self, request: BaseRequest, target: str) -> StreamResponse:
        try:
            check_page(request.headers)
            answer = control(self, request.method, target, await request.read())
        except Refused as refused:
            answer = refused.as_answer()
        return await send(request, answer, {}, None)


async def _body(request: BaseRequest, headers: Mapping[str, str]) -> bytes:
    if headers.get("expect", "").lower() == "100-continue" and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    return await request.read()
