"""A sandbox on loopback under a clock of ours, the official SDK as its client, every answer checked by its schema."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache

import jsonschema_rs
import pytest
from openai import AsyncOpenAI, DefaultAsyncHttpx2Client

from connector.catalogue import Catalogue
from connector.sandbox.sandbox import Sandbox

CATALOGUE = Catalogue.open()
START = 1_800_000_000.0


@cache
def validator(wire_name: str) -> jsonschema_rs.Draft202012Validator:
    operation = next(one for one in CATALOGUE.operations() if one.wire_name == wire_name)
    return jsonschema_rs.Draft202012Validator(CATALOGUE.answer_schema(operation, "json"))


async def check(answer) -> None:
    """A JSON answer passes the schema of its operation."""
    if answer.status_code != 200 or answer.headers.get("content-type") != "application/json":
        return
    found = CATALOGUE.match(answer.request.method, answer.request.url.path.removeprefix("/v1"))
    assert found is not None
    if "json" not in found[0].answer:
        assert not await answer.aread()
        return
    body = json.loads(await answer.aread())
    errors = [
        f"{error.instance_path}: {error.message[:200]}" for error in validator(found[0].wire_name).iter_errors(body)
    ]
    assert not errors, (found[0].wire_name, errors[:5])


class Room:
    """A running sandbox, its clock, and a client that parses strictly."""

    def __init__(self, sandbox: Sandbox, client: AsyncOpenAI, clock: list[float]) -> None:
        self.sandbox = sandbox
        self.backend = sandbox.backend
        self.client = client
        self._clock = clock

    async def pass_time(self, seconds: float = 1.0) -> None:
        """So much later, when all has happened that then has."""
        self._clock[0] += seconds
        await self.backend.scheduler.run_due()

    async def file(self, data: bytes | str | list, purpose: str = "user_data", name: str = "notes.txt") -> str:
        """The id of a file that was uploaded; a list is written as JSON lines."""
        if isinstance(data, list):
            data, name = "\n".join(json.dumps(row) for row in data), "rows.jsonl"
        data = data if isinstance(data, bytes) else data.encode()
        return (await self.client.files.create(file=(name, data), purpose=purpose)).id

    async def lines(self, file_id: str) -> list[dict]:
        """The rows of a file of JSON lines."""
        return [json.loads(line) for line in (await self.client.files.content(file_id)).content.splitlines()]

    def told(self) -> list[tuple[str, str]]:
        """The webhooks that were due: their types, and whom they are about."""
        events = [one["event"] for one in self.backend.objects.all("sandbox webhooks")]
        return [(event["type"], event["data"]["id"]) for event in events]


@asynccontextmanager
async def opened(start: float = START, **options):
    clock = [start]
    sandbox = Sandbox(catalogue=CATALOGUE, clock=lambda: clock[0], **options)
    async with sandbox, DefaultAsyncHttpx2Client(event_hooks={"response": [check]}) as web:
        client = AsyncOpenAI(
            base_url=sandbox.url, api_key="sk-any", max_retries=0, _strict_response_validation=True, http_client=web
        )
        yield Room(sandbox, client, clock)


@pytest.fixture
async def rooms() -> Callable:
    """Opens rooms with options, and closes them at the end."""
    async with AsyncExitStack() as stack:

        async def open_room(**options) -> Room:
            return await stack.enter_async_context(opened(**options))

        yield open_room


@pytest.fixture
async def room(rooms) -> Room:
    # Nothing listens there: webhooks are tried in vain, and recorded.
    return await rooms(webhook="http://127.0.0.1:9/")
