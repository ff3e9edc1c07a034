"""`serve --workers`: several processes with one limit, one budget and one set of counts."""

from __future__ import annotations

import copy
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from connector.config.models.gateway import hash_token
from connector.config.models.measures import Budget
from connector.gateway.limits import Spending
from connector.gateway.pending_usage import PendingCharge
from connector.gateway.refusals import Refusal
from connector.gateway.shared_memory import SharedMemory
from connector.gateway.shared_pauses import SharedPauses
from connector.gateway.shared_pending import ROOM, SharedPendingUsage
from connector.gateway.shared_quota import SharedQuota
from connector.gateway.usage_counters import UsageCounters
from connector.http import Client
from connector.http.policy import Actor, Pause
from tests.gateway.conftest import CHAT, TOKEN

FORKS = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="workers are found by /proc, as Linux has it")
LONGEST = 60.0
SIZE = 8 * 1024 * 1024


class Answering(BaseHTTPRequestHandler):
    """Answers chats, once the test lets it."""

    protocol_version = "HTTP/1.1"
    port: int
    may_answer: threading.Event
    asked: threading.Event

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.asked.set()
        self.may_answer.wait(LONGEST)
        data = json.dumps(CHAT).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def answering() -> Iterator[type[Answering]]:
    kind = type("Kind", (Answering,), {"may_answer": threading.Event(), "asked": threading.Event()})
    kind.may_answer.set()
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    kind.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield kind
    kind.may_answer.set()
    server.shutdown()
    server.server_close()


class Gateway:
    """Two workers, of which the test decides who may work."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url

    @property
    def workers(self) -> list[int]:
        return [
            int(each) for each in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        ]

    @contextmanager
    def only(self, worker: int) -> Iterator[None]:
        """All calls go to one worker."""
        others = [each for each in self.workers if each != worker]
        for each in others:
            halt(each)
        try:
            yield
        finally:
            for each in others:
                os.kill(each, signal.SIGCONT)

    def ask(self, path: str, body: Any = None) -> tuple[int, str]:
        """The status and the body of an answer, on a connection of its own."""
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json", "Connection": "close"}
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.url}{path}", data=data, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=LONGEST) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()

    def chat(self) -> int:
        return self.ask("/openai/v1/chat/completions", {"model": "gpt-5", "max_tokens": 10, "messages": []})[0]

    def usage(self) -> dict[str, Any]:
        status, said = self.ask("/usage")
        assert status == 200
        return json.loads(said)["tokens"]["bot"]


def halt(process: int) -> None:
    """Stop a process, at a moment when it holds no lock that others need."""

    def is_halted() -> bool:
        os.kill(process, signal.SIGSTOP)
        until(lambda: Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].startswith("T"))
        if not any(f" {process} " in line for line in Path("/proc/locks").read_text().splitlines()):
            return True
        os.kill(process, signal.SIGCONT)
        return False

    until(is_halted)


def until(condition: Callable[[], object]) -> None:
    """Return when something is so."""
    end = time.monotonic() + LONGEST
    never = threading.Event()
    while not condition():
        assert time.monotonic() < end
        never.wait(0.05)


@contextmanager
def serving(folder: Path, port: int, **token: Any) -> Iterator[Gateway]:
    client = {"prototype": "openai-compatible", "parameters": {"base_uri": f"http://127.0.0.1:{port}/v1"}}
    document = {
        "clients": {"openai": client},
        "gateway": {"tokens": {"bot": {"hash": hash_token(TOKEN), "metrics": True, **token}}},
        "prices": {"gpt-5*": {"input": 1.0, "output": 2.0}},
    }
    (folder / "connector.json").write_text(json.dumps(document))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    command = [sys.executable, "-m", "connector", "serve", "-f", str(folder), "--port", "0", "--workers", "2"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=kept) as process:
        assert process.stderr is not None
        told = ""
        for line in process.stderr:
            told += line
            if line.startswith("listening on "):
                break
        else:
            pytest.fail(told)
        rest: list[str] = []
        reading = threading.Thread(target=rest.extend, args=(process.stderr,), daemon=True)
        reading.start()
        found = Gateway(process, line.removeprefix("listening on ").strip())
        until(lambda: len(found.workers) == 2)
        try:
            yield found
        finally:
            process.terminate()
            code = process.wait(LONGEST)
            reading.join(LONGEST)
        assert code == 0, told + "".join(rest)


@FORKS
def test_workers_have_one_limit_and_one_budget_and_count_together(tmp_path, answering) -> None:
    budget = {"tokens": 50_000, "every": "day"}
    with serving(tmp_path, answering.port, requests_per_minute=6, budget=budget) as gateway:
        first, second = gateway.workers
        with gateway.only(first):
            assert [gateway.chat() for _ in range(3)] == [200] * 3
            until(lambda: gateway.usage()["budget"]["spent"]["tokens"] == 3300)
        with gateway.only(second):
            assert gateway.usage()["budget"]["spent"]["tokens"] == 3300
            answers = [gateway.chat() for _ in range(4)]
            assert answers[:3] == [200] * 3
            assert answers[3] in (200, 429)  # a tenth of a token a second flows in
        until(lambda: gateway.usage()["clients"]["openai"]["gpt-5"]["requests"] >= 6)
    saved = json.loads((tmp_path / ".gateway-spent.json").read_text())
    assert saved["bot"]["tokens"] >= 6600


@FORKS
def test_a_budget_that_one_worker_used_up_is_used_up_for_the_other(tmp_path, answering) -> None:
    with serving(tmp_path, answering.port, budget={"tokens": 2200, "every": "day"}) as gateway:
        first, second = gateway.workers
        with gateway.only(first):
            assert [gateway.chat(), gateway.chat()] == [200, 200]
            until(lambda: gateway.usage()["budget"]["spent"]["tokens"] == 2200)
        with gateway.only(second):
            assert gateway.chat() == 429


@FORKS
def test_a_worker_that_dies_is_replaced_and_what_it_held_is_spent(tmp_path, answering) -> None:
    with serving(tmp_path, answering.port, budget={"amount": 10.0, "every": "day"}) as gateway:
        first, second = gateway.workers
        answering.may_answer.clear()
        with gateway.only(second):
            calling = threading.Thread(target=lambda: _fails(gateway.chat), daemon=True)
            calling.start()
            assert answering.asked.wait(LONGEST)
            assert gateway.usage()["budget"]["spent"]["tokens"] == 0
            os.kill(second, signal.SIGKILL)
        answering.may_answer.set()
        until(lambda: len(gateway.workers) == 2 and second not in gateway.workers)
        until(lambda: gateway.usage()["budget"]["spent"]["tokens"] > 0)
        (third,) = [each for each in gateway.workers if each != first]
        with gateway.only(third):
            assert gateway.chat() == 200


def _fails(call: Callable[[], object]) -> None:
    try:
        call()
    except OSError:
        return


def test_workers_and_routes_do_not_go_together(tmp_path) -> None:
    (tmp_path / "connector.json").write_text('{"clients": {}}')
    command = [sys.executable, "-m", "connector", "serve", "-f", str(tmp_path), "--workers", "2", "--routes"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LONGEST)
    assert done.returncode == 2
    assert "in a process of their own" in done.stderr


def quota_of(memory: SharedMemory, **limits: Any) -> SharedQuota:
    return SharedQuota(memory, "the token bot", clock=lambda: 1000.0, now=lambda: 1_790_000_000.0, **limits)


def test_a_worker_refuses_what_another_has_taken() -> None:
    memory = SharedMemory(SIZE, 2)
    quota = quota_of(memory, requests=3)
    for worker in (1, 2, 1):
        memory.worker = worker
        quota.admit()
    memory.worker = 2
    with pytest.raises(Refusal, match="may have 3 requests a minute"):
        quota.admit()
    memory.worker = 1
    quota.take_back()
    memory.worker = 2
    quota.admit()


def test_what_workers_hold_is_held_for_all_and_given_back_by_each() -> None:
    memory = SharedMemory(SIZE, 2)
    budget = Budget(tokens=1000, every="day")
    quota = quota_of(memory, budget=budget, spending=Spending(tokens=100, begun=1_789_948_800.0))
    memory.worker = 1
    first = quota.reserve(0, 500, 0.5)
    memory.worker = 2
    second = quota.reserve(0, 600, 0.25)
    assert (quota.spending.held_tokens, quota.spending.held_amount) == (1100, 0.75)
    with pytest.raises(Refusal, match="under way"):
        quota.reserve(0, 1)
    quota.settle(second, 50, 0.1)
    memory.worker = 1
    quota.settle(first, 20, 0.1)
    assert (quota.spending.held_tokens, quota.spending.held_amount) == (0, 0.0)
    assert quota.spending.tokens == 170


def test_what_a_dead_worker_held_counts_as_spent() -> None:
    memory = SharedMemory(SIZE, 2)
    quota = quota_of(memory, budget=Budget(tokens=1000, every="day"))
    memory.worker = 1
    kept = quota.reserve(0, 10, 0.5)
    memory.worker = 2
    quota.reserve(0, 200, 0.25)
    memory.worker = 0
    quota.shared.give_up(2)
    assert (quota.spending.tokens, quota.spending.amount, quota.spending.held_tokens) == (200, 0.25, 10)
    memory.worker = 1
    quota.settle(kept, 5, 0.1)
    assert (quota.spending.tokens, quota.spending.held_tokens, quota.spending.held_amount) == (205, 0, 0.0)


def process_of(pending: SharedPendingUsage) -> SharedPendingUsage:
    """The same charges as another process sees them."""
    other = copy.copy(pending)
    other._charges, other._version = OrderedDict(), 0.0
    return other


def test_a_charge_of_one_worker_is_found_and_removed_by_another() -> None:
    first = SharedPendingUsage(SharedMemory(SIZE, 2))
    second = process_of(first)
    charge = PendingCharge("bot", 1.0, 20, 0.5, "gpt-5")
    assert not second
    first.add("openai", "resp_1", charge)
    assert second.is_dirty
    assert [found[:2] for found in second.find_in("openai", {"id": "resp_1"})] == [("resp_1", charge)]
    assert second.remove("openai", "resp_1")
    assert not first
    assert not first.remove("openai", "resp_1")


def test_charges_without_room_are_forgotten_from_the_oldest() -> None:
    first = SharedPendingUsage(SharedMemory(SIZE, 2))
    long = "x" * (ROOM // 3)
    for number in range(4):
        first.add("openai", f"{number}{long}", PendingCharge("bot"))
    assert [name[7] for name in process_of(first).dump()] == ["2", "3"]


async def test_a_pause_of_one_worker_is_one_of_all_until_a_call_is_done() -> None:
    first = SharedPauses(SharedMemory(SIZE, 2), ["openai"])
    second = copy.copy(first)
    second._known = {}
    options = {"base_uri": "http://127.0.0.1:9/v1", "token": "sk-any-0123456789"}
    async with Client("openai-compatible", **options) as one, Client("openai-compatible", **options) as other:

        def exchange() -> None:
            first.exchange("openai", one)
            second.exchange("openai", other)

        exchange()
        pause = Pause("the money is spent", Actor.OPENAI, 429)
        one.pause(pause)
        exchange()
        assert other.paused == pause
        exchange()
        assert one.paused == other.paused == pause
        other.resume()
        exchange()
        exchange()
        assert one.paused is None
        assert other.paused is None


def test_counters_are_the_same_after_a_dump() -> None:
    counters = UsageCounters()
    counters.add_all(
        {
            "sums": [["bot", "openai", "gpt-5", 1, 2, 3, 4, 5, 6, 0.5]],
            "answers": [["bot", "openai", "chat", 200, 7]],
            "refusals": [["bot", "draining", 8]],
            "durations": [["openai", 1.5, *range(15)]],
        }
    )
    twice = UsageCounters()
    for _ in range(2):
        twice.add_all(json.loads(json.dumps(counters.dump())))
    (row,) = twice.rows()
    assert (row[3].requests, row[3].cost) == (2, 1.0)
    assert twice.answers == {("bot", "openai", "chat", 200): 14}
    assert twice.refusals == {("bot", "draining"): 16}
    assert twice.durations["openai"].buckets()[-1] == ("+Inf", 2 * sum(range(15)))
