"""The chains of the playground: read as they are written, tried, sent once, kept as cases, put back into their file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import httpx
import pytest

from connector.config.tree import read_text
from connector.pipeline.testing import run_files
from connector.sandbox import Sandbox, in_thread
from connector.studio.chain_texts import find_chain, put_chain
from connector.studio.context import StudioContext
from tests.studio.kit import CONFIGURATION

Bearer = Callable[[str], httpx.AsyncClient]
ROOT = "/api/v1/playground"
SECRET = "sk-canary-0123456789"
OWN = """\
chains:
  greet:
    summary: Greets.
    parameters: {word: {type: string, default: Hello}}
    steps:
      # the greeting itself
      - value-setter: {configurations: [{key: text, value: "@{parameters.word} &{name}"}]}  # said aloud
      - breakpoint-logger
outgoing:
  welcome:
    chain:
      # makes the prompt
      - expression:
          expression: "{name: customer.name}"

      - chat-prompt: {model: gpt-6-luna, prompt: "Greet &{name}.", max_tokens: 20}  # short
    # sends it
    publisher: {prototype: openai, parameters: {client: openai, entity: chat completions, action: create}}
variables:
  shop: {default: Lamps}
  password: {default: hunter2-hunter2, secret: true}
"""


def _text(path: Path) -> str:
    return path.read_text("utf-8")


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _merge(text: str) -> str:
    """Put the parts of OWN into the configuration of the tests."""
    chains, _, rest = OWN.partition("outgoing:\n")
    outgoing, _, variables = rest.partition("variables:\n")
    return f"{text.replace('outgoing:', f'outgoing:{chr(10)}{outgoing.rstrip()}', 1)}{chains}variables:\n{variables}"


@pytest.fixture
def sandbox() -> Generator[Sandbox]:
    """A sandbox that the client calls."""
    with in_thread(Sandbox(seed=1)) as started:
        yield started


@pytest.fixture
def own(source: Path, context: StudioContext) -> Path:
    """A configuration with chains of its own, whose comments are to be kept."""
    source.write_text(_merge(CONFIGURATION), encoding="utf-8")
    context.reload()
    assert context.faults == ""
    return source


@pytest.fixture
def calling(own: Path, context: StudioContext, sandbox: Sandbox) -> Path:
    """The same configuration before a sandbox."""
    own.write_text(_text(own).replace("http://127.0.0.1:9/v1", sandbox.url), encoding="utf-8")
    context.reload()
    return own


async def test_chains_are_listed_and_read_as_they_are_written(call: Any, own: Path) -> None:
    listed = await call("GET", "/playground/chains")
    assert {("outgoing", "welcome"), ("chains", "greet"), ("incoming", "tickets"), ("ready", "chat-prompt")} <= {
        (one["kind"], one["name"]) for one in listed
    }
    welcome = await call("GET", "/playground/chains/outgoing/welcome")
    assert welcome["text"] == (
        '# makes the prompt\n- expression:\n    expression: "{name: customer.name}"\n\n'
        '- chat-prompt: {model: gpt-6-luna, prompt: "Greet &{name}.", max_tokens: 20}  # short\n'
    )
    greet = await call("GET", "/playground/chains/chains/greet")
    assert greet["text"].startswith("summary: Greets.\n")
    assert "# the greeting itself" in greet["text"]
    assert greet["parameters"]["word"]["default"] == "Hello"
    reply = await call("GET", "/playground/chains/outgoing/reply")
    assert reply["routes"] == ["tickets"]
    assert read_text(reply["text"], "x.yaml").value[0]["chat-prompt"]["model"] == "gpt-6-luna"
    shipped = await call("GET", "/playground/chains/ready/chat-prompt")
    assert shipped["file"] is None
    assert shipped["cases"][0]["input"]
    assert (await call("GET", "/playground/chains/outgoing/note"))["text"] == ""


async def test_an_unknown_chain_is_suggested(bearer: Bearer, own: Path) -> None:
    answer = await bearer("viewer").get(f"{ROOT}/chains/outgoing/welcom")
    assert answer.status_code == 404
    assert "welcome" in answer.text


async def test_steps_have_lines_and_times_and_a_document_stops_where_it_is_told(call: Any, own: Path) -> None:
    text = (await call("GET", "/playground/chains/outgoing/welcome"))["text"]
    document = {"customer": {"name": "Ada"}}
    found = await call("POST", "/playground/run", json={"text": text, "documents": [document]})
    steps = found["samples"][0]["steps"]
    outer = [(one["number"], one["line"], one["step"]) for one in steps if not one["inner"]]
    assert outer == [(0, 2, "expression"), (1, 5, "chat-prompt")]
    assert any(one["inner"] and one["where"].startswith("transformers.chat-prompt") for one in steps)
    assert all(one["milliseconds"] > 0 for one in steps)
    stopped = await call("POST", "/playground/run", json={"text": text, "documents": [document], "steps": 1})
    assert stopped["samples"][0]["outputs"] == [{"name": "Ada"}]
    assert stopped["count"] == 2


async def test_a_saved_chain_is_tried_as_it_is_typed_with_its_parameters(call: Any, own: Path) -> None:
    text = (await call("GET", "/playground/chains/chains/greet"))["text"]
    given = {"text": text, "name": "greet", "documents": [{"name": "Ada"}], "parameters": {"word": "Welcome"}}
    (sample,) = (await call("POST", "/playground/run", json=given))["samples"]
    assert sample["outputs"] == [{"name": "Ada", "text": "Welcome Ada"}]
    assert [(one["number"], one["inner"]) for one in sample["steps"]] == [(0, False), (1, False)]
    broken = await call("POST", "/playground/run", json={**given, "text": text.replace("value-setter", "value-sitter")})
    assert [fault["line"] for fault in broken["faults"]] == [5]


async def test_a_fault_has_its_line(call: Any) -> None:
    text = "- breakpoint-logger\n- nothing-of-the-kind: {}\n"
    (fault,) = (await call("POST", "/playground/run", json={"text": text, "documents": [1]}))["faults"]
    assert (fault["line"], fault["where"]) == (2, "chain[1].nothing-of-the-kind")


@pytest.mark.parametrize("word", ["@{variables.password}", "${SHOP_PASSWORD}", SECRET])
async def test_no_secret_can_be_read_through_a_chain(
    bearer: Bearer, own: Path, context: StudioContext, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "hunter2-hunter2")
    text = _text(own).replace(SECRET, '"${SHOP_PASSWORD}"') if word.startswith("$") else None
    if text:
        _write(own, text)
        context.reload()
    steps = f"- expression: {{expression: \"{{a: reverse('{word}'), b: '{word}'}}\"}}\n"
    for place, given in (
        ("run", {"text": steps, "documents": [{"name": "x"}]}),
        ("explain", {"outgoing": "welcome", "text": steps, "document": {"name": "x"}}),
    ):
        answer = await bearer("operator").post(f"{ROOT}/{place}", json=given)
        assert "hunter2" not in answer.text
        assert "2retnuh" not in answer.text


@pytest.mark.parametrize("reference", ["${HOME}", "${file:/etc/hostname}", "${keyring:a/b}"])
async def test_only_references_of_the_configuration_are_looked_up(call: Any, reference: str) -> None:
    text = f"- value-setter: {{key: a, value: '{reference}'}}\n"
    found = await call("POST", "/playground/run", json={"text": text, "documents": [{}]})
    assert found["samples"] == []
    assert "not named in the configuration yet" in found["faults"][0]["found"]


async def test_a_request_is_explained_with_price_and_place_and_sent_once(
    bearer: Bearer, calling: Path, sandbox: Sandbox
) -> None:
    operator, document = bearer("operator"), {"customer": {"name": "Ada"}}
    given = {"outgoing": "welcome", "document": document}
    (request,) = (await operator.post(f"{ROOT}/explain", json=given)).json()["requests"]
    assert request["request"]["body"]["messages"][-1]["content"] == "Greet Ada."
    origins = request["request"]["origins"]
    assert origins["payload.messages[0].content"].startswith("outgoing.welcome.chain[1]")
    assert "openai" in origins["headers.authorization"] or "token" in origins["headers.authorization"]
    assert (request["environment"], request["client"]) == ("sandbox", "openai")
    assert 0 < request["most"]["amount"] < 0.01
    assert SECRET not in str(request)
    before = len(sandbox.requests)
    wrong = await operator.post(f"{ROOT}/send", json={**given, "confirm": request["effect"], "environment": "api"})
    assert wrong.status_code == 409
    send = {**given, "confirm": request["effect"], "environment": "sandbox"}
    headers = {"idempotency-key": "one-click"}
    answers = [await operator.post(f"{ROOT}/send", json=send, headers=headers) for _ in range(2)]
    first, again = (answer.json() for answer in answers)
    assert first == again
    assert first["state"] == "done"
    assert first["outcome"]["status"] == 200
    assert first["cost"]["amount"] > 0
    assert len(sandbox.requests) == before + 1
    audit = (await operator.get("/api/v1/audit")).json()["items"]
    assert [(one["action"], one["subject"]) for one in audit][:1] == [("playground send", "outgoing welcome")]


async def test_two_clicks_at_once_send_once(bearer: Bearer, calling: Path, sandbox: Sandbox) -> None:
    operator = bearer("operator")
    send = {
        "outgoing": "welcome", "document": {"customer": {"name": "Ada"}}, "confirm": "opaque", "environment": "sandbox",
    }  # fmt: skip
    headers = {"idempotency-key": "two-clicks"}
    answers = await asyncio.gather(*(operator.post(f"{ROOT}/send", json=send, headers=headers) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert len(sandbox.requests) == 1


async def test_only_editors_send_by_a_chain_that_is_not_saved(bearer: Bearer, calling: Path, sandbox: Sandbox) -> None:
    text = '- chat-prompt: {model: gpt-6-luna, prompt: "Anything"}\n'
    send: dict[str, Any] = {
        "outgoing": "welcome",
        "document": {},
        "text": text,
        "confirm": "opaque",
        "environment": "sandbox",
    }
    for role, status in (("viewer", 403), ("operator", 403), ("editor", 200)):
        answer = await bearer(role).post(f"{ROOT}/send", json=send)
        assert answer.status_code == status, answer.text
    assert len(sandbox.requests) == 1


async def test_what_makes_no_valid_request_is_not_sent(bearer: Bearer, calling: Path, sandbox: Sandbox) -> None:
    operator = bearer("operator")
    for text, outgoing, words in (
        (None, "note", "calls no API"),
        ("- expression: \"{payload: {model: 'gpt-6-luna'}}\"", "welcome", "messages"),
        ("- expression: '{'", "welcome", "chain[0]"),
        (None, "nothing", "nothing"),
    ):
        given = {"outgoing": outgoing, "document": {"name": "Ada"}, **({"text": text} if text else {})}
        answer = await operator.post(f"{ROOT}/explain", json=given)
        assert answer.status_code in (404, 422), answer.text
        assert words in answer.text
    assert len(sandbox.requests) == 0


async def test_a_case_is_written_as_a_person_would_and_passes(bearer: Bearer, own: Path) -> None:
    editor = bearer("editor")
    file = own.with_name("greet.test.yaml")
    file.write_text(
        "# How we greet.\n- name: by name\n  input: {name: Ada}\n  output: {name: Ada, text: Hello Ada}  # so\n",
        "utf-8",
    )
    chain = (await editor.get(f"{ROOT}/chains/chains/greet")).json()
    assert [(one["name"], one["file"]) for one in chain["cases"]] == [("by name", "greet.test.yaml")]
    given = {"kind": "chains", "chain": "greet", "name": "  two words ", "input": {"name": "Ada L."},
             "parameters": {"word": "Dear"}}  # fmt: skip
    assert (await editor.post(f"{ROOT}/cases", json=given)).status_code == 428
    headers = {"if-match": f'"{chain["cases_etag"]}"'}
    assert (await bearer("operator").post(f"{ROOT}/cases", json=given, headers=headers)).status_code == 403
    answers = await asyncio.gather(*(
        editor.post(f"{ROOT}/cases", json={**given, "name": f"two words {number}"}, headers=headers)
        for number in range(3)
    ))  # fmt: skip
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412], answers[0].text
    current = next(answer.json()["current"] for answer in answers if answer.status_code == 412)
    assert len(current["cases"]) == 2
    text = _text(file)
    assert text.startswith(
        "# How we greet.\n- name: by name\n  input: {name: Ada}\n  output: {name: Ada, text: Hello Ada}  # so\n- "
    )
    assert "output: {name: Ada L., text: Dear Ada L.}" in text
    assert [verdict.difference async for verdict in run_files([file], own)] == ["", ""]
    again = {"if-match": f'"{current["cases_etag"]}"'}
    name = read_text(text, file.name).value[1]["name"]
    refused = await editor.post(f"{ROOT}/cases", json={**given, "name": name}, headers=again)
    assert refused.status_code == 422
    assert "already" in refused.text
    audit = (await editor.get("/api/v1/audit")).json()["items"]
    entry = next(one for one in audit if one["action"] == "case save" and one["verdict"] == "done")
    assert "+  output: {name: Ada L., text: Dear Ada L.}" in entry["detail"]["diff"]


async def test_a_case_of_an_outgoing_holds_what_was_answered(bearer: Bearer, calling: Path) -> None:
    editor = bearer("editor")
    document = {"customer": {"name": "Ada"}}
    etag = (await editor.get(f"{ROOT}/chains/outgoing/welcome")).json()["cases_etag"]
    given = {"kind": "outgoing", "chain": "welcome", "name": "a greeting", "input": document}
    headers = {"if-match": f'"{etag}"'}
    alone = await editor.post(f"{ROOT}/cases", json=given, headers=headers)
    assert alone.status_code == 422
    assert "send the document once first" in alone.text
    send = {"outgoing": "welcome", "document": document, "confirm": "opaque", "environment": "sandbox"}
    sent = (await editor.post(f"{ROOT}/send", json=send)).json()["outcome"]
    given["answer"] = {"status": sent["status"], "body": sent["body"]}
    saved = await editor.post(f"{ROOT}/cases", json=given, headers=headers)
    assert saved.status_code == 200, saved.text
    file = calling.with_name("welcome.test.yaml")
    assert [verdict.difference async for verdict in run_files([file], calling)] == [""]
    found = (await editor.get(f"{ROOT}/chains/outgoing/welcome")).json()["cases"]
    assert [one["input"] for one in found] == [document]


@pytest.mark.parametrize("name", ["../escape", "a/b", ".hidden"])
async def test_no_case_leaves_the_folder(bearer: Bearer, own: Path, context: StudioContext, name: str) -> None:
    chains, _, variables = _text(own).partition("variables:\n")
    _write(own, f'{chains}  "{name}": [breakpoint-logger]\nvariables:\n{variables}')
    context.reload()
    given: dict[str, Any] = {"kind": "chains", "chain": name, "name": "x", "input": {}}
    answer = await bearer("editor").post(f"{ROOT}/cases", json=given, headers={"if-match": '"x"'})
    assert answer.status_code in (404, 422)
    assert not list(own.parent.parent.rglob("*.test.yaml"))


async def test_a_chain_is_put_back_with_the_comments_of_both(call: Any, own: Path) -> None:
    chain = await call("GET", "/playground/chains/outgoing/welcome")
    text = chain["text"].replace("max_tokens: 20}  # short", "max_tokens: 30}  # longer") + "# the end\n"
    taken = await call("POST", "/playground/take", json={"kind": "outgoing", "name": "welcome", "text": text})
    changed = [line for line in taken["diff"].splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    assert [line[:1] for line in changed] == ["-", "+", "+"]
    assert "# longer" in changed[1]
    assert SECRET not in str(taken)
    headers = {"if-match": f'"{taken["etag"]}"'}
    await call("PUT", "/config", json={"file": taken["file"], "text": taken["text"]}, headers=headers)
    now = _text(own)
    assert "    # sends it\n" in now
    assert SECRET in now
    assert (await call("GET", "/playground/chains/outgoing/welcome"))["text"].startswith("# makes the prompt\n")


@pytest.mark.parametrize(
    ("kind", "name", "text"),
    [
        ("outgoing", "reply", "- chat-prompt: {model: gpt-6-sol}  # all of it\n"),
        ("outgoing", "note", "- breakpoint-logger\n"),
        ("outgoing", "welcome", ""),
        ("outgoing", "welcome", "chat-prompt"),
        ("chains", "greet", "- breakpoint-logger\n"),
        ("incoming", "tickets", "- expression: {expression: 'a'}\n- chat-prompt\n"),
    ],
)
async def test_what_is_put_back_is_what_was_typed(
    own: Path, context: StudioContext, kind: Any, name: str, text: str
) -> None:
    chain = find_chain(context, kind, name)
    _, after = put_chain(chain, text)
    part = read_text(after, "x.yaml").value[kind][name]
    wanted: Any = read_text(text, "x.yaml").value or []
    assert (part if kind == "chains" else part.get("chain", [])) == wanted
    rest = read_text(after, "x.yaml").value
    before = read_text(chain.file.text if chain.file else "", "x.yaml").value
    assert rest["routes"] == before["routes"]
    assert rest["clients"] == before["clients"]


async def test_a_chain_that_ships_is_not_changed(bearer: Bearer) -> None:
    given = {"kind": "ready", "name": "chat-prompt", "text": "[]"}
    answer = await bearer("editor").post(f"{ROOT}/take", json=given)
    assert answer.status_code == 422
    assert "ships with the connector" in answer.text
