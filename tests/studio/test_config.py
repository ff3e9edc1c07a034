"""The configuration in the studio: read without secrets, checked, edited, saved, and parts of it tried."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from connector.aio.atomic_file import AtomicFile
from connector.config.text_edits import ABSENT, put_in_text
from connector.config.tree import read_text, value_at
from connector.errors import ConfigurationError
from connector.studio.context import StudioContext
from connector.studio.secret_mask import MARKER, SecretMask
from tests.studio.kit import CONFIGURATION, TOKENS

Bearer = Callable[[str], httpx.AsyncClient]
SECRET = "sk-canary-0123456789"


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def _write(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")


async def _read(call: Any) -> dict[str, Any]:
    (file,) = (await call("GET", "/config"))["files"]
    return file  # type: ignore[no-any-return]


async def test_the_text_is_shown_without_its_secrets_and_with_its_comments(call: Any) -> None:
    state = await call("GET", "/config")
    (file,) = state["files"]
    assert file["name"] == "connector.yaml"
    assert file["text"].startswith("# A shop: its tickets")
    assert SECRET not in str(state)
    assert MARKER.fullmatch(file["values"]["clients"]["openai"]["parameters"]["token"])
    assert file["values"]["routes"]["orders"] == {"incoming": "orders", "outgoing": "note", "key": "id"}
    for token in TOKENS.values():
        assert token not in str(state)
    assert "plain-secret" in {fault["rule"] for fault in state["faults"]}


async def test_what_is_saved_unchanged_stays_as_it_was_byte_by_byte(call: Any, source: Path) -> None:
    file = await _read(call)
    saved = await call("PUT", "/config", json={"file": file["name"], "text": file["text"]}, headers=_match(file))
    assert _text(source) == CONFIGURATION
    assert saved["diff"] == ""
    assert saved["file"]["etag"] == file["etag"]


def _match(file: dict[str, Any]) -> dict[str, str]:
    return {"if-match": f'"{file["etag"]}"'}


async def test_an_edit_keeps_comments_and_is_saved_with_the_secret_in_its_place(
    call: Any, source: Path, context: StudioContext
) -> None:
    edits = [
        {"op": "set", "path": ["routes", "orders", "key"], "value": "number"},
        {"op": "set", "path": ["clients", "openai", "parameters", "timeouts"], "value": {"total": 30}},
        {"op": "set", "path": ["outgoing", "reply", "chain", 0, "chat-prompt", "model"], "value": "gpt-6-sol"},
        {"op": "set", "path": ["currency"], "value": "EUR"},
        {"op": "remove", "path": ["routes", "tickets", "budget"]},
    ]
    edited = await call("POST", "/config/edit", json={"file": "connector.yaml", "edits": edits})
    assert "-  orders: {incoming: orders, outgoing: note, key: id}" in edited["diff"]
    assert "+  orders: {incoming: orders, outgoing: note, key: number}" in edited["diff"]
    assert [fault for fault in edited["faults"] if fault["severity"] == "error"] == []
    assert _text(source) == CONFIGURATION, "nothing is saved by an edit"
    file = await _read(call)
    saved = await call("PUT", "/config", json={"file": file["name"], "text": edited["text"]}, headers=_match(file))
    text = _text(source)
    assert SECRET in text
    assert SECRET not in str(saved)
    assert text.startswith("# A shop: its tickets")
    values = read_text(text, "connector.yaml").value
    assert values["routes"]["orders"]["key"] == "number"
    assert values["clients"]["openai"]["parameters"]["timeouts"] == {"total": 30}
    assert values["outgoing"]["reply"]["chain"][0]["chat-prompt"]["model"] == "gpt-6-sol"
    assert "budget" not in values["routes"]["tickets"]
    assert context.configuration.currency == "EUR", "it is in force"
    (entry, *_) = (await call("GET", "/audit"))["items"]
    assert (entry["action"], entry["who"], entry["subject"]) == ("config save", "editor", "file connector.yaml")
    assert "key: number" in entry["detail"]["diff"]
    assert SECRET not in str(entry)


async def test_two_who_save_at_once_lose_nothing(bearer: Bearer, source: Path) -> None:
    editor = bearer("editor")
    file = (await editor.get("/api/v1/config")).json()["files"][0]
    wanted = [file["text"].replace("key: id", f"key: id{number}") for number in range(5)]
    answers = await asyncio.gather(
        *(
            editor.put("/api/v1/config", json={"file": file["name"], "text": text}, headers=_match(file))
            for text in wanted
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412]
    (winner,) = (text for text, answer in zip(wanted, answers, strict=True) if answer.is_success)
    problem = next(answer.json() for answer in answers if answer.status_code == 412)
    assert problem["current"]["text"] == winner
    assert problem["next"] == "merge your change into `current`, and save that with its etag"
    assert _text(source) == CONFIGURATION.replace("key: id}", winner[winner.index("key: id") :].split("}")[0] + "}")
    merged = problem["current"]["text"].replace("custom_id, budget", "name, budget")
    again = await editor.put(
        "/api/v1/config", json={"file": file["name"], "text": merged}, headers=_match(problem["current"])
    )
    assert again.is_success
    assert SECRET in _text(source)


async def test_an_etag_is_needed(bearer: Bearer) -> None:
    answer = await bearer("editor").put("/api/v1/config", json={"file": "connector.yaml", "text": "{}"})
    assert answer.status_code == 428


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (("outgoing: note", "outgoing: nothing"), "nothing"),
        (("key: id", "kye: id"), "kye"),
        (("routes:", "routes: ["), "connector.yaml"),
    ],
)
async def test_errors_are_not_saved(
    bearer: Bearer, call: Any, source: Path, change: tuple[str, str], found: str
) -> None:
    file = await _read(call)
    given = {"file": file["name"], "text": file["text"].replace(*change)}
    answer = await bearer("editor").put("/api/v1/config", json=given, headers=_match(file))
    assert answer.status_code == 422
    assert any(found in f"{one['where']} {one['found']}" for one in answer.json()["errors"])
    assert _text(source) == CONFIGURATION


async def test_only_editors_save_and_only_files_of_the_configuration(bearer: Bearer, call: Any, source: Path) -> None:
    file = await _read(call)
    for role in ("viewer", "operator"):
        given = {"file": file["name"], "text": "{}"}
        answer = await bearer(role).put("/api/v1/config", json=given, headers=_match(file))
        assert answer.status_code == 403
    for name in ("../connector.yaml", "/etc/passwd", "other.yaml", "connector.yaml\0"):
        answer = await bearer("editor").put("/api/v1/config", json={"file": name, "text": "{}"}, headers=_match(file))
        assert answer.status_code == 404, name
    assert _text(source) == CONFIGURATION
    assert [path.name for path in source.parent.iterdir() if "db" not in path.name] == ["connector.yaml"]


async def test_a_write_that_fails_leaves_the_file_whole(
    bearer: Bearer, call: Any, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = await _read(call)

    def fail(self: AtomicFile) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(AtomicFile, "commit", fail)
    given = {"file": file["name"], "text": file["text"].replace("key: id}", "key: other}")}
    answer = await bearer("editor").put("/api/v1/config", json=given, headers=_match(file))
    assert answer.status_code == 507
    assert "No space left" in answer.json()["detail"]
    assert _text(source) == CONFIGURATION


async def test_no_program_to_run_comes_from_a_page(bearer: Bearer, call: Any, source: Path) -> None:
    identity = "identity: {source: command, command: [touch, /tmp/x], identity_provider_id: p, service_account_id: s}"
    file = await _read(call)
    text = file["text"].replace("base_uri:", f"{identity}, base_uri:")
    answer = await bearer("editor").put(
        "/api/v1/config", json={"file": file["name"], "text": text}, headers=_match(file)
    )
    assert answer.status_code == 422
    assert "a program to run" in answer.json()["detail"]
    assert _text(source) == CONFIGURATION


async def test_a_marker_that_stands_for_nothing_is_not_saved(bearer: Bearer, call: Any, source: Path) -> None:
    file = await _read(call)
    text = MARKER.sub("__SECRET_000000000000__", file["text"], count=1)
    answer = await bearer("editor").put(
        "/api/v1/config", json={"file": file["name"], "text": text}, headers=_match(file)
    )
    assert answer.status_code == 422
    assert "stands for no secret" in answer.json()["detail"]
    assert _text(source) == CONFIGURATION


async def test_texts_are_checked_while_they_are_typed(call: Any) -> None:
    found = await call("POST", "/config/lint", json={"texts": {"connector.yaml": "routes: {a: {incoming: b}}"}})
    assert {"file": "connector.yaml", "line": 1, "rule": "missing-key"}.items() <= found[0].items()
    assert await call("POST", "/config/lint", json={"texts": {"connector.yaml": "clients: [a"}})


async def test_a_broken_file_can_be_read_and_mended(call: Any, source: Path) -> None:
    _write(source, CONFIGURATION + "routes: [\n")
    file = await _read(call)
    assert SECRET not in file["text"]
    await call(
        "PUT",
        "/config",
        json={"file": file["name"], "text": file["text"].removesuffix("routes: [\n")},
        headers=_match(file),
    )
    assert _text(source) == CONFIGURATION


async def test_parts_are_tried(call: Any, source: Path) -> None:
    _write(source.with_name("tickets.jsonl"), '{"custom_id": "c1"}\n' * 9)
    read = await call("POST", "/config/test", json={"section": "incoming", "name": "tickets"})
    assert read["documents"] == [{"custom_id": "c1"}] * 3
    assert read["works"]
    asked = {"section": "outgoing", "name": "reply", "document": {"custom_id": "c7"}}
    explained = await call("POST", "/config/test", json=asked)
    assert "Greet customer c7." in str(explained["request"])
    assert SECRET not in str(explained)
    client = await call("POST", "/config/test", json={"section": "clients", "name": "openai"})
    assert not client["works"]
    assert client["text"].startswith("client 'openai' does not work")


async def test_the_schema_and_the_variables_are_given(call: Any, source: Path) -> None:
    schema = await call("GET", "/config/schema")
    assert {"clients", "routes"} <= schema["properties"].keys()
    _write(source, CONFIGURATION.replace(SECRET, '"${SHOP_KEY}"'))
    (used,) = [one for one in await call("GET", "/variables") if "SHOP_KEY" in one["name"]]
    assert used["state"] == "missing"
    assert used["used"][0].startswith("connector.yaml:")
    assert "value" not in used


def _write_yaml(document: dict[str, Any]) -> str:
    written = StringIO()
    yaml: Any = YAML(typ="safe", pure=True)  # the library has no types for what it takes
    yaml.default_flow_style = False
    yaml.dump(document, written)
    return written.getvalue()


SECRETS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), min_size=8, max_size=30)


@settings(max_examples=60, deadline=None)
@given(SECRETS, st.sampled_from(["plain", "'", '"', "|", "comment"]))
def test_what_is_hidden_comes_back_exactly(secret: str, style: str) -> None:
    line = _write_yaml({"token": secret}).strip()
    text = f"clients:\n  a:\n    prototype: openai\n    parameters:\n      {line} # note\n"
    if style == "comment":
        text += f"# {secret}\n"
    mask = SecretMask()
    hidden = mask.hide(text)
    assert mask.show(hidden) == text
    value = read_text(text, "a.yaml").value
    if value is not None and value["clients"]["a"]["parameters"]["token"] == secret:
        assert read_text(hidden, "a.yaml").value["clients"]["a"]["parameters"]["token"] != secret


NAMES = st.sampled_from(["a", "b", "c"])
VALUES = st.recursive(
    st.integers(0, 9) | st.sampled_from(["x", "y: z", "# no", ""]) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(NAMES, VALUES, max_size=3), st.lists(NAMES, min_size=1, max_size=3), VALUES, st.booleans())
def test_a_value_is_put_where_it_belongs_or_nothing_changes(
    document: dict[str, Any], path: list[str], value: Any, is_there: bool
) -> None:
    text = "# first\n" + (_write_yaml(document) if document else "")
    try:
        after = put_in_text(text, Path("a.yaml"), path, value if is_there else ABSENT)
    except ConfigurationError:
        return
    assert after.startswith("# first\n")
    found = value_at(read_text(after, "a.yaml").value, tuple(path))
    assert found == value if is_there and value != {} else found in (None, {})


CHAINED = """\
# top
incoming:
  docs: {subscriber: {prototype: file, parameters: {url: docs.jsonl}}}   # what comes
outgoing:
  reply:
    chain:
      # first
      - chat-prompt:
          model: gpt-6-luna  # cheap
          prompt: "Hi @{variables.shop}"
      # second
      - clean
      - value-setter: {a: 1}   # set
    publisher: {prototype: openai, parameters: {client: main, entity: chat completions, action: create}}
clients:
  main: {prototype: openai, parameters: {token: "${OPENAI_API_KEY}"}}
chains:
  clean: [{trim-all: {}}]
variables: {shop: Books}
routes:
  r: {incoming: docs, outgoing: reply}
schedules:
  s: {every: 1h, run: r}
"""
CHAIN = ("outgoing", "reply", "chain")


@pytest.mark.parametrize(
    ("edit", "removed", "added"),
    [
        ({"op": "set", "path": [*CHAIN, 0, "chat-prompt", "model"], "value": "m"},
         ["          model: gpt-6-luna  # cheap"], ["          model: m  # cheap"]),
        ({"op": "set", "path": [*CHAIN, 0, "chat-prompt", "prompt"], "value": "a\nb\n"},
         ['          prompt: "Hi @{variables.shop}"'], ["          prompt: |", "            a", "            b"]),
        ({"op": "insert", "path": [*CHAIN, 1], "value": {"expression": "a"}}, [], ["      - expression: a"]),
        ({"op": "insert", "path": [*CHAIN, 3], "value": "clean"}, [], ["      - clean"]),
        ({"op": "remove", "path": [*CHAIN, 1]}, ["      # second", "      - clean"], []),
        ({"op": "move", "path": [*CHAIN, 2], "place": 1},
         ["      - value-setter: {a: 1}   # set"], ["      - value-setter: {a: 1}   # set"]),
        ({"op": "rename", "path": ["incoming", "docs"], "name": "papers"},
         ["  docs: {subscriber: {prototype: file, parameters: {url: docs.jsonl}}}   # what comes"],
         ["  papers: {subscriber: {prototype: file, parameters: {url: docs.jsonl}}}   # what comes"]),
    ],
)  # fmt: skip
async def test_an_edit_changes_the_least_of_the_text(
    call: Any, source: Path, edit: dict[str, Any], removed: list[str], added: list[str]
) -> None:
    _write(source, CHAINED + CONFIGURATION[CONFIGURATION.index("studio:") :])
    edited = await call("POST", "/config/edit", json={"file": "connector.yaml", "edits": [edit]})
    lines = [line for line in edited["diff"].splitlines()[2:] if line[0] in "+-"]
    assert [line[1:] for line in lines if line[0] == "-"] == removed
    assert [line[1:] for line in lines if line[0] == "+"] == added


@pytest.mark.parametrize(
    ("section", "name", "found"),
    [
        ("clients", "main", ["clients.NEW:", "client: NEW"]),
        ("incoming", "docs", ["NEW:", "incoming: NEW"]),
        ("outgoing", "reply", ["NEW:", "outgoing: NEW"]),
        ("routes", "r", ["NEW:", "run: NEW"]),
        ("chains", "clean", ["- NEW", "NEW: [{trim-all: {}}]"]),
        ("variables", "shop", ["@{variables.NEW}", "NEW: Books"]),
    ],
)
async def test_a_new_name_is_followed_by_what_names_it(
    call: Any, source: Path, section: str, name: str, found: list[str]
) -> None:
    text = CHAINED + CONFIGURATION[CONFIGURATION.index("studio:") :]
    _write(source, text)
    before = await call("POST", "/config/lint", json={"texts": {}})
    (changed,) = await call("POST", "/config/rename", json={"section": section, "name": name, "to": "NEW"})
    assert all(part.removeprefix(f"{section}.") in changed["text"] for part in found)
    after = await call("POST", "/config/lint", json={"texts": {"connector.yaml": changed["text"]}})
    assert [one["rule"] for one in after] == [one["rule"] for one in before], "nothing is missed"
    assert _text(source) == text


async def test_a_secret_that_is_typed_comes_back_as_a_marker(call: Any, source: Path) -> None:
    edit = {"op": "set", "path": ["clients", "openai", "parameters", "token"], "value": "sk-typed-0123456789"}
    edited = await call("POST", "/config/edit", json={"file": "connector.yaml", "edits": [edit]})
    assert "sk-typed" not in str(edited)
    marker = edited["values"]["clients"]["openai"]["parameters"]["token"]
    assert MARKER.fullmatch(marker)
    file = await _read(call)
    await call("PUT", "/config", json={"file": file["name"], "text": edited["text"]}, headers=_match(file))
    assert "token: sk-typed-0123456789," in _text(source)


async def test_a_marker_tells_nothing_wherever_it_is_put(call: Any) -> None:
    file = await _read(call)
    (marker,) = set(MARKER.findall(file["text"][: file["text"].index("incoming:")]))
    text = f"incoming: {{a: {{description: {marker}, subscriber: {{prototype: {marker}}}}}}}"
    for path, asked in (
        ("/config/edit", {"file": file["name"], "text": text}),
        ("/config/lint", {"texts": {file["name"]: text}}),
        ("/config/test", {"section": "incoming", "name": "a", "texts": {file["name"]: text}}),
    ):
        assert SECRET not in str(await call("POST", path, json=asked)), path


async def test_a_change_is_tried_before_it_is_saved_by_editors_only(bearer: Bearer, call: Any, source: Path) -> None:
    _write(source.with_name("others.jsonl"), '{"id": 1}\n')
    file = await _read(call)
    text = file["text"].replace("url: tickets.jsonl", "url: others.jsonl")
    given = {"section": "incoming", "name": "tickets", "texts": {file["name"]: text}}
    assert (await call("POST", "/config/test", json=given))["documents"] == [{"id": 1}]
    answer = await bearer("operator").post("/api/v1/config/test", json=given)
    assert answer.status_code == 403
    program = "identity: {source: command, command: [touch, x], identity_provider_id: p, service_account_id: s}"
    given["texts"] = {file["name"]: text.replace("base_uri:", f"{program}, base_uri:")}
    tried = await call("POST", "/config/test", json={**given, "section": "clients", "name": "openai"})
    assert "a program to run" in tried["text"]
