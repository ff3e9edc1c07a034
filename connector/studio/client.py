"""A small typed client of the studio's API, blocking and async; it needs no extra.

A call is a value: `overview()`, `pause_route("tickets", "the shop is closed")`. Both clients send calls and return what
their types say; a problem is raised as StudioProblem. What has no function here is `Call("GET", "/path", Model)`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, Self, TypeVar
from urllib.parse import quote
from uuid import uuid4

import httpx
from pydantic import TypeAdapter

from connector.errors import ConnectorError
from connector.model import JSON, members
from connector.studio.schemas.audit import AuditEntry
from connector.studio.schemas.base import Page
from connector.studio.schemas.config import ConfigState, EditResult, SavedFile
from connector.studio.schemas.documents import DocumentTask
from connector.studio.schemas.forecast import RouteForecast
from connector.studio.schemas.gateway import GatewayOverview
from connector.studio.schemas.models import ModelDetail, ModelList
from connector.studio.schemas.money import MoneyReport
from connector.studio.schemas.operations import CallResult, Explained, OperationDetail, OperationRow
from connector.studio.schemas.overview import Overview, RouteStatus
from connector.studio.schemas.playground import PlaygroundResult
from connector.studio.schemas.publish import PublishedCall
from connector.studio.schemas.session import SessionInfo

__all__ = [
    "AsyncStudioClient",
    "Call",
    "StudioClient",
    "StudioProblem",
    "audit",
    "edit_config",
    "explain_operation",
    "forecast",
    "gateway",
    "list_models",
    "list_operations",
    "list_routes",
    "money",
    "overview",
    "pause_route",
    "publish",
    "put_documents",
    "read_config",
    "read_model",
    "read_operation",
    "read_published",
    "read_route",
    "resume_route",
    "run_chain",
    "run_route",
    "save_config",
    "send_operation",
    "session",
]

PREFIX = "/api/v1"
Result = TypeVar("Result")
Item = TypeVar("Item")
SECONDS = 60.0


class StudioProblem(ConnectorError):
    """What the studio refused, and what to do next.

    Attributes:
        status: the HTTP status.
        problem: the whole answer.
    """

    def __init__(self, status: int, problem: Mapping[str, JSON]) -> None:
        self.status = status
        self.problem = problem
        words = [str(problem.get(name) or "") for name in ("detail", "next")]
        super().__init__("; ".join(word for word in words if word) or f"the studio answers {status}")


@dataclass(frozen=True, slots=True)
class Call(Generic[Result]):
    """One call of the API: where it goes, and the type of its answer."""

    method: str
    path: str
    answer: type[Result]
    query: Mapping[str, str | int] = field(default_factory=dict[str, str | int])
    body: JSON = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def request(self, http: httpx.Client | httpx.AsyncClient, key: str) -> httpx.Request:
        """Return the request; a POST has an idempotency key, so that sending it again is safe."""
        once = {"idempotency-key": key or uuid4().hex} if self.method == "POST" else {}
        headers = {**self.headers, **once}
        body: JSON = {} if self.method == "POST" and self.body is None else self.body
        return http.build_request(self.method, PREFIX + self.path, params=dict(self.query), json=body, headers=headers)

    def read(self, response: httpx.Response) -> Result:
        """Return what an answer holds; raise StudioProblem for a problem."""
        if response.is_error:
            try:
                problem: Mapping[str, JSON] = members(response.json())
            except ValueError:
                problem = {"detail": response.text[:200]}
            raise StudioProblem(response.status_code, problem)
        return TypeAdapter(self.answer).validate_json(response.content or b"null", by_alias=True, by_name=True)


class StudioClient:
    """A blocking client.

    Args:
        url: where the studio listens, such as http://127.0.0.1:8790.
        token: a token of `studio.tokens`.
        transport: replaces the network, as in tests.
    """

    def __init__(self, url: str, token: str, *, transport: httpx.BaseTransport | None = None) -> None:
        headers = {"authorization": f"Bearer {token}"}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=SECONDS, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def send(self, call: Call[Result], *, key: str = "") -> Result:
        """Send a call and return its answer; the same key for the same wish takes effect once."""
        return call.read(self._http.send(call.request(self._http, key)))

    def iterate(self, call: Call[Page[Item]]) -> Generator[Item]:
        """Yield the items of all pages of a list."""
        following: Call[Page[Item]] | None = call
        while following is not None:
            page = self.send(following)
            yield from page.items
            following = _following(call, page)


class AsyncStudioClient:
    """The same for programs with an event loop.

    Args:
        url: where the studio listens.
        token: a token of `studio.tokens`.
        transport: replaces the network, as in tests.
    """

    def __init__(self, url: str, token: str, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        headers = {"authorization": f"Bearer {token}"}
        self._http = httpx.AsyncClient(base_url=url, headers=headers, timeout=SECONDS, transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def send(self, call: Call[Result], *, key: str = "") -> Result:
        """Send a call and return its answer; the same key for the same wish takes effect once."""
        return call.read(await self._http.send(call.request(self._http, key)))

    async def iterate(self, call: Call[Page[Item]]) -> AsyncGenerator[Item]:
        """Yield the items of all pages of a list."""
        following: Call[Page[Item]] | None = call
        while following is not None:
            page = await self.send(following)
            for item in page.items:
                yield item
            following = _following(call, page)


def _following(call: Call[Page[Item]], page: Page[Item]) -> Call[Page[Item]] | None:
    return None if page.next is None else replace(call, query={**call.query, "cursor": page.next})


def session() -> Call[SessionInfo]:
    """Who the token is, and what the studio shows."""
    return Call("GET", "/session", SessionInfo)


def overview() -> Call[Overview]:
    """Everything at a glance."""
    return Call("GET", "/overview", Overview)


def audit() -> Call[Page[AuditEntry]]:
    """Who did what, the newest first."""
    return Call("GET", "/audit", Page[AuditEntry])


def list_routes() -> Call[list[RouteStatus]]:
    """How each route does."""
    return Call("GET", "/routes", list[RouteStatus])


def read_route(name: str) -> Call[RouteStatus]:
    """How a route does."""
    return Call("GET", f"/routes/{quote(name, safe='')}", RouteStatus)


def pause_route(name: str, reason: str = "") -> Call[RouteStatus]:
    """Pause a route in every run, until it is resumed."""
    return Call("POST", f"/routes/{quote(name, safe='')}/pause", RouteStatus, body={"reason": reason})


def resume_route(name: str) -> Call[RouteStatus]:
    """End a pause that somebody made."""
    return Call("POST", f"/routes/{quote(name, safe='')}/resume", RouteStatus)


def run_route(name: str) -> Call[RouteStatus]:
    """Let a run read a route now."""
    return Call("POST", f"/routes/{quote(name, safe='')}/run", RouteStatus)


def list_operations(search: str = "") -> Call[Page[OperationRow]]:
    """The operations of the catalogue that hold all words of a search."""
    return Call("GET", "/operations", Page[OperationRow], query={"search": search})


def read_operation(entity: str, operation: str) -> Call[OperationDetail]:
    """What an operation takes and gives."""
    return Call("GET", _operation(entity, operation), OperationDetail)


def explain_operation(entity: str, operation: str, request: Mapping[str, JSON], client: str = "") -> Call[Explained]:
    """The exact request, its effect and the most that it costs; nothing is sent."""
    body = {"request": dict(request), "client": client or None}
    return Call("POST", f"{_operation(entity, operation)}/explain", Explained, body=body)


def send_operation(
    entity: str, operation: str, request: Mapping[str, JSON], confirm: str, client: str = ""
) -> Call[CallResult]:
    """Send a request once; `confirm` repeats the effect that `explain_operation` told."""
    body = {"request": dict(request), "client": client or None, "confirm": confirm}
    return Call("POST", f"{_operation(entity, operation)}/send", CallResult, body=body)


def list_models() -> Call[ModelList]:
    """The models of the registry and of the account."""
    return Call("GET", "/models", ModelList)


def read_model(name: str) -> Call[ModelDetail]:
    """All that is known of a model."""
    return Call("GET", f"/models/{quote(name, safe='')}", ModelDetail)


def money(by: str = "route", since: str = "", until: str = "") -> Call[MoneyReport]:
    """What calls cost, by route, model, token or day."""
    times = {name: value for name, value in (("from", since), ("to", until)) if value}
    return Call("GET", "/money", MoneyReport, query={"by": by, **times})


def forecast(route: str, *, sample: int = 200) -> Call[RouteForecast]:
    """What a route will cost and how long it will take, if it runs now."""
    return Call("GET", f"/routes/{quote(route, safe='')}/forecast", RouteForecast, query={"sample": sample})


def gateway() -> Call[GatewayOverview]:
    """The gateway and its callers."""
    return Call("GET", "/gateway", GatewayOverview)


def _operation(entity: str, operation: str) -> str:
    return f"/operations/{quote(entity, safe='')}/{quote(operation, safe='')}"


def put_documents(route: str, documents: Sequence[JSON], *, wait: int = 0) -> Call[list[DocumentTask]]:
    """Put documents on a route, all or none; wait some seconds, 60 at most, for what they come to."""
    headers = {"prefer": f"wait={wait}"} if wait else {}
    path = f"/routes/{quote(route, safe='')}/documents"
    return Call("POST", path, list[DocumentTask], body={"documents": [*documents]}, headers=headers)


def publish(outgoing: str, document: JSON, *, wait: int = 0) -> Call[PublishedCall]:
    """Publish a document; wait some seconds, 60 at most, for its end, or 30 unless given."""
    headers = {"prefer": f"wait={wait}"} if wait else {}
    path = f"/outgoing/{quote(outgoing, safe='')}/publish"
    return Call("POST", path, PublishedCall, body={"document": document}, headers=headers)


def read_published(outgoing: str, task: int) -> Call[PublishedCall]:
    """What a published document has come to."""
    return Call("GET", f"/outgoing/{quote(outgoing, safe='')}/published/{task}", PublishedCall)


def read_config() -> Call[ConfigState]:
    """Read the configuration's files, with markers for secrets, and what lint finds in them."""
    return Call("GET", "/config", ConfigState)


def edit_config(file: str, edits: Sequence[JSON], text: str | None = None) -> Call[EditResult]:
    """Change values in a file's text, or in another text, without saving it; comments stay.

    Args:
        file: its name.
        edits: such as {"op": "set", "path": ["routes", "tickets", "key"], "value": "id"}.
        text: what to change in place of what is saved.
    """
    return Call("POST", "/config/edit", EditResult, body={"file": file, "edits": [*edits], "text": text})


def save_config(file: str, text: str, etag: str) -> Call[SavedFile]:
    """Save a file unless somebody else has changed it since it had this etag."""
    return Call("PUT", "/config", SavedFile, body={"file": file, "text": text}, headers={"if-match": f'"{etag}"'})


def run_chain(text: str, documents: Sequence[JSON]) -> Call[PlaygroundResult]:
    """Send documents through the steps of a chain, and see what each step makes of them."""
    return Call("POST", "/playground/run", PlaygroundResult, body={"text": text, "documents": [*documents]})
