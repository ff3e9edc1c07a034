"""The sandboxes behind the clients of a configuration: which clients call one, and its own paths."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx

from connector.documents import parse
from connector.errors import ConnectorError, InvalidDocument
from connector.model import JSON, is_document
from connector.pipeline import Runtime
from connector.studio.context import StudioContext
from connector.studio.problems import Refused

__all__ = ["call_sandbox", "find_sandboxes"]

FRESH = 15.0
"""Seconds for which it is known which clients call a sandbox."""
SECONDS = 2.0


async def find_sandboxes(context: StudioContext) -> Mapping[str, str]:
    """Return the addresses of sandboxes by the names of the clients that call them."""
    asked, known = context.sandboxes
    if context.monotonic() - asked < FRESH:
        return known
    found: dict[str, str] = {}
    async with _open() as http, Runtime(context.configuration) as runtime:
        for name in context.configuration.clients:
            root = _local_root(runtime, name)
            if root and (root in found.values() or await _is_sandbox(http, root)):
                found[name] = root
    context.sandboxes = (context.monotonic(), found)
    return found


async def call_sandbox(
    context: StudioContext, method: str, path: str, *, client: str | None = None, body: JSON = None
) -> list[JSON]:
    """Call a sandbox's own path and return the documents of its answer, one a line."""
    found = await find_sandboxes(context)
    root = found.get(client) if client else next(iter(found.values()), None)
    if root is None:
        raise Refused(
            409,
            "no client of the configuration calls a sandbox" if client is None else f"{client!r} calls no sandbox",
            "start one with `openai-connector sandbox`, and let the client's `base_uri` be its address",
            kind="no-sandbox",
        )
    async with _open() as http:
        try:
            answer = await http.request(method, f"{root}/sandbox/{path}", json=body)
        except httpx.HTTPError as error:
            raise Refused(502, f"the sandbox at {root} does not answer: {error}", "start it again") from None
    if answer.is_error:
        raise Refused(422, _message(answer), "mend what it names")
    return [parse(line) for line in answer.text.splitlines() if line]


def _open() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=SECONDS, trust_env=False)


async def _is_sandbox(http: httpx.AsyncClient, root: str) -> bool:
    with suppress(httpx.HTTPError, InvalidDocument):
        answer = await http.get(f"{root}/sandbox/health")
        seen = parse(answer.content) if answer.is_success else None
        return is_document(seen) and seen.get("status") == "ok" and "seed" in seen
    return False


def _local_root(runtime: Runtime, name: str) -> str:
    """Return the scheme, host and port that a client calls on this machine; empty when it calls another one."""
    try:
        parts = urlsplit(str(getattr(runtime.client(name).parameters, "base_uri", "") or ""))
    except ConnectorError:  # such as a variable that is not set
        return ""
    try:
        is_local = parts.hostname == "localhost" or ip_address(parts.hostname or "").is_loopback
    except ValueError:
        is_local = False
    return f"{parts.scheme}://{parts.netloc}" if is_local and parts.scheme in ("http", "https") else ""


def _message(answer: httpx.Response) -> str:
    with suppress(InvalidDocument):
        seen = parse(answer.content)
        if is_document(seen) and is_document(seen.get("error")):
            return str(seen["error"].get("message"))
    return f"the sandbox answers {answer.status_code}"
