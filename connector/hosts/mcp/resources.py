"""What a host may read: the catalogue, the routes and their tasks, and results that were too large to be shown."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

import orjson

from connector.catalogue.description import describe
from connector.engine import ENDS, Filter, Task, TaskState
from connector.errors import UnknownName
from connector.hosts.mcp.protocol import RESOURCE_NOT_FOUND, RpcError
from connector.hosts.mcp.results import SCHEME, Kept
from connector.model import JSON

if TYPE_CHECKING:
    from connector.catalogue import Catalogue
    from connector.engine import Store
    from connector.pipeline import Runtime

__all__ = ["Resources"]

JSON_TYPE = "application/json"
LAST_TASKS = 50
DAY = 86_400.0
PAGE, MOST_PAGES = 1000, 20
"""Tasks that are looked through for the newest ones, at a time, and how often."""
PART = 256 * 1024
TEMPLATES = (
    ("operations/{name}", "An operation of the API", "Its path, query, payload, answers and effect, with an example."),
    ("routes/{name}", "A route", "Its settings, and how many of its tasks are in which state."),
    ("tasks/{id}", "A task", "Its document, and every call that was made for it, with its outcome."),
    ("results/{id}", "A large result", "All of a result of which a tool showed the beginning."),
    ("results/{id}/{part}", "A part of a large result", f"{PART // 1024} KB of it, from part 1 on."),
)
Opened = Callable[[], Awaitable["Store | None"]]


@dataclass(frozen=True, slots=True)
class Resources:
    """The resources of a server.

    Args:
        runtime: the opened configuration.
        catalogue: what the API offers.
        kept: large results.
        own: opens the engine of the calls of tools.
        tasks: opens the engine of the routes, to look at it; None when there is none yet.
    """

    runtime: Runtime
    catalogue: Catalogue
    kept: Kept
    own: Opened
    tasks: Opened

    def entries(self) -> list[dict[str, JSON]]:
        """Return the resources that are always there."""
        found = [
            _resource("catalogue", "The catalogue", "Every operation of the API by its name, with method and path."),
            _resource("routes", "Routes", "The routes of this configuration, and the states of their tasks."),
            _resource("tasks", "Tasks", "Tasks of the routes and calls of tools of the last day, the newest 50."),
        ]
        routes = self.runtime.configuration.routes
        return found + [
            _resource(f"routes/{quote(name)}", f"Route {name}", one.description) for name, one in routes.items()
        ]

    def templates(self) -> list[dict[str, JSON]]:
        """Return the templates of addresses."""
        return [
            {
                "uriTemplate": f"{SCHEME}{path}",
                "name": path.partition("/")[0],
                "title": title,
                "description": said,
                "mimeType": JSON_TYPE,
            }
            for path, title, said in TEMPLATES
        ]

    async def read(self, uri: str, owner: str, *, sees_all: bool) -> dict[str, JSON]:
        """Return a resource; RpcError when there is none, or none for the one who asks.

        Args:
            owner: whose results and calls are shown.
            sees_all: whether tasks are shown that others have brought about.
        """
        if not uri.startswith(SCHEME):
            raise _not_found(uri, f"addresses here begin with {SCHEME}")
        kind, *names = [unquote(part) for part in uri.removeprefix(SCHEME).rstrip("/").split("/")]
        if kind == "results" and names:
            return self._result(uri, owner, names)
        value = await self._find(uri, kind, names, owner, sees_all=sees_all)
        text = orjson.dumps(value, default=str, option=orjson.OPT_INDENT_2).decode()
        return {"contents": [{"uri": uri, "mimeType": JSON_TYPE, "text": self.runtime.redact(text)}]}

    def complete(self, template: str, value: str) -> list[str]:
        """Return values that complete a part of a template's address."""
        if template.endswith("operations/{name}"):
            names: Iterator[str] = (one.name for one in self.catalogue.operations())
        elif template.endswith("routes/{name}"):
            names = iter(self.runtime.configuration.routes)
        else:
            return []
        return [name for name in names if name.startswith(value)]

    async def _find(self, uri: str, kind: str, names: list[str], owner: str, *, sees_all: bool) -> JSON:
        if kind == "catalogue" and not names:
            return [{"name": one.name, "method": one.method, "path": one.template, "effect": one.effect} for one in
                    self.catalogue.operations()]  # fmt: skip
        if kind == "operations" and len(names) == 1:
            try:
                return describe(self.catalogue.find(names[0]), self.catalogue)
            except UnknownName as error:
                raise _not_found(uri, str(error)) from None
        if kind == "routes" and len(names) < 2:
            return await self._routes(uri, names, sees_all=sees_all)
        if kind == "tasks" and len(names) < 2:
            return await self._tasks(uri, names, owner, sees_all=sees_all)
        raise _not_found(uri, "resources/list and resources/templates/list say what there is")

    async def _routes(self, uri: str, names: list[str], *, sees_all: bool) -> JSON:
        routes = self.runtime.configuration.routes
        store = await self.tasks() if sees_all else None
        counts: Mapping[str, Mapping[TaskState, int]] = {} if store is None else await store.counts()
        shown: dict[str, JSON] = {
            name: {
                "description": one.description,
                "incoming": one.incoming,
                "outgoing": one.outgoing,
                "disabled": one.disabled,
                "tasks": {str(state): count for state, count in counts.get(name, {}).items() if count},
            }
            for name, one in routes.items()
        }
        if names and names[0] not in shown:
            raise _not_found(uri, f"there is no route {names[0]!r}")
        return shown[names[0]] if names else shown

    async def _tasks(self, uri: str, names: list[str], owner: str, *, sees_all: bool) -> JSON:
        if names and not names[0].isdecimal():
            raise _not_found(uri, "a task has a number")
        shown: dict[str, list[Mapping[str, JSON]]] = {}
        for title, opened, is_theirs in (("calls", self.own, True), ("tasks", self.tasks, sees_all)):
            store = await opened() if is_theirs else None
            if store is None:
                continue
            if names:
                task = await store.task(int(names[0]))
                found = [task] if task is not None else []
            else:
                found = await _last_tasks(store)
            mine = [one for one in found if sees_all or one.key.startswith(f"{owner}/")]
            shown[title] = [_show(one, whole=bool(names)) for one in mine]
        if names and not any(shown.values()):
            raise _not_found(uri, f"there is no task {names[0]}")
        return shown

    def _result(self, uri: str, owner: str, names: list[str]) -> dict[str, JSON]:
        found = self.kept.find(owner, names[0])
        if found is None:
            raise _not_found(uri, "this result is not kept any more: call the tool again with the key of the call")
        data = found.data
        if len(names) > 1:
            number = int(names[1]) if names[1].isdecimal() else 0
            if not 0 < number <= -(-len(data) // PART):
                raise _not_found(uri, f"this result has {-(-len(data) // PART)} parts, from 1 on")
            data = data[(number - 1) * PART : number * PART]
        content: dict[str, JSON] = {"uri": uri, "mimeType": found.mime}
        try:
            content["text"] = data.decode()
        except UnicodeDecodeError:
            content["blob"] = b64encode(data).decode()
        return {"contents": [content]}


async def _last_tasks(store: Store) -> list[Task]:
    """Return the newest tasks of the last day."""
    found: list[Task] = []
    after, recent = 0, Filter(updated_after=time.time() - DAY)
    for _ in range(MOST_PAGES):
        tasks = await store.tasks(recent, after=after, limit=PAGE)
        if not tasks:
            break
        found = [*found, *tasks][-LAST_TASKS:]
        after = tasks[-1].id
    return found


def _show(task: Task, *, whole: bool) -> dict[str, JSON]:
    shown: dict[str, JSON] = {
        "id": task.id, "route": task.route, "state": task.state, "reason": task.reason, "attempts": task.attempts,
        "has_ended": task.state in ENDS,
    }  # fmt: skip
    return {**shown, "document": task.document, "calls": [asdict(call) for call in task.calls]} if whole else shown


def _resource(path: str, title: str, description: str) -> dict[str, JSON]:
    shown: dict[str, JSON] = {"uri": f"{SCHEME}{path}", "name": path, "title": title, "mimeType": JSON_TYPE}
    return {**shown, "description": description} if description else shown


def _not_found(uri: str, why: str) -> RpcError:
    return RpcError(RESOURCE_NOT_FOUND, f"no resource {uri[:200]!r}: {why}", {"uri": uri})
