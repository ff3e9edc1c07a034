"""What `lint` accepts runs, and what runs was accepted: every name of the catalogue, for subscribers and publishers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from connector import publishers, subscribers
from connector.catalogue import Catalogue, Operation
from connector.catalogue.index import normalize_name
from connector.config.findings import Finding, Place
from connector.config.loading import Draft
from connector.config.rules.requests import check_operations
from connector.config.tree import Tree
from connector.errors import ConfigurationError, UnknownName
from connector.http import Client
from connector.model import JSON, InvalidRequest
from connector.pipeline import kinds

CATALOGUE = Catalogue.open()
KINDS: Mapping[str, Any] = {
    "incoming": subscribers.prototypes().find("openai"),
    "outgoing": publishers.prototypes().find("openai"),
}
RULES = ("unknown-operation", "wrong-direction")
Name = tuple[str, str | None]


def spellings(operation: Operation) -> Iterator[Name]:
    """Everything an operation is called, with and without an action."""
    wire = operation.wire_name
    method, _, path = wire.partition(" ")
    for name in dict.fromkeys((operation.name, *operation.aliases, wire)):
        yield name, None
        yield name, operation.action
    yield operation.name.replace(" ", ".").title(), None
    yield f"client.{operation.aliases[-1]}" if operation.aliases else wire, None
    yield f"{method} /v1{path}", "delete"
    for action in (operation.action, "get", "lsit", None):
        yield operation.entity, action


@cache
def names() -> tuple[Name, ...]:
    """Every spelling of every operation, verbs, entities alone, and some that nobody knows."""
    found = [name for operation in CATALOGUE.operations() for name in spellings(operation)]
    for _, entity, _, entry in CATALOGUE.rows():
        if "verb" in entry:
            found += [
                (entry["on"], entry["verb"]),
                (f"{entry['on']} {entry['verb']}", None),
                (f"{entity} create", "create"),
            ]
    found += [("moderation", None), ("createModerations", "create"), ("GET /moderations", None), ("POST /models", None)]
    return tuple(dict.fromkeys(found))


def entry(section: str, kind: str, name: Name) -> dict[str, JSON]:
    parameters: dict[str, JSON] = {"client": "c", "entity": name[0]}
    if name[1] is not None:
        parameters["action"] = name[1]
    return {kind: {"prototype": "openai", "parameters": parameters}}


@pytest.fixture(scope="module")
def findings() -> Mapping[str, Finding]:
    """What lint says of each connection's operation, by the connection's place."""
    document = {
        "clients": {"c": {"prototype": "openai", "parameters": {"token": "${OPENAI_API_KEY:-x}"}}},
        "incoming": {f"n{at}": entry("incoming", "subscriber", name) for at, name in enumerate(names())},
        "outgoing": {f"n{at}": entry("outgoing", "publisher", name) for at, name in enumerate(names())},
    }
    # The rule of `lint` by itself: thousands of connections are long to read from a file.
    place = Place("names", 1, 1)
    loaded = Draft(Tree(document, {(): (place, place)}), Path(), {}, kinds())
    assert loaded.findings == []
    found = check_operations(replace(loaded.subject, catalogue=CATALOGUE))
    return {".".join(one.fault.where.split(".")[:2]): one for one in found if one.rule in RULES}


async def refusal(section: str, name: Name, client: Client) -> Exception | None:
    """Why the connection's operation cannot be called, as the connection itself finds when it runs."""
    parameters = next(iter(entry(section, "x", name).values()))["parameters"]  # type: ignore[index,call-overload]
    kind = KINDS[section]
    made = kind.build(kind.parameters.model_validate(parameters))
    try:
        if section == "incoming":
            await made.explain(subscribers.Context(client=lambda _: client))
        else:
            await made.explain({}, publishers.Context(client=lambda _: client))
    except InvalidRequest:
        return None  # the operation was found, and asks for more than an empty request
    except (UnknownName, ConfigurationError) as error:
        return error
    return None


@pytest.mark.parametrize("section", ["incoming", "outgoing"])
def test_lint_and_run_agree_on_every_name(section: str, findings: Mapping[str, Finding]) -> None:
    async def refusals() -> list[Exception | None]:
        return [await refusal(section, name, client) for name in names()]

    client = Client("openai", catalogue=CATALOGUE, token="sk-test-0123456789")
    differing: list[Any] = []
    parroting: list[Any] = []
    for at, (name, error) in enumerate(zip(names(), asyncio.run(refusals()), strict=True)):
        told = findings.get(f"{section}.n{at}")
        if (told is None) != (error is None):
            differing.append((name, str(told), str(error)))
        if isinstance(error, UnknownName) and normalize_name(error.name) in {
            normalize_name(one) for one in error.suggestions
        }:
            parroting.append((name, str(error)))
    assert differing == []
    assert parroting == []


def test_every_name_of_an_operation_means_it_for_whoever_can_use_it() -> None:
    for operation in CATALOGUE.operations():
        use: Any = "read" if operation.method == "GET" else "write"
        for name in (operation.name, f"{operation.entity.upper()}-{operation.action}", operation.wire_name):
            if name is not operation.wire_name or not operation.fixed_query:
                assert CATALOGUE.find(name, use=use).wire_name == operation.wire_name
                assert CATALOGUE.find(name, operation.action, use=use).wire_name == operation.wire_name
        assert CATALOGUE.find(operation.entity, operation.action, use=use) is operation


@pytest.mark.parametrize(
    "name",
    ["createModeration", "Create moderation", "moderations create", "moderations.create", "client.moderations.create",
     "POST /moderations", "post /v1/moderations", "CreateModeration", "moderations"],
)  # fmt: skip
@pytest.mark.parametrize("action", [None, "create", "add"])
def test_a_publisher_takes_any_name(name: str, action: str | None) -> None:
    if action is None and name == "Create moderation":
        assert CATALOGUE.find(name, use="write").name == "moderations create"
    elif name != "Create moderation":
        assert CATALOGUE.find(name, action, use="write").name == "moderations create"


def test_an_entity_alone_means_what_can_be_done_with_it() -> None:
    assert CATALOGUE.find("files", use="write").action == "create"
    assert CATALOGUE.find("files", use="read").action == "list"
    with pytest.raises(UnknownName, match=r"models.*it has list, retrieve, delete; name one of them"):
        CATALOGUE.find("models", use="write")


def test_an_action_that_disagrees_is_refused_with_the_reason() -> None:
    with pytest.raises(UnknownName, match="'createModeration' is moderations create already; leave the action out"):
        CATALOGUE.find("createModeration", "delete", use="write")
    with pytest.raises(UnknownName, match="did you mean 'POST /moderations'"):
        CATALOGUE.find("GET /moderations")
