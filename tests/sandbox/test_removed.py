"""Removed operations: their successors called in their place, and the sandbox that answers them as before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connector.catalogue import Catalogue
from connector.http import Client
from connector.model import InvalidRequest
from connector.publisher import Publisher
from connector.sandbox import Sandbox, in_thread
from connector.subscriber import Subscriber

CATALOGUE = Catalogue.open()
IMAGE = {
    "$content": "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "filename": "a.png",
}
SOUND = {"$content": "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=", "filename": "a.wav"}
EXAMPLE = '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n'


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with in_thread(Sandbox(catalogue=CATALOGUE, pace=3600)) as running:
        yield running


@pytest.fixture(scope="module")
def old_sandbox() -> Iterator[Sandbox]:
    with in_thread(Sandbox(catalogue=CATALOGUE, pace=3600, removed=True)) as running:
        yield running


def _client(sandbox: Sandbox, **parameters: Any) -> Client:
    return Client(catalogue=CATALOGUE, environ={}, base_uri=sandbox.url, token="any", **parameters)


async def _call(client: Client, name: str, **request: Any) -> Any:
    outcome = await client.send(client.prepare(name, request))
    assert outcome.ok, (name, outcome.sentence())
    return outcome.body


async def _upload(client: Client, purpose: str) -> str:
    file = {"$content": _base64(EXAMPLE), "filename": "a.jsonl"}
    body = await _call(client, "UploadFile", payload={"purpose": purpose, "file": file})
    return str(body["id"])


def _base64(text: str) -> str:
    from base64 import b64encode

    return b64encode(text.encode()).decode()


async def test_all_actions_of_dronahq_do_their_work(sandbox: Sandbox) -> None:
    async with _client(sandbox, on_removed="successor") as client:
        assert (await _call(client, "GetModels"))["data"]
        completion = {"model": "gpt-3.5-turbo-instruct", "prompt": "hello"}
        assert (await _call(client, "CreateCompletion", payload=completion))["object"] == "text_completion"
        chat = {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "hello"}]}
        assert (await _call(client, "CreateChatCompletion", payload=chat))["choices"]
        edit = {"model": "text-davinci-edit-001", "instruction": "fix it", "input": "teh", "temperature": 0}
        edited = await _call(client, "CreateEdit", payload=edit)
        assert (edited["object"], list(edited["choices"][0])) == ("edit", ["text", "index"])
        assert isinstance(edited["choices"][0]["text"], str)
        assert edited["usage"]["total_tokens"] > 0
        image = {"model": "gpt-image-2", "prompt": "a cat"}
        assert (await _call(client, "CreateImage", payload=image))["data"]
        assert (await _call(client, "CreateImageEdit", payload={**image, "image": IMAGE}))["data"]
        assert (await _call(client, "CreateImageVariation", payload={"image": IMAGE}))["data"]
        embedding = {"model": "text-embedding-3-small", "input": "a"}
        assert (await _call(client, "CreateEmbeddings", payload=embedding))["data"]
        sound = {"model": "whisper-1", "file": SOUND}
        assert "text" in await _call(client, "CreateTranscription", payload=sound)
        assert "text" in await _call(client, "CreateTranslation", payload=sound)
        file = await _upload(client, "fine-tune")
        assert (await _call(client, "ListFiles"))["data"]
        assert (await _call(client, "RetrieveFile", path={"file_id": file}))["id"] == file
        assert await _call(client, "RetrieveFileContent", path={"file_id": file})
        await _check_fine_tunes(client, file)
        assert (await _call(client, "DeleteFile", path={"file_id": file}))["deleted"] is True
        moderation = {"model": "omni-moderation-latest", "input": "a"}
        assert (await _call(client, "CreateModeration", payload=moderation))["results"]
        engines = await _call(client, "ListEngines")
        assert {engine["object"] for engine in engines["data"]} == {"engine"}
        engine = await _call(client, "RetrieveEngine", path={"engine_id": engines["data"][0]["id"]})
        assert engine == engines["data"][0]


async def _check_fine_tunes(client: Client, file: str) -> None:
    payload = {"training_file": file, "model": "curie", "batch_size": 2, "hyperparameters": {"n_epochs": 2}}
    made = await _call(client, "CreateFineTune", payload=payload)
    assert (made["object"], made["status"], made["hyperparams"]["batch_size"]) == ("fine-tune", "pending", 2)
    assert made["training_files"] == [{"id": file, "object": "file"}]
    assert (await _call(client, "ListFineTunes"))["data"][0] == made
    path = {"fine_tune_id": made["id"]}
    assert await _call(client, "RetrieveFineTune", path=path) == made
    assert (await _call(client, "CancelFineTune", path=path))["status"] == "cancelled"
    events = await _call(client, "ListFineTuneEvents", path=path)
    assert {event["object"] for event in events["data"]} == {"fine-tune-event"}


async def test_a_fine_tuned_model_is_deleted_by_its_old_name() -> None:
    async with (
        Sandbox(catalogue=CATALOGUE, lenient=True) as sandbox,
        _client(sandbox, on_removed="successor") as client,
    ):
        body = await _call(client, "DeleteFineTunedModel", path={"model": "ft:gpt-6-luna:acme::abc"})
    assert body["deleted"] is True


async def test_an_engine_of_alumio_is_read(sandbox: Sandbox) -> None:
    async with _client(sandbox, on_removed="successor") as client:
        outcome = await Subscriber(client, "engines", "retrieve").retrieve({"path": {"engine_id": "babbage"}})
    body: Any = outcome.require()
    assert (body["object"], body["ready"]) == ("engine", True)


async def test_publisher_and_subscriber_call_successors(sandbox: Sandbox) -> None:
    async with _client(sandbox, on_removed="successor") as client:
        file = await _upload(client, "fine-tune")
        for _ in range(3):
            (await Publisher(client, "fine-tunes").publish({"payload": {"training_file": file}})).require()
        read = [each async for each in Subscriber(client, "fine-tunes").read({"query": {"limit": 2}})]
    assert len(read) >= 3
    assert {each["object"] for each in read} == {"fine-tune"}  # type: ignore[index,call-overload]


async def test_the_events_of_an_old_engine_have_their_old_shape(sandbox: Sandbox) -> None:
    asked = {"path": {"engine_id": "davinci"}, "payload": {"prompt": "hello", "max_tokens": 9}}
    async with _client(sandbox, on_removed="successor") as client:
        data: Any = [each async for each in Publisher(client, "engine completions").stream(asked)]
        whole: Any = (await Publisher(client, "engine completions").publish(asked)).require()
    assert {each["object"] for each in data} == {"text_completion"}
    assert "".join(choice["text"] for each in data for choice in each["choices"]) == whole["choices"][0]["text"]


async def test_embeddings_of_an_engine_are_floats(sandbox: Sandbox) -> None:
    async with _client(sandbox, on_removed="successor") as client:
        asked = {"path": {"engine_id": "text-similarity-ada-001"}, "payload": {"input": "a"}}
        body: Any = (await Publisher(client, "engine embeddings").publish(asked)).require()
    assert isinstance(body["data"][0]["embedding"][0], float)


async def test_a_refusal_of_the_successor_stays_as_it_is(sandbox: Sandbox) -> None:
    async with _client(sandbox, on_removed="successor") as client:
        outcome = await client.send(client.prepare("RetrieveFineTune", {"path": {"fine_tune_id": "ft-x"}}))
    assert (outcome.ok, outcome.status) == (False, 404)


async def test_explain_shows_both_requests(sandbox: Sandbox) -> None:
    async with _client(sandbox, on_removed="successor") as client:
        payload = {"model": "text-davinci-edit-001", "instruction": "fix", "input": "teh"}
        shown: Any = client.explain(client.prepare("CreateEdit", {"payload": payload})).as_document()
    assert (shown["operation"], shown["effect"]) == ("chat completions create", "opaque")
    assert shown["origins"]["payload.messages"] == "translated from edits create"
    assert shown["replaced"] == {
        "operation": "edits create",
        "removed": "2024-01-04",
        "method": "POST",
        "path": "/edits",
        "body": payload,
    }


async def test_refuse_names_the_successor(sandbox: Sandbox) -> None:
    async with _client(sandbox, on_removed="refuse") as client:
        with pytest.raises(InvalidRequest, match="fine-tuning jobs create takes its place; on_removed: successor"):
            client.prepare("CreateFineTune", {"payload": {"training_file": "file-1"}})
        with pytest.raises(InvalidRequest, match="it has no successor: give the documents to a model"):
            client.prepare("createAnswer", {})


async def test_a_fault_of_the_old_request_is_found_in_its_own_words(sandbox: Sandbox) -> None:
    async with _client(sandbox, on_removed="successor") as client:
        with pytest.raises(InvalidRequest, match=r"payload\.instruction: missing"):
            client.prepare("CreateEdit", {"payload": {"model": "text-davinci-edit-001"}})


async def test_the_sandbox_answers_in_the_old_form(old_sandbox: Sandbox) -> None:
    async with _client(old_sandbox) as client:
        engine = await _call(client, "RetrieveEngine", path={"engine_id": "babbage"})
        assert (engine["id"], engine["object"]) == ("babbage", "engine")
        assert {each["object"] for each in (await _call(client, "ListEngines"))["data"]} == {"engine"}
        edit = {"model": "text-davinci-edit-001", "instruction": "fix it", "input": "teh"}
        assert (await _call(client, "CreateEdit", payload=edit))["object"] == "edit"
        file = await _upload(client, "fine-tune")
        await _check_fine_tunes(client, file)
        answer = {"model": "curie", "question": "q", "examples": [["a", "b"]], "examples_context": "c"}
        assert await _call(client, "createAnswer", payload=answer)
        search = {"query": "a cat", "documents": ["a dog", "a cat"]}
        found = await _call(client, "createSearch", path={"engine_id": "ada"}, payload=search)
        assert [each["score"] for each in found["data"]] == [100, 200]
        prompt = {"path": {"engine_id": "davinci"}, "payload": {"prompt": "hello"}}
        wire = client.prepare("engine completions create", prompt, stream=True)
        data: Any = [each async for each in client.stream(wire)]
    assert data[0]["object"] == "text_completion"
