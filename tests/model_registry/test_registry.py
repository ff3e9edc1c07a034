"""Names, life cycles, successors and refusals."""

from __future__ import annotations

from datetime import date

import pytest

from connector.errors import ConfigurationError, UnknownName
from connector.model_registry import LifeCycle, default_registry
from connector.model_registry.load import check_registry, registry_of

TODAY = date(2026, 11, 28)
DOCUMENT = {
    "as_of": "2026-11-28",
    "roles": {"text": "new"},
    "models": {
        "old": {"kind": "text", "shutdown": "2026-12-11", "successor": "middle", "aliases": ["old-chat*"]},
        "middle": {"kind": "text", "shutdown": "2026-11-28", "successor": "new"},
        "new": {"kind": "text", "reasoning": True, "prices": [{"input": 1, "output": 4}]},
        "ft:old": {"kind": "text", "prices": [{"input": 3, "output": 6}]},
    },
    "parameters": [
        {
            "models": {"kind": "text", "reasoning": True},
            "operations": ["chat completions create"],
            "refuses": {"max_tokens": {"instead": "max_completion_tokens", "reason": "reasoning counts"}},
        }
    ],
}


@pytest.fixture
def registry():
    return registry_of(DOCUMENT, "here")


@pytest.mark.parametrize(
    ("name", "means"),
    [
        ("old", "old"),
        ("old-2025-01-01", "old"),
        ("old-chat-latest", "old"),
        ("ft:old-2025-01-01:acme::1", "ft:old"),
        ("ft:new:acme::1", "new"),
        ("older", None),
        ("old-2025", None),
    ],
)
def test_a_name_means_a_model(registry, name, means):
    found = registry.find(name)
    assert (found and found.name) == means


@pytest.mark.parametrize(
    ("day", "life_cycle"),
    [
        (date(2026, 9, 11), LifeCycle.ACTIVE),
        (date(2026, 9, 12), LifeCycle.RETIRES),
        (date(2026, 12, 10), LifeCycle.RETIRES),
        (date(2026, 12, 11), LifeCycle.RETIRED),
    ],
)
def test_a_model_retires_ninety_days_before_its_end_and_is_retired_on_that_day(registry, day, life_cycle):
    assert registry.find("old").life_cycle(day) is life_cycle


def test_a_fine_tuned_model_lives_as_long_as_its_base_and_costs_its_own(registry):
    model = registry.find("ft:old:acme::1")
    assert model.shutdown == date(2026, 12, 11)
    assert model.price_list().rates == {"input": 3, "output": 6}


def test_a_successor_is_one_that_is_not_retired(registry):
    assert registry.successor("old", date(2026, 11, 27)).name == "middle"
    assert registry.successor("old", TODAY).name == "new"
    assert registry.successor("new", TODAY) is None


def test_successors_in_a_circle_end():
    models = {"a": {"successor": "b", "shutdown": "2020-01-01"}, "b": {"successor": "a", "shutdown": "2020-01-01"}}
    assert registry_of({"as_of": "2026-01-01", "models": models}, "here").successor("a", TODAY) is None


def test_refusals_concern_the_models_that_a_rule_names(registry):
    (refusal,) = registry.find("new").refusals("chat completions create")
    assert (refusal.parameter, refusal.instead) == ("max_tokens", "max_completion_tokens")
    assert not list(registry.find("old").refusals("chat completions create"))
    assert not list(registry.find("new").refusals("responses create"))


def test_an_unknown_name_is_told_what_it_may_have_meant(registry):
    with pytest.raises(UnknownName, match="unknown model 'midle'; did you mean 'middle'"):
        registry.require("midle")
    with pytest.raises(UnknownName, match="unknown role of a model 'txt'; did you mean 'text'"):
        registry.default("txt")


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"shutdown": "soon"}, "here: models.x.shutdown: found 'soon'; a day such as"),
        ({"prices": [{"inputs": 1}]}, "here: models.x.prices: unknown unit 'inputs'; known: input, "),
        ({"prices": [{"input": -1}]}, "here: models.x.prices.input: found -1; a price from 0 on"),
        ({"prices": {"input": 1}}, "here: models.x.prices: found dict; a list"),
        ({"tiers": {"batch": {"factor": "half"}}}, "here: models.x.tiers.batch.factor: found 'half'"),
        ({"context": "big"}, "here: models.x.context: found 'big'; a whole number"),
    ],
)
def test_a_fact_of_a_wrong_shape_is_named_with_its_place(facts, message):
    with pytest.raises(ConfigurationError) as raised:
        check_registry({"as_of": "2026-01-01", "models": {"x": facts}}, "here")
    assert str(raised.value).startswith(message)


def test_every_role_of_the_registry_that_ships_is_a_known_model_of_its_kind():
    registry = default_registry()
    kinds = {role: registry.require(name).kind for role, name in registry.roles.items()}
    assert kinds.pop("small") == "text"
    assert kinds == {role: role for role in kinds}


def test_every_successor_of_the_registry_that_ships_is_known():
    registry = default_registry()
    assert [m.name for m in registry if m.successor and registry.find(m.successor) is None] == []


def test_levels_of_effort_are_those_of_the_api_and_follow_from_little_to_much():
    levels = ["none", "minimal", "low", "medium", "high", "xhigh", "max"]
    known = [model for model in default_registry() if model.efforts is not None]
    assert [m.name for m in known if list(m.efforts) != [each for each in levels if each in m.efforts]] == []
    assert [m.name for m in known if bool(m.efforts) != m.reasoning and not m.name.startswith("o1-")] == []
    assert {
        role: default_registry().require(default_registry().default(role)).efforts for role in ("text", "small")
    } == {role: ["none", "low", "medium", "high", "xhigh", "max"] for role in ("text", "small")}
