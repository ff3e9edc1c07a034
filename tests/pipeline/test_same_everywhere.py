"""The same answers, through `publish` or `subscribe` and through `run --once`: the same comes of a configuration."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from connector.cli.app import app

CALL = {"prototype": "openai", "parameters": {"client": "openai", "entity": "chat completions"}}
ASK = {"payload": {"model": "gpt-5-mini", "messages": [{"role": "user", "content": "&{text}"}]}}
PICK = [{"value-setter": {"configurations": [{"key": "said", "value": "&{body.said}"}]}}]
KEEP = {"data": {"filters": [{"value-condition": {"accessor": "keep", "conditions": [{"equals": True}]}}]}}
WORDS = {"finished": "done", "failed": "failed", "skipped": "skipped", "unknown": "unknown"}


class Upstream:
    """Answers by what it was asked, and remembers what that was."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.seen: Counter[str] = Counter()
        self._lock = threading.Lock()
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                upstream.answer(self, said(body))

            def log_message(self, *_: object) -> None:
                """No lines in the output."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, request: BaseHTTPRequestHandler, text: str) -> None:
        with self._lock:
            self.asked.append(text)
            self.seen[text] += 1
            first = self.seen[text] == 1
        if "lost" in text or ("shaky" in text and first):
            request.close_connection = True
            return
        status = 400 if "refuse" in text else 429 if "later" in text and first else 200
        body = {"error": {"message": "no"}} if status != 200 else {"id": "c", "said": f"re: {text}"}
        data = json.dumps(body).encode()
        request.send_response(status)
        for name, value in {"content-type": "application/json", "content-length": len(data), "retry-after": 0}.items():
            request.send_header(name, str(value))
        request.end_headers()
        request.wfile.write(data)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def said(body: Any) -> str:
    """What a request asks, whichever operation it is of."""
    if "messages" in body:
        return str(body["messages"][-1]["content"])
    given = body.get("input", body)
    return "+".join(given) if isinstance(given, list) else str(given)


@dataclass
class Ended:
    """What a way came to: what went over the wire, how documents ended, what stands in the files."""

    wire: list[str] = field(default_factory=list)
    states: dict[str, int] = field(default_factory=dict)
    out: list[Any] = field(default_factory=list)
    errors: list[Any] = field(default_factory=list)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    server = Upstream()
    yield server
    server.close()


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, upstream: Upstream) -> Callable[..., Ended]:
    """Sends documents through an outgoing connection, one way or the other."""
    monkeypatch.chdir(tmp_path)

    def go(way: str, documents: list[Any], outgoing: Any, *, retries: int = 0, **incoming: Any) -> Ended:
        retry = {"max_retries": retries, "delay": 0, "max_delay": 0}
        parameters = {"token": "sk-test", "base_uri": upstream.url, "retry": retry}
        read = {"subscriber": {"prototype": "file", "parameters": {"url": "in.jsonl"}}, **incoming}
        configuration = {
            "clients": {"openai": {"prototype": "openai", "parameters": parameters}},
            "incoming": {"in": read},
            "outgoing": {"out": {"concurrency": 1, **outgoing}},
            "routes": {"r": {"incoming": "in", "outgoing": "out", "attempts": 1, "concurrency": 1}},
        }
        (tmp_path / "connector.yaml").write_text(json.dumps(configuration))
        lines = "".join(json.dumps(one) + "\n" for one in documents)
        (tmp_path / "in.jsonl").write_text(lines)
        return WAYS[way](tmp_path, upstream, lines)

    return go


def publish(folder: Path, upstream: Upstream, lines: str) -> Ended:
    found = CliRunner().invoke(app, ["publish", "out"], input=lines)
    assert found.exception is None or isinstance(found.exception, SystemExit), found.output
    return Ended(upstream.asked, summary(found.stderr), *written(folder))


def summary(said: str) -> dict[str, int]:
    """How many documents ended in which way, by the last line that a command says."""
    parts = [part.split() for part in said.splitlines()[-1].split(", ")]
    return {name: int(count) for count, name, *_ in parts if name in WORDS.values() and int(count)}


def run(folder: Path, upstream: Upstream, _: str) -> Ended:
    found = CliRunner().invoke(app, ["run", "--once"])
    assert found.exception is None or isinstance(found.exception, SystemExit), found.output
    tasks = json.loads(found.stdout)["tasks"]
    return Ended(upstream.asked, {WORDS[name]: count for name, count in tasks.items()}, *written(folder))


def written(folder: Path) -> tuple[list[Any], list[Any]]:
    """The documents of the files that answers and errors go to."""
    files = [folder / "out.jsonl", folder / "errors.jsonl"]
    out, errors = ([json.loads(line) for line in f.read_text().splitlines()] if f.exists() else [] for f in files)
    return out, errors


def to(name: str, content: Any = "&{@}") -> Any:
    return {"prototype": "file", "parameters": {"url": name, "content": content}}


ANSWER = {"chain": PICK, "publisher": to("out.jsonl", "&{said}")}
ERROR = {"publisher": to("errors.jsonl", {"status": "&{status}", "text": "&{document.text}"})}
BOTH = {"request": ASK, "publisher": CALL, "answer": ANSWER, "error": ERROR}
SPLIT = {
    **BOTH,
    "chain": [{"brancher": {"pattern": "texts.*"}}],
    "request": {"payload": {"model": "m", "messages": [{"role": "user", "content": "&{@}"}]}},
}
TOGETHER = {
    "chain": [KEEP, {"aggregate": {"size": 2, "value": "&{text}"}}],
    "request": {"payload": {"model": "text-embedding-3-small", "input": "&{items}"}},
    "publisher": {"prototype": "openai", "parameters": {"client": "openai", "entity": "embeddings"}},
    "answer": ANSWER,
}


NEEDS = {"value-setter": {"configurations": [{"key": "x", "value": "&{text}"}]}}


ASKED = {
    "openai": {
        "client": "openai",
        "entity": "chat completions",
        "action": "create",
        "payload": {"model": "m", "messages": [{"role": "user", "content": "&{text}"}]},
        "destination": "answer",
    }
}


def texts(*given: str) -> list[Any]:
    return [{"text": text, "keep": True} for text in given]


PARTLY = "request 2 of 3, refused with status 400: no; change the request; those before it are done"
CASES: dict[str, tuple[list[Any], Any, Ended]] = {
    "in order": (texts("a", "b", "c"), BOTH, Ended(["a", "b", "c"], {"done": 3}, ["re: a", "re: b", "re: c"])),
    "a document is skipped": (
        [*texts("a"), {"text": "b", "keep": False}],
        {**BOTH, "chain": [KEEP]},
        Ended(["a"], {"done": 1, "skipped": 1}, ["re: a"]),
    ),
    "a chain fails": (
        [{"nothing": 1}, *texts("a")],
        {**BOTH, "chain": [NEEDS], "error": {"publisher": to("errors.jsonl", "&{document}")}},
        Ended(["a"], {"done": 1, "failed": 1}, ["re: a"], [{"nothing": 1}]),
    ),
    "a call is refused": (
        texts("a", "refuse", "b"),
        BOTH,
        Ended(["a", "refuse", "b"], {"done": 2, "failed": 1}, ["re: a", "re: b"], [{"status": 400, "text": "refuse"}]),
    ),
    "an end that nobody saw": (
        texts("lost", "a"),
        {**BOTH, "error": {"publisher": to("errors.jsonl", "&{document.text}")}},
        Ended(["lost", "a"], {"done": 1, "unknown": 1}, ["re: a"], ["lost"]),
    ),
    "an answer whose chain fails": (
        texts("a"),
        {**BOTH, "answer": {"chain": [{"value-setter": {"configurations": [{"key": "x", "value": "&{body.never}"}]}}]}},
        Ended(["a"], {"failed": 1}, [], [{"status": None, "text": "a"}]),
    ),
    "documents go together": (
        [*texts("a"), {"text": "x", "keep": False}, *texts("b", "c")],
        TOGETHER,
        Ended(["a+b", "c"], {"done": 3, "skipped": 1}, ["re: a+b", "re: c"]),
    ),
    "several of one": ([{"texts": ["a", "b"]}], SPLIT, Ended(["a", "b"], {"done": 1}, ["re: a", "re: b"])),
    "one of several is refused": (
        [{"texts": ["a", "refuse", "b"]}],
        {**SPLIT, "answer": None, "error": {"publisher": to("errors.jsonl", {"is": "&{state}", "why": "&{reason}"})}},
        Ended(["a", "refuse"], {"failed": 1}, [], [{"is": "failed", "why": PARTLY}]),
    ),
    "a call in the chain has an end that nobody saw": (
        texts("lost", "a"),
        {**BOTH, "chain": [ASKED], "error": {"publisher": to("errors.jsonl", "&{state}")}},
        Ended(["lost", "a", "a"], {"done": 1, "unknown": 1}, ["re: a"], ["unknown"]),
    ),
    "a request is invalid": (
        [{"text": 5}, *texts("a")],
        BOTH,
        Ended(["a"], {"done": 1, "failed": 1}, ["re: a"], [{"status": None, "text": 5}]),
    ),
    "validation is off": (
        [{"text": 5}],
        {**BOTH, "validate": "off"},
        Ended(["5"], {"done": 1}, ["re: 5"]),
    ),
    "a line about one that failed": (
        [{"text": "a", "$error": {"state": "failed", "reason": "no"}}],
        BOTH,
        Ended(["a"], {"done": 1}, ["re: a"]),
    ),
    "a line about one that may have been sent": (
        [{"text": "a", "$error": {"state": "unknown", "reason": "cut off"}}],
        BOTH,
        Ended([], {"unknown": 1}),
    ),
}


@pytest.mark.parametrize("way", ["publish", "run"])
@pytest.mark.parametrize("case", CASES)
def test_what_comes_of_documents(case: str, way: str, go: Any) -> None:
    documents, outgoing, expected = CASES[case]
    found = go(way, documents, outgoing)
    if way == "run" and case == "documents go together":
        expected = replace(
            expected, states={"done": 5, "skipped": 1}
        )  # the two that carry the others are tasks as well
    assert found == expected


@pytest.mark.parametrize("way", ["publish", "run"])
def test_a_server_that_asks_to_come_again_is_asked_again(way: str, go: Any) -> None:
    found = go(way, texts("later", "a"), BOTH, retries=2)
    assert found == Ended(["later", "later", "a"], {"done": 2}, ["re: later", "re: a"])


BRANCHES = {"brancher": {"pattern": "texts.*"}}
CHAINS: dict[str, tuple[list[Any], list[Any], list[str], list[Any]]] = {
    "no chain": (texts("a"), [], [], texts("a")),
    "one is skipped": ([*texts("a"), {"text": "b", "keep": False}], [KEEP], [], texts("a")),
    "one fails": ([{"n": 1}, {"text": "a"}], [NEEDS], [], [{"text": "a", "x": "a"}]),
    "a chain calls": (
        [{"text": "a"}, {"text": "b"}],
        [ASKED],
        ["a", "b"],
        [{"text": text, "answer": {"id": "c", "said": f"re: {text}"}} for text in "ab"],
    ),
    "a call in a chain is refused": (
        [{"text": "refuse"}, {"text": "b"}],
        [ASKED],
        ["b", "refuse"],
        [{"text": "b", "answer": {"id": "c", "said": "re: b"}}],
    ),
    "several of one": ([{"texts": ["a", "b"]}], [BRANCHES], [], ["a", "b"]),
    "one of several fails": (
        [{"texts": [{"text": "a"}, {"n": 1}]}, {"texts": [{"text": "b"}]}],
        [BRANCHES, NEEDS],
        [],
        [{"text": "b", "x": "b"}],
    ),
    "gathered": (
        [{"n": number} for number in range(5)],
        [{"aggregate": {"size": 2, "value": "&{n}"}}],
        [],
        [{"items": [0, 1]}, {"items": [2, 3]}, {"items": [4]}],
    ),
    "a line about one that failed": ([{"text": "a", "$error": {"state": "failed"}}], [], [], [{"text": "a"}]),
}


@pytest.mark.parametrize("way", ["subscribe", "run"])
@pytest.mark.parametrize("case", CHAINS)
def test_what_comes_of_what_is_read(case: str, way: str, go: Any, tmp_path: Path, upstream: Upstream) -> None:
    documents, chain, wire, expected = CHAINS[case]
    nowhere = {"publisher": {"prototype": "none"}, "answer": {"publisher": to("out.jsonl", "&{body}")}}
    found = go(way, documents, nowhere, chain=chain)
    assert (sorted(upstream.asked), found.out) == (wire, expected)


@pytest.mark.parametrize("way", ["subscribe", "run"])
def test_a_call_in_a_chain_whose_end_nobody_saw_is_unknown(way: str, go: Any) -> None:
    found = go(
        way, [{"text": "lost"}, {"text": "refuse"}, {"text": "a"}], {"publisher": {"prototype": "none"}}, chain=[ASKED]
    )
    states = {name: count for name, count in found.states.items() if name != "done"}
    assert (sorted(found.wire), states) == (["a", "lost", "refuse"], {"failed": 1, "unknown": 1})


def subscribe(folder: Path, upstream: Upstream, _: str) -> Ended:
    found = CliRunner().invoke(app, ["subscribe", "in"])
    assert found.exception is None or isinstance(found.exception, SystemExit), found.output
    return Ended(upstream.asked, summary(found.stderr), [json.loads(line) for line in found.stdout.splitlines()])


WAYS = {"publish": publish, "run": run, "subscribe": subscribe}
