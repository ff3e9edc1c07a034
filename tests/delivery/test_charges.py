"""What a route's calls are charged: each answer once, at the prices of its address, its tier and its window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from connector.delivery.charges import price_batch_line, price_call, price_kept_calls
from connector.engine import CallRecord
from connector.http import Client
from connector.http.addresses import find_region
from connector.model import JSON, Outcome, State
from connector.model_registry import default_registry
from connector.publishers import CallIntent, ClientCall
from connector.publishers.intent import client_intent
from connector.telemetry.costs import NO_USAGE, Prices, Usage

PRICES = Prices({}, registry=default_registry())
TERRA = {"model": "gpt-6.1-terra", "usage": {"prompt_tokens": 1_000_000, "completion_tokens": 100_000}}
CHAT: JSON = {"payload": {"model": "gpt-6.1-terra", "messages": [{"role": "user", "content": "Hi"}]}}
LONG = 2.0 + 0.75
"""What that costs: the prompt is longer than 272,000 tokens."""


def intent_of(operation: str, request: Mapping[str, Any], **parameters: Any) -> CallIntent:
    client = Client("openai", environ={}, token="any", **parameters)

    def prepare(asked: Mapping[str, Any]) -> Any:
        return client.prepare(operation, asked)

    sent = ClientCall(client=client, wire=prepare(request), request=request, prepare=prepare)
    return client_intent("openai", sent)


def answered(body: JSON, state: State = State.DONE) -> Outcome:
    return Outcome(state, 200, body=body)


@pytest.mark.parametrize(
    ("address", "region"),
    [
        ("https://eu.api.openai.com/v1", "eu"),
        ("https://US.api.openai.com", "us"),
        ("https://mtls-eu.api.openai.com/v1", "eu"),
        ("https://mtls.api.openai.com/v1", ""),
        ("https://api.openai.com/v1", ""),
        ("https://eu.api.openai.com.example/v1", ""),
        ("https://example.com/eu.api.openai.com", ""),
        ("http://127.0.0.1:8765/v1", ""),
    ],
)
def test_a_region_is_told_by_the_host(address: str, region: str) -> None:
    assert find_region(address) == region


@pytest.mark.parametrize(
    ("parameters", "factor"),
    [({}, 1.0), ({"region": "eu"}, 1.1), ({"base_uri": "https://mtls-us.api.openai.com/v1"}, 1.1)],
)
def test_a_call_to_a_region_costs_a_tenth_more(parameters: dict[str, str], factor: float) -> None:
    cost = price_call(PRICES, intent_of("chat completions create", CHAT, **parameters), answered(TERRA))
    assert cost.amount == pytest.approx(LONG * factor)
    assert cost.usage == Usage(1_000_000, output=100_000)


def test_models_of_before_march_2026_cost_the_same_everywhere() -> None:
    asked: JSON = {"payload": {"model": "gpt-4.1", "messages": [{"role": "user", "content": "Hi"}]}}
    answer = answered({"model": "gpt-4.1", "usage": {"prompt_tokens": 1000, "completion_tokens": 10}})
    amounts = {price_call(PRICES, intent_of("chat completions create", asked, **more), answer).amount
               for more in ({}, {"region": "eu"})}  # fmt: skip
    assert len(amounts) == 1


def test_the_window_that_was_asked_for_counts_and_so_does_the_region() -> None:
    request: JSON = {"payload": {"model": "gpt-6.1-terra", "input": "Hi", "background": True}}
    answer = answered({"model": "gpt-6.1-terra", "usage": {"input_tokens": 1000, "output_tokens": 1000}})
    cost = price_call(PRICES, intent_of("responses create", request, region="eu"), answer, tier="window-8h")
    assert cost.amount == pytest.approx(0.006 * 0.6 * 1.1)


def test_reading_an_answer_again_costs_nothing_unless_the_task_waited_for_it() -> None:
    request: JSON = {"path": {"response_id": "resp_1"}}
    intent = intent_of("responses retrieve", request)
    answer = answered({"id": "resp_1", "model": "gpt-6.1-terra", "usage": {"input_tokens": 10, "output_tokens": 10}})
    assert price_call(PRICES, intent, answer).usage == NO_USAGE
    assert price_call(PRICES, intent, answer, begun=True).usage == Usage(10, output=10)
    batch = intent_of("batches retrieve", {"path": {"batch_id": "b"}})
    assert price_call(PRICES, batch, answered({"id": "b", "usage": {"input_tokens": 9}})).amount is None


@pytest.mark.parametrize(
    ("model", "state", "characters", "amount"),
    [
        ("tts-1", State.DONE, 11, 11 * 15 / 1e6),
        ("tts-1", State.REFUSED, 0, None),
        ("gpt-4o-mini-tts", State.DONE, 0, None),
    ],
)
def test_a_text_that_is_read_aloud_is_charged_by_its_characters_where_the_model_is(
    model: str, state: State, characters: int, amount: float | None
) -> None:
    request: JSON = {"payload": {"model": model, "input": "Guten Tag! ", "voice": "alloy"}}
    cost = price_call(PRICES, intent_of("audio speech create", request), answered(b"sound", state))
    assert cost.usage.characters == characters
    assert (cost.amount or None) == (None if amount is None else pytest.approx(amount))


def test_a_request_in_a_batch_costs_half_whatever_tier_its_answer_names() -> None:
    answer = answered({**TERRA, "service_tier": "default"})
    one, more = (price_batch_line(PRICES, CHAT["payload"], answer, regional=regional) for regional in (False, True))
    assert one.amount == pytest.approx(LONG / 2)
    assert more.amount == pytest.approx(LONG / 2 * 1.1)


def test_image_models_answer_in_pictures_where_they_do_not_say_more() -> None:
    usage = {"input_tokens": 30, "input_tokens_details": {"text_tokens": 10, "image_tokens": 20}, "output_tokens": 50}
    assert PRICES.read_cost({"usage": usage}).usage == Usage(30, output=50, input_image=20, output_image=50)


def kept(operation: str, body: JSON, *, request: JSON = None, state: str = "done") -> CallRecord:
    sent = {"method": "POST", "url": "https://api.openai.com/v1/x", **(request or {})}
    known = {"task": 1, "attempt": 1, "number": 0, "fingerprint": "", "target": "openai", "effect": "opaque"}
    outcome = {"status": 200, "body": body}
    return CallRecord(**known, operation=operation, request=sent, state=state, outcome=outcome)  # type: ignore[arg-type]


def test_what_was_kept_of_a_task_tells_what_it_cost() -> None:
    usage = {"input_tokens": 1000, "output_tokens": 1000}
    asked = {"model": "gpt-6.1-terra", "background": True, "background_options": {"completion_window": "8h"}}
    calls = [
        kept("chat completions create", {"model": "gpt-6.1-terra", "usage": usage}),
        kept("chat completions create", {"model": "gpt-6.1-terra", "usage": usage},
             request={"url": "https://eu.api.openai.com/v1/chat/completions"}),
        kept("chat completions create", {"model": "gpt-6.1-terra", "usage": usage, "service_tier": "default"},
             request={"place": 0, "body": {"model": "gpt-6.1-terra"}}),
        kept("responses create", {"id": "resp_1", "status": "queued"}, request={"body": asked}),
        kept("responses retrieve", {"id": "resp_1", "model": "gpt-6.1-terra", "usage": usage},
             request={"method": "GET"}),
        kept("responses retrieve", {"id": "resp_2", "model": "gpt-6.1-terra", "usage": usage},
             request={"method": "GET"}),
        kept("audio speech create", None, request={"body": {"model": "tts-1", "input": "Hello"}}),
        kept("response input tokens count", {"input_tokens": 500}),
        kept("chat completions create", {"model": "gpt-6.1-terra", "usage": usage}, state="unknown"),
    ]  # fmt: skip
    found = {calls.index(call): cost.amount for call, cost in price_kept_calls(PRICES, calls)}
    assert found == pytest.approx({0: 0.006, 1: 0.0066, 2: 0.003, 4: 0.0036, 6: 5 * 15e-6})
