"""What a call used, in all the API's spellings, and what that cost."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.model import JSON
from connector.model_registry.load import registry_of
from connector.telemetry.costs import NO_USAGE, Cost, Prices, Usage, read_usage


@dataclass(frozen=True)
class Priced:
    input: float = 1.0
    cached_input: float | None = None
    output: float = 10.0
    per: int = 1_000_000
    priority: float = 2.0
    regional: float | None = None


CHAT: JSON = {
    "prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100,
    "prompt_tokens_details": {"cached_tokens": 400, "audio_tokens": 3},
    "completion_tokens_details": {"reasoning_tokens": 60, "audio_tokens": 4},
}  # fmt: skip
RESPONSE: JSON = {
    "input_tokens": 1000, "input_tokens_details": {"cached_tokens": 400}, "output_tokens": 100,
    "output_tokens_details": {"reasoning_tokens": 60}, "total_tokens": 1100,
}  # fmt: skip


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        (CHAT, Usage(1000, 400, 100, 60, input_audio=3, output_audio=4)),
        (RESPONSE, Usage(1000, 400, 100, 60)),
        ({"prompt_tokens": 8, "total_tokens": 8}, Usage(8)),
        ({"total_tokens": 9}, Usage(9)),
        ({"type": "tokens", "input_tokens": 14, "input_token_details": {"audio_tokens": 14}, "output_tokens": 4},
         Usage(14, 0, 4, input_audio=14)),
        ({"type": "duration", "seconds": 12}, Usage(seconds=12.0)),
        ({"prompt_tokens": -3, "completion_tokens": "7", "total_tokens": True}, NO_USAGE),
        ({"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 50}}, Usage(5, 5)),
        ({"input_tokens": 7, "input_cached_tokens": 2, "output_tokens": 1}, Usage(7, 2, 1)),
        (None, NO_USAGE), ("usage", NO_USAGE), ([], NO_USAGE), ({"usage": None}, NO_USAGE),
    ],
)  # fmt: skip
def test_every_spelling_is_understood(told: JSON, usage: Usage) -> None:
    assert read_usage(told) == usage
    assert read_usage({"usage": told}) == usage
    assert read_usage({"type": "response.completed", "response": {"usage": told}}) == usage
    assert read_usage({"custom_id": "1", "response": {"status_code": 200, "body": {"usage": told}}}) == usage


def test_model_and_tier_are_found_where_the_usage_is() -> None:
    line: JSON = {"response": {"body": {"model": "gpt-5-2025", "service_tier": "flex", "usage": CHAT}}}
    prices = Prices({"gpt-5*": Priced(1.0, None, 10.0, 1000)})
    assert prices.read_cost(line) == Cost("gpt-5-2025", read_usage(CHAT), pytest.approx(1.0))
    assert prices.read_cost({"model": "gpt-5"}) == Cost("gpt-5", NO_USAGE, 0.0)
    assert prices.read_cost([1]) == Cost("", NO_USAGE, None)


def test_the_longest_name_that_fits_counts() -> None:
    prices = Prices(
        {"*": Priced(1), "gpt-5*": Priced(2), "gpt-5-mini*": Priced(3), "gpt-5": Priced(4), "ft:gpt-5:*": Priced(5)}
    )
    names = ("o9", "gpt-5-2025-08-07", "gpt-5-mini-2025", "gpt-5", "ft:gpt-5:acme::1")
    assert [prices.find(name).rate("input") for name in names] == [1, 2, 3, 4, 5]
    assert Prices({"gpt-5": Priced()}).find("gpt-5-mini") is None
    assert not Prices({})
    assert prices


def test_what_is_cached_is_cheaper_and_batch_and_flex_cost_half() -> None:
    prices = Prices({"gpt-5": Priced(1.25, 0.125, 10.0), "plain": Priced(2.0)})
    usage = read_usage(CHAT)
    assert prices.compute_cost("gpt-5", usage) == pytest.approx((600 * 1.25 + 400 * 0.125 + 100 * 10) / 1e6)
    assert prices.compute_cost("plain", usage) == pytest.approx((1000 * 2 + 100 * 10) / 1e6)
    whole = prices.compute_cost("gpt-5", usage)
    assert whole is not None
    assert (
        prices.compute_cost("gpt-5", usage, "batch")
        == prices.compute_cost("gpt-5", usage, "flex")
        == pytest.approx(whole / 2)
    )
    assert (
        prices.compute_cost("gpt-5", usage, "priority")
        == prices.compute_cost("gpt-5", usage, "new")
        == pytest.approx(2 * whole)
    )
    assert prices.compute_highest_cost(usage) == pytest.approx(
        2 * max(whole, prices.compute_cost("plain", usage) or 0.0)
    )
    assert prices.compute_cost("other", usage) is None


def test_the_cost_of_an_answer() -> None:
    prices = Prices({"gpt-5*": Priced(1.0, None, 10.0, 1000)})
    answer: JSON = {
        "model": "gpt-5-mini",
        "service_tier": "flex",
        "usage": {"input_tokens": 1000, "output_tokens": 100},
    }
    assert prices.read_cost(answer) == Cost("gpt-5-mini", Usage(1000, 0, 100), 1.0)
    assert prices.read_cost({"usage": {"total_tokens": 1000}}, model="gpt-5") == Cost("gpt-5", Usage(1000), 1.0)
    assert prices.read_cost({"usage": {"total_tokens": 1000}}, model="gpt-5", tier="batch").amount == 0.5
    assert prices.read_cost({"data": []}, model="unheard-of") == Cost("unheard-of", NO_USAGE, None)


REGISTRY = registry_of(
    {
        "as_of": "2026-11-28",
        "models": {
            "gpt-9": {
                "prices": [
                    {
                        "input": 1,
                        "cached_input": 0.1,
                        "cache_write": 1.25,
                        "output": 4,
                        "web_searches": 10,
                        "above": {"tokens": 272000, "input": 2, "cached_input": 0.2, "output": 6},
                    }
                ],
                "tiers": {"flex": {"factor": 0.5}, "window-8h": {"factor": 0.6}},
                "regional": 1.1,
            },
            "listen-1": {"prices": [{"audio_hours": 0.36}]},
            "read-1": {"prices": [{"characters": 15}]},
            "speak-1": {"prices": [{"input": 1, "output": 2, "input_audio": 10, "output_audio": 20}]},
            "paint-1": {"prices": [{"input": 5, "output": 30, "input_image": 8, "cached_image": 2}]},
        },
    },
    "here",
)


@pytest.mark.parametrize(
    ("model", "more", "usage", "amount"),
    [
        ("gpt-9-2026-01-01", {}, {"input_tokens": 1000, "output_tokens": 100}, 0.0014),
        (
            "gpt-9",
            {},
            {
                "input_tokens": 1000,
                "input_tokens_details": {"cached_tokens": 400, "cache_write_tokens": 100},
                "output_tokens": 100,
            },
            (500 * 1 + 400 * 0.1 + 100 * 1.25 + 100 * 4) / 1e6,
        ),
        ("gpt-9", {}, {"input_tokens": 300_000, "output_tokens": 1000}, 0.606),
        ("gpt-9", {"service_tier": "flex"}, {"input_tokens": 300_000, "output_tokens": 1000}, 0.303),
        ("gpt-9", {"service_tier": "fast"}, {"input_tokens": 1000, "output_tokens": 0}, 0.002),
        ("gpt-9", {"background_options": {"completion_window": "8h"}}, {"input_tokens": 1000}, 0.0006),
        (
            "gpt-9",
            {"output": [{"type": "web_search_call"}, {"type": "message"}, {"type": "web_search_call"}]},
            {"input_tokens": 1000},
            0.021,
        ),
        ("listen-1", {}, {"type": "duration", "seconds": 1800}, 0.18),
        (
            "speak-1",
            {},
            {
                "prompt_tokens": 100,
                "prompt_tokens_details": {"audio_tokens": 60},
                "completion_tokens": 50,
                "completion_tokens_details": {"audio_tokens": 30},
            },
            (40 * 1 + 60 * 10 + 20 * 2 + 30 * 20) / 1e6,
        ),
        (
            "paint-1",
            {},
            {
                "input_tokens": 100,
                "input_tokens_details": {
                    "image_tokens": 80, "cached_tokens": 30, "cached_tokens_details": {"image_tokens": 30}
                },
                "output_tokens": 10,
            },
            (20 * 5 + 50 * 8 + 30 * 2 + 10 * 30) / 1e6,
        ),
    ],
)  # fmt: skip
def test_the_registry_prices_every_unit(model, more, usage, amount) -> None:
    assert Prices({}, registry=REGISTRY).read_cost({"model": model, **more, "usage": usage}).amount == pytest.approx(
        amount
    )


def test_configured_prices_go_before_the_registry_and_no_other_currency_has_its_prices() -> None:
    usage = Usage(1000)
    assert Prices({"gpt-9*": Priced(3.0)}, registry=REGISTRY).compute_cost("gpt-9", usage) == pytest.approx(0.003)
    assert Prices({}, "EUR", REGISTRY).compute_cost("gpt-9", usage) is None
    assert not Prices({}, "EUR", REGISTRY)


@pytest.mark.parametrize(
    ("model", "usage", "tier", "amount"),
    [
        ("gpt-9", Usage(1000, output=100), "", 0.0014 * 1.1),
        ("gpt-9-2026-01-01", Usage(1000, output=100), "flex", 0.0007 * 1.1),
        ("gpt-9", Usage(300_000, output=100), "", (0.6 + 0.0006) * 1.1),
        ("gpt-9", Usage(1000, web_searches=2), "", 0.001 * 1.1 + 0.02),
        ("listen-1", Usage(seconds=3600.0), "", 0.36),
    ],
)
def test_a_regional_address_costs_more_where_the_model_says_so_and_searches_cost_the_same(
    model: str, usage: Usage, tier: str, amount: float
) -> None:
    prices = Prices({}, registry=REGISTRY)
    assert prices.compute_cost(model, usage, tier, regional=True) == pytest.approx(amount)


def test_a_configured_price_has_the_surcharge_of_its_model_unless_it_says_its_own() -> None:
    own = Prices({"gpt-9": Priced(), "mine": Priced(), "gpt-9-flat": Priced(regional=1.0)}, registry=REGISTRY)
    usage = Usage(1_000_000)
    assert own.compute_cost("gpt-9", usage, regional=True) == pytest.approx(1.1)
    assert own.compute_cost("mine", usage, regional=True) == pytest.approx(1.0)
    assert own.compute_cost("gpt-9-flat", usage, regional=True) == pytest.approx(1.0)
    assert own.compute_cost("gpt-9", usage) == pytest.approx(1.0)


def test_what_is_written_for_twelve_hours_costs_twice_as_much() -> None:
    prices = Prices({}, registry=REGISTRY)
    answer: JSON = {
        "model": "gpt-9",
        "usage": {"input_tokens": 2000, "input_tokens_details": {"cache_write_tokens": 1024}, "output_tokens": 0},
    }
    short = prices.read_cost(answer)
    long = prices.read_cost({**answer, "prompt_cache_options": {"mode": "implicit", "ttl": "12h"}})
    assert short.amount == pytest.approx((976 * 1 + 1024 * 1.25) / 1e6)
    assert long.amount == pytest.approx((976 * 1 + 1024 * 2.5) / 1e6)
    assert (short.usage.total, long.usage.total) == (2000, 2000)


def test_characters_are_priced_by_the_million() -> None:
    usage = Usage(characters=2000)
    assert usage
    assert Prices({}, registry=REGISTRY).compute_cost("read-1", usage) == pytest.approx(0.03)


def test_no_token_is_charged_twice() -> None:
    usage = Usage(
        100, 40, 50, 20, 10, 4, input_audio=30, cached_audio=10, output_audio=25, input_image=20, cached_image=5,
        output_image=15,
    )  # fmt: skip
    units = usage.units()
    sent = (
        "input",
        "cached_input",
        "cache_write",
        "cache_write_12h",
        "input_audio",
        "cached_audio",
        "input_image",
        "cached_image",
    )
    assert sum(units[unit] for unit in sent) == 100
    assert sum(units[unit] for unit in ("output", "output_audio", "output_image")) == 50


def test_names_from_answers_do_not_pile_up() -> None:
    prices = Prices({"a*": Priced()})
    for number in range(5000):
        prices.find(f"model-{number}")
    assert len(prices._cache) <= 1000


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["usage", "response", "body", "prompt_tokens", "output_tokens", "cached_tokens",
                         "prompt_tokens_details", "total_tokens", "model"]),
        inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(JSONS)
def test_nothing_that_an_answer_may_hold_breaks_it(body: JSON) -> None:
    usage = read_usage(body)
    assert 0 <= usage.cached <= usage.input
    assert usage.output >= 0
    assert Prices({"*": Priced()}).read_cost(body).amount is not None


def test_usages_add_up() -> None:
    assert sum([Usage(1, 1, 2, 1, 0), Usage(10, 0, 20, 0, 5)], NO_USAGE) == Usage(11, 1, 22, 1, 5)
    assert Usage(3, 0, 4).total == 7
