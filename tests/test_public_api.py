"""What users import is whole, and typed without Any."""

from __future__ import annotations

import dataclasses
import inspect
import sys
import typing
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import httpx
import pytest
from mypy import api
from pydantic import JsonValue

import connector
from connector.http.prototypes import Prototype as ClientPrototype

PLUGIN = Path(__file__).parents[1] / "docs" / "examples" / "mailbox-plugin" / "acme_mailbox"
MODULES = ("connector", "connector.blocking", "connector.plugins")
UNTIL_CHECKED = {
    "httpx": httpx, "ClientPrototype": ClientPrototype, "JsonValue": JsonValue,
    **{name: getattr(connector, name) for name in ("Catalogue", "Client", "Explanation", "Outcome", "Wire")},
}  # fmt: skip
"""Names that the annotations of some modules import for type checkers only."""

PROGRAM = """
import asyncio
from connector import JSON, CallFailed, Client, Outcome, Publisher, Subscriber, blocking

async def main() -> None:
    async with Client("openai", token="sk-…", timeouts={"total": 60}) as client:
        outcome = await Publisher(client, "chat completions").publish(
            {"payload": {"model": "gpt-5-mini", "messages": [{"role": "user", "content": "Hello"}]}}
        )
        reveal_type(outcome)
        reveal_type(outcome.body)
        reveal_type(outcome.require())
        body = outcome.body
        if isinstance(body, dict):
            reveal_type(body["id"])
        async for file in Subscriber(client, "files").read({"query": {"limit": 2}}):
            reveal_type(file)
        raw = client.prepare_raw("POST", "/things", json={"a": [1, 2.5, None, True]})
        reveal_type(await client.send(raw))

def blocked() -> None:
    with blocking.Client("openai") as client:
        for position, outcome in blocking.Publisher(client, "embeddings").publish_many([{"payload": {"input": "x"}}]):
            reveal_type(outcome)
    try:
        pass
    except CallFailed as error:
        reveal_type(error.outcome)

asyncio.run(main())
"""


def contains_any(hint: object) -> bool:
    if isinstance(hint, list | tuple):
        return any(map(contains_any, hint))
    return hint is typing.Any or any(map(contains_any, typing.get_args(hint)))


def annotated(name: str, value: object) -> Iterator[tuple[str, object]]:
    """What bears annotations: a function, or a class with its public methods and properties."""
    if inspect.isfunction(value):
        yield name, value
    elif inspect.isclass(value) and value.__module__.startswith("connector"):
        yield name, value
        for member, found in inspect.getmembers(value):
            function = found.fget if isinstance(found, property) else getattr(found, "__func__", found)
            ours = getattr(function, "__module__", "") == value.__module__
            makes = member == "__init__" and not dataclasses.is_dataclass(value)  # a dataclass is made of its fields
            if inspect.isfunction(function) and ours and (not member.startswith("_") or makes):
                yield f"{name}.{member}", function


def hints() -> Iterator[tuple[str, object]]:
    for module in map(import_module, MODULES):
        for name in module.__all__:
            for where, value in annotated(f"{module.__name__}.{name}", getattr(module, name)):
                private = {field.name for field in fields_of(value) if field.name.startswith("_")}
                for key, hint in typing.get_type_hints(value, localns=UNTIL_CHECKED).items():
                    if key not in private:
                        yield f"{where}: {key}", hint


def fields_of(value: object) -> tuple[dataclasses.Field[object], ...]:
    return dataclasses.fields(value) if inspect.isclass(value) and dataclasses.is_dataclass(value) else ()


def test_no_public_signature_has_any() -> None:
    found = dict(hints())
    assert len(found) > 200
    assert [where for where, hint in found.items() if contains_any(hint)] == []


@pytest.mark.parametrize("name", MODULES)
def test_all_names_what_is_there(name: str) -> None:
    module = import_module(name)
    assert len(set(module.__all__)) == len(module.__all__)
    assert all(hasattr(module, each) for each in module.__all__)


def test_a_strict_program_and_plugin_know_what_they_get(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    levels = sys.getrecursionlimit()
    try:
        said, fault, _ = api.run(["--strict", "--cache-dir", str(tmp_path / "cache"), str(program), str(PLUGIN)])
    finally:
        sys.setrecursionlimit(levels)  # mypy raises it, and other tests see how deep is too deep
    assert (fault, [line for line in said.splitlines() if "error:" in line]) == ("", [])
    revealed = [line.partition('"')[2].rpartition('"')[0] for line in said.splitlines() if "Revealed" in line]
    assert not [each for each in revealed if "Any" in each]
    assert [each.rpartition(".")[2] for each in revealed if "Outcome" in each] == ["Outcome"] * 4
