"""Documents through an outgoing connection: requests, answers, errors, counts, pauses, repeats."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx
import pytest

from connector.documents import parse
from connector.errors import ConfigurationError
from connector.model import State
from connector.pipeline import ErrorsFile, OutgoingRun

CALL = {"prototype": "openai", "parameters": {"client": "openai", "entity": "chat completions"}}
ASK = {"payload": {"model": "gpt-5-mini", "messages": [{"role": "user", "content": "&{text}"}]}}
PICK = [{"value-setter": {"configurations": [{"key": "said", "value": "&{body.choices.0.message.content}"}]}}]


def text(name: str) -> str:
    return Path(name).read_text()


def refusing(status: int, **error: Any) -> Any:
    return lambda _: httpx.Response(status, json={"error": {"message": "no", **error}})


async def test_documents_become_requests_and_answers(publish: Any) -> None:
    outgoing = {"request": ASK, "publisher": CALL, "answer": {"chain": PICK}}
    results, run = await publish([{"text": f"t{n}"} for n in range(20)], outgoing)
    assert [result.state for result in results] == ["done"] * 20
    assert [result.answers[0]["said"] for result in results] == [f"re: t{n}" for n in range(20)]
    assert results[0].answers[0]["document"] == {"text": "t0"}
    assert results[0].answers[0]["request"]["payload"]["model"] == "gpt-5-mini"
    assert (run.counts.read, run.counts.done, run.counts.input_tokens, run.counts.output_tokens) == (20, 20, 60, 40)


async def test_what_a_document_says_comes_before_the_template(publish: Any) -> None:
    sent: list[Any] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content))
        return httpx.Response(200, json={"id": "c"})

    template = {"payload": {"model": "gpt-4.1-mini", "temperature": 1, "messages": [{"role": "user", "content": "hi"}]}}
    await publish([{"payload": {"temperature": 0}}], {"request": template, "publisher": CALL}, handler)
    assert sent == [{"model": "gpt-4.1-mini", "temperature": 0, "messages": [{"role": "user", "content": "hi"}]}]


async def test_a_section_that_no_request_has_is_told(publish: Any) -> None:
    [result], _ = await publish([{"payload": {}, "quary": {}}], {"publisher": CALL})
    assert result.state == "failed"
    assert "quary" in result.reason
    assert "did you mean 'query'" in result.reason


async def test_a_document_that_fails_leaves_its_neighbours(publish: Any) -> None:
    outgoing = {"request": ASK, "publisher": CALL}
    results, run = await publish([{"text": "a"}, {}, {"text": 5}, {"text": "b"}], outgoing)
    assert [result.state for result in results] == ["done", "failed", "failed", "done"]
    assert "nothing at &{text}" in results[1].reason
    assert "messages" in results[2].reason
    assert (run.counts.done, run.counts.failed) == (2, 2)


async def test_filters_skip_with_their_name(publish: Any) -> None:
    chain = [{"data": {"filters": [{"value-condition": {"accessor": "keep", "conditions": [{"equals": True}]}}]}}]
    outgoing = {"chain": chain, "request": ASK, "publisher": CALL}
    results, run = await publish([{"text": "a", "keep": True}, {"text": "b", "keep": False}], outgoing)
    assert [result.state for result in results] == ["done", "skipped"]
    assert "filters[0]" in results[1].reason
    assert run.counts.skipped == 1


async def test_an_answer_whose_chain_fails_is_kept_and_not_asked_for_again(publish: Any, tmp_path: Path) -> None:
    calls: list[int] = []

    def handler(request: httpx.Request) -> httpx.Response:
        calls.append(1)
        return httpx.Response(200, json={"id": "c", "text": "paid for"})

    broken = {"request": ASK, "publisher": CALL, "answer": {"chain": PICK}}
    [result], _ = await publish([{"text": "a"}], broken, handler)
    assert result.state == "failed"
    assert result.kept is not None
    errors = ErrorsFile(tmp_path / "errors.jsonl")
    errors.write(result.items[0].given.document, result.state, result.reason, result.kept)
    errors.close()
    lines = [parse(line) for line in (tmp_path / "errors.jsonl").read_bytes().splitlines()]
    assert lines[0]["text"] == "a"
    mended = [{"value-setter": {"configurations": [{"key": "said", "value": "&{body.text}"}]}}]
    [again], _ = await publish(lines, {**broken, "answer": {"chain": mended}}, handler)
    assert again.state == "done"
    assert again.answers[0]["said"] == "paid for"
    assert len(calls) == 1


async def test_errors_have_a_chain_and_a_publisher_of_their_own(publish: Any, tmp_path: Path) -> None:
    to = {
        "prototype": "file",
        "parameters": {"url": "refused.jsonl", "content": {"why": "&{status}", "id": "&{document.id}"}},
    }
    outgoing = {"request": ASK, "publisher": CALL, "error": {"publisher": to}}
    [result], _ = await publish([{"id": 7, "text": "a"}], outgoing, refusing(400))
    assert result.state == "failed"
    assert json.loads((tmp_path / "refused.jsonl").read_text()) == {"why": 400, "id": 7}


async def test_an_end_that_nobody_saw_is_unknown_and_not_repeated(publish: Any, tmp_path: Path) -> None:
    calls: list[int] = []

    def handler(request: httpx.Request) -> httpx.Response:
        calls.append(1)
        raise httpx.ReadError("reset")

    outgoing = {"request": ASK, "publisher": CALL}
    [result], run = await publish([{"text": "a"}], outgoing, handler)
    assert result.state == "unknown"
    assert run.counts.unknown == 1
    errors = ErrorsFile(tmp_path / "errors.jsonl")
    errors.write({"text": "a"}, result.state, result.reason)
    errors.close()
    line = parse((tmp_path / "errors.jsonl").read_bytes())
    [again], _ = await publish([line], outgoing, handler)
    assert again.state == "unknown"
    assert len(calls) == 1
    await publish([line], outgoing, handler, repeat_unknown=True)
    assert len(calls) == 2


async def test_on_unknown_retry_sends_again(publish: Any) -> None:
    calls: list[int] = []

    def handler(request: httpx.Request) -> httpx.Response:
        calls.append(1)
        if len(calls) == 1:
            raise httpx.ReadError("reset")
        return httpx.Response(200, json={"id": "c"})

    clients = {"openai": {"prototype": "openai", "parameters": {"token": "${KEY}", "retry": {"delay": 0}}}}
    outgoing = {"request": ASK, "publisher": CALL, "on_unknown": "retry"}
    [result], _ = await publish([{"text": "a"}], outgoing, handler, sections={"clients": clients})
    assert result.state == "done"
    assert len(calls) == 2


async def test_a_paused_client_is_fed_no_more(publish: Any) -> None:
    calls: list[int] = []

    def handler(request: httpx.Request) -> httpx.Response:
        calls.append(1)
        return httpx.Response(401, json={"error": {"message": "bad key", "code": "invalid_api_key"}})

    outgoing = {"request": ASK, "publisher": CALL, "concurrency": 2}
    results, run = await publish([{"text": f"t{n}"} for n in range(50)], outgoing, handler)
    assert len(calls) <= 4
    assert [result.state for result in results] == ["failed"] * 50
    assert results[-1].outcomes[0].state is State.NOT_SENT
    assert run.counts.stopped


async def test_no_more_than_the_bound_are_under_way_and_order_is_kept(publish: Any) -> None:
    under_way = most = 0

    async def handler(request: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        for _ in range(int(json.loads(request.content)["messages"][0]["content"]) % 7 * 20):
            await asyncio.sleep(0)
        under_way -= 1
        return httpx.Response(200, json={"id": json.loads(request.content)["messages"][0]["content"]})

    outgoing = {"request": ASK, "publisher": CALL}
    results, _ = await publish([{"text": str(n)} for n in range(100)], outgoing, handler, concurrency=5)
    assert [result.outcomes[0].body["id"] for result in results] == [str(n) for n in range(100)]
    assert most == 5


async def test_a_stop_finishes_what_is_under_way_and_takes_no_more(runtime: Any, tmp_path: Path) -> None:
    outgoing = {"publisher": {"prototype": "file", "parameters": {"url": "out.jsonl"}}, "concurrency": 1}
    asked: list[int] = []

    async def endless() -> Any:
        while True:
            asked.append(1)
            yield {"n": len(asked)}

    async with runtime(outgoing={"out": outgoing}) as at_work:
        run = OutgoingRun(at_work, "out")
        done = 0
        async with aclosing(run.results(endless())) as results:
            async for result in results:
                done += 1
                assert result.state == "done"
                if done == 5:
                    run.stop("interrupted")
    assert run.counts.stopped == "interrupted"
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == run.counts.done == done < 20


async def test_a_run_that_breaks_off_leaves_the_file_alone_and_says_what_it_kept(runtime: Any, tmp_path: Path) -> None:
    outgoing = {"publisher": {"prototype": "file", "parameters": {"url": "out.jsonl"}}}

    async def breaking() -> Any:
        yield {"n": 1}
        await asyncio.sleep(0.01)
        raise ConfigurationError("the source broke")

    async with runtime(outgoing={"out": outgoing}) as at_work:
        run = OutgoingRun(at_work, "out")
        with pytest.raises(ConfigurationError, match="the source broke"):
            [result async for result in run.results(breaking())]
    assert not (tmp_path / "out.jsonl").exists()
    assert [text(name) for name in run.kept] == ['{"n":1}\n']


async def test_gathered_documents_stand_and_fall_together(publish: Any) -> None:
    sent: list[Any] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content)["input"])
        if "t3" in sent[-1]:
            return httpx.Response(400, json={"error": {"message": "no"}})
        return httpx.Response(200, json={"data": [], "usage": {"prompt_tokens": 1}})

    chain = [
        {"data": {"filters": [{"value-condition": {"accessor": "text", "conditions": [{"not-empty": {}}]}}]}},
        {"aggregate": {"size": 2, "value": "&{text}"}},
    ]
    outgoing = {
        "chain": chain,
        "request": {"payload": {"model": "text-embedding-3-small", "input": "&{items}"}},
        "publisher": {"prototype": "openai", "parameters": {"client": "openai", "entity": "embeddings"}},
    }
    documents = [
        {"text": "t0"},
        {"text": ""},
        {"text": "t2"},
        {"text": "t3"},
        {"nothing": 1},
        {"text": "t5"},
        {"text": "t6"},
    ]
    results, run = await publish(documents, outgoing, handler)
    assert sent == [["t0", "t2"], ["t3", "t5"], ["t6"]]
    ended = {item.number: result.state for result in results for item in result.items}
    assert ended == {1: "done", 2: "skipped", 3: "done", 4: "failed", 5: "skipped", 6: "failed", 7: "done"}
    assert (run.counts.read, run.counts.done, run.counts.failed, run.counts.skipped) == (7, 3, 2, 2)


async def test_a_document_can_become_several_requests(publish: Any) -> None:
    chain = [{"brancher": {"pattern": "texts.*"}}]
    request = {"payload": {"model": "gpt-5-mini", "messages": [{"role": "user", "content": "&{@}"}]}}
    outgoing = {"chain": chain, "request": request, "publisher": CALL, "answer": {"chain": PICK}}
    [result], run = await publish([{"texts": ["a", "b"]}], outgoing)
    assert [answer["said"] for answer in result.answers] == ["re: a", "re: b"]
    assert (run.counts.read, run.counts.done) == (1, 1)


async def test_raw_requests_put_values_into_segments_only(publish: Any) -> None:
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(f"{request.method} {request.url.raw_path.decode()}")
        return httpx.Response(200, json={})

    outgoing = {
        "request": {"path": "/things/&{id}/parts", "payload": {"n": "&{n}"}},
        "publisher": {"prototype": "http", "parameters": {"client": "api", "method": "PUT"}},
    }
    documents = [{"id": identity, "n": 1} for identity in ("a b", "x/y?z#", "..", "", None, "..%2f")]
    results, _ = await publish(documents, outgoing, handler)
    assert seen == ["PUT /v1/things/a%20b/parts", "PUT /v1/things/x%2Fy%3Fz%23/parts"]
    assert [result.state for result in results] == ["done", "done", "failed", "failed", "failed", "failed"]


async def test_the_secrets_of_the_configuration_are_in_no_reason(publish: Any) -> None:
    canary = "sk-canary-0123456789"
    [result], _ = await publish(
        [{"text": "a"}], {"request": ASK, "publisher": CALL}, refusing(400, code=canary, param=canary)
    )
    assert canary not in result.reason
    assert result.state == "failed"


async def test_a_disabled_connection_does_not_run(publish: Any) -> None:
    with pytest.raises(ConfigurationError, match="disabled"):
        await publish([], {"publisher": {"prototype": "none"}, "disabled": True})


async def test_ten_thousand_documents_pass_in_flat_memory(runtime: Any) -> None:
    import tracemalloc

    async def many() -> Any:
        for number in range(10_000):
            yield {"n": number, "text": "x" * 1000}

    async with runtime(outgoing={"out": {"publisher": {"prototype": "none"}}}) as at_work:
        run = OutgoingRun(at_work, "out", concurrency=8)
        tracemalloc.start()
        async with aclosing(run.results(many())) as results:
            async for _ in results:
                pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert run.counts.done == 10_000
    assert peak < 4 * 1024**2
