"""What requests cost: by unit, day, length of the prompt and tier."""

from __future__ import annotations

from datetime import date

import pytest

from connector.model_registry import Model, PriceList, Tier
from connector.model_registry.rates import LongPrompt

LONG = PriceList(
    {"input": 1.0, "cached_input": 0.1, "output": 4.0}, None, LongPrompt(272_000, {"input": 2.0, "output": 6.0})
)


@pytest.mark.parametrize(
    ("used", "amount"),
    [
        ({"input": 1_000_000}, 2.0),
        ({"input": 272_000}, 0.272),
        ({"input": 272_001}, 0.544002),
        ({"input": 200_000, "cached_input": 72_001, "output": 1000}, 0.4 + 0.0072001 + 0.006),
        ({"input": 1000, "output": 1000}, 0.005),
        ({"cache_write": 1000}, 0.001),
        ({"input_audio": 1000, "output_audio": 1000}, 0.005),
        ({"web_searches": 3}, 0.0),
        ({}, 0.0),
    ],
)
def test_a_long_prompt_costs_more_for_the_whole_request(used, amount):
    assert LONG.amount(used) == pytest.approx(amount)


def test_units_have_counts_of_their_own():
    prices = PriceList({"characters": 15.0, "audio_hours": 0.36, "web_searches": 10.0})
    assert prices.amount({"characters": 1000}) == pytest.approx(0.015)
    assert prices.amount({"audio_hours": 0.5}) == pytest.approx(0.18)
    assert prices.amount({"web_searches": 2}) == pytest.approx(0.02)


MODEL = Model(
    name="m",
    prices=[
        PriceList({"input": 2.0, "web_searches": 10.0}),
        PriceList({"input": 1.0, "web_searches": 10.0}, date(2026, 8, 1)),
    ],
    tiers={"batch": Tier(0.5, date(2026, 9, 1)), "priority": Tier(1.0, None, {"input": 3.0})},
)


@pytest.mark.parametrize(
    ("tier", "day", "rate"),
    [
        ("default", date(2026, 7, 31), 2.0),
        ("default", date(2026, 8, 1), 1.0),
        ("default", None, 1.0),
        ("auto", None, 1.0),
        ("batch", date(2026, 9, 1), 0.5),
        ("batch", date(2026, 8, 31), 0.5),
        ("flex", None, 0.5),
        ("priority", None, 3.0),
        ("window-2h", None, 0.7),
        ("window-8h", None, 0.6),
        ("never heard of", None, 2.0),
    ],
)
def test_a_tier_has_rates_of_its_own_or_those_of_every_model(tier, day, rate):
    assert MODEL.price_list(tier, day).rate("input") == pytest.approx(rate)


def test_a_tier_changes_nothing_of_what_tools_cost():
    assert MODEL.price_list("flex").rate("web_searches") == 10.0


def test_a_model_without_prices_has_no_price_list():
    assert Model(name="m").price_list() is None
