"""An API in a process of its own that keeps a record: every effect is on disk before it is answered.

`python -m tests.crash.upstream FOLDER SEED FAULTS` prints its port. What took effect stands in FOLDER/effects.jsonl:
when, which operation, for which documents, and whether the answer was withheld. FAULTS is how often a request fares
badly.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
import time
from bisect import bisect_left
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from aiohttp import web

from tests.crash.batches import DOCUMENT, UpstreamBatches

__all__ = ["MOMENTS"]

MOMENTS = ("upstream.asked", "upstream.effect", "upstream.headers", "upstream.part", "upstream.answered")
"""Where in a call this process kills the one that calls."""
PAGE = 4
LAG = 0.2
"""Seconds after which a list shows what was made."""


@dataclass
class Trap:
    """Whom to kill, and at which time that a moment comes."""

    moment: str = ""
    left: int = 0
    pid: int = 0
    signal: int = signal.SIGKILL
    of: str = ""
    """The only operation whose calls count; all of them unless given."""

    def reached(self, moment: str, operation: str = "") -> None:
        if moment == self.moment and self.pid and self.of in ("", operation):
            self.left -= 1
            if self.left == 0:
                with suppress(ProcessLookupError):
                    os.kill(self.pid, self.signal)


@dataclass
class Manners:
    """How an API may fare beside what is lost on the way.

    Attributes:
        late: seconds between the arrival of a call and its effect, whoever is still there to hear of it.
        broken: the share of calls that take effect and are answered by 500, 502, 503, 504, 408 or 409.
        spoilt: the share of lists that are cut, refused for now, or no lists.
        offset: how far the clock that dates things is ahead.
        hidden: seconds more after which a list shows what was made.
        share: how much of a batch is answered at once.
    """

    late: float = 0.0
    broken: float = 0.0
    spoilt: float = 0.0
    offset: float = 0.0
    hidden: float = 0.0
    share: float = 1.0


class Upstream:
    """What was made, and what goes wrong."""

    def __init__(self, folder: Path, seed: int, faults: float) -> None:
        self._folder = folder
        self._record = os.open(folder / "effects.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._chance = Random(seed)
        self._faults = faults
        self._made: dict[str, list[dict[str, Any]]] = {"file": [], "vector_store": [], "batch": []}
        self._batches = UpstreamBatches(self._answer_line)
        self._arrivals: list[float] = []
        self._trap = Trap()
        self._manners = Manners()

    def application(self) -> web.Application:
        application = web.Application()
        application.on_response_prepare.append(self._arrived)
        application.add_routes([
            web.post("/v1/files", self._effect("POST /files", "file")),
            web.get("/v1/files", self._list("file")),
            web.delete("/v1/files/{id}", self._effect("DELETE /files", "")),
            web.post("/v1/vector_stores", self._effect("POST /vector_stores", "vector_store")),
            web.get("/v1/vector_stores", self._list("vector_store")),
            web.post("/v1/chat/completions", self._effect("POST /chat/completions", "")),
            web.post("/v1/embeddings", self._effect("POST /embeddings", "")),
            web.post("/v1/batches", self._effect("POST /batches", "batch")),
            web.get("/v1/batches", self._list("batch")),
            web.get("/v1/batches/{id}", self._batch),
            web.post("/v1/batches/{id}/cancel", self._effect("POST /batches/cancel", "cancelled batch")),
            web.get("/v1/files/{id}/content", self._content),
            web.get("/v1/items", self._items),
            web.post("/trap", self._set),
            web.post("/behave", self._behave),
            web.post("/run-rest", self._run_rest),
            web.get("/arrival", self._first),
        ])  # fmt: skip
        return application

    async def _arrived(self, request: web.Request, _: web.StreamResponse) -> None:
        if request.path.startswith("/v1"):
            self._arrivals.append(time.time())

    async def _set(self, request: web.Request) -> web.Response:
        self._trap = Trap(**await request.json())
        return web.json_response({})

    async def _behave(self, request: web.Request) -> web.Response:
        self._manners = Manners(**await request.json())
        self._batches.share = self._manners.share
        return web.json_response({})

    async def _batch(self, request: web.Request) -> web.Response:
        return web.json_response(self._batches.show(request.match_info["id"]))

    async def _content(self, request: web.Request) -> web.Response:
        return web.Response(body=self._batches.content(request.match_info["id"]))

    async def _run_rest(self, _: web.Request) -> web.Response:
        self._batches.run_rest()
        return web.json_response({})

    def _answer_line(self, path: str, documents: list[str]) -> dict[str, Any]:
        self._write(f"POST {path}", documents, dropped=False)
        return _answer({}, documents)

    async def _first(self, request: web.Request) -> web.Response:
        """When the first request came after a time."""
        place = bisect_left(self._arrivals, float(request.query["after"]))
        return web.json_response(self._arrivals[place] if place < len(self._arrivals) else None)

    async def _items(self, request: web.Request) -> web.Response:
        """Pages of documents; how many there are says a file."""
        after, most = int(request.query.get("after", -1)), int((self._folder / "offered").read_text())
        numbers = range(after + 1, min(after + 1 + PAGE, most))
        data = [{"doc": f"doc-{request.query.get('of', 'del')}-{n:05}", "n": n} for n in numbers]
        following = {"next": numbers[-1]} if data and numbers[-1] + 1 < most else {}
        return web.json_response({"data": data, **following})

    def _list(self, kind: str) -> Any:
        async def listed(request: web.Request) -> web.Response:
            if self._chance.random() < self._manners.spoilt:
                return await _spoilt(request, self._chance.choice(SPOILT))
            shows = time.time() - LAG - self._manners.hidden
            shown = [one for one in reversed(self._made[kind]) if one["made"] <= shows]
            after, limit = request.query.get("after"), int(request.query.get("limit", 20))
            start = next((n + 1 for n, one in enumerate(shown) if one["id"] == after), 0)
            page = shown[start : start + limit]
            more = start + limit < len(shown)
            last = page[-1]["id"] if page else None
            return web.json_response({"object": "list", "data": page, "last_id": last, "has_more": more})

        return listed

    def _effect(self, operation: str, kind: str) -> Any:
        async def act(request: web.Request) -> web.StreamResponse:
            try:
                body = await request.read()
            except ConnectionError:  # whoever asked is gone
                return web.Response()
            self._trap.reached("upstream.asked", operation)
            await asyncio.sleep(self._chance.uniform(0.001, 0.02) + self._manners.late)
            found = DOCUMENT.findall(request.path.encode() + body)
            documents = sorted({one.decode() for one in found})
            fault = self._fault()
            if fault == "lost before":
                return _cut(request)
            if fault == "refused":
                return web.json_response(
                    {"error": {"message": "slow down", "type": "requests", "code": "rate_limit_exceeded"}},
                    status=429,
                    headers={"retry-after-ms": "50"},
                )
            broken = self._chance.random() < self._manners.broken
            is_gone = request.transport is None or request.transport.is_closing()
            self._write(operation, documents, dropped=broken or is_gone or fault in ("lost after", "cut"))
            self._trap.reached("upstream.effect", operation)
            answer = _answer(self._keep(kind, request, body) if kind else {}, documents)
            if broken:
                return web.json_response({"error": {"message": "broke down"}}, status=self._chance.choice(BROKEN))
            if fault == "lost after":
                return _cut(request)
            return await self._told(request, answer, cut=fault == "cut")

        return act

    def _fault(self) -> str:
        dice = self._chance.random()
        return next((name for name, share in FAULTS.items() if (dice := dice - share * self._faults) < 0), "")

    def _write(self, operation: str, documents: list[str], *, dropped: bool) -> None:
        effect = {"at": time.time(), "operation": operation, "documents": documents, "dropped": dropped}
        os.write(self._record, json.dumps(effect).encode() + b"\n")
        os.fsync(self._record)

    def _keep(self, kind: str, request: web.Request, body: bytes) -> dict[str, Any]:
        """A file, a store or a batch as lists show it."""
        if kind == "cancelled batch":
            return self._batches.cancel(request.match_info["id"])
        made = self._made[kind]
        now = time.time()
        entity: dict[str, Any] = {
            "id": f"{kind}-{len(made)}",
            "object": kind,
            "created_at": int(now + self._manners.offset),
            "made": now,
        }
        if request.content_type == "application/json":
            asked = json.loads(body)
            entity |= {"name": asked.get("name"), "metadata": asked.get("metadata", {})}
            if kind == "batch":
                self._batches.begin(entity, asked)
        else:
            name = re.search(rb'filename="([^"]*)"', body)
            entity |= {"filename": name[1].decode() if name else "", "bytes": len(body), "purpose": "user_data"}
            self._batches.keep(entity, body)
        made.append(entity)
        return entity

    async def _told(self, request: web.Request, answer: dict[str, Any], *, cut: bool) -> web.StreamResponse:
        """The answer in parts, so that it can break off anywhere."""
        data = json.dumps(answer).encode()
        response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(data))})
        try:
            await response.prepare(request)
            self._trap.reached("upstream.headers")
            await response.write(data[: len(data) // 2])
            self._trap.reached("upstream.part")
            if cut:
                return _cut(request, response)
            await asyncio.sleep(0.001)
            await response.write(data[len(data) // 2 :])
            await response.write_eof()
            self._trap.reached("upstream.answered")
        except ConnectionError:  # whoever asked is gone, killed or out of time
            self._write("", [], dropped=True)
        return response


BROKEN = (500, 502, 503, 504, 524, 408, 409)
SPOILT = ("cut", "500", "429", "no JSON", "empty, and more", "no list")
FAULTS = {"lost before": 0.2, "lost after": 0.4, "cut": 0.2, "refused": 0.2}


def _cut(request: web.Request, response: web.StreamResponse | None = None) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return response or web.Response()


async def _spoilt(request: web.Request, how: str) -> web.StreamResponse:
    """A list that says nothing of what is there."""
    if how in ("500", "429"):
        return web.json_response({"error": {"message": "not now"}}, status=int(how))
    if how == "no JSON":
        return web.Response(text="<html>log in</html>", content_type="text/html")
    if how == "cut":
        return web.Response(body=b'{"object": "list", "data": [', content_type="application/json")
    return web.json_response({"data": [], "has_more": True} if how == "empty, and more" else {"object": "list"})


def _answer(entity: dict[str, Any], documents: list[str]) -> dict[str, Any]:
    said = {"role": "assistant", "content": f"of {' '.join(documents)}"}
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    data = [{"index": n, "embedding": [0.5]} for n in range(len(documents))]
    choice = {"index": 0, "message": said, "finish_reason": "stop"}
    return {"id": "made", "object": "thing", "choices": [choice], "data": data, "usage": usage} | entity


async def _serve(folder: Path, seed: int, faults: float) -> None:
    runner = web.AppRunner(Upstream(folder, seed, faults).application(), access_log=None, handle_signals=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    # It goes with whoever started it.
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
