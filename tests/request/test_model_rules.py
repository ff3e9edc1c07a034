"""What requests ask of their models: faults and warnings before anything is sent, in every mode of checking."""

from __future__ import annotations

from datetime import date

import pytest

from connector import Client, InvalidRequest
from connector.catalogue import Catalogue
from connector.model_registry.load import registry_of
from connector.request import Preparer
from connector.request.model_rules import ModelRules

REGISTRY = registry_of(
    {
        "as_of": "2026-11-28",
        "models": {
            "old": {
                "kind": "text",
                "shutdown": "2026-11-28",
                "successor": "new",
                "prices": [{"input": 2, "output": 8}],
            },
            "late": {"kind": "text", "shutdown": "2026-12-11"},
            "plain": {"kind": "text", "efforts": []},
            "new": {
                "kind": "text",
                "reasoning": True,
                "efforts": ["none", "low", "max"],
                "prices": [{"input": 1, "output": 4}],
            },
        },
        "parameters": [
            {
                "models": {"reasoning": True},
                "operations": ["chat completions create"],
                "refuses": {
                    "temperature": {"allowed": [1], "unless": {"reasoning_effort": "none"}, "reason": "it chooses"},
                    "max_tokens": {"instead": "max_completion_tokens"},
                },
            },
            {
                "models": {"names": ["new"]},
                "operations": ["responses create"],
                "refuses": {"temperature": {"unless": {"reasoning.effort": "none"}}},
            },
            {
                "models": {"kind": "text"},
                "operations": ["responses create"],
                "refuses": {
                    "reasoning.effort": {"takes": "efforts"},
                    "prompt_cache_retention": {"takes": ["24h"], "reason": "it is new"},
                },
            },
        ],
    },
    "here",
)
MESSAGES = [{"role": "user", "content": "hello"}]


@pytest.fixture(scope="module")
def preparer():
    return Preparer(Catalogue.open(None), ModelRules(REGISTRY, lambda: date(2026, 11, 28)))


def prepare(preparer, payload, validate="spelling", operation="chat completions create"):
    return preparer.prepare(preparer.catalogue.find(operation), {"payload": payload}, validate=validate)


def faults(preparer, payload, **more):
    with pytest.raises(InvalidRequest) as raised:
        prepare(preparer, payload, **more)
    return [str(fault) for fault in raised.value.faults]


def test_a_model_that_was_shut_down_is_refused_with_its_successor_and_the_way_out(preparer):
    (fault,) = faults(preparer, {"model": "old", "messages": MESSAGES})
    assert fault.startswith(
        "payload.model: old was shut down on 2026-11-28;"
        " new takes its place (input 2 -> 1, output 8 -> 4 a million tokens)"
    )
    assert "--validate warn" in fault


def test_a_model_that_stops_soon_is_sent_with_a_warning(preparer):
    (warning,) = prepare(preparer, {"model": "late-2026-01-01", "messages": MESSAGES}).warnings
    assert str(warning).startswith("payload.model: late-2026-01-01 stops on 2026-12-11; `openai-connector models list`")


@pytest.mark.parametrize(
    ("more", "refused"),
    [
        ({"temperature": 0.5}, ["payload.temperature: new refuses it; leave it out: it chooses"]),
        ({"temperature": 0}, ["payload.temperature: new refuses it; leave it out: it chooses"]),
        ({"max_tokens": 5}, ["payload.max_tokens: new refuses it; give max_completion_tokens"]),
        ({"temperature": 1}, []),
        ({"temperature": None}, []),
        ({"temperature": 0.5, "reasoning_effort": "none"}, []),
        ({"max_completion_tokens": 5}, []),
    ],
)
def test_a_parameter_that_the_model_refuses_is_found_before_it_is_sent(preparer, more, refused):
    payload = {"model": "new", "messages": MESSAGES, **more}
    if refused:
        assert [fault.partition("; --validate")[0] for fault in faults(preparer, payload)] == refused
    else:
        assert prepare(preparer, payload).warnings == ()


def test_what_lifts_a_refusal_may_stand_deeper(preparer):
    payload = {"model": "new", "input": "hello", "temperature": 0.5}
    assert faults(preparer, payload, operation="responses create")
    lifted = {**payload, "reasoning": {"effort": "none"}}
    assert prepare(preparer, lifted, operation="responses create").warnings == ()


@pytest.mark.parametrize(
    ("model", "more", "refused"),
    [
        (
            "new",
            {"reasoning": {"effort": "minimal"}},
            ["payload.reasoning.effort: new refuses 'minimal'; allowed: none, low, max"],
        ),
        ("new", {"reasoning": {"effort": "low"}}, []),
        ("new", {"reasoning": {}}, []),
        ("plain", {"reasoning": {"effort": "low"}}, ["payload.reasoning.effort: plain refuses it; leave it out"]),
        ("late-2026-01-01", {"reasoning": {"effort": "low"}}, []),
        (
            "new",
            {"prompt_cache_retention": "in_memory"},
            ["payload.prompt_cache_retention: new refuses 'in_memory'; allowed: 24h: it is new"],
        ),
        ("new", {"prompt_cache_retention": "24h"}, []),
    ],
)
def test_a_value_that_the_model_does_not_take_is_refused_with_those_that_it_takes(preparer, model, more, refused):
    payload = {"model": model, "input": "hello", **more}
    if refused:
        found = faults(preparer, payload, operation="responses create")
        assert [fault.partition("; --validate")[0] for fault in found] == refused
    else:
        prepare(preparer, payload, operation="responses create")


@pytest.mark.parametrize(("mode", "warned"), [("warn", 2), ("off", 0)])
def test_laxer_checks_send_it_all_the_same(preparer, mode, warned):
    payload = {"model": "new", "messages": MESSAGES, "temperature": 0.5, "max_tokens": 5}
    assert len(prepare(preparer, payload, mode).warnings) == warned


@pytest.mark.parametrize("payload", [None, [], "text", {}, {"model": None}, {"model": 7}, {"model": "unheard-of"}])
def test_what_names_no_known_model_is_not_looked_at(preparer, payload):
    from connector.request.validation import Findings, Validate

    findings = Findings()
    rules = ModelRules(REGISTRY, lambda: date(2026, 11, 28))
    rules.check(preparer.catalogue.find("chat completions create"), payload, Validate.STRICT, findings)
    assert (findings.faults, findings.warnings) == ([], [])


@pytest.mark.parametrize(
    ("prototype", "parameters", "looks"),
    [
        ("openai", {"token": "sk-x"}, True),
        ("openai-compatible", {"base_uri": "http://127.0.0.1:9/v1"}, False),
        ("azure-openai", {"endpoint": "https://x.openai.azure.com", "token": "x"}, False),
    ],
)
def test_only_the_api_itself_has_the_models_of_the_registry(prototype, parameters, looks):
    payload = {"model": "gpt-6-luna", "messages": MESSAGES, "temperature": 0.5}
    client = Client(prototype, **parameters)
    if looks:
        with pytest.raises(InvalidRequest, match="gpt-6-luna refuses it"):
            client.prepare("chat completions create", {"payload": payload})
    else:
        assert client.prepare("chat completions create", {"payload": payload}).body is not None


@pytest.mark.parametrize(("day", "stops"), [("2026-01-01", False), ("2026-12-01", True)])
def test_another_day_can_be_looked_at(monkeypatch, day, stops):
    monkeypatch.setenv("OPENAI_CONNECTOR_TODAY", day)
    wire = Client("openai", token="sk-x").prepare(
        "chat completions create", {"payload": {"model": "gpt-5-mini", "messages": MESSAGES}}
    )
    assert bool(wire.warnings) is stops


def test_a_day_that_is_none_is_said(monkeypatch):
    from connector.errors import ConfigurationError
    from connector.model_registry import current_day

    monkeypatch.setenv("OPENAI_CONNECTOR_TODAY", "tomorrow")
    with pytest.raises(ConfigurationError, match="OPENAI_CONNECTOR_TODAY: found 'tomorrow'; a day such as"):
        current_day()
