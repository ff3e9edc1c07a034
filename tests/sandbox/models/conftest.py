"""A sandbox without sockets: what handlers answer, held against the catalogue's schemas."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import jsonschema_rs
import pytest

from connector.catalogue import Catalogue
from connector.model import JSON
from connector.sandbox.backend import Backend, Options
from connector.sandbox.http.dispatcher import Dispatcher
from connector.sandbox.messages import Answer, Event, Request
from connector.sandbox.object_store import ObjectStore
from connector.sandbox.registry import MODEL_HANDLERS
from connector.sandbox.script import Script

CATALOGUE = Catalogue.open()
TEXTS = ("[DONE]",)


class StillScheduler:
    """No timer ever runs; what was scheduled is recorded."""

    def __init__(self) -> None:
        self.opened: list[tuple[str, str, float]] = []

    def schedule(self, kind: str, name: str, due: float) -> None:
        self.opened.append((kind, name, due))

    async def run_due(self) -> None:
        """Nothing is ever due."""


@cache
def validator(method: str, path: str, kind: str) -> jsonschema_rs.Draft202012Validator:
    found = CATALOGUE.match(method, path)
    assert found is not None
    return jsonschema_rs.Draft202012Validator(CATALOGUE.answer_schema(found[0], kind))


def check(value: JSON, method: str, path: str, kind: str) -> None:
    """The value passes the operation's answer schema."""
    errors = [
        f"{error.instance_path}: {error.message[:300]}" for error in validator(method, path, kind).iter_errors(value)
    ]
    assert not errors, (method, path, kind, errors[:5])


@dataclass
class Room:
    """One backend and a way to call its handlers; every answer is checked on its way out."""

    backend: Backend
    time: float = 1_770_000_000.0
    opened: list[tuple[str, str, float]] = field(default_factory=list)

    def ask(
        self, path: str, payload: JSON = None, *, method: str = "POST", query: Mapping[str, JSON] | None = None
    ) -> Answer:
        """What the handler answers, as it stands."""
        found = CATALOGUE.match(method, path)
        assert found is not None, path
        operation, values = found
        if operation.body[:1] == ("json",) and payload is not None:
            asked = jsonschema_rs.Draft202012Validator(CATALOGUE.payload_schema(operation))
            assert not [error.message for error in asked.iter_errors(payload)]
        request = Request(operation, values, query or {}, payload, {"host": "127.0.0.1:8080"})
        answer = MODEL_HANDLERS[operation.wire_name](request, self.backend)
        return asyncio.run(settled(answer)) if inspect.isawaitable(answer) else answer

    def post(self, path: str, payload: JSON) -> JSON:
        """The checked body of a POST."""
        body = self.ask(path, payload).body
        check(body, "POST", path, "json")
        return body

    def get(self, path: str, **query: JSON) -> JSON:
        """The checked body of a GET."""
        body = self.ask(path, method="GET", query=query).body
        check(body, "GET", path, "json")
        return body

    def stream(self, path: str, payload: JSON, *, method: str = "POST", **query: JSON) -> list[Event]:
        """The checked events of a stream."""
        events = list(self.ask(path, payload, method=method, query=query).events or ())
        for event in events:
            if event.data not in TEXTS:
                check(event.data, method, path, "events")
        return events

    def chat(self, content: JSON = "Hello there, how are you?", **fields: JSON) -> JSON:
        """A chat completion of one user's message."""
        return self.post("/chat/completions", chat(content, **fields))

    def respond(self, given: JSON = "Hello there, how are you?", **fields: JSON) -> JSON:
        """A response to an input."""
        return self.post("/responses", {"model": "gpt-4.1", "input": given, **fields})


async def settled(answer) -> Answer:
    return await answer


def chat(content: JSON = "Hello there, how are you?", **fields: JSON) -> dict[str, JSON]:
    """The payload of a chat completion of one user's message."""
    return {"model": "gpt-4.1", "messages": [{"role": "user", "content": content}], **fields}


def make_room(script: JSON = (), **options: JSON) -> Room:
    backend = Backend(
        CATALOGUE,
        ObjectStore(),
        Options(**options),
        lambda: room.time,
        script=Script.parse(list(script)),
        call_operation=Dispatcher(CATALOGUE, MODEL_HANDLERS).call,
        timer_handlers={},
    )
    backend.scheduler = scheduler = StillScheduler()
    room = Room(backend, opened=scheduler.opened)
    return room


@pytest.fixture
def rooms():
    """Makes rooms, and closes them at the end."""
    made: list[Room] = []

    def make(script: JSON = (), **options: JSON) -> Room:
        made.append(make_room(script, **options))
        return made[-1]

    yield make
    for one in made:
        one.backend.objects.close()


@pytest.fixture
def room(rooms) -> Room:
    return rooms()
