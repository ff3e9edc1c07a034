"""Idempotency keys: a POST that is sent again with its key takes effect once, also over a restart."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from hashlib import sha256
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from connector.engine import Change
from connector.model import JSON, is_document
from connector.studio.access import find_person, get_context
from connector.studio.context import StudioContext
from connector.studio.problems import Refused

__all__ = ["HEADER", "SPACE", "EffectRoute"]

HEADER = "idempotency-key"
SPACE = "studio-idempotency"
KEPT = 86_400.0
"""Seconds for which an answer is kept."""
MOST_KEY, MOST_BODY = 200, 256 * 1024
STEP = 50
"""Keys after which old ones are removed."""
UNAVAILABLE = 503

PARAMETER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "maxLength": MOST_KEY},
    "description": "The same key for the same wish: a request that is sent again with it takes effect once.",
}

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class EffectRoute(APIRoute):
    """An operation with an effect: its POSTs honour the header Idempotency-Key.

    The first request with a key is carried out, and its answer kept for a day; the same request with the same key gets
    that answer. While the first one is under way, and when it was cut off, the key is refused: nobody knows yet whether
    it took effect.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **given: Any) -> None:
        if "POST" in (given.get("methods") or ()):
            given["openapi_extra"] = {"parameters": [PARAMETER], **(given.get("openapi_extra") or {})}
        super().__init__(path, endpoint, **given)

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def handle_once(request: Request) -> Response:
            key = request.headers.get(HEADER, "")
            if not key or request.method != "POST":
                return await handle(request)
            if len(key) > MOST_KEY:
                raise Refused(
                    422, f"the header Idempotency-Key is longer than {MOST_KEY} characters", "send a shorter one"
                )
            context = get_context(request)
            person = find_person(request, context)
            place = sha256(f"{person.name}\n{request.url.path}\n{key}".encode(errors="surrogateescape")).hexdigest()
            return await _handle_once(request, handle, context, place)

        return handle_once


async def _handle_once(request: Request, handle: Handler, context: StudioContext, place: str) -> Response:
    sent = sha256(request.url.query.encode() + b"\n" + await request.body()).hexdigest()
    if place in context.under_way:
        raise Refused(409, "the first request with this Idempotency-Key is under way", "wait, and send it again")
    context.under_way.add(place)
    try:
        known = await context.store.record(SPACE, place)
        if is_document(known) and context.clock() - float(known.get("at") or 0.0) < KEPT:
            return _repeat(known, sent)
        begun = {"at": context.clock(), "sent": sent}
        await context.store.commit(Change(records={(SPACE, place): begun}))
        return await _carry_out(request, handle, context, place, begun)
    finally:
        context.under_way.discard(place)


async def _carry_out(
    request: Request, handle: Handler, context: StudioContext, place: str, begun: dict[str, JSON]
) -> Response:
    """Carry the request out and keep its answer; a request that was refused has done nothing and may be repeated."""
    try:
        response = await handle(request)
    except Exception as error:
        if isinstance(error, Refused):
            await context.store.commit(Change(records={(SPACE, place): None}))
        raise
    body = bytes(response.body)
    kept: dict[str, JSON] = {"status": response.status_code, "location": response.headers.get("location", "")}
    if response.status_code == UNAVAILABLE:
        await context.store.commit(Change(records={(SPACE, place): None}))
    else:
        text = body.decode() if len(body) <= MOST_BODY else None
        await context.store.commit(Change(records={(SPACE, place): {**begun, **kept, "body": text}}))
    context.keys_used += 1
    if context.keys_used % STEP == 0:
        await _forget_old(context)
    return response


def _repeat(known: dict[str, JSON], sent: str) -> Response:
    if known.get("sent") != sent:
        raise Refused(
            409,
            "another request was sent with this Idempotency-Key",
            "use a new key for each wish, and the same one only to send it again",
            kind="idempotency-key",
        )
    status, body = known.get("status"), known.get("body")
    if not isinstance(status, int):
        raise Refused(
            409,
            "the first request with this Idempotency-Key was cut off, so it may have taken effect",
            "look at what it was to change and at GET /audit; then use a new key",
            kind="idempotency-key",
        )
    if body is None:
        raise Refused(409, "the first request with this Idempotency-Key has taken effect", "read what it has changed")
    headers = {"idempotency-replayed": "true"}
    if known.get("location"):
        headers["location"] = str(known["location"])
    return Response(str(body), status, headers, "application/json")


async def _forget_old(context: StudioContext) -> None:
    oldest = context.clock() - KEPT
    records = await context.store.records(SPACE)
    old = [key for key, record in records.items() if is_document(record) and float(record.get("at") or 0.0) < oldest]
    if old:
        await context.store.commit(Change(records={(SPACE, key): None for key in old}))
