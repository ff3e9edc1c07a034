"""Webhooks are signed, sent, tried again, and recorded."""

from __future__ import annotations

import asyncio
import time
from base64 import b64encode

import openai
import pytest
from aiohttp import web
from openai.types.webhooks import BatchCompletedWebhookEvent, ResponseCompletedWebhookEvent

from connector.errors import ConfigurationError
from connector.sandbox.webhooks import DELIVERIES, decode_secret, sign

SECRET = "whsec_" + b64encode(b"a secret of thirty-two bytes now").decode()


class Receiver:
    """A server that takes webhooks, and answers as it is told to."""

    def __init__(self) -> None:
        self.url = ""
        self.statuses: list[int] = []
        self.taken: asyncio.Queue[tuple[dict[str, str], bytes]] = asyncio.Queue()

    async def take(self, request: web.BaseRequest) -> web.Response:
        body = await request.read()
        await self.taken.put((dict(request.headers), body))
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)


@pytest.fixture
async def receiver():
    taking = Receiver()
    runner = web.ServerRunner(web.Server(taking.take))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    taking.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/hook"
    yield taking
    await runner.cleanup()


def deliveries(room) -> list[dict]:
    return list(room.backend.objects.all(DELIVERIES))


async def finished(room) -> str:
    """The id of a response that has gone through its states in the background."""
    made = await room.client.responses.create(model="gpt-4.1", input="hello", background=True)
    await room.pass_time(2)
    return made.id


async def test_the_official_sdk_takes_them_for_genuine(rooms, receiver) -> None:
    room = await rooms(start=time.time(), webhook=receiver.url, webhook_secret=SECRET)
    made = await finished(room)
    headers, body = await receiver.taken.get()
    event = room.client.webhooks.unwrap(body, headers, secret=SECRET)
    assert isinstance(event, ResponseCompletedWebhookEvent)
    assert event.data.id == made
    with pytest.raises(openai.InvalidWebhookSignatureError):
        room.client.webhooks.unwrap(body + b" ", headers, secret=SECRET)


async def test_a_batch_tells_that_it_is_done_without_being_asked(rooms, receiver) -> None:
    room = await rooms(start=time.time(), pace=0, webhook=receiver.url, webhook_secret=SECRET)
    body = {"model": "gpt-4.1", "input": "hello"}
    file = await room.file([{"custom_id": "a", "method": "POST", "url": "/v1/responses", "body": body}], "batch")
    batch = await room.client.batches.create(input_file_id=file, endpoint="/v1/responses", completion_window="24h")
    headers, sent = await receiver.taken.get()
    event = room.client.webhooks.unwrap(sent, headers, secret=SECRET)
    assert isinstance(event, BatchCompletedWebhookEvent)
    assert event.data.id == batch.id


async def told_by_hand(rooms, url: str):
    """A room that sends webhooks when it is told to, and one of them that is due."""
    room = await rooms(webhook=url)
    await room.backend.webhooks._loop.stop()
    await finished(room)
    return room


async def test_one_that_is_not_taken_is_tried_again_under_its_id(rooms, receiver) -> None:
    receiver.statuses = [500, 302]
    room = await told_by_hand(rooms, receiver.url)
    for later in (0, 0.9, 0.1, 1.9, 0.1, 100):
        await room.pass_time(later)
        await room.backend.webhooks.send_due()
    [delivery] = deliveries(room)
    assert delivery["state"] == "delivered"
    assert [one["status"] for one in delivery["attempts"]] == [500, 302, 200]
    tries = [receiver.taken.get_nowait() for _ in range(3)]
    assert receiver.taken.empty()
    assert {headers["webhook-id"] for headers, _ in tries} == {delivery["id"]}
    assert len({body for _, body in tries}) == 1
    times = [int(headers["webhook-timestamp"]) for headers, _ in tries]
    assert times == [times[0], times[0] + 1, times[0] + 3]


async def test_one_that_nobody_takes_is_given_up(rooms) -> None:
    room = await told_by_hand(rooms, "http://127.0.0.1:9/")
    for _ in range(9):
        await room.backend.webhooks.send_due()
        await room.pass_time(8)
    [delivery] = deliveries(room)
    assert (delivery["state"], len(delivery["attempts"])) == ("failed", 5)
    assert "ClientConnectorError" in delivery["attempts"][0]["error"]


async def test_endpoints_hear_of_what_they_asked_for(rooms, receiver) -> None:
    room = await rooms(start=time.time())
    endpoints = room.client.webhooks
    wanted = await endpoints.create(name="mine", url=receiver.url, event_types=["response.completed"])
    await endpoints.create(name="other", url=receiver.url, event_types=["batch.completed"])
    made = await finished(room)
    headers, body = await receiver.taken.get()
    assert room.client.webhooks.unwrap(body, headers, secret=wanted.signing_secret).data.id == made
    assert len(deliveries(room)) == 1
    shown = await endpoints.retrieve(wanted.id)
    assert shown.signing_secret_hint == wanted.signing_secret[-4:]
    assert "signing_secret" not in shown.model_dump()
    rotated = await endpoints.rotate_secret(wanted.id)
    await endpoints.test(wanted.id, event_type="response.failed")
    headers, body = await receiver.taken.get()
    assert room.client.webhooks.unwrap(body, headers, secret=rotated.signing_secret).type == "response.failed"
    assert (await endpoints.delete(wanted.id)).deleted
    await finished(room)
    assert len(deliveries(room)) == 2


async def test_endpoints_elsewhere_are_never_called(rooms) -> None:
    room = await rooms()
    await room.backend.webhooks._loop.stop()
    made = await room.client.webhooks.create(
        name="far", url="https://example.com/hook", event_types=["response.completed"]
    )
    changed = await room.client.webhooks.update(made.id, name="farther")
    assert (changed.name, changed.url) == ("farther", "https://example.com/hook")
    await finished(room)
    await room.backend.webhooks.send_due()
    [found] = deliveries(room)
    assert found["state"] == "failed"
    assert "this machine only" in found["attempts"][0]["error"]


@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")  # the official SDK calls all of videos deprecated
async def test_a_finished_video_is_told(room) -> None:
    video = await room.client.videos.create(model="sora-2", prompt="a lighthouse")
    await room.pass_time(1)
    assert not room.told()
    await room.pass_time(1)
    assert room.told() == [("video.completed", video.id)]


async def test_event_types_are_those_of_the_api(room) -> None:
    types = (await room.client.webhooks.event_types.list()).data
    assert "batch.completed" in types
    assert len(types) > 20


def test_a_signature_is_over_id_time_and_body() -> None:
    one = sign(SECRET, "wh_1", 5, b"{}")
    assert one == sign(SECRET, "wh_1", 5, b"{}")
    others = (sign(SECRET, "wh_2", 5, b"{}"), sign(SECRET, "wh_1", 6, b"{}"), sign(SECRET, "wh_1", 5, b"[]"))
    assert one["webhook-signature"] not in [other["webhook-signature"] for other in others]


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_not base64!"])
def test_a_secret_that_cannot_sign_is_refused_without_being_shown(secret) -> None:
    with pytest.raises(ConfigurationError, match="whsec_ followed by base64") as refused:
        decode_secret(secret)
    assert "not base64!" not in str(refused.value)
