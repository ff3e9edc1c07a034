"""A loopback server with a few canned answers, which examples and commands talk to."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

FILES = [
    {"id": f"file-{n}", "object": "file", "filename": f"tickets-{n}.jsonl", "purpose": "batch"} for n in range(1, 6)
]
MODELS = [{"id": name, "object": "model", "owned_by": "openai"} for name in ("gpt-6.1-terra", "gpt-6-luna")]
WORDS = ["Good", " morning", "!"]


def routes() -> list[web.RouteDef]:
    return [
        web.get("/v1/models", lambda _: answer({"object": "list", "data": MODELS})),
        web.get("/v1/files", list_files),
        web.get("/v1/files/{id}", lambda request: refusal(404, f"No such File object: {request.match_info['id']}")),
        web.get(
            "/v1/files/{id}/content",
            lambda _: web.Response(body=b'{"custom_id": "1"}\n', content_type="application/octet-stream"),
        ),
        web.post("/v1/files", upload),
        web.delete(
            "/v1/files/{id}",
            lambda request: answer({"id": request.match_info["id"], "object": "file", "deleted": True}),
        ),
        web.post("/v1/chat/completions", chat),
        web.post(
            "/v1/embeddings", lambda _: answer({"object": "list", "data": [{"index": 0, "embedding": "AACAPwAAAAA="}]})
        ),
        web.post("/v1/moderations", lambda _: answer({"id": "modr-1", "results": [{"flagged": False}]})),
        web.post("/v1/audio/transcriptions", lambda _: answer({"text": "hello"})),
        web.post("/v1/audio/speech", lambda _: web.Response(body=b"ID3", content_type="audio/mpeg")),
        web.post("/v1/responses", respond),
    ]


async def list_files(request: web.Request) -> web.Response:
    after = request.query.get("after")
    start = next((n + 1 for n, file in enumerate(FILES) if file["id"] == after), 0)
    page = FILES[start : start + 2]
    return answer({"object": "list", "data": page, "last_id": page[-1]["id"], "has_more": start + 2 < len(FILES)})


async def upload(request: web.Request) -> web.Response:
    form = await request.post()
    file = form["file"]
    return answer({"id": "file-9", "object": "file", "filename": file.filename, "purpose": form["purpose"]})


async def chat(request: web.Request) -> web.StreamResponse:
    asked = await request.json()
    if asked.get("stream"):
        chunks = [{"choices": [{"index": 0, "delta": {"content": word}}]} for word in WORDS]
        return await events(request, [json.dumps(chunk) for chunk in chunks] + ["[DONE]"])
    message = {"role": "assistant", "content": "".join(WORDS)}
    usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return answer(
        {"id": "chatcmpl-1", "object": "chat.completion", "model": asked["model"], "choices": [choice], "usage": usage}
    )


async def respond(request: web.Request) -> web.StreamResponse:
    asked = await request.json()
    output = [{"type": "message", "content": [{"type": "output_text", "text": "".join(WORDS)}]}]
    whole = {"id": "resp_1", "object": "response", "status": "completed", "model": asked["model"], "output": output}
    if not asked.get("stream"):
        return answer(whole)
    deltas = [{"type": "response.output_text.delta", "delta": word} for word in WORDS]
    return await events(
        request, [json.dumps(one) for one in [*deltas, {"type": "response.completed", "response": whole}]]
    )


async def events(request: web.Request, data: list[str]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for one in data:
        await response.write(f"data: {one}\n\n".encode())
    return response


def answer(body: object) -> web.Response:
    return web.json_response(body, headers={"x-request-id": "req_example"})


def refusal(status: int, message: str) -> web.Response:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return web.json_response({"error": error}, status=status, headers={"x-request-id": "req_example"})


@contextmanager
def upstream() -> Iterator[str]:
    """A running server's base URI."""
    loop = asyncio.new_event_loop()
    application = web.Application()
    application.add_routes([web.RouteDef(r.method, r.path, awaited(r.handler), r.kwargs) for r in routes()])
    runner = web.AppRunner(application, access_log=None)
    loop.run_until_complete(runner.setup())
    loop.run_until_complete(web.TCPSite(runner, "127.0.0.1", 0).start())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def awaited(handler: object):
    async def handle(request: web.Request) -> web.StreamResponse:
        result = handler(request)  # type: ignore[operator]  # either kind of function
        return await result if asyncio.iscoroutine(result) else result

    return handle
