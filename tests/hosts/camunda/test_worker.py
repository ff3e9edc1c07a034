"""The worker before a stand-in for the cluster: each job's call is made once, and told as its element asks."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from connector.catalogue import Catalogue
from connector.config import parse
from connector.hosts.camunda.open import open_worker
from connector.pipeline import Runtime, kinds
from tests.hosts.camunda.cluster import Cluster, StoredJob

CHAT = {"operation": "chat completions create"}
HI: dict[str, Any] = {
    "payload": {
        "model": "gpt-6-luna", "messages": [{"role": "user", "content": "hi"}], "temperature": None,
        "prompt_cache_options": {"mode": None},
    }
}  # fmt: skip
SECRET = "whsec-canary-0123456789"
REPLY = "= {reply: response.body.choices[1].message.content, status: status}"


@dataclass
class Upstream:
    """Answers by a handler, and remembers what arrived."""

    answer: Callable[[httpx.Request], Any]
    bodies: list[Any]

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(json.loads(await request.aread() or b"null"))
        answered = self.answer(request)
        return await answered if asyncio.iscoroutine(answered) else answered


@dataclass
class Site:
    """A cluster, a worker of it, and the API."""

    cluster: Cluster
    upstream: Upstream
    said: list[str]

    async def until(self, so: Callable[[], bool]) -> None:
        await asyncio.to_thread(self.cluster.wait, so)

    async def done(self, job: StoredJob) -> tuple[str, dict[str, Any]]:
        """What the cluster was told of a job that has ended or become an incident."""
        await self.until(lambda: job.state != "created")
        return job.told[-1]


def reply(request: httpx.Request) -> httpx.Response:
    said = json.loads(request.content)["messages"][-1]["content"]
    choice = {"index": 0, "message": {"role": "assistant", "content": f"re: {said}"}, "finish_reason": "stop"}
    return httpx.Response(200, json={"id": "c-1", "object": "chat.completion", "choices": [choice]})


def refuse(status: int, **more: Any) -> Callable[[httpx.Request], httpx.Response]:
    body = {"error": {"message": "no such thing", "type": "invalid_request_error", "code": "nope"}}
    return lambda _: httpx.Response(status, json=body, **more)


async def vanish(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("the connection was closed", request=request)


@asynccontextmanager
async def site(
    folder: Path,
    answer: Callable[[httpx.Request], Any] = reply,
    *,
    cluster: Cluster | None = None,
    broker: dict[str, Any] | None = None,
    **settings: Any,
) -> AsyncIterator[Site]:
    own = cluster or Cluster()
    document: dict[str, Any] = {
        "clients": {
            "openai": {"prototype": "openai", "parameters": {"token": "${KEY}", "retry": {"max_retries": 0}}},
            "cluster": {"prototype": "camunda", "parameters": {"base_uri": own.url, **(broker or {})}},
        },
        "variables": {"HOOK": {"secret": True}, "PLAIN": {"default": "seen"}},
        "outgoing": {
            "greet": {
                "chain": [{"chat-prompt": {"model": "gpt-6-luna", "prompt": "Greet &{name}."}}],
                "publisher": {"prototype": "openai", "parameters": {"client": "openai", "entity": "chat completions"}},
                "answer": {"chain": ["answer-text"]},
            }
        },
        "camunda": {
            "operations": ["chat completions create", "files retrieve"], "poll": 0.2, "job_timeout": 5, "attempts": 1,
            **settings,
        },
    }  # fmt: skip
    environ = {"KEY": "sk-canary-0123456789abcdef", "HOOK": SECRET}
    configuration = parse(document, folder=folder, environ=environ, kinds=kinds())
    upstream, said, catalogue = Upstream(answer, []), list[str](), Catalogue.open()
    options = {"openai": {"transport": httpx.MockTransport(upstream)}}
    try:
        async with (
            Runtime(configuration, lambda name: options.get(name, {}), catalogue=catalogue) as runtime,
            open_worker(runtime, catalogue, said.append) as worker,
        ):
            running = asyncio.create_task(worker.run(5.0))
            yield Site(own, upstream, said)
            worker.stop()
            await running
    finally:
        if cluster is None:
            own.close()


async def test_an_answer_becomes_variables(tmp_path: Path) -> None:
    async with site(tmp_path) as at:
        headers = {**CHAT, "resultVariable": "answer", "resultExpression": REPLY}
        what, told = await at.done(at.cluster.add(headers, HI))
    assert what == "completion"
    assert told["variables"]["reply"] == "re: hi"
    assert told["variables"]["status"] == 200
    assert told["variables"]["answer"]["body"]["id"] == "c-1"
    assert told["variables"]["answer"]["headers"]["content-type"] == "application/json"
    assert at.upstream.bodies == [{"model": "gpt-6-luna", "messages": [{"role": "user", "content": "hi"}]}]


async def test_a_connection_is_called_with_a_document(tmp_path: Path) -> None:
    async with site(tmp_path) as at:
        headers = {"outgoing": "greet", "resultExpression": "= {text: response.body.text}"}
        what, told = await at.done(at.cluster.add(headers, {"document": {"name": "Ada", "system": None}}))
    assert (what, told["variables"]) == ("completion", {"text": "re: Greet Ada."})


async def test_only_what_the_form_makes_is_fetched(tmp_path: Path) -> None:
    async with site(tmp_path, tenants=["a"], worker="mine") as at:
        await at.done(at.cluster.add(CHAT, HI))
    asked = next(body for _, path, body in at.cluster.requests if path == "/v2/jobs/activation")
    assert asked == {
        "type": "openai-connector:1", "worker": "mine", "timeout": 5000, "maxJobsToActivate": 16,
        "fetchVariable": ["openai_request", "openai_key"], "requestTimeout": 200, "tenantIds": ["a"],
    }  # fmt: skip


async def test_a_job_that_is_activated_again_is_answered_from_the_journal(tmp_path: Path) -> None:
    cluster = Cluster()
    async with site(tmp_path, cluster=cluster) as at:
        job = cluster.add({**CHAT, "resultExpression": REPLY}, HI)
        await at.done(job)
        first = job.told[-1]
        cluster.resolve(job)  # the cluster lost that it was told
        await at.done(job)
        assert len(at.upstream.bodies) == 1
    await at.until(lambda: not cluster.polls)
    async with site(tmp_path, cluster=cluster) as again:
        cluster.resolve(job)
        await again.done(job)
        assert again.upstream.bodies == []
    assert job.told == [first] * 3
    cluster.close()


async def test_an_unknown_end_is_an_incident_with_its_evidence(tmp_path: Path) -> None:
    catching = '= if error != null then bpmnError("ANY", error.message) else null'
    async with site(tmp_path, vanish) as at:
        job = at.cluster.add({**CHAT, "errorExpression": catching}, HI)
        what, told = await at.done(job)
        assert job.activations == 1
        at.cluster.resolve(job)
        again, _ = await at.done(job)
    assert (what, told["retries"], again) == ("failure", 0, "failure")
    assert told["errorMessage"].startswith("unknown: the call may have taken effect, and may have been paid for.")
    assert "openai-connector tasks done 1 --camunda" in told["errorMessage"]
    evidence = told["variables"]["openai_error"]
    assert (evidence["code"], evidence["task"]) == ("UNKNOWN", 1)
    assert evidence["evidence"][0]["operation"] == "chat completions create"
    assert len(at.upstream.bodies) == 1


async def test_an_expression_that_names_the_code_decides_of_an_unknown_end(tmp_path: Path) -> None:
    deciding = '= if error.code = "UNKNOWN" then bpmnError("LOOK", error.message) else null'
    async with site(tmp_path, vanish) as at:
        what, told = await at.done(at.cluster.add({**CHAT, "errorExpression": deciding}, HI))
    assert (what, told["errorCode"]) == ("error", "LOOK")


async def test_a_refusal_is_an_incident_or_what_the_expression_says(tmp_path: Path) -> None:
    mapping = (
        '= if error.code = "400" then bpmnError("BAD", error.variables.response.body.error.code, {at: job.retries})'
        " else null"
    )
    async with site(tmp_path, refuse(400)) as at:
        plain = await at.done(at.cluster.add(CHAT, HI))
        what, told = await at.done(at.cluster.add({**CHAT, "errorExpression": mapping}, HI))
    assert (plain[0], plain[1]["retries"]) == ("failure", 0)
    assert plain[1]["variables"]["openai_error"]["response"]["status"] == 400
    assert what == "error"
    assert told == {"errorCode": "BAD", "errorMessage": "nope", "variables": {"at": 3}}


async def test_what_may_pass_is_tried_as_often_as_the_job_says_with_its_back_off(tmp_path: Path) -> None:
    async with site(tmp_path, refuse(429, headers={"retry-after": "0"})) as at:
        job = at.cluster.add({**CHAT, "retryBackoff": "PT0.01S"}, HI, retries=3)
        await at.done(job)
    assert [(what, body["retries"], body["retryBackOff"]) for what, body in job.told] == [
        ("failure", 2, 10), ("failure", 1, 10), ("failure", 0, 0),
    ]  # fmt: skip
    assert len(at.upstream.bodies) == 3


async def test_a_job_error_says_retries_time_and_variables(tmp_path: Path) -> None:
    saying = '= jobError("again later", {why: error.code}, job.retries - 1, @"PT0.02S")'
    async with site(tmp_path, refuse(400)) as at:
        job = at.cluster.add({**CHAT, "errorExpression": saying}, HI, retries=2)
        await at.done(job)
    assert job.told[0] == (
        "failure",
        {"retries": 1, "errorMessage": "again later", "retryBackOff": 20, "variables": {"why": "400"}},
    )
    assert [body["retries"] for _, body in job.told] == [1, 0]


@pytest.mark.parametrize(
    ("headers", "request_", "said"),
    [
        ({**CHAT, "resultExpression": "= for x in a return x"}, HI, "resultExpression: column 2: loops over lists"),
        ({**CHAT, "errorExpression": "= bpmnErorr(1)"}, HI, "did you mean 'bpmnError'"),
        ({**CHAT, "retryBackoff": "5 seconds"}, HI, "retryBackoff: '5 seconds' is no duration"),
        ({"operation": "files delete"}, {"path": {"file_id": "a"}}, "name it under camunda.operations to allow it"),
        ({"outgoing": "grete"}, {}, "camunda.outgoing allows greet"),
        ({}, HI, "one header of `operation` and `outgoing`"),
        (CHAT, {"payload": {"model": "gpt-6-luna"}}, "messages"),
        (CHAT, {"payload": {**HI["payload"], "user": "{{secrets.PLAIN}}"}}, "a variable that is not a secret"),
        (CHAT, {"payload": {**HI["payload"], "user": "{{secrets.KEY}}"}}, "no variable of the configuration"),
    ],
)
async def test_what_cannot_be_understood_is_told_before_anything_is_sent(
    tmp_path: Path, headers: dict[str, str], request_: Any, said: str
) -> None:
    async with site(tmp_path) as at:
        what, told = await at.done(at.cluster.add(headers, request_))
    assert (what, told["retries"], at.upstream.bodies) == ("failure", 0, [])
    assert told["errorMessage"].startswith("nothing was sent: ")
    assert said in told["errorMessage"]


async def test_a_key_names_a_client_and_is_never_taken_in_plain_text(tmp_path: Path) -> None:
    async with site(tmp_path) as at:
        good = await at.done(at.cluster.add(CHAT, HI, openai_key="{{secrets.KEY}}"))
        bad = await at.done(at.cluster.add(CHAT, HI, openai_key="sk-plain-0123456789"))
        other = await at.done(at.cluster.add(CHAT, HI, openai_key="{{secrets.HOOK}}"))
    assert (good[0], bad[0], other[0]) == ("completion", "failure", "failure")
    assert "no placeholder of a secret; allowed are {{secrets.KEY}}, or nothing" in bad[1]["errorMessage"]
    assert "sk-plain" not in json.dumps(bad[1])
    assert "{{secrets.HOOK}} is the token of no client" in other[1]["errorMessage"]


async def test_a_secret_is_filled_in_on_the_wire_and_kept_nowhere(tmp_path: Path) -> None:
    request = {"payload": {**HI["payload"], "messages": [{"role": "user", "content": "say {{secrets.HOOK}}"}]}}
    async with site(tmp_path) as at:
        job = at.cluster.add({**CHAT, "resultVariable": "whole", "resultExpression": REPLY}, request)
        what, told = await at.done(job)
    assert what == "completion"
    assert at.upstream.bodies[0]["messages"][0]["content"] == f"say {SECRET}"
    assert SECRET not in json.dumps([told, at.said])
    with sqlite3.connect(tmp_path / "camunda.db") as database:
        kept = "\n".join(database.iterdump()).lower()
    assert "{{secrets.hook}}" in kept or b"{{secrets.HOOK}}".hex() in kept
    assert SECRET not in kept
    assert SECRET.encode().hex() not in kept


async def test_variables_that_a_person_corrected_make_a_call_of_their_own_unless_one_took_effect(
    tmp_path: Path,
) -> None:
    answers = [refuse(400), reply]

    def answer(request: httpx.Request) -> httpx.Response:
        return answers.pop(0)(request)

    async with site(tmp_path, answer) as at:
        job = at.cluster.add(CHAT, HI)
        await at.done(job)
        better = {"payload": {**HI["payload"], "messages": [{"role": "user", "content": "better"}]}}
        at.cluster.resolve(job, openai_request=better)
        assert (await at.done(job))[0] == "completion"
        at.cluster.resolve(job, openai_request={"payload": {**better["payload"], "n": 2}})
        what, told = await at.done(job)
    assert (what, told["retries"], len(at.upstream.bodies)) == ("failure", 0, 2)
    assert "was used for a call with other arguments" in told["errorMessage"]


async def test_a_lost_report_is_told_again(tmp_path: Path) -> None:
    cluster = Cluster()
    cluster.lost = 1
    async with site(tmp_path, cluster=cluster) as at:
        job = cluster.add(CHAT, HI)
        await at.done(job)
        await at.until(lambda: any("no longer ours" in one or "reported again" in one for one in at.said))
    assert [what for what, _ in job.told] == ["completion"]
    assert len(at.upstream.bodies) == 1
    cluster.close()


async def test_a_cluster_that_is_away_is_waited_for(tmp_path: Path) -> None:
    cluster = Cluster()
    cluster.close()
    async with site(tmp_path, cluster=cluster) as at:
        await at.until(lambda: bool(at.said))
        cluster.open()
        assert (await at.done(cluster.add(CHAT, HI)))[0] == "completion"
    assert at.said[0].startswith("no jobs can be taken: ")
    assert "it is tried again until they can" in at.said[0]
    assert at.said[1] == "the cluster is back"
    cluster.close()


async def test_a_job_is_kept_while_its_call_is_under_way(tmp_path: Path) -> None:
    go = asyncio.Event()

    async def slowly(request: httpx.Request) -> httpx.Response:
        await go.wait()
        return reply(request)

    async with site(tmp_path, slowly, job_timeout=0.3) as at:
        job = at.cluster.add(CHAT, HI)
        updates = lambda: sum(method == "PATCH" for method, _, _ in at.cluster.requests)  # noqa: E731
        await at.until(lambda: updates() >= 4)
        go.set()
        assert (await at.done(job))[0] == "completion"
    assert job.activations == 1


async def test_no_more_jobs_are_taken_than_are_worked_on_at_once(tmp_path: Path) -> None:
    under_way, most = 0, 0

    async def counting(request: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.02)
        under_way -= 1
        return reply(request)

    async with site(tmp_path, counting, concurrency=2) as at:
        jobs = [at.cluster.add(CHAT, HI) for _ in range(7)]
        for job in jobs:
            await at.done(job)
    assert most == 2


async def test_a_stop_lets_jobs_under_way_end_and_takes_no_more(tmp_path: Path) -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def slowly(request: httpx.Request) -> httpx.Response:
        begun.set()
        await go.wait()
        return reply(request)

    cluster = Cluster()
    async with site(tmp_path, slowly, cluster=cluster):
        first = cluster.add(CHAT, HI)
        await begun.wait()
        asyncio.get_running_loop().call_later(0.1, go.set)
    second = cluster.add(CHAT, HI)
    assert (first.state, second.activations) == ("completed", 0)
    cluster.close()


async def test_a_password_is_sent_with_each_request(tmp_path: Path) -> None:
    cluster = Cluster(lambda headers: headers["Authorization"] == "Basic ZGVtbzpkZW1v")
    async with site(tmp_path, cluster=cluster, broker={"username": "demo", "password": "demo"}) as at:
        assert (await at.done(cluster.add(CHAT, HI)))[0] == "completion"
    cluster.close()


async def test_an_access_token_is_granted_once_and_again_when_it_is_refused(tmp_path: Path) -> None:
    cluster = Cluster(lambda headers: headers["Authorization"] == f"Bearer granted-{wanted[0]}")
    wanted = [1]
    credentials = {"client_id": "worker", "client_secret": "oauth-canary", "token_uri": f"{cluster.url}/oauth/token"}
    async with site(tmp_path, cluster=cluster, broker={**credentials, "audience": "orchestration"}) as at:
        assert (await at.done(cluster.add(CHAT, HI)))[0] == "completion"
        wanted[0] = 2
        assert (await at.done(cluster.add(CHAT, HI)))[0] == "completion"
    asked = {"grant_type": "client_credentials", "client_id": "worker", "client_secret": "oauth-canary"}
    assert cluster.grants == [{**asked, "audience": "orchestration"}] * 2
    assert "oauth-canary" not in "".join(at.said)
    cluster.close()


async def test_credentials_that_are_refused_are_told_and_not_shown(tmp_path: Path) -> None:
    cluster = Cluster(lambda _: False)
    async with site(tmp_path, cluster=cluster, broker={"username": "demo", "password": "wrong-canary"}) as at:
        await at.until(lambda: bool(at.said))
    assert "401, UNAUTHORIZED: no valid credentials" in at.said[0]
    assert "wrong-canary" not in "".join(at.said)
    cluster.close()
