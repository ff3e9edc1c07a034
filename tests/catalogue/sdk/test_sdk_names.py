"""Names of what only the SDK knows."""

from __future__ import annotations

import pytest

from connector.catalogue.importer.sdk.names import Name, canonical_names, closure, definition_names, name_of


@pytest.mark.parametrize(
    ("method", "path", "called", "name"),
    [
        ("GET", "/agents", "list", Name("agents", "list")),
        ("GET", "/agents/{agent_id}", "retrieve", Name("agents", "retrieve")),
        ("POST", "/agents/{agent_id}", "update", Name("agent updates", "create", "update", "agents")),
        ("DELETE", "/vaults/{v}/credentials/{c}", "delete", Name("vault credentials", "delete")),
        (
            "GET",
            "/agents/sessions/{s}/artifacts/{a}/content",
            "content",
            Name("agent session artifact content", "retrieve"),
        ),
        ("GET", "/organization/usage/decisions", "decisions", Name("decisions usage", "list")),
        (
            "POST",
            "/organization/external_keys/{k}/validate",
            "validate",
            Name("organization external key validations", "create", "validate", "organization external keys"),
        ),
        (
            "POST",
            "/organization/projects/{p}/service_tier_settings",
            "update",
            Name("project service tier setting updates", "create", "update", "project service tier settings"),
        ),
    ],
)
def test_operations_are_named_after_their_paths(method: str, path: str, called: str, name: Name) -> None:
    assert name_of(method, path, called) == name


def test_definitions_keep_their_own_names_until_these_clash() -> None:
    homes = {
        1: ("openai.types.beta.session_create_params", "Agent"),
        2: ("openai.types.live.thing", "Thing"),
        3: ("openai.types.chat.thing", "Thing"),
        4: ("openai.types.environment", "Environment"),
    }
    names = definition_names(homes, {"Environment"})
    assert names == {1: "SessionCreateAgent", 2: "ThingInLive", 3: "ThingInChat", 4: "SdkEnvironment"}


def test_two_types_with_one_name_are_numbered() -> None:
    homes = {1: ("openai.types.chat.a", "Aardvark"), 2: ("openai.types.chat.a", "Aardvark")}
    assert definition_names(homes, ()) == {1: "AardvarkInChat", 2: "AardvarkInChat2"}


def test_definitions_that_say_the_same_are_one_even_when_they_are_recursive() -> None:
    def node(name: str) -> dict[str, object]:
        return {"properties": {"next": {"$ref": f"#/components/schemas/{name}"}}}

    definitions = {"Long": node("Longer"), "Longer": node("Long"), "Other": {"properties": {"next": {}}}}
    assert canonical_names(definitions) == {"Long": "Long", "Longer": "Long", "Other": "Other"}


def test_a_closure_holds_what_is_reached_and_nothing_else() -> None:
    definitions = {"A": {"$ref": "#/components/schemas/B"}, "B": {}, "C": {}}
    assert list(closure({"$ref": "#/components/schemas/A"}, definitions)) == ["A", "B"]
